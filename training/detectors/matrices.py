"""Who finds whose pictures: scores by generator of a detector that learnt from one alone, or from all others.

Each row is a detector, each score that of one generator's pictures of the test part against all real ones.
"""

from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

from training.detectors import measures
from training.detectors.learner import Learner
from training.detectors.linear import Examples

Floats = NDArray[np.float64]
Row = dict[str, Any]


def single(learner: Learner, known: Examples, fresh: Examples) -> Iterator[Row]:
    for generator in known.generators:
        scores = learner(known[~known.fake | (known.source == generator)])(fresh.x)
        yield {"learnt from": generator} | by_generator(scores, fresh)


def leave_one_out(learner: Learner, known: Examples, fresh: Examples) -> Iterator[Row]:
    for generator in known.generators:
        scores = learner(known[known.source != generator])(fresh.x)
        yield {"learnt from all but": generator} | by_generator(scores, fresh)


def by_generator(scores: Floats, fresh: Examples) -> Row:
    """The AUC of each, in the order of their names."""
    real = scores[~fresh.fake]
    return {name: measures.auc(real, scores[fresh.source == name]) for name in fresh.generators}
