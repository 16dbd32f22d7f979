"""Pictures with a region of another one blended in, and where it is.

    base ─────┐
    donor ────┴─ ellipse, its edge feathered ─► last codec, once for the whole ─► blend

A base is real. A donor is generated, or real for the control: what finds those regions as well finds the seam
or another subject, not what was generated.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageFilter

from slic.modes import Levels
from training.detectors.fitting import Edit

Floats = NDArray[np.float64]
Region = NDArray[np.bool_]

QUARTILES = ((0.01, 0.08), (0.08, 0.16), (0.16, 0.25), (0.25, 0.36))
"""Shares of the picture that a region takes, the thesis's; from 1%, as nothing cannot be found."""
LONGEST = 2.0  # times as long as wide; at the largest area a longer one would not fit
FEATHER = 2.0  # pixels, of the blur of the edge


@dataclass(frozen=True, eq=False)  # arrays have no truth value to compare by
class Blends:
    x: Levels
    """(n,S,S,3)"""
    region: Region
    """(n,S,S)"""
    quartile: NDArray[np.int_]
    """(n,) which of QUARTILES the area is in."""


def make(bases: Levels, donors: Levels, each: int, last: Edit, seed: int) -> Blends:
    """`each` of every quartile, of pictures drawn by chance; no picture is blended with itself."""
    random = np.random.default_rng(seed)
    made = [_blend(bases, donors, QUARTILES[q], last, random) for q in _quartiles(each)]
    return Blends(np.stack([x for x, _ in made]), np.stack([r for _, r in made]), _quartiles(each))


def _quartiles(each: int) -> NDArray[np.int_]:
    return np.repeat(np.arange(len(QUARTILES)), each)


def _blend(
    bases: Levels, donors: Levels, areas: tuple[float, float], last: Edit, random: np.random.Generator
) -> tuple[Levels, Region]:
    base = bases[random.integers(len(bases))]
    others = [i for i, donor in enumerate(donors) if not np.array_equal(donor, base)]
    donor = donors[random.choice(others)]
    region = ellipse(len(base), random.uniform(*areas), random)
    soft = Image.fromarray(region.astype(np.uint8) * 255).filter(ImageFilter.GaussianBlur(FEATHER))
    share = (np.asarray(soft) / 255)[..., None]
    blended = base * (1 - share) + donor * share
    return last(blended.round().astype(np.uint8)), region


def ellipse(side: int, area: float, random: np.random.Generator) -> Region:
    """(side,side): of such a share of the square, wholly within it, anywhere and at any angle."""
    stretch = random.uniform(1, LONGEST) ** 0.5
    radius, angle = side * (area / np.pi) ** 0.5, random.uniform(0, np.pi)
    axes, turn = np.array([radius * stretch, radius / stretch]), np.array([np.cos(angle), np.sin(angle)])
    reach = np.sqrt(np.square(axes * turn).sum()), np.sqrt(np.square(axes * turn[::-1]).sum())
    centre = [random.uniform(r, side - r) for r in reach]
    across, down = (np.arange(side) + 0.5 - c for c in centre)
    along = across[None] * turn[0] + down[:, None] * turn[1]
    aside = down[:, None] * turn[0] - across[None] * turn[1]
    inside: Region = np.square(along / axes[0]) + np.square(aside / axes[1]) <= 1
    return inside
