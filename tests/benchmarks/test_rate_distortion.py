"""Decibels at equal rate."""

import numpy as np
import pytest

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
    assert {row["codec"] for row in rows if "codec" in row} == {"slic", "jpeg", "webp", "avif"}
    sizes = [row["bpp"] for row in rows if row.get("codec") == "jpeg"]
    assert sizes == sorted(sizes) and sizes[0] > 1  # noise
    (last,) = (row for row in rows if "codec" not in row)
    assert last["quality"] == 1 and last["bpp"] > 0 and "over_webp" in last and "over_compressai" not in last
