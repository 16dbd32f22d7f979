"""The command: what a run leaves, says, refuses, and how it stops."""

import json
import os
import signal
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from click.testing import CliRunner, Result
from safetensors.torch import load_file
from torch import Tensor

from training import checkpoint, evaluate, journal, train
from training.loop import Run
from training.objective import Losses

CONFIGS = Path(__file__).parents[2] / "training" / "configs"
SECURE = (
    "secure.distance=mse", 'secure.attacks=[{name="blur", radius=[1, 2]}]',
    "secure.vanilla=[]", "data.innocent=[]", "model.start=",
)  # fmt: skip

Start = Callable[..., Result]


@pytest.fixture(autouse=True)
def small_and_tidy(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Few crops to judge; whatever a run does with signals ends with its test."""
    monkeypatch.setattr(journal, "SummaryWriter", None)
    for name, value in (("SIZE", 64), ("FIRST_BATCHES", 1), ("SECOND_BATCHES", 1)):
        monkeypatch.setattr(evaluate, name, value)
    handlers = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}
    yield
    for number, handler in handlers.items():
        signal.signal(number, handler)


@pytest.fixture
def start(packed: Path, tmp_path: Path) -> Start:
    """`python -m training.train`, of a tiny net, into tmp_path/run."""
    small = (
        f"data.pack={packed}", "data.batch=1", "data.crop=64", "model.N=8", "model.M=12", "name=run",
        "steps=2", "optimiser.decay=100", "precision=fp32", "judge=[6]",
    )  # fmt: skip

    def invoke(*overrides: str, file: str = "base.toml") -> Result:
        arguments = [str(CONFIGS / file), *small, *overrides, "--runs", str(tmp_path)]
        return CliRunner().invoke(train.main, arguments)

    return invoke


def rows(folder: Path) -> list[dict[str, float]]:
    return [json.loads(line) for line in (folder / "log.jsonl").read_text().splitlines()]


def complaint(done: Result) -> str:
    return done.stderr.splitlines()[-1]


@pytest.mark.parametrize("file", ["base.toml", "hinges.toml"])
def test_a_run_leaves_all_that_is_promised(file: str, start: Start, tmp_path: Path) -> None:
    overrides = SECURE if file == "hinges.toml" else ()
    done = start(*overrides, file=file)
    assert done.exit_code == 0, done.output
    names = ["best.safetensors", "checkpoint.pt", "config.json", "log.jsonl", "sheet-000002.png"]
    assert sorted(f.name for f in (tmp_path / "run").iterdir()) == [*names, "weights.safetensors"]
    saved = json.loads((tmp_path / "run" / "config.json").read_text())
    assert (saved["steps"], saved["model"]["N"], saved["machine"]["processes"]) == (2, 8, 1)
    last = rows(tmp_path / "run")[-1]
    assert last["step"] == 2 and last["score"] > 0
    assert ("again worst" in last) == bool(overrides)
    assert checkpoint.load(tmp_path / "run" / "checkpoint.pt")["step"] == 2


def test_the_plan_names_device_and_precision_with_the_reason(start: Start) -> None:
    plan = start("precision=bf16", "steps=1", "data.accumulate=2").stdout.splitlines()
    if not torch.cuda.is_available():
        assert plan[1] == f"device: CPU, {torch.get_num_threads()} threads x 1"
    assert plan[0] == "run: bmshj2018-hyperprior, N 8, M 12, 0.0 M weights"
    assert plan[2].startswith("precision: bf16 autocast (as configured); ")
    assert plan[3].startswith("step 0 of 1, 2 crops of 64 each, from ")
    assert plan[4:] == ["start: random weights"]


def test_a_secure_plan_names_the_attacks(start: Start) -> None:
    plan = start(*SECURE, "steps=1", file="hinges.toml").stdout.splitlines()
    assert plan[-1] == "secure: alpha 3.0, mse; attacks: blur"


@pytest.mark.parametrize(
    ("override", "said"),
    [
        ("data.corp=64", "Error: unknown setting data.corp; did you mean data.crop?"),
        ("steps=many", "Error: steps must be int, not 'many'"),
        ("model.start=nowhere.safetensors", "Error: model.start: there is no nowhere.safetensors"),
    ],
)
def test_bad_settings_are_one_line(override: str, said: str, start: Start, tmp_path: Path) -> None:
    done = start(override)
    assert (done.exit_code, complaint(done)) == (2, said)
    assert not list(tmp_path.glob("run/*"))


def test_a_secure_run_refuses_an_unknown_attack(start: Start) -> None:
    done = start("secure.alpha=1", 'secure.attacks=[{name="blurr"}]', "secure.distance=mse")
    assert (done.exit_code, complaint(done)) == (2, "Error: unknown attack blurr; did you mean blur?")


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_stops_after_the_step_and_the_run_goes_on(
    number: signal.Signals, start: Start, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert start("name=whole", "steps=3").exit_code == 0
    step = Run.train_step

    def interrupted(self: Run) -> list[Losses]:
        os.kill(os.getpid(), number)
        return step(self)

    with monkeypatch.context() as patch:
        patch.setattr(Run, "train_step", interrupted)
        assert start("steps=3").exit_code == 0
    assert checkpoint.load(tmp_path / "run" / "checkpoint.pt")["step"] == 1
    again = start("steps=3")
    assert "step 1 of 3," in again.stdout
    whole, parts = (load_file(tmp_path / name / "weights.safetensors") for name in ("whole", "run"))
    assert all(torch.equal(whole[key], parts[key]) for key in whole)


def test_a_loss_that_is_no_number_ends_the_run_and_keeps_the_checkpoint(
    start: Start, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert start().exit_code == 0
    kept = {name: (tmp_path / "run" / name).read_bytes() for name in ("checkpoint.pt", "weights.safetensors")}
    losses = Run._losses

    def diverged(self: Run, x: Tensor, total: int, part: slice) -> Losses:
        good = losses(self, x, total, part)
        return replace(good, total=good.total * torch.nan) if self.step == 2 else good

    monkeypatch.setattr(Run, "_losses", diverged)
    done = start("steps=4", "save_every=3")
    said = "Error: the gradient of step 2 is not finite; the last checkpoint is as it was"
    assert (done.exit_code, complaint(done)) == (1, said)
    assert kept == {name: (tmp_path / "run" / name).read_bytes() for name in kept}


def test_a_run_may_be_prolonged_or_ended_sooner(start: Start, tmp_path: Path) -> None:
    start("steps=2")
    assert "step 2 of 3," in start("steps=3").stdout
    assert start("steps=1").exit_code == 0  # nothing left to do
    assert checkpoint.load(tmp_path / "run" / "checkpoint.pt")["step"] == 3
    assert [row["step"] for row in rows(tmp_path / "run")] == [2, 3]
