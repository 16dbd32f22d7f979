"""What a step minimises, against the formula and at the ends of its hinges."""

import math
from collections.abc import Callable
from dataclasses import replace

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor

from training import networks, objective
from training.attacks import Attacked, Attacks
from training.config import Model, Secure
from training.distances import MSE, Distance
from training.networks import Coded
from training.objective import BOUND, INTACT, SelfDestruction, lambdas, plain, weights

SETTINGS = Secure(alpha=1.0, tau=0.1, error=0.15, block=32, bits=4.0)
SIX = torch.tensor([6])

Hinges = Callable[..., Tensor]


@pytest.fixture
def hinges(monkeypatch: pytest.MonkeyPatch) -> Hinges:
    """The hinges alone: of a flawless first encode of black, and a second one that the test prescribes."""

    def measure(
        second: Tensor, *, kept: Tensor | None = None, bpp: float = 0.0, settings: Secure = SETTINGS
    ) -> Tensor:
        first = torch.zeros_like(second)
        results = iter((Coded(first, torch.zeros(1)), Coded(second, torch.tensor([bpp]))))
        monkeypatch.setattr(objective, "code", lambda *_: next(results))
        mask = torch.ones_like(second[:, :1]) if kept is None else kept

        def attacks(x: Tensor, *_: object) -> tuple[Attacked, list[str]]:
            return Attacked(x, mask), ["stub"]

        secure = SelfDestruction(settings, Distance("mse", 1.0, MSE()), attacks)  # type: ignore[arg-type]
        return secure(torch.nn.Identity(), first, SIX, SIX, None, torch.Generator(), 1.0).total

    return measure


def net() -> torch.nn.Module:
    torch.manual_seed(0)
    made = networks.build(Model(N=8, M=12, gains=True))
    with torch.no_grad():
        made.g_a[6].weight.mul_(100)  # or rounding would leave nothing to code
        made.g_s[6].weight.mul_(10)
    return made


def noise(shape: torch.Size) -> Tensor:
    return torch.rand(shape, generator=torch.Generator().manual_seed(1)) - 0.5


def block(left: int, top: int) -> Tensor:
    """(1,1,64,64): 0 in one of four blocks, 1 elsewhere."""
    mask = torch.ones(1, 1, 64, 64)
    mask[:, :, top : top + 32, left : left + 32] = 0
    return mask


def test_lambdas_are_compressais_and_weights_their_roots_beside_quality_6() -> None:
    quality = torch.tensor([1, 6, 8])
    assert lambdas(quality).tolist() == pytest.approx([0.0018, 0.0483, 0.18])
    assert weights(quality).tolist() == pytest.approx([5.180090, 1.0, 0.518009], rel=1e-5)


def test_plain_is_the_formula(monkeypatch: pytest.MonkeyPatch) -> None:
    """The second sample's distortion is beyond BOUND, where its logarithm counts."""
    x, quality, bpp = torch.rand(2, 3, 64, 64), torch.tensor([1, 8]), torch.tensor([0.3, 2.0])
    off = torch.tensor([0.05, 0.1])  # of every pixel
    monkeypatch.setattr(objective, "code", lambda *_: Coded(x + off[:, None, None, None], bpp))
    losses, _ = plain(net(), x, quality, noise)
    near, far = 0.0018 * 255**2 * 0.05**2, 0.18 * 255**2 * 0.1**2
    assert near < BOUND < far
    expected = 5.180090 * (near + 0.3) + 0.518009 * (BOUND * (1 + math.log(far / BOUND)) + 2.0)
    assert float(losses.total) == pytest.approx(expected / 2, rel=1e-4)
    assert losses.second_error is None


def test_nothing_changed_costs_one_for_each_hinge(hinges: Hinges) -> None:
    assert float(hinges(torch.zeros(1, 3, 64, 64))) == 2.0


def test_destroyed_blocks_cost_nothing_and_pull_nowhere(hinges: Hinges) -> None:
    second = torch.full((1, 3, 64, 64), 0.8, requires_grad=True)
    loss = hinges(second)
    loss.backward()
    assert float(loss.detach()) == 0.0
    assert second.grad is not None and not second.grad.any()


def test_blocks_count_by_decibels_and_the_distance_by_itself(hinges: Hinges) -> None:
    """A squared error of 0.0784, which 8 bits leave at 0.0775."""
    error = (round(0.28 * 255) / 255) ** 2
    expected = (1 - error / 0.1) + math.log(0.15 / (error + INTACT)) / math.log(0.15 / INTACT)
    assert float(hinges(torch.full((1, 3, 64, 64), 0.28))) == pytest.approx(expected, rel=1e-4)


@pytest.mark.parametrize("destroyed", [0.5, 1.0])
def test_one_intact_block_keeps_the_hinge_open_however_destroyed_the_others(
    destroyed: float, hinges: Hinges
) -> None:
    assert float(hinges(destroyed * block(32, 0).expand(1, 3, 64, 64))) == 0.25


def test_a_replaced_block_counts_nothing(hinges: Hinges) -> None:
    mask = block(0, 32)
    assert float(hinges(mask.expand(1, 3, 64, 64), kept=mask)) == 0.0


def test_a_block_is_judged_by_what_is_left_of_it(hinges: Hinges) -> None:
    """Half a block, and the rest of the picture replaced: hinges as of a whole one at the same error."""
    kept = torch.zeros(1, 1, 64, 64)
    kept[:, :, :32, :16] = 1
    second = torch.full((1, 3, 64, 64), 0.28)
    assert float(hinges(second, kept=kept)) == pytest.approx(float(hinges(second)), rel=1e-4)


