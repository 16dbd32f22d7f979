"""Evidence, learnt from many crops of a codec that stays as it is."""

import json
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path

import pytest
import torch
from click.testing import CliRunner
from safetensors.torch import load_file

from slic.evidence import Evidence
from training import evidence
from training.config import Config
from training.evidence import Seen, Shut, collect, fit, levels, mistakes
from training.loop import Run, edits
from training.networks import build
from training.parallel import Team

GATHERING = (
    "secure.distance=mse",
    "secure.vanilla=[]",
    "model.start=",
    "model.floors=true",
    'secure.attacks=[{name="blur", radius=[1, 2]}]',
    'data.innocent=[{name="jpeg", quality=[20, 90]}]',
)


def test_it_learns_what_tells_the_kinds_apart() -> None:
    torch.manual_seed(0)
    y = torch.randn(2, 40, 3, 12, 12)
    y[1, :, 2] += 0.8  # less than the noise: no latent tells by itself
    network, kept = Evidence(3, features=32, joint=16), torch.ones(40, 1, 12, 12)
    seen = Seen(y[0], y[1], kept)
    before = mistakes(network, seen)
    fit(network, seen, 400)
    assert max(mistakes(network, seen)) < 0.02 < max(before)


def test_levels_are_those_of_the_model_s_own_pictures() -> None:
    own = torch.linspace(-1, 1, 1000).view(10, 1, 10, 10) * torch.tensor([5.0, 7.0])[:, None, None]
    assert levels(own, torch.tensor([False, True])).tolist() == pytest.approx([0, 0.9 * 7], rel=0.01)


def test_crops_are_seen_before_and_after_the_codec(settings: Callable[..., Config]) -> None:
    made = settings(*GATHERING, file="secure.toml")
    net = build(made.model).eval().requires_grad_(False)
    net.evidence = Shut(net.floor > 0)
    innocent, attacks = edits(made, torch.device("cpu"), bf16=False)
    assert attacks is not None
    seen = collect(net, made, innocent, attacks, 12)
    assert seen.innocent.shape == seen.own.shape == (12, 12, 4, 4) and (seen.kept == 1).all()
    assert not torch.equal(seen.innocent, seen.own)
    again = collect(net, made, innocent, attacks, 6)
    assert torch.equal(again.own, seen.own[:6]), "the same crops every time"


def _saved(settings: Config, folder: Path) -> None:
    Run(settings, folder, Team(0, 1, torch.device("cpu"))).save()
    (folder / "config.json").write_text(json.dumps(asdict(settings)))


def test_a_run_gains_evidence_and_nothing_else_changes(
    settings: Callable[..., Config], tmp_path: Path
) -> None:
    made = settings(*GATHERING, file="secure.toml")
    _saved(made, tmp_path)
    arguments = [str(tmp_path), str(tmp_path / "out.safetensors"), "--crops", "6", "--steps", "3"]
    done = CliRunner().invoke(evidence.main, arguments, catch_exceptions=False)
    assert done.exit_code == 0 and "of held-out places" in done.output
    before, after = (load_file(tmp_path / f"{name}.safetensors") for name in ("weights", "out"))
    assert all(torch.equal(after[name], before[name]) for name in before)
    assert {name.split(".")[0] for name in after.keys() - before.keys()} == {"evidence"}


@pytest.mark.parametrize("missing", ["model.floors=false", "secure.alpha=0"])
def test_a_run_without_floors_or_attacks_is_refused(
    missing: str, settings: Callable[..., Config], tmp_path: Path
) -> None:
    made = settings(*GATHERING, missing, file="secure.toml")
    _saved(made, tmp_path)
    done = CliRunner().invoke(evidence.main, [str(tmp_path), str(tmp_path / "out.safetensors")])
    assert done.exit_code == 2 and "is no secure run with floors" in done.output
