"""What detectors that learn from pixels have in common: pictures of both classes in, scores of others out.

    known = gather(chosen, Treatment(128))    examples whose x are levels
    score = learner(known)                    learns
    score(fresh.x)                            0 to 1, higher for what looks generated

Whatever a learner sets apart, to choose by or to learn in turns, it takes by folds, which keep together what
shares its origin.
"""

from collections.abc import Sequence
from typing import Protocol

import numpy as np
from numpy.typing import NDArray
from tqdm import tqdm

from slic.modes import Levels
from training.detectors.linear import FOLDS, Examples
from training.detectors.protocol import Item, Treatment

Floats = NDArray[np.float64]


class Score(Protocol):
    def __call__(self, levels: Levels) -> Floats:
        """(n,H,W,3) → (n,) from 0 to 1."""


class Learner(Protocol):
    def __call__(self, known: Examples) -> Score: ...


def gather(chosen: Sequence[Item], treatment: Treatment) -> Examples:
    """Those of the pictures that are large enough for the treatment, treated."""
    bar = tqdm(chosen, desc=str(treatment), disable=None, leave=False)
    treated = [(item, levels) for item in bar if (levels := treatment(item)) is not None]
    return Examples(
        np.stack([levels for _, levels in treated]),
        np.array([item.fake for item, _ in treated]),
        np.array([item.source for item, _ in treated]),
        np.array([item.fold(FOLDS) for item, _ in treated]),
    )
