"""Reads from latents, block by block, whether a picture came out of a model.

What a secured model leaves in its pictures is known to nobody beforehand, so the model is asked: it passes
noise that resembles photographs through its networks, and what tells the latents of its answer from those of
the noise itself is the trace (Fisher's linear discriminant of log energies).

A latent sees half a block beyond its own, a decoded pixel several blocks: so the trace draws sharper maps
than damage does. On 12% pasted into small photographs the overlap with the truth rose from 0.57 to 0.75, on
4% from 0.12 to 0.23.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray

from slic import models
from slic.codec import Codec
from slic.modes import Levels
from slic.transforms import Precision

Floats = NDArray[np.float32]

NOISES, SIDE = 6, 128
FLOOR = 0.25  # energy of a latent that rounding leaves nothing of
SHRINK = 0.3  # towards independent latents: there are fewer samples than a covariance needs


@dataclass(frozen=True, eq=False)  # arrays have no truth value to compare by
class Reader:
    """A weight for the log energy of each latent; made by `fit`."""

    weights: Floats
    middle: float

    def __call__(self, latents: Floats) -> Floats:
        """(M,h,w) → (h,w): 1 where noise had been through the model, −1 where it had not, more or less."""
        rows = [self.weights @ _log_energy(latents[:, i]) for i in range(latents.shape[1])]
        out: Floats = (np.stack(rows) - self.middle).astype(np.float32)  # by rows: memory stays small
        return out


@dataclass(frozen=True, eq=False)
class Answers:
    """What a model makes of noise, and what tells it from the noise; made by `answers`."""

    pictures: tuple[tuple[Levels, Levels], ...]
    """Noise, and that noise after one pass."""
    reader: Reader


def answers(codec: Codec) -> Answers:
    """Of this codec's model; made once, in about the time of an encode."""
    model = codec.model
    return _ask(model.path, model.identity, model.quality, codec.device, codec.precision)


@lru_cache(maxsize=4)
def _ask(path: Path, identity: bytes, quality: int, device: torch.device, precision: Precision) -> Answers:
    codec = Codec(models.open_file(path).at(quality), device=str(device), precision=precision)
    pictures, before, after = [], [], []
    for noise in noises():
        passed = codec.again(noise)
        pictures.append((noise, passed.pixels))
        before.append(_samples(passed.latents))
        after.append(_samples(codec.latents(passed.pixels)))
    return Answers(tuple(pictures), fit(np.concatenate(after, 1), np.concatenate(before, 1)))


def fit(own: Floats, foreign: Floats) -> Reader:
    """From log energies (M,samples) of either kind."""
    spread = (np.cov(own) + np.cov(foreign)) / 2
    spread += (SHRINK * np.trace(spread) / len(spread) + 1e-6) * np.eye(len(spread))
    weights = np.linalg.solve(spread, own.mean(1) - foreign.mean(1))
    high, low = (float(np.median(weights @ samples)) for samples in (own, foreign))
    half = max((high - low) / 2, 1e-6)
    return Reader((weights / half).astype(np.float32), (high + low) / 2 / half)


def noises() -> Iterator[Levels]:
    """(SIDE,SIDE,3): mostly grey, with the spectra of photographs, always the same."""
    frequency = np.hypot(np.fft.fftfreq(SIDE)[:, None], np.fft.fftfreq(SIDE)[None])
    frequency[0, 0] = 1
    for seed in range(NOISES):
        random = np.random.default_rng(seed)
        white = random.normal(size=(SIDE, SIDE, 3))
        slope = frequency[..., None] ** -random.uniform(0.8, 1.4)
        colours = np.fft.ifft2(np.fft.fft2(white, axes=(0, 1)) * slope, axes=(0, 1)).real
        grey = colours.mean(2, keepdims=True)
        mixed = 0.8 * grey / grey.std() + 0.3 * colours / colours.std((0, 1))
        levels = random.uniform(70, 180) + random.uniform(20, 60) * mixed / mixed.std()
        yield levels.clip(0, 255).astype(np.uint8)


def _log_energy(latents: Floats) -> Floats:
    out: Floats = np.log(np.square(latents) + np.float32(FLOOR))
    return out


def _samples(latents: Floats) -> Floats:
    return _log_energy(latents.reshape(len(latents), -1))
