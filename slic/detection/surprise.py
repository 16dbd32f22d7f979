"""How many bits a picture takes, against how many the model expects that it takes.

For each latent the model has a table of probabilities. The symbol that is coded takes −log2 of its own
probability; over all that might have come instead the table expects its entropy. The difference is what ZED
(ECCV 2024) found to tell generated pictures: they surprise a codec of photographs less than it expects.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from slic import priors
from slic.engine import Symbols
from slic.entropy import TOTAL, Int32s
from slic.models import Tensors

Floats = NDArray[np.float32]

ESCAPED = 16  # bits that follow an escape


@dataclass(frozen=True, eq=False)  # arrays have no truth value to compare by
class Lengths:
    """Bits of every symbol by every table of one kind of latent."""

    bits: Floats
    """Those of all tables, one after the other."""
    starts: Int32s
    first: Int32s
    escape: Int32s
    """The escape's place in each table."""
    entropy: Floats
    """Of each table: the bits that it expects."""

    @classmethod
    def load(cls, tensors: Tensors, latent: str) -> "Lengths":
        counts, lengths, first = (
            priors.int32s(tensors, f"tables.{latent}.{part}") for part in ("counts", "lengths", "first")
        )
        starts = np.cumsum(lengths, dtype=np.int32) - lengths
        share = counts / TOTAL
        bits = -np.log2(share)
        bits[starts + lengths - 1] += ESCAPED
        entropy = np.add.reduceat(share * bits, starts)
        return cls(bits.astype(np.float32), starts, first, lengths - 1, entropy.astype(np.float32))

    def of(self, symbols: Int32s, numbers: NDArray[np.integer[Any]]) -> Floats:
        """The bits of each symbol by the table of its number; both of one shape."""
        place, escape = symbols - self.first[numbers], self.escape[numbers]
        place = np.where((place < 0) | (place > escape), escape, place)
        out: Floats = self.bits[self.starts[numbers] + place]
        return out


@dataclass(frozen=True, eq=False)
class Surprise:
    """Of one picture at one quality."""

    bits: Floats
    """(M,h,w) of y."""
    beyond: Floats
    """(M,h,w) the same less what was expected."""
    hyper: float
    """Bits of all of z."""


class Tables:
    """Both kinds of a model's tables."""

    def __init__(self, tensors: Tensors) -> None:
        self._y, self._z = Lengths.load(tensors, "y"), Lengths.load(tensors, "z")

    def surprise(self, symbols: Symbols) -> Surprise:
        bits = self._y.of(symbols.y, symbols.numbers)
        channel = np.arange(len(symbols.z), dtype=np.int32)[:, None, None]
        hyper = float(self._z.of(symbols.z, np.broadcast_to(channel, symbols.z.shape)).sum())
        return Surprise(bits, bits - self._y.entropy[symbols.numbers], hyper)
