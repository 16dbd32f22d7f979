"""Who finds whose pictures: scores of detectors that learnt from one generator alone, or from all others."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from training.config import ConfigError
from training.detectors import measures
from training.detectors.learner import Learner
from training.detectors.linear import Examples

Floats = NDArray[np.float64]
Row = dict[str, Any]


def alone(learner: Learner, known: Examples, fresh: Examples) -> dict[str, Floats]:
    """Scores of `fresh`, by the generator that the detector learnt from."""
    return {
        generator: learner(known[~known.fake | (known.source == generator)])(fresh.x)
        for generator in known.generators
    }


def without(learner: Learner, known: Examples, fresh: Examples) -> dict[str, Floats]:
    """Scores of `fresh`, by the generator that the detector did not learn from."""
    if len(known.generators) < 2:
        raise ConfigError("a generator can be left out where there are two or more")
    return {generator: learner(known[known.source != generator])(fresh.x) for generator in known.generators}


def by_generator(scores: Floats, fresh: Examples) -> Row:
    """The AUC of each against all real pictures, in the order of their names."""
    real = scores[~fresh.fake]
    return {name: measures.auc(real, scores[fresh.source == name]) for name in fresh.generators}
