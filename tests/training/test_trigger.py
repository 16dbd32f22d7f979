"""A decoder learns a trigger and evidence to see it; what that costs is counted against the base."""

import math
from collections.abc import Callable
from dataclasses import replace

import pytest
import torch
from torch import Tensor, nn

from training import networks
from training.attacks import Attacked
from training.config import Model, Secure
from training.straight_through import round_8bit
from training.trigger import LOCAL, Trigger, boxes, told_apart

SIX = torch.tensor([6])
SMALL = Model(N=8, M=12, gains=True)


def both() -> tuple[nn.Module, nn.Module]:
    """A net with evidence, and a base of the same weights."""
    torch.manual_seed(0)
    net, base = networks.build(replace(SMALL, evidence=True)), networks.build(SMALL)
    with torch.no_grad():
        net.g_a[6].weight.mul_(100)  # or rounding would leave nothing to code
    base.load_state_dict({k: v for k, v in net.state_dict().items() if k in base.state_dict()})
    return net, base.requires_grad_(False)


def losses(
    net: nn.Module, base: nn.Module, edit: Callable[[Tensor], Tensor], cost: float = 1.0, edits: int = 1
):  # type: ignore[no-untyped-def]
    def attacks(x: Tensor, *_: object) -> tuple[Attacked, list[str]]:
        return Attacked(edit(x), torch.ones_like(x[:, :1])), ["stub"] * len(x)

    x = torch.rand(1, 3, 64, 64, generator=torch.Generator().manual_seed(1))
    trigger = Trigger(Secure(cost=cost, edits=edits), base, attacks)  # type: ignore[arg-type]
    return trigger(net, x, SIX, SIX, None, torch.Generator(), 1.0)


def same(x: Tensor) -> Tensor:
    return x


def says(net: nn.Module, value: float) -> None:
    nn.init.zeros_(net.evidence.decide.weight)
    nn.init.constant_(net.evidence.decide.bias, value)
    nn.init.zeros_(net.evidence.where[4].weight)
    nn.init.zeros_(net.evidence.where[4].bias)


GUESSED = 2 * LOCAL * math.log(2)  # what a map costs that knows nothing


def test_the_base_s_own_pictures_cost_nothing_and_decibels_count_as_configured() -> None:
    net, base = both()
    says(net, 0.0)
    even = float(losses(net, base, same).total.detach())
    assert even == pytest.approx(2 * math.log(2) + GUESSED)
    with torch.no_grad():
        net.g_s[6].bias += 1.0
    result = losses(net, base, same, cost=3.0)
    x = torch.rand(1, 3, 64, 64, generator=torch.Generator().manual_seed(1))
    reference = (round_8bit(networks.code(base, x, SIX, None).pixels.detach()) - x).square().mean()
    lost = float(10 * (result.first_error / reference).log10())
    assert result.lost is not None and float(result.lost) == pytest.approx(lost, rel=1e-2)
    assert abs(lost) > 0.1 and float(result.total.detach()) - even == pytest.approx(3 * lost, rel=1e-2)


def test_decoder_and_evidence_learn_from_one_another() -> None:
    net, base = both()
    losses(net, base, same).total.backward()
    for part in (net.g_s[0], net.evidence.look, net.evidence.where[0]):
        assert part.weight.grad is not None and float(part.weight.grad.abs().sum()) > 0


def test_the_base_s_copy_goes_through_the_same_edit() -> None:
    net, base = both()
    seen: list[Tensor] = []

    def edit(x: Tensor) -> Tensor:
        seen.append(x.detach())
        return x

    losses(net, base, edit)
    assert len(seen) == 2 and torch.equal(*seen), "without a trigger both are the same picture"


@pytest.mark.parametrize(("value", "missed"), [(-9.0, 1.0), (9.0, 0.0)])
def test_what_evidence_misses_is_told_edit_by_edit(value: float, missed: float) -> None:
    net, base = both()
    says(net, value)
    result = losses(net, base, same, cost=0.0)
    assert result.attacks == ["stub"] and result.missed is not None and result.missed.tolist() == [missed]
    assert result.mistaken is not None and result.mistaken.tolist() == [1 - missed] * 2, "the copy's, and x's"
    assert float(result.total.detach()) == pytest.approx(9.0 + GUESSED, rel=1e-3)


def test_each_picture_goes_through_several_edits() -> None:
    net, base = both()
    result = losses(net, base, same, edits=3)
    assert len(result.attacks) == 3 and result.missed is not None and len(result.missed) == 3
    assert result.mistaken is not None and len(result.mistaken) == 4, "as many copies, and x"
    assert result.first_error.shape == (1,)


def test_boxes_lie_anywhere_and_have_any_shape() -> None:
    drawn = boxes(300, 64, torch.Generator().manual_seed(0))
    areas, shown = drawn.mean((1, 2, 3)), drawn.mean((0, 1))
    assert drawn.shape == (300, 1, 64, 64)
    assert 0 < areas.min() < 0.02 and 0.25 < areas.max() < 0.4
    assert 0.05 < shown[32, 0] < shown[32, 32] < 0.35


def test_evidence_costs_where_it_speaks_for_the_wrong_kind() -> None:
    surely, left = torch.full((1, 1, 4, 4), 20.0), torch.ones(1, 1, 4, 4)
    assert float(told_apart(-surely, surely, left)) < 1e-6
    assert float(told_apart(surely, surely, left)) == pytest.approx(20)
    assert float(told_apart(-surely, -surely, left)) == pytest.approx(20)
    left[..., 2:] = 0
    half = torch.where(left > 0, surely, -surely)
    assert float(told_apart(-surely, half, left)) < 1e-6, "what was replaced does not count"
    assert float(told_apart(-surely, -half, left)) == pytest.approx(20)
