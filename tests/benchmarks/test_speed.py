"""Times of slic, of its convolutions alone, and of CompressAI, on a small scale."""

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner
from numpy.typing import NDArray
from PIL import Image

pytest.importorskip("compressai", reason="the peer comes with the extra [train], up to Python 3.12")

from benchmarks import file_size, speed
from slic.models import Model


@pytest.fixture
def arguments(tiny_model: Model, tmp_path: Path, picture: Callable[..., NDArray[np.uint8]]) -> list[str]:
    for name in ("a", "b"):
        Image.fromarray(picture(70, 130)).save(tmp_path / f"{name}.png")
    return ["--images", str(tmp_path), "--model", str(tiny_model.path), "--json"]


def test_speed_has_a_row_a_picture_and_precision(arguments: list[str]) -> None:
    arguments += ["--runs", "1", "--threads", "1", "--device", "cpu"]
    done = CliRunner().invoke(speed.main, arguments, catch_exceptions=False)
    rows = [json.loads(line) for line in done.stdout.splitlines()]
    assert [(r["image"], r["precision"]) for r in rows] == [(i, p) for i in "ab" for p in ("bf16", "fp32")]
    assert all(row["device"] == "cpu" and row["encode_faster"] > 0 < row["decode_over_bare"] for row in rows)


def test_file_size_compares_with_the_peers_strings(arguments: list[str]) -> None:
    done = CliRunner().invoke(file_size.main, arguments, catch_exceptions=False)
    *rows, mean = (json.loads(line) for line in done.stdout.splitlines())
    assert [row["image"] for row in rows] == ["a", "b"] and mean["image"] == "mean"
    assert all(row["strings_bytes"] > 0 and abs(row["fp32_db"]) < 0.1 for row in rows)
    assert all(row["own_bytes"] == row["fp32_bytes"] for row in rows), "the tiny model rounds to the nearest"
