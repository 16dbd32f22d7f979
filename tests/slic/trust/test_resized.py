"""A copy's size, read from lines in its spectrum."""

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from slic.codec import Codec
from slic.models import Model
from slic.trust import resized, trace
from slic.trust.resized import Lines

Levels = NDArray[np.uint8]
LINES = Lines(np.array([16.0, -16.0, 40.0]), np.array([0.0, 0.0, 8.0]), np.array([2, 2, 0]), np.full(3, 5.0))


def picture(striped: float, side: int = 400) -> Levels:
    """Clouds, with red stripes of 8 pixels and finer slanting ones over them."""
    (clouds,) = list(trace.noises())[:1]
    base = np.asarray(Image.fromarray(clouds).resize((side, side))).astype(float)
    y, x = np.mgrid[:side, :side]
    base[..., 0] += striped * np.cos(2 * np.pi * y / 8)
    base += striped * np.cos(2 * np.pi * (40 * y + 8 * x) / 128)[..., None]
    return base.clip(0, 255).astype(np.uint8)


@pytest.mark.parametrize("factor", [0.55, 0.75, 0.9, 1.1, 1.5, 1.9])
def test_a_factor_is_found_to_a_part_in_two_hundred(factor: float) -> None:
    size = round(400 * factor)
    copy = np.asarray(Image.fromarray(picture(6)).resize((size, size), Image.Resampling.BICUBIC))
    assert LINES.factor(copy) == pytest.approx(size / 400, rel=0.005)


def test_what_has_its_own_size_keeps_it() -> None:
    assert LINES.factor(picture(6)) == 1


def test_a_picture_without_lines_tells_of_no_size() -> None:
    assert LINES.factor(picture(0)) == 1


def test_too_small_a_picture_tells_of_none() -> None:
    assert LINES.factor(picture(6, side=127)) == 1


def test_a_model_that_leaves_no_lines_has_none(tiny_model: Model) -> None:
    codec = Codec(tiny_model, device="cpu")
    found = resized.lines(codec)
    assert found is resized.lines(codec)
    assert found.factor(picture(6)) == 1
