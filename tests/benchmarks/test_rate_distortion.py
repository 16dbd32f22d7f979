"""Decibels at equal rate, bits at equal quality."""

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner
from numpy.typing import NDArray
from PIL import Image

from benchmarks import rate_distortion
from slic.models import Model


def test_above_interpolates_over_the_logarithm_of_the_rate() -> None:
    curve = [(0.5, 30.0), (2.0, 40.0)]
    assert rate_distortion.above(curve, 1.0, 36.0) == pytest.approx(1.0)
    assert rate_distortion.above(curve, 0.5, 30.0) == pytest.approx(0.0)
    assert rate_distortion.above(curve, 2.5, 50.0) is None


def test_published_points_stand_beside_kodak_alone(tiny_model: Model) -> None:
    rng = np.random.default_rng(0)
    noise = rng.integers(0, 256, (64, 64, 3)).astype(np.uint8)
    rows = list(rate_distortion.measure(tiny_model, [("noise", noise)]))
    assert {row["codec"] for row in rows if "codec" in row} - {"jxl"} == {"slic", "jpeg", "webp", "avif"}
    sizes = [row["bpp"] for row in rows if row.get("codec") == "jpeg"]
    assert sizes == sorted(sizes) and sizes[0] > 1  # noise
    (last,) = (row for row in rows if "codec" not in row and "quality" in row)
    assert last["quality"] == 1 and last["bpp"] > 0 and "over_webp" in last and "over_mbt2018" not in last


def test_published_points_are_curves_to_compare_with() -> None:
    curves = {"slic": [(0.2089, 28.0), (0.5, 31.0), (1.0, 35.0), (2.0, 39.0)]}
    (points, *_) = rate_distortion.compare(curves | rate_distortion.PUBLISHED, (1, 2, 3, 4))
    assert points["over_bmshj2018-hyperprior"] == pytest.approx(28.0 - 29.192)


def test_bd_rate_is_what_the_other_takes_beyond_ours() -> None:
    ours = [(0.25, 28.0), (0.5, 31.0), (1.0, 34.0), (2.0, 37.0)]
    half = [(bpp / 2, db) for bpp, db in ours]
    found = rate_distortion.bjontegaard(ours, half)
    assert found["bd_rate"] == pytest.approx(-50.0) and found["shared_db"] == pytest.approx(9.0)
    apart = rate_distortion.bjontegaard(ours, [(bpp, db + 20) for bpp, db in ours])
    assert apart == {"bd_rate": None, "shared_db": None}


def test_a_base_model_is_a_codec_among_the_others(
    tiny_model: Model, tmp_path: Path, picture: Callable[..., NDArray[np.uint8]]
) -> None:
    for name in ("a", "b"):
        Image.fromarray(picture(64, 96)).save(tmp_path / f"{name}.png")
    arguments = ["--images", str(tmp_path), "--model", str(tiny_model.path), "--device", "cpu", "--json"]
    done = CliRunner().invoke(
        rate_distortion.main, [*arguments, "--base", str(tiny_model.path)], catch_exceptions=False
    )
    rows = [json.loads(line) for line in done.stdout.splitlines()]
    slic, base = (next(row for row in rows if row.get("codec") == name) for name in ("slic", "base"))
    assert (slic["bpp"], slic["psnr"]) == (base["bpp"], base["psnr"])
    assert {"against": "base", "bd_rate": None, "shared_db": None} in rows  # one point is no curve
