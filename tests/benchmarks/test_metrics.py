"""Runs side by side."""

import json
from pathlib import Path

import pytest
import tiny
from click.testing import CliRunner
from safetensors.torch import save_file

from benchmarks import metrics
from slic.models import Model

EDITS = ["none", "affine", "jpeg", "equalize", "blur", "median", "sharpen", "lighten", "darken", "frame"]


@pytest.fixture
def run(tmp_path: Path) -> Path:
    """What training leaves, as far as `export` reads it."""
    folder = tmp_path / "run"
    folder.mkdir()
    data = {"pack": "none", "batch": 1, "accumulate": 1, "crop": 64}
    settings = {"secure": {"alpha": 1}, "data": data, "machine": {"processes": 1}}
    (folder / "config.json").write_text(json.dumps(settings))
    (folder / "log.jsonl").write_text(json.dumps({"step": 1, "seconds": 1}) + "\n")
    state = tiny.state("bmshj2018-hyperprior", rates=3)
    save_file({key: value.contiguous() for key, value in state.items()}, folder / "weights.safetensors")
    return folder


def test_runs_weights_and_model_files_side_by_side(ask, run: Path, three_rates: Model) -> None:  # type: ignore[no-untyped-def]
    named = {"run": run, "weights": run / "weights.safetensors", "model": three_rates.path}
    arguments = [part for name, file in named.items() for part in ("--run", f"{name}={file}")]
    rows = ask(metrics.main, *arguments, "--quality", "3", "--limit", "1")
    assert [row.pop("run") for row in rows] == [str(three_rates.path), *named]
    assert list(rows[0]) == ["images", "bpp", "first_psnr", *EDITS, "worst_psnr"]
    assert rows[0] == rows[3]
    for row in rows[1:3]:  # the same weights; bf16 where the machine computes it
        assert [row[edit] for edit in EDITS] == pytest.approx([rows[0][edit] for edit in EDITS], abs=0.5)


@pytest.mark.parametrize("value", ["nothing-there=no/such/file", "name", "name="])
def test_a_run_that_is_not_there_is_refused(value: str) -> None:
    done = CliRunner().invoke(metrics.main, ["--run", value])
    assert done.exit_code == 2 and f"{value} is not the NAME=FOLDER" in done.output
