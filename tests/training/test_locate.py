"""The map learns which places are the model's own, and nothing else of the model moves."""

import json
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path

import numpy as np
import pytest
import torch
from click.testing import CliRunner
from safetensors.torch import load_file, save_file
from torch import nn

from training import locate
from training.config import Config
from training.networks import build


def save(net: nn.Module, file: Path) -> None:
    save_file({k: v.detach().contiguous() for k, v in net.state_dict().items()}, file)


@pytest.fixture
def run(settings: Callable[..., Config], tmp_path: Path) -> Path:
    """A run folder of a secured model that has learnt nothing."""
    torch.manual_seed(0)
    plain = settings("model.gains=true")
    save(build(plain.model), tmp_path / "base.safetensors")
    made = settings(
        "model.gains=true", "model.evidence=true", f'secure.vanilla=["{tmp_path / "base.safetensors"}"]'
    )
    save(build(made.model), tmp_path / "weights.safetensors")
    (tmp_path / "config.json").write_text(json.dumps(asdict(made) | {"machine": {}}))
    return tmp_path


class Striped:
    """A pool whose own pictures have stripes."""

    def draw(self, random: np.random.Generator) -> tuple[torch.Tensor, torch.Tensor]:
        side = locate.CROP
        kept = 1 - locate.region(side, random)
        stripes = (torch.arange(side) % 2 * 0.02).expand(3, side, side)
        return 0.5 + stripes * kept, kept


def test_places_are_told_from_regions_and_all_else_stays(settings: Callable[..., Config]) -> None:
    torch.manual_seed(1)
    net: nn.Module = build(settings("model.gains=true", "model.evidence=true").model).requires_grad_(False)
    before = {name: value.clone() for name, value in net.state_dict().items()}
    assert locate.fit(net, Striped(), 60) < 0.35  # type: ignore[arg-type]  (.69 is a guess)
    moved = {name for name, value in net.state_dict().items() if not torch.equal(value, before[name])}
    assert moved and all(name.startswith("evidence.where.") for name in moved)


@pytest.mark.parametrize("change", locate.CHANGES)
def test_a_change_is_another_picture_of_the_same_size(change: Callable[..., torch.Tensor]) -> None:
    own, other = torch.rand(2, 3, 272, 272, generator=torch.Generator().manual_seed(0))
    changed = change(own, other, np.random.default_rng(0))
    assert changed.shape == own.shape and (changed - own).abs().mean() > 0.05


def test_regions_lie_within_and_differ() -> None:
    areas = [float(locate.region(128, np.random.default_rng(i)).mean()) for i in range(60)]
    assert 0 < min(areas) < 0.03 and 0.25 < max(areas) < 0.75


def test_the_command_rewrites_the_run_s_weights(run: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(locate, "CROP", 48)  # the fixture's pictures are small
    before = load_file(run / "weights.safetensors")
    done = CliRunner().invoke(locate.main, [str(run), "--crops", "3", "--steps", "2"], catch_exceptions=False)
    after = load_file(run / "weights.safetensors")
    assert done.exit_code == 0 and "weights.safetensors: where 0." in done.output
    moved = {k for k in after if not torch.equal(after[k], before[k])}
    assert moved == {k for k in after if k.startswith("evidence.where.")} | {"evidence.decide.bias"}
    assert float(before["evidence.decide.bias"] - after["evidence.decide.bias"]) == pytest.approx(1, abs=1e-6)


def test_a_plain_run_has_no_map(run: Path) -> None:
    values = json.loads((run / "config.json").read_text())
    values["model"]["evidence"] = False
    (run / "config.json").write_text(json.dumps(values))
    done = CliRunner().invoke(locate.main, [str(run)])
    assert done.exit_code == 2 and "gathers no evidence" in done.output
