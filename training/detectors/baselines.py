"""What the embedded detector is compared with: cheap methods, and trivial ones that know no traces at all.

Each turns a treated picture (H,W,3) into a few numbers, for the same linear detector. The trivial ones are
the yardstick of the others: what they reach is what the collection gives away, not what a method finds.

    as found      size, bytes a pixel and format of the file, before any treatment
    colour        mean and spread of each colour
    file size     bytes a pixel as JPEG, after the treatment
    npr           neighbouring pixel relationships: what up-sampling leaves within 2x2 pixels
    noise         what a median takes away: its size, peakedness, and likeness at several lags
    spectrum      Durall: the log spectrum by frequency, all directions together
    rigid         how far a little noise moves the codec's latents (RIGID's idea, without its network)
    codec         what slic detect asks of the codec: rate, surprise, and how far the decoded picture is off
"""

from collections.abc import Callable, Mapping
from io import BytesIO

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageFilter

from slic.codec import Codec
from slic.detection.detect import Sample, features_of
from slic.detection.features import Extractor, Named, spectrum
from slic.modes import Levels
from training.detectors.protocol import Item

Floats = NDArray[np.float64]

LAGS = ((0, 1), (1, 0), (1, 1), (0, 2), (2, 0), (0, 4), (4, 0), (0, 8), (8, 0))
NOISE = 3.0  # levels, of the standard deviation of what rigid adds
NOT_CODEC = ("spectrum", "blocks", "latent")
TINY = 1e-6


def as_found(item: Item) -> Floats:
    with Image.open(item.file) as image:
        width, height, kind = *image.size, image.format
    size = item.file.stat().st_size
    return np.array([np.log(width), np.log(height), np.log(size / (width * height)), kind == "JPEG"])


def colour(levels: Levels) -> Floats:
    pixels = levels.reshape(-1, 3)
    return np.concatenate([pixels.mean(0), pixels.std(0)])


def file_size(levels: Levels) -> Floats:
    stream = BytesIO()
    Image.fromarray(levels).save(stream, "JPEG", quality=90)
    return np.array([np.log(stream.tell() / levels[..., 0].size)])


def npr(levels: Levels) -> Floats:
    """Of 2x2 pixels the differences to the first, as their sizes, peakedness and correlations."""
    image = levels.astype(np.float64)[: levels.shape[0] // 2 * 2, : levels.shape[1] // 2 * 2]
    off = np.stack([image[row::2, col::2] - image[::2, ::2] for row, col in ((0, 1), (1, 0), (1, 1))])
    size = np.abs(off).mean((1, 2))  # (3 pixels, 3 colours)
    peaked = np.square(off).mean((1, 2)) / (size**2 + TINY)
    still = (off == 0).mean((1, 2))
    shares = np.concatenate([np.log(size + 0.1).ravel(), np.log(peaked + TINY).ravel(), still.ravel()])
    return np.concatenate([shares, _correlations(off.reshape(3, -1))])


def noise(levels: Levels) -> Floats:
    image = Image.fromarray(levels)
    left = levels.astype(np.float64) - np.asarray(image.filter(ImageFilter.MedianFilter(3)), np.float64)
    grey = left.mean(2)
    power = np.square(grey).mean() + TINY
    peaked = (grey**4).mean() / power**2
    lags = [_lagged(grey, *lag) / power for lag in LAGS]
    return np.array([np.log(power), np.log(peaked + TINY), *lags, *_correlations(left.reshape(-1, 3).T)])


def _correlations(rows: Floats) -> Floats:
    """Of each row with each other; 0 where one does not vary."""
    centred = rows - rows.mean(1, keepdims=True)
    size = np.sqrt(np.square(centred).sum(1)) + TINY
    out: Floats = ((centred @ centred.T) / np.outer(size, size))[np.triu_indices(len(rows), 1)]
    return out


def _lagged(grey: Floats, down: int, right: int) -> float:
    height, width = grey.shape
    return float((grey[down:, right:] * grey[: height - down, : width - right]).mean())


def rigid(codec: Codec) -> Callable[[Levels], Floats]:
    def distance(levels: Levels) -> Floats:
        added = np.random.default_rng(0).normal(0, NOISE, levels.shape)
        noisy = (levels + added).round().clip(0, 255).astype(np.uint8)
        plain, moved = codec.latents(levels), codec.latents(noisy)
        alike = (plain * moved).sum() / np.sqrt(np.square(plain).sum() * np.square(moved).sum())
        return np.array([np.log(1 - float(alike) + TINY)])

    return distance


def of_codec(features: Named) -> Floats:
    """Those of slic's own features that are the codec's."""
    return np.array([value for name, value in features.items() if not name.startswith(NOT_CODEC)])


def codec_features(codec: Codec) -> Callable[[Levels], Floats]:
    extract = Extractor(codec)

    def values(levels: Levels) -> Floats:
        (features,) = features_of([Sample.take(levels)], extract)
        return of_codec(features)

    return values


PIXELS: Mapping[str, Callable[[Levels], Floats]] = {
    "colour": colour,
    "file size": file_size,
    "npr": npr,
    "noise": noise,
    "spectrum": spectrum,
}
"""Those that need nothing but the treated picture."""
WITH_CODEC: Mapping[str, Callable[[Codec], Callable[[Levels], Floats]]] = {
    "rigid": rigid,
    "codec": codec_features,
}
TRIVIAL = ("as found", "colour", "file size")
