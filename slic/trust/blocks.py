"""Maps with a value for each block of 16x16 pixels: what they are made of, and the regions in them."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from slic.modes import Levels

Floats = NDArray[np.float32]
Bools = NDArray[np.bool_]
Region = list[tuple[int, int]]

SIDE = 16  # pixels of a block: one latent
SIDES = 1, 3, 5, 7, 9, 13  # blocks a side that may speak together
_CELL = 4  # pixels over which an error is averaged first
_EQUAL = 255**2 / 1e5  # of 50 dB: more is not told apart, and equal blocks have no finite decibels


@dataclass(frozen=True)
class Box:
    """In pixels; right and bottom are one beyond it."""

    left: int
    top: int
    right: int
    bottom: int


def decibels(a: Levels, b: Levels) -> Floats:
    """(H,W,3) twice → (⌈H/16⌉,⌈W/16⌉): how well the means of cells of 4x4 pixels agree.

    Fine texture, which every codec loses, would hide what happened to a picture: on single pixels 1.7% of
    blocks were on the wrong side of the best threshold, on cells 0.4%.
    """
    height, width = a.shape[:2]
    rows = [_row(a[top : top + SIDE], b[top : top + SIDE]) for top in range(0, height, SIDE)]
    squares = np.stack(rows)[:, : -(-width // SIDE)]
    out: Floats = (10 * np.log10(255**2 / np.maximum(squares, _EQUAL))).astype(np.float32)
    return out


def _row(a: Levels, b: Levels) -> NDArray[np.float64]:
    """One row of blocks, so that memory stays small; the edge repeats to fill it."""
    error = a.astype(np.float64) - b
    down, right = -error.shape[0] % SIDE, -error.shape[1] % SIDE
    error = np.pad(error, ((0, down), (0, right), (0, 0)), mode="edge")
    cells = error.reshape(SIDE // _CELL, _CELL, -1, _CELL, 3).mean((1, 3))
    squares = np.square(cells).mean(2).reshape(SIDE // _CELL, -1, SIDE // _CELL)
    out: NDArray[np.float64] = squares.mean((0, 2))
    return out


def surest(odds: Floats, enough: float) -> Floats:
    """Each block with so many about it as together say `enough`, one way or the other; those say 1, or -1.

    With the fewest that do. Where even the most do not, what they say.
    """
    out = odds
    for side in reversed(SIDES):
        sums = _sums(odds, side) / np.float32(enough)
        out = sums if side == SIDES[-1] else np.where(np.abs(sums) >= 1, sums, out)
    return out


def _sums(values: Floats, side: int) -> Floats:
    """Of `side` blocks a side about each."""
    reach = side // 2
    padded = np.pad(values.astype(np.float64), ((reach + 1, reach), (reach + 1, reach)))
    sums = padded.cumsum(0).cumsum(1)
    inner = sums[side:, side:] - sums[:-side, side:] - sums[side:, :-side] + sums[:-side, :-side]
    out: Floats = inner.astype(np.float32)
    return out


def regions(blocks: Bools) -> Iterator[Region]:
    """Blocks that touch by their sides, region by region."""
    waiting = set(zip(*(axis.tolist() for axis in np.nonzero(blocks)), strict=True))
    while waiting:
        region = [waiting.pop()]
        for y, x in region:  # grows while it is walked through
            for near in ((y - 1, x), (y + 1, x), (y, x - 1), (y, x + 1)):
                if near in waiting:
                    waiting.remove(near)
                    region.append(near)
        yield region


def box(region: Region, height: int, width: int) -> Box:
    """Around a region of a picture of this size."""
    (top, left), (bottom, right) = np.min(region, 0) * SIDE, (np.max(region, 0) + 1) * SIDE
    return Box(int(left), int(top), min(int(right), width), min(int(bottom), height))


def enlarge(blocks: Bools, height: int, width: int) -> Bools:
    """(h,w) → (H,W)"""
    return blocks.repeat(SIDE, 0).repeat(SIDE, 1)[:height, :width]
