"""The cheap methods of baselines.py as learners: features of each picture, and a linear detector of them."""

import hashlib
from collections.abc import Callable
from dataclasses import dataclass, field, replace

import numpy as np
from numpy.typing import NDArray

from slic.modes import Levels
from training.detectors import linear
from training.detectors.learner import Score
from training.detectors.linear import Examples

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Featured:
    features: Callable[[Levels], Floats]
    """Of one picture."""
    found: dict[bytes, Floats] = field(default_factory=dict, repr=False)
    """By picture: whichever generator is left out, most pictures were seen before, and a codec is dear."""

    def __call__(self, known: Examples) -> Score:
        fitted = linear.fit(replace(known, x=self._of(known.x)))
        return lambda levels: linear.probability(fitted(self._of(levels)))

    def _of(self, levels: Levels) -> Floats:
        return np.stack([self._of_one(picture) for picture in levels])

    def _of_one(self, picture: Levels) -> Floats:
        key = hashlib.sha256(picture.tobytes()).digest()
        if key not in self.found:
            self.found[key] = self.features(picture)
        return self.found[key]
