"""The speed of training: what is counted, and that both kinds of step answer."""

import json
from pathlib import Path

import pytest
import torch
from click.testing import CliRunner

pytest.importorskip("compressai", reason="training needs the extra [train], up to Python 3.12")

from benchmarks import training_speed
from training import config
from training.loop import Run
from training.parallel import Team

SMALL = ("model.N=8", "model.M=12", "data.batch=1", "data.crop=64", "precision=fp32", "secure.distance=mse")
ALONE = Team(0, 1, torch.device("cpu"))


def run(folder: Path, *overrides: str) -> Run:
    pack = training_speed.noise(folder, 128)
    settings = config.load(training_speed.CONFIG, (*SMALL, f"data.pack={pack}", *overrides))
    return Run(settings, folder, ALONE)


def test_plain_and_secure_steps_have_rates_parts_and_a_share() -> None:
    arguments = [*SMALL, "--steps", "1", "--threads", "1", "--peak-side", "128", "--json"]
    done = CliRunner().invoke(training_speed.main, arguments, catch_exceptions=False)
    plain, secure = (json.loads(line) for line in done.stdout.splitlines())
    assert (plain["step"], secure["step"]) == ("plain", "secure")
    assert secure["gmac_per_step"] > 1.5 * plain["gmac_per_step"]
    for row in (plain, secure):
        assert row["crops_per_s"] == pytest.approx(row["crops"] * row["steps_per_s"])
        assert row["step_s"] == pytest.approx(row["forward_s"] + row["backward_s"] + row["rest_s"])
        assert row["share"] == pytest.approx(row["gmac_per_s"] / row["peak_gmac_per_s"])


def test_multiply_adds_are_those_of_the_layers(tmp_path: Path) -> None:
    """Each layer once forward and twice backward, but the first, whose input needs no gradient."""
    made = run(tmp_path)
    n, m = 8, 12
    outputs = {  # (multiply-adds of a weight, of the whole layer's output) at 64 pixels
        "g_a": [3 * n * 25 * 32**2, n * n * 25 * 16**2, n * n * 25 * 8**2, n * m * 25 * 4**2],
        "h_a": [m * n * 9 * 4**2, n * n * 25 * 2**2, n * n * 25],
        "h_s": [n * n * 25, n * n * 25 * 2**2, n * m * 9 * 4**2],
        "g_s": [m * n * 25 * 4**2, n * n * 25 * 8**2, n * n * 25 * 16**2, n * 3 * 25 * 32**2],
        "gdn": [n * n * side**2 for side in (32, 16, 8)] * 2,
    }
    layers = sum(map(sum, outputs.values()))
    counted = training_speed.multiply_adds(made)
    assert counted == pytest.approx(3 * layers - outputs["g_a"][0], rel=0.02)


def test_batches_count_as_often_as_they_are_run(tmp_path: Path) -> None:
    once = training_speed.multiply_adds(run(tmp_path))
    assert training_speed.multiply_adds(run(tmp_path, "data.batch=2", "data.accumulate=3")) == 6 * once


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
def test_the_peak_is_a_rate(dtype: torch.dtype) -> None:
    assert training_speed.peak(torch.device("cpu"), dtype, 64, tries=1) > 1e6
