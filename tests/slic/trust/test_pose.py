"""How a copy lies, told by evidence. A stand-in for a model says how sure it is of a picture."""

from itertools import product

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from slic import attacks
from slic.codec import Codec
from slic.models import Model
from slic.trust import pose
from slic.trust.pose import AS_IT_WAS, Pose

Levels = NDArray[np.uint8]


def tile() -> Levels:
    """(64,64,3): blobs that go on at the other side, unlike themselves mirrored or turned."""
    coarse = np.random.default_rng(0).integers(0, 256, (8, 8, 3), np.uint8)
    around = Image.fromarray(np.tile(coarse, (3, 3, 1))).resize((192, 192), Image.Resampling.BICUBIC)
    return np.asarray(around)[64:128, 64:128]


def published() -> Levels:
    return np.tile(tile(), (7, 6, 1))


class Knowing:
    """As sure of what it is shown as that is like a part of the published picture, on the grid of 16.

    Two thirds as sure on one of 4.
    """

    def __init__(self, sure: float) -> None:
        self.sure = sure

    def evidence(self, levels: Levels) -> NDArray[np.float32]:
        height, width = levels.shape[:2]
        known = np.tile(tile(), (height // 64 + 2, width // 64 + 2, 1)).astype(int)
        sure = -self.sure
        for y, x in product(range(0, 64, 4), repeat=2):
            alike = (
                1 - 8 * np.abs(known[y : y + height : 5, x : x + width : 5] - levels[::5, ::5]).mean() / 255
            )
            sure = max(sure, self.sure * alike * (1 if y % 16 == x % 16 == 0 else 0.67))
        return np.full((-(-height // 16), -(-width // 16)), sure, np.float32)


def done(levels: Levels, how: Pose) -> Levels:
    """The copy that has this pose."""
    if how.mirrored:
        levels = attacks.parse("mirror")(levels)
    levels = attacks.parse(f"turn(quarters={how.quarters})")(levels)
    return attacks.parse(f"resize(factor={how.scale})")(levels)


@pytest.mark.parametrize("quarters", range(4))
@pytest.mark.parametrize("mirrored", [False, True])
def test_a_pose_can_be_undone(mirrored: bool, quarters: int) -> None:
    how = Pose(mirrored, quarters)
    np.testing.assert_array_equal(how.undone(done(published(), how)), published())
    half = how._replace(scale=0.5)
    undone = half.undone(done(published(), half))
    assert undone.shape == published().shape
    assert np.abs(undone.astype(int) - published()).mean() < 4


@pytest.mark.parametrize(
    "how", [Pose(True), Pose(False, 3), Pose(True, 1), Pose(scale=0.8), Pose(scale=1.4), Pose(scale=0.6)]
)
def test_a_pose_is_found(how: Pose) -> None:
    found = pose.find(done(published(), how), Knowing(6.0))  # type: ignore[arg-type]
    assert found[:2] == how[:2]
    assert found.scale == pytest.approx(how.scale, rel=0.01)


@pytest.mark.parametrize("how", [AS_IT_WAS, Pose(True, 1)])
def test_a_cut_moves_the_grid(how: Pose) -> None:
    """By 5 rows and 22 columns: the next block begins 11 rows and 10 columns on."""
    copy = done(published()[5:, 22:], how)
    found = pose.find(copy, Knowing(6.0))  # type: ignore[arg-type]
    assert found == how._replace(down=11, right=10)
    np.testing.assert_array_equal(found.undone(copy), published()[16:, 32:])


@pytest.mark.parametrize("sure", [20.0, 6.0, 1.0])
def test_what_is_as_it_was_stays_so(sure: float) -> None:
    assert pose.find(published(), Knowing(sure)) is AS_IT_WAS  # type: ignore[arg-type]


def test_without_evidence_there_is_no_other_pose(tiny_model: Model) -> None:
    assert pose.find(published(), Codec(tiny_model, device="cpu")) is AS_IT_WAS
    turned = np.ascontiguousarray(np.rot90(published()))
    assert pose.find(turned, Knowing(1.0)) is AS_IT_WAS  # type: ignore[arg-type]


@pytest.mark.parametrize("size", [(1, 1), (3, 200), (64, 64)])
def test_small_pictures_have_a_pose(size: tuple[int, int]) -> None:
    small = np.zeros((*size, 3), np.uint8)
    assert pose.find(small, Wondering()) is AS_IT_WAS  # type: ignore[arg-type]


class Wondering:
    def evidence(self, levels: Levels) -> NDArray[np.float32]:
        assert levels.size
        return np.zeros((1, 1), np.float32)
