"""A window of a picture → named numbers: what slic's own codec makes of it, and its spectrum.

    spectrum.K              log of the power at the K-th of 24 frequencies, in all directions; 24: corners
    rate.qN, hyper.qN       log2 of bits per pixel for y and for z, at quality N
    surprise.qN             bits beyond what the model expects, per pixel (ZED's statistic)
    surprise.qN.sK          the same per latent, among those of the K-th group of scales, small to large
    error.*, band.K.*       how far the decoded window is off: brightness, colour, octave by octave
    similar.K, gradient.*   structural similarity at three sizes; similarity of gradients, and its spread
    latent.K.*              energy, peakedness and likeness of neighbours in the K-th group of channels
    blocks                  how far the grid of JPEG's blocks stands out: for who must know what to distrust

All are per pixel or per latent, so that windows of different sizes compare. One analysis and one synthesis
are all that the networks do for them.
"""

from collections.abc import Iterator, Sequence

import numpy as np
from numpy.typing import NDArray

from slic.codec import Codec
from slic.detection.surprise import Surprise, Tables
from slic.engine import Study
from slic.modes import Levels

Floats = NDArray[np.float64]
Named = dict[str, float]

SCALES = (0, 4, 12, 20, 28)  # the first table of each group; of 64
FEW = 64  # latents: a group with fewer says little, and is drawn towards 0
GROUPS = 8  # of channels, by how finely the model codes them
OCTAVES = 4
FREQUENCIES = 24  # up to that of every other pixel
BLOCK = 8
TINY = 1e-3  # squared levels: below an error of this nothing is seen
SIMILAR = (2.55**2, 7.65**2)  # SSIM's constants for luminance and contrast, on 255 levels
GRADIENT = 170.0  # GMSD's constant, on 255 levels
LUMINANCE = np.array([0.299, 0.587, 0.114])


