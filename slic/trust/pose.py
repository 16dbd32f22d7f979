"""How a copy lies, by how much it was cut, and how many times as large it is as published, by evidence.

Evidence is surest where every pixel lies on the model's grid as the model gave it, and a little less where it
came back there. So a piece of the copy is laid on that grid in every way in turn: cut, set back to one size
after the other, mirrored and turned. Where evidence stands out, it was so. A copy that was both resized and
turned stays as it is.
"""

from collections.abc import Iterable
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from slic.codec import Codec
from slic.modes import Levels
from slic.trust.blocks import SIDE

SMALL, WINDOW, LARGE = 192, 256, 512  # pixels a side of that piece; few sizes fit a large one
FACTORS = np.exp(np.arange(-0.72, 0.73, 0.02))
FINE = np.exp(np.arange(-0.02, 0.021, 0.004))
CLEAR = 7.0  # evidence that only a copy has that lies as it was published, or nearly so
LEAST = 4.5  # photographs set to some size reach 4
SURER = 1.5  # so much more than as it is: of many tries one may be better by chance
SHARE = 0.75  # of the evidence about a piece is less than what counts: some of it may be foreign
NEAR = 0.01  # a factor so near 1 is none
STEP = 4  # pixels a side that evidence sees as one: cuts are tried within it first


Point = tuple[float, float]  # down and right, in shares of the whole
MIDDLE: Point = 0.5, 0.5


class Pose(NamedTuple):
    """What was done to a copy, in this order, and where on it the model's grid begins."""

    mirrored: bool = False
    quarters: int = 0
    """Turned by so many, against the clock."""
    scale: float = 1.0
    down: int = 0
    right: int = 0
    """So many pixels from the corner of what was published, of those that were left by a cut."""

    def upright(self, levels: Levels) -> Levels:
        """A copy (H,W,3) as it was before it was mirrored and turned."""
        turned = np.rot90(levels, -self.quarters)
        return turned[:, ::-1] if self.mirrored else turned

    def undone(self, levels: Levels) -> Levels:
        """A copy (H,W,3) as it was published, from where the grid begins."""
        return self._restored(self.upright(levels))[self.down :, self.right :]

    def piece(self, levels: Levels, side: int, about: Point) -> Levels:
        """Of that so many pixels a side at most, about a point of the copy, on the same grid."""
        upright, parts, (y, x) = self.upright(levels), [], about
        for _ in range(self.quarters):
            y, x = x, 1 - y
        place = y, 1 - x if self.mirrored else x
        for length, begins, at in zip(upright.shape, (self.down, self.right), place, strict=False):
            room = max(0, int(length / self.scale) - begins - side)
            middle = int(at * length / self.scale) - begins - side // 2
            start = begins + min(max(0, middle), room) // SIDE * SIDE
            parts.append(slice(round(start * self.scale), round((start + side) * self.scale)))
        return self._restored(upright[tuple(parts)])

    def _restored(self, levels: Levels) -> Levels:
        """At the size that it had before it was resized."""
        if self.scale == 1:
            return np.ascontiguousarray(levels)
        height, width = (max(1, round(side / self.scale)) for side in levels.shape[:2])
        image = Image.fromarray(np.ascontiguousarray(levels))
        return np.asarray(image.resize((width, height), Image.Resampling.BICUBIC))


Found = tuple[float, Pose]
"""How sure evidence is of a pose."""
AS_IT_WAS = Pose()
LYING = [Pose(mirrored, quarters) for mirrored in (False, True) for quarters in range(4)]


def find(levels: Levels, codec: Codec) -> Pose:
    """Of a copy (H,W,3); as it is where nothing tells of another."""
    search = _Search(levels, codec)
    sureness, found = search.surest(LYING, LARGE)
    if sureness > CLEAR and found == AS_IT_WAS:
        return AS_IT_WAS
    as_it_is, cut = search.surest([AS_IT_WAS], LARGE), search.cut([AS_IT_WAS])
    enough = max(LEAST, cut[0] + SURER)
    resized = search.cut([search.resized()])
    if resized[0] > max(CLEAR, enough):
        return resized[1]
    other = max(search.cut(LYING[1:]), resized)
    if other[0] > enough:
        return other[1]
    return cut[1] if cut[0] > as_it_is[0] + SURER else AS_IT_WAS


class _Search:
    """Among poses of one copy, by a piece about where it is surest as it is: much of it may be foreign."""

    def __init__(self, levels: Levels, codec: Codec) -> None:
        self._levels, self._codec = levels, codec
        self._about = MIDDLE
        evidence = codec.evidence(levels)
        if evidence is not None:
            best = np.unravel_index(int(_around(evidence).argmax()), evidence.shape)
            y, x = ((at + 0.5) / side for at, side in zip(best, evidence.shape, strict=True))
            self._about = float(y), float(x)

    def resized(self) -> Pose:
        """The size that fits best."""
        sizes = [Pose(scale=f) for f in FACTORS]
        found = self.surest(sizes, SMALL)
        if found[0] < LEAST:
            found = max(found, self.surest(sizes, SMALL, MIDDLE))
        _, pose = self.surest((Pose(scale=found[1].scale * f) for f in FINE), LARGE)
        return AS_IT_WAS if abs(np.log(pose.scale)) < NEAR else pose

    def cut(self, poses: list[Pose]) -> Found:
        """The surest of some poses and cuts: to one pixel within STEP, then in whole ones."""
        within = (p._replace(down=y, right=x) for p in poses for y in range(STEP) for x in range(STEP))
        _, found = self.surest(within, WINDOW)
        steps = range(0, SIDE, STEP)
        whole = [found._replace(down=found.down + y, right=found.right + x) for y in steps for x in steps]
        _, found = self.surest(whole, WINDOW)
        return self.surest([found], LARGE)

    def surest(self, poses: Iterable[Pose], side: int, about: Point | None = None) -> Found:
        """The first of equals."""
        found = ((self._sureness(pose, side, about or self._about), pose) for pose in poses)
        return max(found, key=lambda one: one[0])

    def _sureness(self, pose: Pose, side: int, about: Point) -> float:
        piece = pose.piece(self._levels, side, about)
        evidence = self._codec.evidence(piece) if piece.size else None
        return -np.inf if evidence is None else float(np.quantile(evidence, SHARE))


def _around(evidence: NDArray[np.float32]) -> NDArray[np.float32]:
    """(h,w) the mean of what WINDOW about each place covers, as far as it lies within."""
    for axis in (0, 1):
        side = min(WINDOW // SIDE, evidence.shape[axis])
        sums = np.cumsum(np.insert(evidence, 0, 0, axis), axis)
        ends = np.arange(evidence.shape[axis]) - side // 2
        start = ends.clip(0, evidence.shape[axis] - side)
        evidence = (sums.take(start + side, axis) - sums.take(start, axis)).astype(np.float32)
    return evidence
