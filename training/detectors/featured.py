"""The cheap methods of baselines.py as learners: features of each picture, and a linear detector of them."""

from collections.abc import Callable
from dataclasses import dataclass, replace

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

    def __call__(self, known: Examples) -> Score:
        fitted = linear.fit(replace(known, x=self._of(known.x)))
        return lambda levels: linear.probability(fitted(self._of(levels)))

    def _of(self, levels: Levels) -> Floats:
        return np.stack([self.features(picture) for picture in levels])
