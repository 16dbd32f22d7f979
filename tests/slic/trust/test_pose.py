"""How a copy lies, told by the trigger's waves in it."""

import math
from pathlib import Path

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from PIL import Image

from slic import attacks
from slic.evidence import Evidence
from slic.models import find
from slic.trigger import Trigger
from slic.trust import pose
from slic.trust.pose import AS_IT_WAS, Pose

Levels = NDArray[np.uint8]
PHOTO = Path(__file__).parents[3] / "examples/photo.png"


@pytest.fixture(scope="module")
def evidence() -> Evidence:
    model = find("slic")
    waves = torch.from_numpy(model.tensors["trigger.waves"])
    return Evidence(Trigger(waves, torch.tensor([0.4])), torch.zeros(1), torch.device("cpu"))


@pytest.fixture(scope="module")
def original() -> Levels:
    with Image.open(PHOTO) as image:
        return np.asarray(image.convert("RGB"))


@pytest.fixture(scope="module")
def published(evidence: Evidence, original: Levels) -> Levels:
    x = torch.from_numpy(original.copy()).permute(2, 0, 1)[None].float() / 255
    marked = evidence.trigger.left_on(x, 1, 0, 0) * 255
    return marked[0].permute(1, 2, 0).round().clamp(0, 255).byte().numpy()


def done(levels: Levels, how: Pose) -> Levels:
    """The copy that has this pose."""
    if how.mirrored:
        levels = attacks.parse("mirror")(levels)
    levels = attacks.parse(f"turn(quarters={how.quarters})")(levels)
    image = Image.fromarray(levels).rotate(math.degrees(how.angle), Image.Resampling.BICUBIC, expand=True)
    size = round(image.width * how.scale), round(image.height * how.scale)
    return np.asarray(image.resize(size, Image.Resampling.BICUBIC))


WAYS = [
    AS_IT_WAS, Pose(True), Pose(False, 3), Pose(True, 1), Pose(scale=0.5), Pose(scale=0.8), Pose(scale=1.4),
    Pose(angle=0.3), Pose(angle=-0.1, scale=0.9), Pose(True, 2, 0.2, 1.2),
]  # fmt: skip


@pytest.mark.parametrize("how", WAYS)
def test_a_pose_is_found(how: Pose, published: Levels, evidence: Evidence) -> None:
    found = pose.find(done(published, how), evidence)
    assert found is not None
    assert found.pose[:2] == how[:2]
    assert found.pose.angle == pytest.approx(how.angle, abs=0.003)
    assert found.pose.scale == pytest.approx(how.scale, rel=0.005)


def test_cuts_are_no_pose(published: Levels, evidence: Evidence) -> None:
    found = pose.find(published[5:, 22:], evidence)
    assert found is not None and found.pose == AS_IT_WAS


@pytest.mark.parametrize("how", [AS_IT_WAS, Pose(scale=0.6), Pose(angle=0.2)])
def test_what_carries_no_trigger_has_none(how: Pose, original: Levels, evidence: Evidence) -> None:
    assert pose.find(done(original, how), evidence) is None


@pytest.mark.parametrize("how", [AS_IT_WAS, Pose(scale=0.5), Pose(angle=0.3), Pose(angle=-0.2, scale=1.3)])
def test_each_block_of_a_copy_knows_where_it_was(how: Pose) -> None:
    """Ramps down and right, set back, have at each block's middle what the copy has there."""
    down, right = np.meshgrid(np.linspace(20, 220, 240), np.linspace(20, 220, 320), indexing="ij")
    ramps = np.stack([down, right, down], 2).round().astype(np.uint8)
    copy = done(ramps, how)
    undone = how.undone(copy)
    rows, columns = how.places(copy.shape, undone.shape)
    assert rows.shape == (-(-copy.shape[0] // 16), -(-copy.shape[1] // 16))
    y, x = ((16 * at + 8).clip(max=side - 1) for at, side in zip((rows, columns), undone.shape, strict=False))
    there = undone[y, x].astype(int)[..., :2]
    middles = [
        (np.arange(side) * 16 + 8).clip(max=most - 1)
        for side, most in zip(rows.shape, copy.shape, strict=False)
    ]
    here = copy[np.ix_(*middles)].astype(int)[..., :2]
    inside = (here.min(2) > 30) & (here.max(2) < 210)  # not beyond the rim
    assert inside.mean() > 0.4
    off = np.abs(there - here)[inside]
    assert np.quantile(off, 0.98) <= 24 / min(how.scale, 1), "a block of the ramps, but for the rim itself"


def test_degrees_count_quarters_and_what_is_beyond_them() -> None:
    assert Pose(quarters=3, angle=math.radians(-10)).degrees == 260
    assert Pose(angle=math.radians(-10)).degrees == 350


@pytest.mark.parametrize("size", [(1, 1), (3, 200), (64, 64)])
def test_small_pictures_have_no_pose(size: tuple[int, int], evidence: Evidence) -> None:
    assert pose.find(np.zeros((*size, 3), np.uint8), evidence) is None
