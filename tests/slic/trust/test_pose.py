"""How a copy lies, told by evidence. A stand-in for a model says how sure it is of a picture."""

from typing import ClassVar

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


def published() -> Levels:
    """(400,300,3): blobs of all sizes about 20 pixels, mirrored and turned ones like no other."""
    random = np.random.default_rng(0)
    coarse = random.integers(0, 256, (20, 15, 3), np.uint8)
    return np.asarray(Image.fromarray(coarse).resize((300, 400), Image.Resampling.BICUBIC))


class Knowing:
    """As sure of what it is shown as that is like the published picture, in its middle."""

    picture: ClassVar[Levels] = published()

    def __init__(self, sure: float) -> None:
        self.sure = sure

    def evidence(self, levels: Levels) -> NDArray[np.float32]:
        ours, theirs = (_middle(p) for p in (self.picture, levels))
        if ours.shape != theirs.shape:  # shrunk to less than that
            return np.zeros((2, 2), np.float32)
        apart = np.abs(ours.astype(float) - theirs).mean() / 255
        return np.full((2, 2), self.sure * (1 - 8 * apart), np.float32)


def _middle(levels: Levels, side: int = 96) -> Levels:
    top, left = ((whole - side) // 2 for whole in levels.shape[:2])
    return levels[max(0, top) :, max(0, left) :][:side, :side]


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
    "how", [Pose(True), Pose(False, 3), Pose(True, 1, 0.8), Pose(False, 0, 1.4), Pose(False, 2, 0.6)]
)
def test_a_pose_is_found(how: Pose) -> None:
    found = pose.find(done(published(), how), Knowing(6.0))  # type: ignore[arg-type]
    assert found[:2] == how[:2]
    assert found.scale == pytest.approx(how.scale, rel=0.02)


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
