"""Windows are the picture's own pixels, and few."""

from collections.abc import Callable

import numpy as np
import pytest
from numpy.typing import NDArray

from slic.detection.windows import windows

Picture = Callable[..., NDArray[np.uint8]]


@pytest.mark.parametrize(
    ("size", "shapes"),
    [
        ((128, 200), [(128, 200)]),
        ((300, 511), [(256, 256)]),
        ((300, 512), [(256, 256)] * 2),
        ((2000, 3000), [(256, 256)] * 4),
    ],
)
def test_a_large_picture_gives_four(size: tuple[int, int], shapes: list[tuple[int, int]]) -> None:
    assert [w.shape[:2] for w in windows(np.zeros((*size, 3), np.uint8))] == shapes


def test_a_window_is_from_the_middle(picture: Picture) -> None:
    levels = picture(300, 400)
    (window,) = windows(levels)
    assert np.array_equal(window, levels[22:278, 72:328])
