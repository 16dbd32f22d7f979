"""A region is as large as was asked, where the mask says, and of the other picture."""

import numpy as np
import pytest

from training.detectors import blends
from training.detectors.blends import QUARTILES
from training.detectors.protocol import Levels

DARK, LIGHT = (np.full((2, 128, 128, 3), level, np.uint8) for level in (40, 200))


def unsaved(levels: Levels) -> Levels:
    return levels


@pytest.mark.parametrize("area", [0.01, 0.1, 0.36])
def test_an_ellipse_has_its_area_wholly_within_the_picture(area: float) -> None:
    for seed in range(20):
        inside = blends.ellipse(128, area, np.random.default_rng(seed))
        assert inside.mean() == pytest.approx(area, rel=0.05)
        if area < 0.3:  # a larger one may touch the edge
            assert not (inside[0].any() or inside[-1].any() or inside[:, 0].any() or inside[:, -1].any())


def test_the_donor_shows_within_and_the_base_without() -> None:
    made = blends.make(DARK, LIGHT, 3, unsaved, seed=0)
    for x, region in zip(made.x[..., 0], made.region, strict=True):
        assert x[region].mean() > 150 and x[~region].mean() < 60
        assert set(np.unique(x)) - {40, 200}  # feathered


def test_there_are_as_many_of_each_quartile() -> None:
    made = blends.make(DARK, LIGHT, 3, unsaved, seed=0)
    assert np.bincount(made.quartile).tolist() == 4 * [3]
    for region, quartile in zip(made.region, made.quartile, strict=True):
        low, high = QUARTILES[quartile]
        assert low * 0.8 < region.mean() < high * 1.2


def test_a_blend_is_saved_as_a_whole() -> None:
    assert (blends.make(DARK, LIGHT, 1, lambda levels: 255 - levels, seed=0).x.max()) == 215


def test_no_picture_is_blended_with_itself() -> None:
    two = np.concatenate([DARK[:1], LIGHT[:1]])
    made = blends.make(two, two, 5, unsaved, seed=0)
    assert all(len(np.unique(x)) > 1 for x in made.x)
