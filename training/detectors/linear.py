"""Features → a linear detector with a calibrated probability.

Fisher's discriminant, for which sources of one class differ by chance: what tells faces from horses, or one
camera from another, counts as noise, many times over. Of what was tried on the folds of the development part
(logistic regression, forests, boosting) nothing found generators that it had not seen as well.

The probability is calibrated on generators that were left out in turn: this is what a user's picture is, and
scores are far less sure there than on more of the same.
"""

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from slic.detection.detector import FARTHEST

Floats = NDArray[np.float64]

SOURCES = 10  # how much more than among pictures of one source a difference between sources counts as noise
SHRINK = 0.1  # towards independent features: there are few pictures
FOLDS = 5
FLATTEST = (
    0.02  # slope of the calibration: scores that point the wrong way become even odds, never the opposite
)


@dataclass(frozen=True, eq=False)  # arrays have no truth value to compare by
class Linear:
    mean: Floats
    spread: Floats
    weights: Floats
    bias: float

    def __call__(self, x: Floats) -> Floats:
        """(n,F) → (n,) log odds."""
        standard = ((x - self.mean) / self.spread).clip(-FARTHEST, FARTHEST)
        out: Floats = standard @ self.weights + self.bias
        return out


@dataclass(frozen=True, eq=False)
class Examples:
    """Pictures as detectors see them, and what is known of each."""

    x: NDArray[Any]
    """(n,F) features, or (n,H,W,3) levels for who learns from pixels."""
    fake: NDArray[np.bool_]
    source: NDArray[np.str_]
    fold: NDArray[np.int_]
    """Rows that share anything are in one fold."""

    def __getitem__(self, chosen: NDArray[np.bool_]) -> "Examples":
        return Examples(self.x[chosen], self.fake[chosen], self.source[chosen], self.fold[chosen])

    @property
    def generators(self) -> list[str]:
        return sorted(set(self.source[self.fake]))


def probability(logit: Floats) -> Floats:
    out: Floats = 1 / (1 + np.exp(-logit))
    return out


def fit(examples: Examples) -> Linear:
    """Calibrated by leaving out generators, or folds where there is but one generator."""
    scores, fake = left_out(examples)
    plain = fit_plain(examples)
    slope, offset = _calibration(scores, fake)
    return replace(plain, weights=plain.weights * slope, bias=plain.bias * slope + offset)


def fit_plain(examples: Examples) -> Linear:
    """Every source weighs the same within its class, and both classes do."""
    mean, spread = examples.x.mean(0), examples.x.std(0) + 1e-6
    standard = ((examples.x - mean) / spread).clip(-FARTHEST, FARTHEST)
    real, fake = (_of_class(standard, examples, kind) for kind in (False, True))
    within = _mean([np.cov(rows.T, bias=True).reshape(2 * (len(mean),)) for rows in [*real, *fake]])
    noise = within + SOURCES * (_between(real) + _between(fake)) / 2 + SHRINK * np.eye(len(mean))
    middles = [_mean([rows.mean(0) for rows in kind]) for kind in (real, fake)]
    weights = np.linalg.solve(noise, middles[1] - middles[0])
    weights /= np.sqrt(weights @ within @ weights) + 1e-9  # so that scores of several are of one size
    return Linear(mean, spread, weights, float(-weights @ (middles[0] + middles[1]) / 2))


def _of_class(standard: Floats, examples: Examples, fake: bool) -> list[Floats]:
    """The rows of each source."""
    rows = examples.fake == fake
    return [standard[rows & (examples.source == source)] for source in sorted(set(examples.source[rows]))]


def _between(sources: list[Floats]) -> Floats:
    """How the means of the sources of one class differ, as a covariance."""
    means = np.stack([rows.mean(0) for rows in sources])  # (sources,F)
    return np.cov(means.T, bias=True).reshape(2 * (means.shape[1],))


def _mean(arrays: list[Floats]) -> Floats:
    out: Floats = np.mean(arrays, 0)
    return out


def left_out(examples: Examples) -> tuple[Floats, NDArray[np.bool_]]:
    """Log odds of generated pictures by who never saw their generator, and of real ones; which is which.

    A real picture is scored once for each generator that is left out, never by who saw its fold.
    """
    generators = examples.generators
    scores, fake = [], []
    for generator in generators if len(generators) > 1 else [""]:
        for fold in range(FOLDS):
            held = examples.fold == fold
            tested = held & (~examples.fake | (examples.source == generator) | (generator == ""))
            seen = ~held & (examples.source != generator)
            if tested.any() and examples.fake[seen].any() and not examples.fake[seen].all():
                scores.append(fit_plain(examples[seen])(examples.x[tested]))
                fake.append(examples.fake[tested])
    return np.concatenate(scores), np.concatenate(fake)


def _calibration(scores: Floats, fake: NDArray[np.bool_]) -> tuple[float, float]:
    """Slope and offset (Platt), both classes weighing the same."""
    from sklearn.linear_model import LogisticRegression

    model = LogisticRegression(C=1e3, class_weight="balanced", max_iter=1000).fit(scores[:, None], fake)
    slope = float(model.coef_[0, 0])
    if slope < FLATTEST:
        return FLATTEST, -FLATTEST * float(np.median(scores))
    return slope, float(model.intercept_[0])
