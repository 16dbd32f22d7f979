"""How a copy lies and how many times as large it is as what the model gave, by the model's own evidence.

Evidence is surest of what is as it came out of the model; it bears other sizes, but a tenth more or less
costs half. So a piece of the copy is set upright and back to its size, in every way in turn: where evidence
is surest, it was so.
"""

from collections.abc import Iterable
from typing import NamedTuple

import numpy as np
from PIL import Image

from slic.codec import Codec
from slic.modes import Levels

WINDOW, LARGE = 256, 512  # pixels a side of that piece, as it was published; of the one that tells the size
FACTORS = np.exp(np.arange(-0.84, 0.85, 0.12))  # evidence reaches from one to the next
FINE = np.exp(np.arange(-0.07, 0.08, 0.01))
CLEAR = 7.0  # evidence that nothing but an upright copy of its own size has
LEAST = 2.0  # evidence below which there is nothing to be found
SURER = 1.0  # so much more than as it is: of many tries one may be better by chance
NEAR = 0.03  # a factor so near 1 is none


class Pose(NamedTuple):
    """What was done to a copy, in this order."""

    mirrored: bool = False
    quarters: int = 0
    """Turned by so many, against the clock."""
    scale: float = 1.0

    def undone(self, levels: Levels) -> Levels:
        """A copy (H,W,3) as it was published, or a part of it."""
        upright = np.rot90(levels, -self.quarters)
        upright = upright[:, ::-1] if self.mirrored else upright
        if self.scale == 1:
            return np.ascontiguousarray(upright)
        height, width = (max(1, round(side / self.scale)) for side in upright.shape[:2])
        image = Image.fromarray(np.ascontiguousarray(upright))
        return np.asarray(image.resize((width, height), Image.Resampling.BICUBIC))


AS_IT_WAS = Pose()
LYING = [Pose(mirrored, quarters) for mirrored in (False, True) for quarters in range(4)]


def find(levels: Levels, codec: Codec) -> Pose:
    """Of a copy (H,W,3); as it is where nothing tells of another."""
    as_it_is = _sureness(levels, AS_IT_WAS, LARGE, codec)
    if as_it_is > CLEAR:
        return AS_IT_WAS
    _, lying = _surest(levels, (p._replace(scale=f) for p in LYING for f in FACTORS), WINDOW, codec)
    fine = (lying._replace(scale=lying.scale * f) for f in FINE)
    sureness, found = _surest(levels, fine, LARGE, codec)
    if abs(np.log(found.scale)) < NEAR:
        found = found._replace(scale=1.0)
    return found if sureness > max(LEAST, as_it_is + SURER) else AS_IT_WAS


def _surest(levels: Levels, poses: Iterable[Pose], side: int, codec: Codec) -> tuple[float, Pose]:
    return max((_sureness(levels, pose, side, codec), pose) for pose in poses)


def _sureness(levels: Levels, pose: Pose, side: int, codec: Codec) -> float:
    """Evidence about the middle of a copy that has this pose; the median, as a part may be foreign."""
    part = max(1, round(side * pose.scale))
    rows, columns = (slice(max(0, whole - part) // 2, (whole + part) // 2) for whole in levels.shape[:2])
    evidence = codec.evidence(pose.undone(levels[rows, columns]))
    return -np.inf if evidence is None else float(np.median(evidence))
