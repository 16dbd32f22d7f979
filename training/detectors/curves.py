"""How many pictures of a new generator a detector needs: it knows all others, and goes on with a few of it.

With none it is the detector that learnt from all but this generator. Each row gives the AUC for the new
generator, and the mean over those that were known before, which may be forgotten.
"""

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import numpy as np

from training.config import ConfigError
from training.detectors.classifier import HELD, Classifier
from training.detectors.learner import Score
from training.detectors.linear import Examples
from training.detectors.matrices import by_generator

Row = dict[str, Any]

COUNTS = (5, 10, 20, 50)
SHORTER = 3  # times: to go on takes fewer epochs than to begin


def curves(classifier: Classifier, known: Examples, fresh: Examples, generator: str) -> Iterator[Row]:
    if known.generators == [generator]:
        raise ConfigError(f"there is no other generator than {generator}")
    before = classifier(known[known.source != generator])
    yield _row(generator, 0, before, fresh)
    new = np.flatnonzero((known.source == generator) & (known.fold != HELD))
    order = np.random.default_rng(classifier.schedule.seed).permutation(new)
    brief = replace(classifier.schedule, epochs=max(1, classifier.schedule.epochs // SHORTER))
    further = replace(classifier, start=before, schedule=brief)
    for count in COUNTS:
        if count <= len(new):
            chosen = known.source != generator
            chosen[order[:count]] = True
            yield _row(generator, count, further(known[chosen]), fresh)


def _row(generator: str, count: int, score: Score, fresh: Examples) -> Row:
    found = by_generator(score(fresh.x), fresh)
    others = [auc for name, auc in found.items() if name != generator]
    return {"new": generator, "pictures": count, "auc": found[generator], "others": float(np.mean(others))}
