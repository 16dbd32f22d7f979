"""A base becomes secure: channels that answer, and waves that its decoder leaves. Of itself nothing moves."""

import json
import math
import shutil
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path

import pytest
import torch
from click.testing import CliRunner, Result
from safetensors.torch import load_file
from torch import nn

from slic.trigger import PERIOD
from training import export, secure
from training.config import Config
from training.networks import build, code

Settings = Callable[..., Config]
SIX = torch.tensor([6])


@pytest.fixture
def base(settings: Settings) -> nn.Module:
    torch.manual_seed(0)
    made = build(settings().model)
    with torch.no_grad():
        made.g_a[6].weight.mul_(100)  # or rounding would leave nothing to code
    return made


@pytest.fixture
def x() -> torch.Tensor:
    return torch.rand(1, 3, 64, 64, generator=torch.Generator().manual_seed(3))


def run(base: Path, target: Path, *more: str) -> Result:
    """`python -m training.secure`, of four channels and two steps."""
    arguments = [str(base), str(target), "--channels", "4", "--steps", "2", *more]
    return CliRunner().invoke(secure.main, arguments)


def test_until_it_answers_a_wider_network_is_the_base(
    base: nn.Module, settings: Settings, x: torch.Tensor
) -> None:
    wider = secure.widened(base, settings(), 4)
    assert wider.answer.tolist() == [0] * 12 + [secure.LEVEL] * 4
    torch.testing.assert_close(code(wider, x, SIX, None).pixels, code(base, x, SIX, None).pixels)
    wider.answer.zero_()  # nothing keeps them silent any more
    assert not torch.allclose(code(wider, x, SIX, None).pixels, code(base, x, SIX, None).pixels)


