"""Symbols that are counted become tables; what a step learns by is what its files would cost."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import save_file

from slic import convert
from slic.entropy import Tables
from slic.models import open_file
from training import networks
from training.config import Config, ConfigError, Model
from training.tally import KEPT, Tally

Settings = Callable[..., Config]
SHAPE = (1, 40, 20, 20)


def latents(seed: int = 0) -> tuple[torch.Tensor, torch.Tensor]:
    """y, sharper than Gaussians, and its scales, some of them below the least."""
    random = torch.Generator().manual_seed(seed)
    scales = (torch.rand(SHAPE, generator=random) * 5 - 3).exp()
    y = torch.randn(SHAPE, generator=random) * torch.rand(SHAPE, generator=random).exp() * scales
    return y.requires_grad_(), scales.requires_grad_()


@pytest.fixture
def tally() -> Tally:
    """That has seen a hundred steps."""
    made = Tally(12.0)
    for seed in range(100):
        made(*latents(seed))
        made.absorb()
    return made


def test_every_symbol_is_counted_and_the_past_fades() -> None:
    tally, (y, scales) = Tally(12.0), latents()
    tally(y, scales)
    tally.absorb()
    assert tally.counts.sum() == y.numel()
    tally(y, scales)
    tally.absorb()
    assert tally.counts.sum() == pytest.approx((1 + KEPT) * y.numel())


def test_judging_counts_nothing(tally: Tally) -> None:
    before = tally.counts.clone()
    tally.eval()(*latents(7))
    tally.absorb()
    torch.testing.assert_close(tally.counts, KEPT * before)


def test_bits_are_those_of_the_file_s_tables(tally: Tally) -> None:
    """Between the middles of two tables, in the mean, as the file has one or the other."""
    tables = _tables(convert.latent_tables(tally.counts))
    y, scales = latents(200)
    symbols, bits = tally(y, scales)
    numbers = torch.bucketize(scales, torch.from_numpy(convert.scales()[:-1]).float())
    exact = tables.bits(2048)[numbers.numpy(), symbols.detach().abs().int().numpy()]
    assert float(bits.detach().sum()) == pytest.approx(exact.sum(), rel=0.01)


def test_counted_tables_cost_less_than_assumed_ones(tally: Tally) -> None:
    y, scales = latents(200)
    _, counted = tally(y, scales)
    _, assumed = Tally(12.0)(y, scales)
    assert counted.sum() < 0.99 * assumed.sum()


def test_latents_learn_to_cost_less_and_scales_to_fit(tally: Tally) -> None:
    y, scales = latents(200)
    symbols, bits = tally(y, scales)
    bits.sum().backward()
    assert y.grad is not None and scales.grad is not None
    down = y.grad * y.detach().sign()  # with which magnitudes fall
    assert (down >= 0).float().mean() > 0.95 and down.mean() > 0.1
    too_small = (symbols.abs() > 4 * scales) & (scales > 0.2)
    assert (scales.grad[too_small] < 0).float().mean() > 0.95, (
        "a symbol beyond what was expected asks for a wider table"
    )


def test_the_gradient_of_what_follows_reaches_the_latents(tally: Tally) -> None:
    y, scales = latents(200)
    symbols, _ = tally(y, scales)
    (3 * symbols).sum().backward()
    assert y.grad is not None and (y.grad == 3).all()


def test_a_model_file_goes_on_where_it_was(settings: Settings, tmp_path: Path) -> None:
    torch.manual_seed(0)
    model = settings().model
    assert model.worth == 12.0
    net = networks.build(model)
    for _ in range(30):
        networks.code(net, torch.rand(2, 3, 64, 64), torch.tensor([6, 8]), torch.zeros)
        net.tally.absorb()
    state = {k: v.contiguous() for k, v in net.state_dict().items()}
    save_file(state, tmp_path / "state.safetensors")
    made = convert.convert(tmp_path / "state.safetensors", tmp_path / "m.safetensors", name="m", quality=6)
    assert made.tensors["tables.y.worth"] == [12.0]
    again = networks.build(Model(**(vars(model) | {"start": str(made.path)})))
    tables, others = (_tables(convert.latent_tables(n.tally.counts)).bits(16) for n in (net, again))
    np.testing.assert_allclose(tables, others, atol=1.0)  # what never came may come a little more often
    often = (net.tally.counts.sum(1) > 1e4).numpy()
    assert often.any()
    np.testing.assert_allclose(tables[often, 0], others[often, 0], atol=1e-3)
    assert open_file(made.path).identity == made.identity


def test_context_models_have_none(settings: Settings) -> None:
    with pytest.raises(ConfigError, match=r"model\.worth is for the hyperprior"):
        settings("model.architecture=mbt2018", "model.gains=false", "data.draw=[0,0,0,0,0,1,0,0]")


def _tables(tensors: dict[str, np.ndarray]) -> Tables:
    return Tables(*(tensors[f"tables.y.{part}"] for part in ("counts", "lengths", "first")))
