"""Says of a picture whether it looks generated, by its spectrum and by how slic's own codec compresses it.

    picture ─windows─► squares ─codec─► features ─detector─► a probability, or why there is none

The spectrum decides, for it measured better than the codec's figures; those say what may be judged at all.

A probability is no proof. benchmarks/RESULTS.md says how often it is wrong, and on which pictures.
"""

import itertools
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from slic import models
from slic.codec import BATCH_PIXELS, Codec
from slic.detection import detector
from slic.detection.detector import Answer, Detector, Driver, Finding
from slic.detection.features import Extractor, Named
from slic.detection.windows import windows
from slic.models import Model
from slic.modes import Levels
from slic.pixels import MAX_PIXELS, Source
from slic.transforms import Precision
from slic.trust import tamper

NO_PROOF = "a probability is no proof"


@dataclass(frozen=True)
class Detection:
    """What `detect` says of a picture. `str` makes a line of it."""

    finding: Finding
    model: str
    width: int
    height: int

    @property
    def answer(self) -> Answer:
        return self.finding.answer

    @property
    def reason(self) -> str:
        return self.finding.reason

    @property
    def probability(self) -> float | None:
        return self.finding.probability

    @property
    def drivers(self) -> tuple[Driver, ...]:
        return self.finding.drivers

    def as_dict(self) -> dict[str, Any]:
        """For JSON."""
        return {
            "answer": self.answer.value,
            "reason": self.reason,
            "probability": None if self.probability is None else round(self.probability, 4),
            "drivers": [{"feature": d.feature, "weight": round(d.weight, 4)} for d in self.drivers],
            "model": self.model,
            "note": NO_PROOF,
        }

    def __str__(self) -> str:
        return f"{self.answer.value}: {self.reason}"


def detect(
    source: Source,
    *,
    model: str | Path | Model | None = None,
    fitted: str | Path | None = None,
    device: str = "auto",
    precision: Precision = "auto",
    max_pixels: int = MAX_PIXELS,
) -> Detection:
    """Whether a picture looks generated, with a probability, which is no proof, and what drove it.

    `fitted` is the file of another detector than the embedded one; it must be the model's.
    """
    examiner = Examiner(model, fitted=fitted, device=device, precision=precision, max_pixels=max_pixels)
    return examiner([examiner.read(source)])[0]


@dataclass(frozen=True, eq=False)  # arrays have no truth value to compare by
class Sample:
    """What is kept of a picture while others are read."""

    width: int
    height: int
    windows: tuple[Levels, ...]

    @property
    def side(self) -> int:
        return min(self.width, self.height)

    @classmethod
    def take(cls, levels: Levels) -> "Sample":
        parts = tuple(np.ascontiguousarray(window) for window in windows(levels))
        return cls(levels.shape[1], levels.shape[0], parts)


class Examiner:
    """One codec and the detector that knows it, for many pictures."""

    def __init__(
        self,
        model: str | Path | Model | None = None,
        *,
        fitted: str | Path | None = None,
        device: str = "auto",
        precision: Precision = "auto",
        max_pixels: int = MAX_PIXELS,
    ) -> None:
        self.detector: Detector = detector.load(None if fitted is None else Path(fitted))
        chosen = models.choose(model)
        self.detector.require(chosen)
        self._codec = Codec(chosen, device=device, precision=precision)
        self._extract = Extractor(self._codec)
        self._read = partial(tamper.load, device=device, precision=precision, max_pixels=max_pixels)

    def read(self, source: Source) -> Sample:
        """A picture, or one in a `.slic` file."""
        picture, _ = self._read(source)
        return Sample.take(picture.rgb)

    def __call__(self, samples: Sequence[Sample]) -> list[Detection]:
        # A few pixels have no features: means of nothing, and the judge wants none of them.
        large = [sample for sample in samples if sample.side >= self.detector.smallest]
        found = dict(zip(large, features_of(large, self._extract), strict=True))
        return [
            Detection(
                self.detector.judge(found.get(sample, {}), sample.side),
                self._codec.model.name,
                sample.width,
                sample.height,
            )
            for sample in samples
        ]


def features_of(samples: Sequence[Sample], extract: Extractor) -> list[Named]:
    """The mean over the windows of each; windows of one size go through the networks together."""
    parts = [(number, window) for number, sample in enumerate(samples) for window in sample.windows]
    parts.sort(key=lambda part: part[1].shape)
    found: dict[int, list[Named]] = {}
    for batch in _batches(parts):
        for (number, _), features in zip(batch, extract([window for _, window in batch]), strict=True):
            found.setdefault(number, []).append(features)
    return [_mean(found[number]) for number in range(len(samples))]


def _batches(parts: list[tuple[int, Levels]]) -> Iterator[list[tuple[int, Levels]]]:
    for (height, width, _), group in itertools.groupby(parts, lambda part: part[1].shape):
        size = max(1, BATCH_PIXELS // (height * width))
        while batch := list(itertools.islice(group, size)):
            yield batch


def _mean(windows: list[Named]) -> Named:
    return {name: float(np.mean([window[name] for window in windows])) for name in windows[0]}
