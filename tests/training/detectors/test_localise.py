"""The network marks what differs, and marks count as they should."""

import numpy as np
import pytest
import torch
from numpy.typing import NDArray

from slic.modes import Levels
from training.detectors import localise
from training.detectors.fitting import Schedule
from training.detectors.linear import FOLDS, Examples
from training.detectors.localise import Localiser, UNet

CORNER = np.zeros((2, 8, 8), bool)
CORNER[:, :4, :4] = True


def unsaved(levels: Levels) -> Levels:
    return levels


def examples(each: int) -> Examples:
    """Real pictures are dark noise, generated ones light."""
    fake = np.arange(2 * each) >= each
    random = np.random.default_rng(0)
    x = random.integers(0, 100, (2 * each, 32, 32, 3)) + 120 * fake[:, None, None, None]
    return Examples(x.astype(np.uint8), fake, np.where(fake, "gan", "a"), np.arange(2 * each) % FOLDS)


@pytest.mark.parametrize("side", [32, 37])
def test_every_pixel_has_its_logits(side: int) -> None:
    assert UNet(width=2, depth=4)(torch.rand(2, 3, side, side)).shape == (2, 2, side, side)


def test_what_differs_plainly_is_found() -> None:
    known = examples(20)
    quick = Localiser(width=4, depth=2, each=8, schedule=Schedule(epochs=12, batch=8, rate=1e-2))
    *found, untouched = localise.rows(*quick(known, unsaved), known, 4, unsaved)
    generated, real = (next(r for r in found if r["regions"] == k) for k in ("generated", "real (control)"))
    whole = [row for row in found if row["area"] == "0.01 to 0.36"]
    assert whole[0]["iou"] > 0.7 > 0.3 > whole[1]["iou"]
    assert untouched["of it marked"] < 0.1
    assert generated["pictures"] == real["pictures"] == 4


def test_middle_marks_what_regions_share() -> None:
    regions = CORNER.copy()
    regions[1] = np.roll(CORNER[1], 2, 0)
    marked = localise.middle(regions)
    assert marked[2:4, :4].all() and not marked[:, 4:].any()


def test_overlap_and_sureness() -> None:
    marked = np.roll(CORNER, 2, 1)
    assert localise.overlap(marked, CORNER).tolist() == [8 / 24, 8 / 24]
    probability: NDArray[np.float64] = np.where(CORNER, 0.75, 0.25)
    assert localise.sureness(probability).tolist() == [0.75, 0.75]
    assert localise.sureness(probability / 2).tolist() == [0, 0]


def test_ap50_ranks_by_sureness_and_counts_what_is_not_found() -> None:
    iou, sure = np.array([0.9, 0.9, 0.1, 0.0]), np.array([0.9, 0.6, 0.7, 0.0])
    none = np.zeros(3)
    assert localise.ap50(iou, sure, none) == (1 + 2 / 3) / 4
    assert localise.ap50(iou, sure, np.array([0.8])) == (1 + 2 / 4) / 4
    assert localise.ap50(iou * 0.5, sure, none) == 0
