"""Features → a probability that a picture was generated, or the reason why there is none.

A detector is a small JSON file: for each feature its mean and spread on the pictures that it was fitted on,
and a weight; `training.detectors.fit` makes it. It belongs to one model, whose features it knows.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from slic.errors import ModelError
from slic.models import Model

Floats = NDArray[np.float64]

FORMAT = "slic-detector-1"
EMBEDDED = Path(__file__).parents[1] / "weights" / "detector.json"
FIT = "python -m training.detectors.fit --data DIR --out FILE makes one for it"

FARTHEST = 4.0  # spreads from the mean that one feature may count for
SURE = 0.8  # of a probability, or of its opposite
DESTROYED = float(np.log(255**2 * 10**-1.6))  # of error.brightness: 16 dB, as wreckage has
NAMED = 3  # features that are named as what drove it


class Answer(Enum):
    REAL = "real"
    GENERATED = "generated"
    UNSURE = "unsure"


@dataclass(frozen=True)
class Driver:
    """What one feature did to the probability."""

    feature: str
    weight: float
    """In log odds: above 0 it speaks for generated."""

    def __str__(self) -> str:
        return f"{self.feature} {self.weight:+.2f}"


@dataclass(frozen=True)
class Finding:
    """What follows from the features of one picture."""

    answer: Answer
    reason: str
    probability: float | None = None
    """That it was generated, where real and generated pictures are equally many; None if it says nothing."""
    drivers: tuple[Driver, ...] = ()
    """What drove it, the strongest first."""


@dataclass(frozen=True, eq=False)  # arrays have no truth value to compare by
class Detector:
    """Weights for features, and where they hold."""

    model: str
    """The identity of the model whose features they are, in hexadecimal."""
    names: tuple[str, ...]
    mean: Floats
    spread: Floats
    weights: Floats
    bias: float
    distance: float
    """Root mean square of the features, in spreads from their means, beyond which it knows nothing."""
    blocks: float
    """How far the blocks of JPEG may stand out."""
    smallest: int
    """Pixels a side."""
    made: Mapping[str, Any]
    """How: for people."""

    def require(self, model: Model) -> None:
        """Raises ModelError if its features are another model's."""
        identity = model.identity.hex()
        if identity != self.model:
            raise ModelError(
                f"the detector was fitted on model {self.model[:8]}, not on {model.name} ({identity[:8]})",
                hint=FIT,
            )

    def logit(self, standard: Floats) -> Floats:
        """(…,F) standardised features → log odds."""
        out: Floats = standard.clip(-FARTHEST, FARTHEST) @ self.weights + self.bias
        return out

    def standardise(self, features: Mapping[str, float]) -> Floats:
        missing = [name for name in self.names if name not in features]
        if missing:
            raise ModelError(f"the detector needs feature {missing[0]}, which is not there", hint=FIT)
        return (np.array([features[name] for name in self.names]) - self.mean) / self.spread

    def judge(self, features: Mapping[str, float], side: int) -> Finding:
        """What follows for a picture whose shorter side is of so many pixels."""
        if side < self.smallest:
            return _unsure(f"a side of {side} pixels shows too little; {self.smallest} are needed")
        if features["error.brightness"] > DESTROYED:
            return _unsure("the codec destroys it, as what came out of a .slic file; slic check says more")
        if features["blocks"] > self.blocks:
            return _unsure("it is heavily compressed: the blocks of JPEG stand out")
        standard = self.standardise(features)
        if float(np.sqrt(np.square(standard).mean())) > self.distance:
            odd = self.names[int(np.argmax(np.abs(standard)))]
            return _unsure(f"it is unlike the pictures that the detector was fitted on, above all in {odd}")
        return self._weigh(standard)

    def _weigh(self, standard: Floats) -> Finding:
        probability = float(1 / (1 + np.exp(-self.logit(standard))))
        pulls = standard.clip(-FARTHEST, FARTHEST) * self.weights
        strongest = np.argsort(-np.abs(pulls), kind="stable")[:NAMED]
        drivers = tuple(Driver(self.names[i], float(pulls[i])) for i in strongest)
        said = f"generated with probability {probability:.2f}, which is no proof"
        if probability >= SURE or probability <= 1 - SURE:
            answer = Answer.GENERATED if probability >= SURE else Answer.REAL
            return Finding(answer, f"{said}; driven by {', '.join(map(str, drivers))}", probability, drivers)
        return Finding(Answer.UNSURE, f"{said} and too near to even odds", probability, drivers)

    def as_json(self) -> str:
        rows = zip(self.names, self.mean, self.spread, self.weights, strict=True)
        features = [
            {"name": name, "mean": float(mean), "spread": float(spread), "weight": float(weight)}
            for name, mean, spread, weight in rows
        ]
        head = {"format": FORMAT, "model": self.model, "made": dict(self.made), "bias": self.bias}
        limits = {"distance": self.distance, "blocks": self.blocks, "smallest": self.smallest}
        return json.dumps(head | limits | {"features": features}, indent=1) + "\n"


def _unsure(reason: str) -> Finding:
    return Finding(Answer.UNSURE, reason)


def load(path: Path | None = None) -> Detector:
    """The detector in a file; the embedded one by default."""
    path = path or EMBEDDED
    try:
        found = json.loads(path.read_bytes())
        if found["format"] != FORMAT:
            raise ValueError("another format")
        rows = found["features"]
        mean, spread, weights = (
            np.array([row[key] for row in rows], np.float64) for key in ("mean", "spread", "weight")
        )
        bias, distance, blocks = (float(found[key]) for key in ("bias", "distance", "blocks"))
        sound = np.isfinite([*mean, *spread, *weights, bias, distance, blocks]).all() and (spread > 0).all()
        if not (sound and rows):
            raise ValueError("numbers that cannot be")
        names = tuple(str(row["name"]) for row in rows)
        smallest, model, made = int(found["smallest"]), str(found["model"]), dict(found["made"])
    except (ValueError, KeyError, TypeError, RecursionError) as error:
        raise ModelError(f"{path.name} is damaged or no detector", hint=FIT) from error
    return Detector(model, names, mean, spread, weights, bias, distance, blocks, smallest, made)
