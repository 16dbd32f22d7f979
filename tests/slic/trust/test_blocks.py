"""Maps of blocks: known arrays, known maps."""

import numpy as np
import pytest

from slic.trust import blocks
from slic.trust.blocks import Box


def test_equal_pictures_have_50_decibels() -> None:
    levels = np.full((20, 40, 3), 7, np.uint8)
    assert blocks.decibels(levels, levels).tolist() == [[50] * 3] * 2


def test_decibels_are_those_of_each_block() -> None:
    a = np.full((32, 48, 3), 100, np.uint8)
    b = a.copy()
    b[16:, 32:] += 25  # 10·log10(255²/25²)
    assert blocks.decibels(a, b) == pytest.approx(np.array([[50, 50, 50], [50, 50, 20.172]]), abs=1e-3)


def test_texture_finer_than_four_pixels_does_not_count() -> None:
    a = np.full((16, 16, 3), 100, np.uint8)
    b = a + np.indices((16, 16)).sum(0)[..., None].astype(np.uint8) % 2 * 2
    assert blocks.decibels(a + 1, b).item() == 50


@pytest.mark.parametrize("height, width", [(1, 1), (16, 17), (33, 15)])
def test_blocks_at_the_edge_count_the_pixels_they_have(height: int, width: int) -> None:
    a = np.zeros((height, width, 3), np.uint8)
    found = blocks.decibels(a, a + 255)
    assert found.shape == (-(-height // 16), -(-width // 16))
    assert found == pytest.approx(0)


def test_smoothing_keeps_what_is_even() -> None:
    assert blocks.smooth(np.full((3, 5), 0.5, np.float32)) == pytest.approx(0.5)


def test_smoothing_spreads_a_quarter_and_a_bit() -> None:
    point = np.zeros((3, 3), np.float32)
    point[1, 1] = 64
    assert blocks.smooth(point).tolist() == [[1, 6, 1], [6, 36, 6], [1, 6, 1]]


def test_growing_takes_all_eight_neighbours() -> None:
    point = np.zeros((4, 4), bool)
    point[0, 1] = True
    assert np.flatnonzero(blocks.grow(point)).tolist() == [0, 1, 2, 4, 5, 6]


def test_regions_touch_by_their_sides_not_by_their_corners() -> None:
    mask = np.array([[1, 1, 0], [0, 0, 1], [0, 0, 1]], bool)
    found = sorted(sorted(region) for region in blocks.regions(mask))
    assert found == [[(0, 0), (0, 1)], [(1, 2), (2, 2)]]


def test_a_box_ends_with_the_picture() -> None:
    assert blocks.box([(0, 1), (1, 2)], height=20, width=40) == Box(16, 0, 40, 20)


def test_enlarging_ends_with_the_picture() -> None:
    mask = blocks.enlarge(np.array([[False, True]]), height=10, width=20)
    assert mask.shape == (10, 20)
    assert mask.sum() == 10 * 4