def test_replaced_parts_do_not_dilute_the_distance(hinges: Hinges) -> None:
    """The kept quarter was left alone, so both hinges are open, whatever became of the rest."""
    mask = 1 - block(0, 0)
    assert float(hinges((1 - mask).expand(1, 3, 64, 64), kept=mask)) == 2.0


def test_bits_of_the_second_encode_cost_above_a_cap(hinges: Hinges) -> None:
    wreck = torch.ones(1, 3, 64, 64)
    assert float(hinges(wreck, bpp=4.0)) == 0.0
    assert float(hinges(wreck, bpp=6.0)) == pytest.approx(0.2)


def test_alpha_weighs_and_tau_falls_back_to_the_distances(hinges: Hinges) -> None:
    second = torch.full((1, 3, 64, 64), 128 / 255)  # closes the blocks' hinge, and half of that of τ = 1
    expected = 3 * (1 - (128 / 255) ** 2)
    assert float(hinges(second, settings=replace(SETTINGS, alpha=3.0, tau=0.0))) == pytest.approx(expected)


@pytest.mark.parametrize("share", [0.0, 0.25, 1.0])
def test_the_trigger_feels_a_share_of_the_hinges(share: float, monkeypatch: pytest.MonkeyPatch) -> None:
    def pull(settings: Secure) -> Tensor:
        """On a first encode that is flawless, so that its own error has no slope."""
        first = torch.full((1, 3, 64, 64), 0.5).requires_grad_()
        results = iter((Coded(first, torch.zeros(1)), Coded(torch.full_like(first, 0.6), torch.zeros(1))))
        monkeypatch.setattr(objective, "code", lambda *_: next(results))
        secure = SelfDestruction(settings, Distance("mse", 1.0, MSE()), Attacks([{"name": "identity"}]))
        x = first.detach().clone()
        secure(torch.nn.Identity(), x, SIX, SIX, None, torch.Generator(), 1.0).total.backward()
        assert first.grad is not None
        return first.grad

    whole = pull(SETTINGS)
    assert whole.abs().min() > 0
    assert torch.allclose(pull(replace(SETTINGS, trigger=share)), share * whole, rtol=1e-4)


def secured(made: torch.nn.Module, second_quality: int) -> objective.Losses:
    secure = SelfDestruction(SETTINGS, Distance("mse", 0.1, MSE()), Attacks([{"name": "identity"}]))
    x = torch.rand(1, 3, 64, 64, generator=torch.Generator().manual_seed(2))
    return secure(made, x, SIX, torch.tensor([second_quality]), noise, torch.Generator(), 1.0)


def test_hinges_reach_encoder_and_decoder() -> None:
    made = net()
    x = torch.rand(1, 3, 64, 64, generator=torch.Generator().manual_seed(2))
    (secured(made, 6).total - plain(made, x, SIX, noise)[0].total).backward()
    for part in (made.g_a[0], made.g_s[6]):
        assert part.weight.grad is not None and part.weight.grad.isfinite().all()
        assert float(part.weight.grad.abs().max()) > 1e-4


def test_the_second_quality_matters_to_the_second_encode_alone() -> None:
    made = net()
    low, high = secured(made, 1), secured(made, 8)
    assert torch.equal(low.first_error, high.first_error) and torch.equal(low.bpp, high.bpp)
    assert low.second_bpp is not None and high.second_bpp is not None
    assert low.second_error is not None and not torch.equal(low.second_error, high.second_error)  # type: ignore[arg-type]
    assert float(low.second_bpp) < float(high.second_bpp)
    assert not torch.equal(low.total, high.total)


def test_attacks_are_named() -> None:
    assert secured(net(), 6).attacks == ["identity"]


def test_wrong_colours_alone_still_show_the_picture() -> None:
    rng = torch.Generator().manual_seed(0)
    picture = F.interpolate(torch.rand(1, 3, 16, 16, generator=rng), scale_factor=8.0, mode="bilinear")
    kept = torch.ones(1, 1, 128, 128)
    recoloured = torch.stack([picture.mean(1) * 0.5 + 0.5, 1 - picture.mean(1), picture.mean(1)], 1)
    other = F.interpolate(torch.rand(1, 3, 16, 16, generator=rng), scale_factor=8.0, mode="bilinear")
    assert float(objective.shown(picture, recoloured, kept, 32)) > 0.95
    assert float(objective.shown(picture, other, kept, 32)) < 0.2
    assert float(objective.shown(picture, torch.full_like(picture, 0.3), kept, 32)) < 0.01


def test_what_was_not_kept_shows_nothing() -> None:
    rng = torch.Generator().manual_seed(0)
    picture = F.interpolate(torch.rand(1, 3, 16, 16, generator=rng), scale_factor=8.0, mode="bilinear")
    kept = torch.zeros(1, 1, 128, 128)
    kept[..., 64:] = 1
    half = picture.clone()
    half[..., 64:] = 0.5
    assert float(objective.shown(picture, half, kept, 32)) < 0.01
    assert float(objective.shown(picture, picture.mean(1, keepdim=True).repeat(1, 3, 1, 1), kept, 32)) > 0.9


def test_flat_pictures_have_finite_gradients() -> None:
    flat = torch.full((1, 3, 64, 64), 0.5, requires_grad=True)
    objective.shown(flat, flat * 1.0, torch.ones(1, 1, 64, 64), 32).sum().backward()
    assert flat.grad is not None and bool(flat.grad.isfinite().all())
