"""Once through a file and back, and how much of the picture is left: what questions of destruction share."""

from collections.abc import Callable
from io import BytesIO

import click
import numpy as np
from PIL import Image

from benchmarks.data import Pixels, psnr
from slic import Codec
from slic.models import Model
from slic.pixels import load

Pass = Callable[[Pixels], tuple[Pixels, float]]
"""The decoded picture, and the bits per pixel of its file."""

BLOCK, DESTROYED = 16, 15.0
EQUAL = 100.0  # dB: what counts for equal pictures, so that means are finite

quality_option = click.option("--quality", type=int, help="1 to 8, for a model that has several.")


def alike(base: Model, quality: int) -> Model:
    """The model to compare with, at this quality if it has it."""
    return base.at(quality) if quality in base.qualities else base


def slic(codec: Codec) -> Pass:
    def through(pixels: Pixels) -> tuple[Pixels, float]:
        data = codec.encode_picture(load(pixels)).data  # wreckage is measured here, and needs no warning
        return levels(codec.decode(data)), bits_per_pixel(data, pixels)

    return through


def pillow(kind: str, quality: int) -> Pass:
    def through(pixels: Pixels) -> tuple[Pixels, float]:
        stream = BytesIO()
        Image.fromarray(pixels).save(stream, kind, quality=quality)
        with Image.open(stream) as image:
            return levels(image), bits_per_pixel(stream.getvalue(), pixels)

    return through


def levels(image: Image.Image) -> Pixels:
    return np.asarray(image.convert("RGB"))  # a grey picture comes back grey


def bits_per_pixel(data: bytes, pixels: Pixels) -> float:
    return 8 * len(data) / (pixels.shape[0] * pixels.shape[1])


def decibels(a: Pixels, b: Pixels) -> float:
    return min(psnr(a, b), EQUAL)


def destroyed(a: Pixels, b: Pixels) -> float:
    """Share of whole blocks whose PSNR is below DESTROYED."""
    h, w = (n // BLOCK * BLOCK for n in a.shape[:2])
    error = np.square(a[:h, :w].astype(np.float64) - b[:h, :w]).mean(2)
    blocks = error.reshape(h // BLOCK, BLOCK, w // BLOCK, BLOCK).mean((1, 3))
    return float((blocks > 255**2 / 10 ** (DESTROYED / 10)).mean())
