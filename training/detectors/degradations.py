"""How a detector bears what happens to pictures: each degradation at growing strength, learnt with it or not.

Both classes are degraded alike. Every detector is trained anew a few times, from other random weights; rows
give the mean and the standard deviation over these, of the share of right answers with both classes weighing
the same, and of AUC. Other pictures would add to that deviation.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from slic import attacks
from slic.modes import Levels
from training.detectors import measures
from training.detectors.classifier import Classifier
from training.detectors.fitting import Edit
from training.detectors.learner import Score
from training.detectors.linear import Examples

Floats = NDArray[np.float64]
Row = dict[str, Any]


@dataclass(frozen=True)
class Patch:
    """A square of the picture is left, at a place that depends on the picture, and black around it."""

    side: int

    def __call__(self, levels: Levels) -> Levels:
        random = np.random.default_rng(int(levels.sum()))
        rows, cols = (_place(length, self.side, random) for length in levels.shape[:2])
        out = np.zeros_like(levels)
        out[rows, cols] = levels[rows, cols]
        return out

    def __str__(self) -> str:
        return f"patch(side={self.side})"


def _place(length: int, side: int, random: np.random.Generator) -> slice:
    start = int(random.integers(0, max(1, length - side + 1)))
    return slice(start, start + side)


DEGRADATIONS: Mapping[str, Sequence[Edit]] = {
    "blur": tuple(attacks.parse(f"blur(radius={radius})") for radius in (0.5, 1, 2, 4)),
    "jpeg": tuple(attacks.parse(f"jpeg(quality={quality})") for quality in (90, 70, 50, 30, 10)),
    "patch": tuple(Patch(side) for side in (96, 64, 32, 16)),
    "downsizing": tuple(attacks.parse(f"rescale(factor={factor})") for factor in (0.75, 0.5, 0.25)),
}
"""From the least to the strongest."""


def degradations(
    classifier: Classifier,
    known: Examples,
    fresh: Examples,
    runs: int,
    chosen: Mapping[str, Sequence[Edit]] = DEGRADATIONS,
) -> Iterator[Row]:
    plain = _trained(classifier, known, runs)
    yield {"degradation": "none"} | _summary("plain", plain, fresh)
    for name, levels in chosen.items():
        learnt = _trained(replace(classifier, edits=levels), known, runs)
        yield {"degradation": f"none, {name} learnt"} | _summary("augmented", learnt, fresh)
        for edit in levels:
            degraded = replace(fresh, x=np.stack([edit(picture) for picture in fresh.x]))
            row = _summary("plain", plain, degraded) | _summary("augmented", learnt, degraded)
            yield {"degradation": str(edit)} | row


def _trained(classifier: Classifier, known: Examples, runs: int) -> list[Score]:
    schedules = [replace(classifier.schedule, seed=seed) for seed in range(runs)]
    return [replace(classifier, schedule=schedule)(known) for schedule in schedules]


def _summary(name: str, scores: Sequence[Score], fresh: Examples) -> Row:
    found = [score(fresh.x) for score in scores]
    out: Row = {}
    for what, measure in (("right", balanced), ("auc", measures.auc)):
        values = [measure(s[~fresh.fake], s[fresh.fake]) for s in found]
        out |= {f"{name}: {what}": float(np.mean(values)), f"{name}: {what} ±": float(np.std(values))}
    return out


def balanced(real: Floats, fake: Floats) -> float:
    """Right answers at even odds, both classes weighing the same."""
    return float(((real < 0.5).mean() + (fake >= 0.5).mean()) / 2)