class Extractor:
    """Takes the features with one codec."""

    def __init__(self, codec: Codec) -> None:
        self._codec = codec
        self._tables = Tables(codec.model.tensors)
        every = codec.model.qualities
        self._shown = every[len(every) // 2]
        self._qualities = sorted({every[0], self._shown, every[-1]})
        self._order = _order(codec.model.tensors.get("gains"), codec)

    def __call__(self, windows: Sequence[Levels]) -> list[Named]:
        """Of windows (H,W,3) of one size, which go through the networks together."""
        studies = self._codec.study(list(windows), self._qualities, self._shown)
        return [dict(self._features(w, s)) for w, s in zip(windows, studies, strict=True)]

    def _features(self, window: Levels, study: Study) -> Iterator[tuple[str, float]]:
        pixels = window.shape[0] * window.shape[1]
        for quality, symbols in zip(self._qualities, study.symbols, strict=True):
            found = self._tables.surprise(symbols)
            yield from _of_bits(f"q{quality}", found, symbols.numbers, pixels)
        for number, value in enumerate(spectrum(window)):
            yield f"spectrum.{number}", float(value)
        yield from _of_pixels(window.astype(np.float64), study.pixels.astype(np.float64))
        yield from _of_latents(study.latents[self._order])
        yield "blocks", _blocks(window @ LUMINANCE)


def _order(gains: NDArray[np.generic] | None, codec: Codec) -> NDArray[np.intp]:
    """Channels from the most coarsely coded to the most finely; as they are in a model of one rate."""
    if gains is None:
        return np.arange(len(codec.latents(np.zeros((16, 16, 3), np.uint8))))
    return np.argsort(gains[-1, 0], kind="stable")


def _of_bits(
    quality: str, found: Surprise, numbers: NDArray[np.uint8], pixels: int
) -> Iterator[tuple[str, float]]:
    yield f"rate.{quality}", float(np.log2(found.bits.sum() / pixels + TINY))
    yield f"hyper.{quality}", float(np.log2(found.hyper / pixels + TINY))
    yield f"surprise.{quality}", float(found.beyond.sum() / pixels)
    group = np.digitize(numbers, SCALES[1:]).ravel()
    sums = np.bincount(group, found.beyond.ravel(), len(SCALES))
    counts = np.bincount(group, minlength=len(SCALES))
    for number, value in enumerate(sums / (counts + FEW)):
        yield f"surprise.{quality}.s{number}", float(value)


def _of_pixels(picture: Floats, decoded: Floats) -> Iterator[tuple[str, float]]:
    """Both (H,W,3), 0 to 255."""
    grey, shown = picture @ LUMINANCE, decoded @ LUMINANCE
    yield "error.brightness", _log(np.square(shown - grey).mean())
    for name, channel in (("red", 0), ("blue", 2)):
        off = (decoded[..., channel] - shown) - (picture[..., channel] - grey)
        yield f"error.{name}", _log(np.square(off).mean())
    error = shown - grey
    spread = error.std() + TINY
    yield "error.peaked", float(np.log((error**4).mean() / spread**4 + TINY))
    yield from _of_gradients(grey, shown)
    for octave in range(OCTAVES):
        if octave < 3:
            yield f"similar.{octave}", _similarity(grey, shown)
        grey, fine = _halved(grey)
        shown, fine_shown = _halved(shown)
        energy, missing = np.square(fine).mean(), np.square(fine_shown - fine).mean()
        yield f"band.{octave}.energy", _log(energy)
        yield f"band.{octave}.error", _log(missing) - _log(energy)


def spectrum(levels: Levels) -> Floats:
    """(H,W,3) → (FREQUENCIES+1,), the same for windows of any size."""
    grey = levels @ LUMINANCE
    window = np.hanning(grey.shape[0])[:, None] * np.hanning(grey.shape[1])
    power = np.abs(np.fft.fft2((grey - grey.mean()) * window)) ** 2 / np.square(window).sum()
    radius = np.hypot(np.fft.fftfreq(grey.shape[0])[:, None], np.fft.fftfreq(grey.shape[1]))
    place = np.minimum((radius * 2 * FREQUENCIES).astype(int), FREQUENCIES).ravel()
    out: Floats = np.log(np.bincount(place, power.ravel()) / np.bincount(place) + TINY)
    return out


def _of_gradients(grey: Floats, shown: Floats) -> Iterator[tuple[str, float]]:
    """As in GMSD: mean and spread of the similarity of gradients, on pixels of twice the size."""
    ours, theirs = (_slopes(_means(image)) for image in (grey, shown))
    similar = (2 * ours * theirs + GRADIENT) / (ours**2 + theirs**2 + GRADIENT)
    yield "gradient.similar", float(np.log(1 - similar.mean() + TINY))
    yield "gradient.spread", float(np.log(similar.std() + TINY))


def _of_latents(latents: NDArray[np.float32]) -> Iterator[tuple[str, float]]:
    """(M,h,w), channels in the order of their groups."""
    energy = np.log(np.square(latents).mean((1, 2)) + TINY)  # (M,)
    size = np.abs(latents).mean((1, 2)) + TINY
    peaked = np.log(np.square(latents).mean((1, 2)) / size**2 + TINY)
    centred = latents - latents.mean((1, 2), keepdims=True)
    spread = np.square(centred).mean((1, 2)) + TINY
    beside = (centred[:, :, 1:] * centred[:, :, :-1]).mean((1, 2)) / spread
    below = (centred[:, 1:] * centred[:, :-1]).mean((1, 2)) / spread
    for name, values in (("energy", energy), ("peaked", peaked), ("alike", (beside + below) / 2)):
        for number, part in enumerate(np.array_split(values, GROUPS)):
            yield f"latent.{number}.{name}", float(part.mean())


def _blocks(grey: Floats) -> float:
    """The step at the strongest of eight phases, against the usual one: log of the ratio, of both directions.

    A cut moves the grid, so that every phase may be it.
    """
    found = []
    for image in (grey, grey.T):
        bend = np.abs(image[:, :-3] - 3 * image[:, 1:-2] + 3 * image[:, 2:-1] - image[:, 3:]).mean(0)
        phases = np.array([bend[phase::BLOCK].mean() for phase in range(BLOCK)])
        found.append(np.log((phases.max() + TINY) / (np.median(phases) + TINY)))
    return float(np.mean(found))


def _similarity(a: Floats, b: Floats) -> float:
    """−log of 1 − SSIM over squares of 8 pixels, which is cheap and nearly as good as a sliding window."""
    first, second = _squares(a), _squares(b)
    mean_a, mean_b = first.mean((1, 3)), second.mean((1, 3))
    var_a, var_b = first.var((1, 3)), second.var((1, 3))
    both = (first * second).mean((1, 3)) - mean_a * mean_b
    bright, contrast = SIMILAR
    ssim = (2 * mean_a * mean_b + bright) * (2 * both + contrast)
    ssim /= (mean_a**2 + mean_b**2 + bright) * (var_a + var_b + contrast)
    return float(-np.log(1 - ssim.mean() + TINY))


def _squares(image: Floats, side: int = 8) -> Floats:
    """(H,W) → (⌊H/8⌋,8,⌊W/8⌋,8)"""
    height, width = (length // side for length in image.shape)
    return image[: height * side, : width * side].reshape(height, side, width, side)


def _halved(image: Floats) -> tuple[Floats, Floats]:
    """Means of 2x2 pixels, and what they lose."""
    even = image[: image.shape[0] // 2 * 2, : image.shape[1] // 2 * 2]
    means = _means(even)
    return means, even - means.repeat(2, 0).repeat(2, 1)


def _means(image: Floats) -> Floats:
    """Of 2x2 pixels."""
    height, width = (side // 2 for side in image.shape)
    out: Floats = image[: height * 2, : width * 2].reshape(height, 2, width, 2).mean((1, 3))
    return out


def _slopes(image: Floats) -> Floats:
    """(H,W) → (H−1,W−1) magnitude of the gradient."""
    down, right = np.diff(image, axis=0)[:, :-1], np.diff(image, axis=1)[:-1]
    return np.hypot(down, right)


def _log(value: float) -> float:
    return float(np.log(value + TINY))
