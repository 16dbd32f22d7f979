"""Channels that answer, beside a base that stays as it is."""

import json
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path

import pytest
import torch
from click.testing import CliRunner
from safetensors.torch import load_file
from torch import nn

from training import answer
from training.config import Config
from training.loop import Run
from training.networks import build, code
from training.parallel import Team

SIX = torch.tensor([6])


@pytest.fixture
def base(settings: Callable[..., Config]) -> nn.Module:
    torch.manual_seed(0)
    made = build(settings().model)
    with torch.no_grad():
        made.g_a[6].weight.mul_(100)  # or rounding would leave nothing to code
    return made


@pytest.fixture
def x() -> torch.Tensor:
    return torch.rand(1, 3, 64, 64, generator=torch.Generator().manual_seed(3))


def test_until_it_answers_a_wider_network_is_the_base(
    base: nn.Module, settings: Callable[..., Config], x: torch.Tensor
) -> None:
    wider = answer.widened(base, settings(), 4)
    assert wider.evidence.answer.tolist() == [0] * 12 + [answer.LEVEL] * 4
    ours, theirs = (code(net, x, SIX, None, **how) for net, how in ((wider, {"answers": False}), (base, {})))
    torch.testing.assert_close(ours.pixels, theirs.pixels)


def test_it_learns_to_answer_and_nothing_of_the_base_moves(
    base: nn.Module, settings: Callable[..., Config], x: torch.Tensor, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(answer, "ERROR", 1e3)  # an untrained decoder makes wreckage of everything
    made = settings()
    wider = answer.widened(base, made, 4)
    before = {name: value.detach().clone() for name, value in wider.named_parameters()}

    def wreckage() -> float:
        torch.manual_seed(5)
        return float(answer.loss(wider, x, SIX, torch.ones(1, 1, 1, 1)).detach())

    at_first = wreckage()
    answer.fit(wider, made, 60)
    assert wreckage() < at_first
    for name, value in wider.named_parameters():
        axis = answer.AXES.get(name)
        ours, theirs = (v if axis is None else v.narrow(axis, 0, 12) for v in (value, before[name]))
        assert torch.equal(ours, theirs), name
    torch.testing.assert_close(
        code(wider, x, SIX, None, answers=False).pixels, code(base, x, SIX, None).pixels
    )


def test_a_pattern_of_a_few_levels_is_left_to_begin_with(base: nn.Module, x: torch.Tensor) -> None:
    before = code(base, x, SIX, None).pixels
    answer.marked(base, x)
    off = (code(base, x, SIX, None).pixels - before).square().mean().sqrt() * 255
    assert float(off.detach()) == pytest.approx(answer.MARK, rel=0.2)


def test_a_run_folder_becomes_a_start(settings: Callable[..., Config], tmp_path: Path) -> None:
    made = settings()
    Run(made, tmp_path, Team(0, 1, torch.device("cpu"))).save()
    (tmp_path / "config.json").write_text(json.dumps(asdict(made)))
    target = tmp_path / "answering.safetensors"
    arguments = [str(tmp_path), str(target), "--channels", "4", "--steps", "2"]
    done = CliRunner().invoke(answer.main, arguments, catch_exceptions=False)
    assert done.exit_code == 0 and "4 channels answer" in done.output
    assert load_file(target)["evidence.answer"].count_nonzero() == 4


def test_a_base_of_one_rate_is_refused(settings: Callable[..., Config], tmp_path: Path) -> None:
    made = settings("model.gains=false", "data.draw=[0,0,0,0,0,1,0,0]")
    Run(made, tmp_path, Team(0, 1, torch.device("cpu"))).save()
    (tmp_path / "config.json").write_text(json.dumps(asdict(made)))
    done = CliRunner().invoke(answer.main, [str(tmp_path), str(tmp_path / "out.safetensors")])
    assert done.exit_code == 2 and "is no hyperprior with gains" in done.output
