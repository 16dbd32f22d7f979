"""How many times as large a copy is as what the model gave, and whether it lies on its side, by its spectrum.

What a secured model leaves in all its pictures may have lines in the spectrum, such as those of stripes.
Noise that passes through the model shows where (trace.py); in a copy that was made larger or smaller they
lie nearer to zero or farther from it, in one that was turned by a quarter along the other axis. No network
sees the copy.
"""

from dataclasses import dataclass
from functools import lru_cache
from typing import NamedTuple

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import NDArray

from slic.attacks.photographic import LUMA
from slic.codec import Codec
from slic.modes import Levels
from slic.trust import trace

Floats = NDArray[np.float64]

WINDOW = 128  # pixels a side of what one spectrum is of
HALF = WINDOW // 2
ACROSS = 2  # such windows a side of a picture, at most
NOTHING = 100.0  # energy below which a frequency is empty
AROUND = 9  # bins a side over which the spectrum of what is in a picture is flat
APART = 7  # bins a side in which one line is the strongest
LINES, FAINTEST = 8, 1.5  # so many lines, of so many nepers at least
FACTORS = np.exp(np.arange(np.log(0.5), np.log(2.0), 0.02))
SEEN = 0.2  # of the lines' strength, at least, must lie within the copy's frequencies
# The share of the lines that is there, in copies of five photographs resized to .5 to 2: .6 to 1.1, at most
# .6 of that on the wrong side; where no model had been, or JPEG followed, at most .35. At half the size
# other lines of the model lie where those of its own size would be: .6 to .7 of the share.
LEAST = 0.5
SURER = 1.3  # times that of the other side
MOVED = 1.3  # times that of its own size
FINE = np.arange(-0.015, 0.015, 0.001)  # of logarithms, about the best of FACTORS
LARGE = 512  # pixels a side of what is looked at for those
NEAR = 0.04  # a factor so near 1 changes nothing for who looks at blocks


class Pose(NamedTuple):
    scale: float = 1.0
    turned: bool = False
    """By a quarter, whichever way."""


