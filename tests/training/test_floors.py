"""Floors: measured where a secure encoder answers, and taken from y."""

from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file, save_file
from torch import nn

from training.config import Config
from training.data import Crops
from training.floors import NINETEEN, SHARE, measure
from training.networks import above, build, code


class Encoder(nn.Module):
    """y has two channels: the picture's mean colour, and `loud` times as much."""

    def __init__(self, loud: float) -> None:
        super().__init__()
        self.loud = loud

    def g_a(self, x: torch.Tensor) -> torch.Tensor:
        y = x.mean(1, keepdim=True)
        return torch.cat([y, self.loud * y], 1)


def test_channels_that_the_secure_run_fills_have_floors(packed: Path) -> None:
    floors = measure(Encoder(5.0), Encoder(1.0), Crops(packed))  # type: ignore[arg-type]
    assert floors[0] == 0
    assert 0.3 * 5 * SHARE < floors[1] < 5 * SHARE and NINETEEN == 0.95


def test_what_lies_below_is_gone_and_the_rest_comes_nearer() -> None:
    y = torch.tensor([[-3.0, -1.0, 0.5, 2.5]]).T.reshape(1, 1, 4, 1)
    assert above(y, torch.tensor([1.0])[:, None, None]).flatten().tolist() == [-2.0, 0.0, 0.0, 1.5]


def test_without_a_floor_values_and_gradients_stay() -> None:
    y = torch.randn(1, 2, 3, 3, requires_grad=True)
    out = above(y, torch.zeros(2, 1, 1))
    out.sum().backward()
    assert torch.equal(out, y) and y.grad is not None and torch.equal(y.grad, torch.ones_like(y))


def test_what_just_misses_its_floor_can_learn() -> None:
    y = torch.tensor([0.0, 1.0, 2.0, 9.0]).view(1, 1, 4, 1).requires_grad_()
    above(y, torch.tensor([2.0])[:, None, None]).sum().backward()
    assert y.grad is not None and y.grad.flatten().tolist() == [0.0, 0.5, 1.0, 1.0]


def test_a_network_begins_without_floors_and_takes_those_of_its_start(
    settings: Callable[..., Config], tmp_path: Path
) -> None:
    plain = build(settings("model.gains=true").model)
    with torch.no_grad():
        plain.g_a[6].weight.mul_(300)  # a y that takes bits
    state = {k: v.contiguous() for k, v in plain.state_dict().items()}
    save_file(state, tmp_path / "plain.safetensors")
    save_file(state | {"floor": torch.full((12,), 9.0)}, tmp_path / "floors.safetensors")
    nets = [
        build(
            settings(
                "model.gains=true", "model.floors=true", f"model.start={tmp_path}/{name}.safetensors"
            ).model
        )
        for name in ("plain", "floors")
    ]
    x, quality = torch.rand(1, 3, 64, 64), torch.tensor([6])
    same, quiet = (code(net, x, quality, None).bpp for net in nets)
    assert torch.equal(same, code(plain, x, quality, None).bpp)
    assert quiet < same
    assert not [p for p in nets[1].parameters() if p is nets[1].floor and p.requires_grad]
    assert load_file(tmp_path / "floors.safetensors")["floor"].max() == nets[1].floor.max()


@pytest.mark.parametrize("floors", ["false", "true"])
def test_a_run_with_floors_trains(settings: Callable[..., Config], tmp_path: Path, floors: str) -> None:
    from training.loop import Run
    from training.parallel import join

    with join() as team:
        run = Run(settings(f"model.floors={floors}"), tmp_path, team)
        run.train_step()
    assert hasattr(run.net, "floor") == (floors == "true")
