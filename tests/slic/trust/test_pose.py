"""A copy's size, read from lines in its spectrum."""

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from slic.codec import Codec
from slic.models import Model
from slic.trust import pose, trace
from slic.trust.pose import Lines, Pose

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
    assert LINES.pose(copy).scale == pytest.approx(size / 400, rel=0.005)


@pytest.mark.parametrize("quarters", [1, 3])
def test_a_picture_on_its_side_is_known(quarters: int) -> None:
    lying = np.rot90(picture(6), quarters)
    assert LINES.pose(lying) == Pose(1.0, turned=True)
    copy = np.asarray(Image.fromarray(lying).resize((300, 300), Image.Resampling.BICUBIC))
    scale, turned = LINES.pose(copy)
    assert turned and scale == pytest.approx(0.75, rel=0.005)


def test_what_has_its_own_size_keeps_it() -> None:
    assert LINES.pose(picture(6)) == Pose()


def test_a_picture_without_lines_tells_of_no_size() -> None:
    assert LINES.pose(picture(0)) == Pose()


def test_too_small_a_picture_tells_of_none() -> None:
    assert LINES.pose(picture(6, side=127)) == Pose()


def test_a_model_that_leaves_no_lines_has_none(tiny_model: Model) -> None:
    codec = Codec(tiny_model, device="cpu")
    found = pose.lines(codec)
    assert found is pose.lines(codec)
    assert found.pose(picture(6)) == Pose()
