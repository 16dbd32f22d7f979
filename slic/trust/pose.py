"""How a copy lies: how large it is beside what was published, how it was turned, whether it was mirrored.

Evidence says at which size and angle the trigger's waves are in step. Set back to that, the copy as a whole
tells where they begin, by which quarters they were turned, and whether they were mirrored.
"""

import math
from dataclasses import replace
from typing import NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image

from slic.evidence import STRIDE, Evidence, Sight, Waves
from slic.modes import Levels
from slic.spectrum import Fit

TRIES = 16  # sizes and angles: a check may take its time
AGREE = 0.02  # by which sections may differ
NEAR = 0.004, 0.008  # sizes and angles so near none are none


class Pose(NamedTuple):
    """What was done to a copy, in this order."""

    mirrored: bool = False
    quarters: int = 0
    """Turned by so many, against the clock."""
    angle: float = 0.0
    """And by so many radians, an eighth of a turn at most."""
    scale: float = 1.0

    def undone(self, levels: Levels) -> Levels:
        """A copy (H,W,3) at the size that was published, its waves upright; beyond the copy all is grey."""
        height, width = (max(1, round(side / self.scale)) for side in levels.shape[:2])
        image = Image.fromarray(np.ascontiguousarray(levels))
        if image.size != (width, height):
            image = image.resize((width, height), Image.Resampling.BICUBIC)
        if not self.angle:
            return np.asarray(image)
        turned = image.rotate(
            -math.degrees(self.angle), Image.Resampling.BICUBIC, expand=True, fillcolor=(128, 128, 128)
        )
        return np.asarray(turned)

    def places(self, copy: tuple[int, ...], undone: tuple[int, ...]) -> tuple[NDArray[np.intp], ...]:
        """For each block of a copy of this shape, which one of what is undone lies at its middle."""
        height, width = copy[:2]
        middles = [np.arange(0, side, STRIDE) + STRIDE / 2 for side in (height, width)]
        y, x = np.meshgrid(
            *(m.clip(max=s - 1) for m, s in zip(middles, (height, width), strict=True)), indexing="ij"
        )
        y, x = (y - height / 2) / self.scale, (x - width / 2) / self.scale
        cosine, sine = math.cos(self.angle), math.sin(self.angle)
        y, x = cosine * y + sine * x, cosine * x - sine * y
        shape = [-(-side // STRIDE) for side in undone[:2]]
        rows, columns = (
            ((at + side / 2) // STRIDE).astype(np.intp).clip(0, most - 1)
            for at, side, most in zip((y, x), undone[:2], shape, strict=True)
        )
        return rows, columns

    @property
    def degrees(self) -> int:
        return round(90 * self.quarters + math.degrees(self.angle)) % 360


AS_IT_WAS = Pose()


class Found(NamedTuple):
    pose: Pose
    undone: Levels
    waves: Waves
    """Of what is undone, in step."""


def find(levels: Levels, evidence: Evidence) -> Found | None:
    """Of a copy (H,W,3); None where nothing of it is the model's own."""
    strength, sights = evidence.places(_tensor(levels), TRIES)
    if float(strength.max()) <= 0:
        return None
    fit = _agreed([sight for sight in sights if sight.sure > 0])
    quarter = math.pi / 2 if fit.angle > math.pi / 4 else 0.0  # waves in step will tell of it
    pose = Pose(angle=_unless_near(fit.angle - quarter, 0, NEAR[1]), scale=_unless_near(fit.size, 1, NEAR[0]))
    undone = pose.undone(levels)
    waves = evidence.waves(_tensor(undone))
    if pose.angle:
        within = torch.from_numpy(_covered(pose, levels.shape, undone.shape)).to(waves.expected)
        waves = replace(waves, expected=waves.expected * within)
    return Found(pose._replace(mirrored=waves.mirrored, quarters=waves.quarters), undone, waves)


def _covered(pose: Pose, copy: tuple[int, ...], undone: tuple[int, ...]) -> NDArray[np.bool_]:
    """Which places of what is undone lie within the copy: beyond it nothing is expected."""
    height, width = undone[:2]
    white = pose.undone(np.full(copy, 255, np.uint8))[..., 0] == 255
    white = np.pad(white, ((0, -height % STRIDE), (0, -width % STRIDE)), "edge")
    blocks = white.reshape(len(white) // STRIDE, STRIDE, -1, STRIDE)
    return np.asarray(blocks.all((1, 3)))


def _agreed(sights: list[Sight]) -> Fit:
    """The median of those that agree with the surest; waves may be found in a part of a section only."""
    if not sights:
        return Fit()
    surest = max(sights, key=lambda sight: sight.sure).fit
    near = [s.fit for s in sights if max(abs(np.subtract(s.fit, surest))) < AGREE]
    size, angle = np.median(near, 0)
    return Fit(float(size), float(angle))


def _unless_near(value: float, none: float, near: float) -> float:
    return none if abs(value - none) < near else value


def _tensor(levels: Levels) -> torch.Tensor:
    return torch.from_numpy(np.array(levels))