@dataclass(frozen=True, eq=False)  # arrays have no truth value to compare by
class Lines:
    """Where a model's pictures have more energy than what it was given; made by `lines`."""

    rows: Floats  # (L,) bins, negative and positive
    columns: Floats  # (L,) bins
    channels: NDArray[np.intp]  # (L,)
    strengths: Floats  # (L,) nepers

    def pose(self, levels: Levels) -> Pose:
        """Of a picture (H,W,3); as it is where nothing tells of another."""
        if min(levels.shape[:2]) < WINDOW or not len(self.rows):
            return Pose()
        spectrum = _spectrum(levels)
        scores = [self._scores(seen, np.append(FACTORS, 1.0)) for seen in (spectrum, _on_its_side(spectrum))]
        turned = bool(scores[1].max() > SURER * scores[0].max())
        best = int(scores[turned].argmax())
        if scores[turned][best] < LEAST:
            return Pose()
        if scores[turned][best] < MOVED * scores[turned][-1]:
            return Pose(1.0, turned)
        found = self._refined(np.rot90(levels) if turned else levels, float(FACTORS[best]))
        return Pose(found if abs(np.log(found)) > NEAR else 1.0, turned)

    def _refined(self, levels: Levels, about: float) -> float:
        """To a part in a thousand, from a larger window: blocks far apart must not drift from the grid."""
        height, width = (min(side, LARGE) for side in levels.shape[:2])
        top, left = ((side - part) // 2 for side, part in zip(levels.shape, (height, width), strict=False))
        part = _tapered(_colours(levels[top : top + height, left : left + width]))
        factors = about * np.exp(FINE)
        energy = np.zeros(len(factors))
        for row, column, channel, strength in zip(
            self.rows, self.columns, self.channels, self.strengths, strict=True
        ):
            if abs(row) <= (HALF - 1) * about and column <= HALF * about:
                down = np.exp(-2j * np.pi * np.outer(row / factors, np.arange(height)) / WINDOW)
                right = np.exp(-2j * np.pi * np.outer(column / factors, np.arange(width)) / WINDOW)
                found = ((down @ part[:, :, channel]) * right).sum(1)
                energy += strength * np.log(np.square(np.abs(found)) + NOTHING)
        return float(factors[energy.argmax()])

    def _scores(self, spectrum: Floats, factors: Floats) -> Floats:
        """(F,): what share of the lines a spectrum has if its picture was resized so."""
        rows: Floats = self.rows / factors[:, None]  # (F,L)
        columns: Floats = self.columns / factors[:, None]
        within = (np.abs(rows) <= HALF - 1) & (columns <= HALF)
        weights = np.where(within, self.strengths, 0.0)
        values = _between(spectrum, rows, columns, self.channels)
        shares = (values * weights).sum(1) / (np.square(weights).sum(1) + 1e-9)
        return np.where(weights.sum(1) >= SEEN * self.strengths.sum(), shares, -np.inf)


@lru_cache(maxsize=4)
def _of(answers: trace.Answers) -> Lines:
    each = [_spectrum(after) - _spectrum(before) for before, after in answers.pictures]
    beyond: Floats = np.mean(each, 0)  # (WINDOW,WINDOW,3)
    near = beyond
    for axis in (0, 1):
        near = _windows(near, APART, axis).max(-1)
    near[:, HALF + 1 :] = near[HALF + 1 :, [0, HALF]] = np.inf  # turned by half it is the same
    found = np.argwhere((beyond >= near) & (beyond > FAINTEST))
    strengths = beyond[tuple(found.T)]
    best = np.argsort(-strengths)[:LINES]
    rows, columns, channels = found[best].T
    rows = (rows + HALF) % WINDOW - HALF
    return Lines(rows.astype(float), columns.astype(float), channels, strengths[best])


def lines(codec: Codec) -> Lines:
    """Of this codec's model; made once."""
    return _of(trace.answers(codec))


def _spectrum(levels: Levels) -> Floats:
    """(H,W,3) → (WINDOW,WINDOW,3): logarithms by frequency, without what is smooth in them."""
    tops, lefts = (
        sorted({round(at) for at in np.linspace(0, side - WINDOW, ACROSS)}) for side in levels.shape[:2]
    )
    total = np.zeros((WINDOW, WINDOW, 3))
    for top in tops:
        for left in lefts:
            part = _colours(levels[top : top + WINDOW, left : left + WINDOW])
            total += np.log(np.square(np.abs(np.fft.fft2(_tapered(part), axes=(0, 1)))) + NOTHING)
    mean = total / (len(tops) * len(lefts))
    out: Floats = mean - _smooth(mean)
    return out


def _on_its_side(spectrum: Floats) -> Floats:
    """What the picture would have, turned by a quarter against the clock."""
    out: Floats = spectrum.swapaxes(0, 1)[-np.arange(WINDOW)]
    return out


def _tapered(part: Floats) -> Floats:
    height, width = part.shape[:2]
    taper = np.hanning(height)[:, None] * np.hanning(width)
    out: Floats = (part - part.mean((0, 1))) * taper[:, :, None]
    return out


def _colours(levels: Levels) -> Floats:
    """Brightness, blue and red beyond it: a trigger may lie in one and hide from the sum of all."""
    rgb = levels.astype(np.float64)
    bright = rgb @ LUMA
    return np.stack([bright, (rgb[..., 2] - bright) / 2, (rgb[..., 0] - bright) / 2], -1)


def _smooth(values: Floats) -> Floats:
    """The mean of AROUND bins a side."""
    for axis in (0, 1):
        values = _windows(values, AROUND, axis).mean(-1)
    return values


def _windows(values: Floats, size: int, axis: int) -> Floats:
    """The `size` values around each along an axis, as a last axis; beyond the end it begins anew."""
    widths = [(size // 2, size // 2) if axis == a else (0, 0) for a in range(values.ndim)]
    out: Floats = sliding_window_view(np.pad(values, widths, "wrap"), size, axis)
    return out


def _between(values: Floats, rows: Floats, columns: Floats, channels: NDArray[np.intp]) -> Floats:
    """Bilinear, at places (F,L) of channels (L,); beyond the end it begins anew."""
    top, left = np.floor(rows).astype(int), np.floor(columns).astype(int)
    down, right = rows - top, columns - left
    corners = [values[(top + i) % WINDOW, (left + j) % WINDOW, channels] for i in (0, 1) for j in (0, 1)]
    upper, lower = (a * (1 - right) + b * right for a, b in (corners[:2], corners[2:]))
    out: Floats = upper * (1 - down) + lower * down
    return out