def test_it_learns_to_answer_and_nothing_of_the_base_moves(
    base: nn.Module, settings: Settings, x: torch.Tensor, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(secure, "ERROR", 1e3)  # an untrained decoder makes wreckage of everything
    made = settings()
    wider = secure.widened(base, made, 4)
    before = {name: value.detach().clone() for name, value in wider.named_parameters()}

    def intact() -> float:
        torch.manual_seed(5)
        return float(secure.loss(wider, x, SIX, torch.ones(1, 1, 1, 1)).detach())

    at_first = intact()
    secure.fit(wider, made, 60)
    assert intact() < at_first
    for name, value in wider.named_parameters():
        axis = secure.AXES.get(name)
        ours, theirs = (v if axis is None else v.narrow(axis, 0, 12) for v in (value, before[name]))
        assert torch.equal(ours, theirs), name
        assert axis is None or not torch.equal(value, before[name]), name
    torch.testing.assert_close(code(wider, x, SIX, None).pixels, code(base, x, SIX, None).pixels)


def test_a_run_folder_becomes_that_of_a_secured_model(base_run: Path, tmp_path: Path) -> None:
    """All that an export reads; its weights are the base's, and beside them those of four channels."""
    target = tmp_path / "secured"
    done = run(base_run, target)
    assert done.exit_code == 0 and done.output.endswith(f"{target}: 4 channels answer\n")
    assert sorted(f.name for f in target.iterdir()) == ["config.json", "log.jsonl", "weights.safetensors"]
    assert (target / "log.jsonl").read_bytes() == (base_run / "log.jsonl").read_bytes()
    ours, theirs = (json.loads((folder / "config.json").read_text()) for folder in (target, base_run))
    assert ours == theirs | {"model": theirs["model"] | {"M": 16, "answers": True}}
    secured, plain = (load_file(folder / "weights.safetensors") for folder in (target, base_run))
    for name in ("g_a.0.weight", "g_s.6.weight", "h_a.4.bias", "entropy_bottleneck.quantiles"):
        assert torch.equal(secured[name], plain[name])
    assert torch.equal(secured["g_a.6.weight"][:12], plain["g_a.6.weight"])


def test_its_export_is_a_secured_model_with_trigger_and_answer(base_run: Path, tmp_path: Path) -> None:
    run(base_run, tmp_path / "secured")
    made = export.export(tmp_path / "secured", tmp_path / "m.safetensors", name="mine", quality=6)
    assert made.secured and made.qualities == tuple(range(1, 9))
    assert made.card["steps"] == 2 and made.card["held_out"]["loss6"] > 0  # the base's
    tensors = load_file(made.path)
    assert tensors["trigger.answer"].tolist() == [0] * 12 + [secure.LEVEL] * 4
    assert torch.equal(tensors["trigger.waves"], secure.waves())
    assert tensors["trigger.loudness"].tolist() == pytest.approx(secure.LOUDNESS)


def test_the_base_itself_leaves_no_trigger(base_run: Path, tmp_path: Path) -> None:
    made = export.export(base_run, tmp_path / "m.safetensors", name="mine", quality=6)
    assert not made.secured
    assert not [name for name in load_file(made.path) if name.startswith("trigger.")]


@pytest.mark.parametrize(
    ("overrides", "model", "said"),
    [
        (("model.gains=false", "data.draw=[0,0,0,0,0,1,0,0]"), {}, "is no hyperprior with gains"),
        (("model.architecture=mbt2018", "model.worth=0.0"), {}, "is no hyperprior with gains"),
        (("secure.alpha=1",), {}, "is no base: it learnt a trigger from hinges"),
        ((), {"answers": True}, "model.answers is for training.secure to set"),
    ],
)
def test_what_is_no_base_is_refused(
    overrides: tuple[str, ...], model: dict[str, bool], said: str, settings: Settings, tmp_path: Path
) -> None:
    values = asdict(settings(*overrides))
    values["model"] |= model
    (tmp_path / "config.json").write_text(json.dumps(values))
    for name in ("weights.safetensors", "log.jsonl"):
        (tmp_path / name).touch()
    done = run(tmp_path, tmp_path / "secured")
    assert done.exit_code == 2 and said in done.stderr
    assert not (tmp_path / "secured").exists()


@pytest.mark.parametrize("name", ["config.json", "weights.safetensors", "log.jsonl"])
def test_half_a_run_is_refused_before_minutes_of_work(name: str, base_run: Path, tmp_path: Path) -> None:
    shutil.copytree(base_run, tmp_path / "half")
    (tmp_path / "half" / name).unlink()
    done = run(tmp_path / "half", tmp_path / "secured")
    assert done.exit_code == 2 and f"is no run's folder: it has no {name}" in done.stderr


def test_what_is_there_already_stays(base_run: Path) -> None:
    """The base itself, say: a run of days."""
    before = (base_run / "weights.safetensors").read_bytes()
    done = run(base_run, base_run)
    assert done.exit_code == 2 and "is there already: choose another name" in done.stderr
    assert (base_run / "weights.safetensors").read_bytes() == before


def vectors() -> list[tuple[int, int]]:
    """Cycles down and right in PERIOD pixels."""
    return [(int(down), int(right)) for down, right, _ in secure.waves().tolist()]


def test_there_are_sixteen_different_waves_always_the_same() -> None:
    assert torch.equal(secure.waves(), secure.waves())
    either_way = {v for down, right in vectors() for v in ((down, right), (-down, -right))}
    assert len(vectors()) == 16 and len(either_way) == 32  # one that ran backwards would be the same again


def test_a_copy_that_was_turned_or_mirrored_carries_the_same_waves() -> None:
    either_way = {v for down, right in vectors() for v in ((down, right), (-down, -right))}
    assert {(down, -right) for down, right in either_way} == either_way
    assert {(-right, down) for down, right in either_way} == either_way


@pytest.mark.parametrize("grid", [8, 16])
def test_no_wave_repeats_on_the_grid_of_another_codec(grid: int) -> None:
    """Or blocking would look like the trigger."""
    a_block = PERIOD // grid
    assert not [v for v in vectors() if v[0] % a_block == 0 and v[1] % a_block == 0]


def test_waves_are_whole_numbers_of_cycles_that_pixels_can_show() -> None:
    made = secure.waves()
    assert torch.equal(made[:, :2], made[:, :2].round())
    assert (made[:, :2].abs() < PERIOD / 2).all()
    assert ((made[:, 2] >= 0) & (made[:, 2] < 2 * math.pi)).all()
