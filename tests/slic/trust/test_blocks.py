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


def test_as_few_blocks_speak_as_together_are_sure() -> None:
    odds = np.zeros((20, 30), np.float32)
    odds[10, 10], odds[:, 20:] = 5.0, -0.5
    said = blocks.surest(odds, 4.0)
    assert said[10, 10] == pytest.approx(5 / 4), "by itself"
    assert said[9, 9] == pytest.approx(5 / 4), "its neighbours with it"
    assert said[10, 26] == pytest.approx(-9 * 0.5 / 4), "nine of these together"
    assert said[0, 0] == 0, "nothing is said there"


def test_where_even_the_most_are_not_sure_their_sum_is_told() -> None:
    said = blocks.surest(np.full((20, 20), 0.001, np.float32), 4.0)
    assert said[10, 10] == pytest.approx(13 * 13 * 0.001 / 4, rel=1e-4)


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
