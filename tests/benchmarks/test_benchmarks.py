"""Each benchmark answers on a small scale, and what it compares with is what it says."""

import json
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner
from PIL import Image

from benchmarks import exactness, hostile, memory, startup
from slic.models import Model


@pytest.fixture
def folder(tmp_path: Path, picture) -> Path:  # type: ignore[no-untyped-def]
    Image.fromarray(picture(128, 192)).save(tmp_path / "a.png")
    return tmp_path


def rows(output: str) -> list[dict]:  # type: ignore[type-arg]
    return [json.loads(line) for line in output.splitlines()]


@pytest.mark.filterwarnings("ignore:.*wreckage")  # a made-up picture, which the model takes for its own
def test_hostile_counts_what_was_refused() -> None:
    done = CliRunner().invoke(
        hostile.main, ["--parse", "400", "--decode", "20", "--json"], catch_exceptions=False
    )
    parse, decode = rows(done.output)
    assert (parse["files"], decode["files"]) == (400, 20)
    assert parse["slowest_ms"] < 50 and "FormatError" in parse["outcomes"]


def test_repaired_mutants_reach_the_layers_below() -> None:
    from slic_formats import parse

    data = bytearray((Path(__file__).parents[2] / "formats/vectors/decode/mbt2018-rgb.slic").read_bytes())
    data[-6] ^= 1  # in LATN's data
    parse(hostile.repaired(data))


def test_exactness_compares_every_way_and_another_machines_files(folder: Path) -> None:
    first = CliRunner().invoke(exactness.main, ["--images", str(folder), "--json"], catch_exceptions=False)
    (folder / "here.jsonl").write_text(first.output)
    arguments = ["--images", str(folder), "--json", "--against", str(folder / "here.jsonl")]
    ours, theirs = rows(CliRunner().invoke(exactness.main, arguments, catch_exceptions=False).output)
    assert ours["ways"] >= 5 and ours["digest"] == theirs["digest"] and ours["fp32_levels_off"] <= 1


def test_scenes_have_the_size_asked_for() -> None:
    scene = memory.scene(np.zeros((50, 60, 3), np.uint8), 0.5)
    assert abs(scene.shape[0] * scene.shape[1] / 1e6 - 0.5) < 0.01


def test_a_cold_start_is_that_of_each_command() -> None:
    done = CliRunner().invoke(startup.main, ["--runs", "1", "--json"], catch_exceptions=False)
    seconds = {row["command"]: row["seconds"] for row in rows(done.output)}
    assert seconds["import slic"] < min(seconds["import torch"], seconds["encode"])  # of one run each


def test_memory_has_a_row_a_size_and_one_for_tiles(folder: Path, tiny_model: Model) -> None:
    arguments = ["--images", str(folder), "--model", str(tiny_model.path), "--device", "cpu", "--json"]
    done = CliRunner().invoke(memory.main, [*arguments, "--megapixels", ".1"], catch_exceptions=False)
    size, tiles = rows(done.output)
    assert size["megapixels"] == 0.1 and 0.1 < size["decode_peak_gb"] < 4
    assert tiles["per_100_000"] < 10 and tiles["largest_pixel_difference"] <= 1
