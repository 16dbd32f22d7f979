"""The loop: a resumed run equals an uninterrupted one, several processes or batches equal one."""

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file, save_file

from training import loop, networks
from training.config import Config
from training.loop import Best, Run
from training.parallel import Team

ALONE = Team(0, 1, torch.device("cpu"))
Settings = Callable[..., Config]
SECURE = (
    "secure.distance=mse",
    "secure.vanilla=[]",
    "model.start=",
    'secure.attacks=[{name="blur", radius=[1, 2]}, {name="noise", sigma=[2, 9]}]',
    'data.innocent=[{name="jpeg", quality=[20, 90]}]',
)


def run(settings: Config, folder: Path, steps: int) -> dict[str, torch.Tensor]:
    """The averaged weights after so many steps more."""
    folder.mkdir(exist_ok=True)
    made = Run(settings, folder, ALONE)
    for _ in range(steps):
        made.train_step()
    made.save()
    return load_file(folder / "weights.safetensors")


def equal(a: dict[str, torch.Tensor], b: dict[str, torch.Tensor]) -> bool:
    return a.keys() == b.keys() and all(torch.equal(a[k], b[k]) for k in a)


def close(a: dict[str, torch.Tensor], b: dict[str, torch.Tensor]) -> bool:
    """Up to the order of summation."""
    return all(
        float((a[k] - b[k]).norm()) <= 1e-5 * float(b[k].norm()) for k in a if a[k].is_floating_point()
    )


@pytest.mark.parametrize("file", ["base.toml", "hinges.toml"])
def test_resumed_equals_uninterrupted(settings: Settings, file: str, tmp_path: Path) -> None:
    s = settings(*(SECURE if file == "hinges.toml" else ()), file=file)
    whole = run(s, tmp_path / "whole", 4)
    first = run(s, tmp_path / "parts", 2)
    assert not equal(whole, first)
    assert equal(whole, run(s, tmp_path / "parts", 2))


def test_accumulated_batches_equal_one_large_batch(settings: Settings, tmp_path: Path) -> None:
    one = run(settings("data.batch=4"), tmp_path / "one", 2)
    other = run(settings("data.batch=2", "data.accumulate=2"), tmp_path / "two", 2)
    assert close(one, other)
    assert not close(one, run(settings("data.batch=2"), tmp_path / "half", 2))


def test_two_processes_equal_one(settings: Settings, packed: Path, tmp_path: Path) -> None:
    """Through torchrun and gloo, as users start it."""
    root = Path(__file__).parents[2]
    overrides = [
        f"data.pack={packed}", "data.crop=64", "model.N=8", "model.M=12", "name=both", "steps=2",
        "data.batch=1", "optimiser.decay=100", "evaluate_every=1000", "precision=fp32",
    ]  # fmt: skip
    command = [sys.executable, "-W", "ignore", "-m", "torch.distributed.run", "--standalone"]
    command += ["--nproc-per-node", "2", "-m", "training.train", "training/configs/base.toml"]
    environment = os.environ | {
        "OMP_NUM_THREADS": "1",
        "CUDA_VISIBLE_DEVICES": "",
        "PYTHONPATH": f"{root}{os.pathsep}{root / 'formats'}",
    }
    done = subprocess.run(
        [*command, *overrides, "--runs", str(tmp_path)],
        cwd=root, env=environment, capture_output=True, text=True, timeout=300, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr[-2000:]
    both = load_file(tmp_path / "both" / "weights.safetensors")
    assert close(both, run(settings("data.batch=2", "steps=2"), tmp_path / "one", 2))


def test_rates_rise_stay_and_fall_to_zero(settings: Settings) -> None:
    s = settings("steps=300")
    assert [round(loop.share(step, s), 2) for step in (0, 49, 99, 150, 200, 250, 300)] == [
        0.01, 0.5, 1.0, 1.0, 1.0, 0.5, 0.0,
    ]  # fmt: skip


def test_the_best_is_remembered_across_resumes(settings: Settings, tmp_path: Path) -> None:
    first = Run(settings(), tmp_path, ALONE)
    first.train_step()
    first.keep_best(2.0)
    best = load_file(tmp_path / "best.safetensors")
    first.save()
    second = Run(settings(), tmp_path, ALONE)
    second.train_step()
    second.keep_best(2.5)
    assert second.best == Best(2.0, 1)
    assert equal(best, load_file(tmp_path / "best.safetensors"))
    second.keep_best(1.5)
    assert second.best == Best(1.5, 2)


def test_averages_keep_their_own_entropy_model(settings: Settings, tmp_path: Path) -> None:
    made = Run(settings(), tmp_path, ALONE)
    assert made.ema.entropy_bottleneck is not made.net.entropy_bottleneck
    assert (
        made.ema.entropy_bottleneck.quantiles.data_ptr() != made.net.entropy_bottleneck.quantiles.data_ptr()
    )


def test_bounds_survive_half_precision_weights(settings: Settings, tmp_path: Path) -> None:
    """1e-9 in float16 is zero: a model started from such a file had infinite rates."""
    made = Run(settings(), tmp_path, ALONE)
    halves = {k: v.half() if v.is_floating_point() else v for k, v in made.net.state_dict().items()}
    save_file({k: v.contiguous() for k, v in halves.items()}, tmp_path / "half.safetensors")
    again = networks.build(settings(f"model.start={tmp_path / 'half.safetensors'}").model)
    assert float(again.gaussian_conditional.likelihood_lower_bound.bound) > 0
    assert torch.equal(again.g_a[0].weight, made.net.g_a[0].weight.half().float())


def test_parts_move_and_the_rest_stays(settings: Settings, tmp_path: Path) -> None:
    before = run(settings(*SECURE, file="hinges.toml"), tmp_path / "one", 0)
    after = run(settings(*SECURE, 'optimiser.parts=["g_s."]', file="hinges.toml"), tmp_path / "one", 2)
    moved = {name for name in before if not torch.equal(before[name], after[name])}
    assert moved and all(name.startswith("g_s.") for name in moved)
