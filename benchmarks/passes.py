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

Coder = tuple[Callable[[Pixels], bytes], Callable[[bytes], Pixels]]
"""Encode, decode."""
Pass = Callable[[Pixels], tuple[Pixels, float]]
"""The decoded picture, and the bits per pixel of its file."""

BLOCK, DESTROYED = 16, 15.0
EQUAL = 100.0  # dB: what counts for equal pictures, so that means are finite

quality_option = click.option("--quality", type=int, help="1 to 8, for a model that has several.")


def alike(base: Model, quality: int) -> Model:
    """The model to compare with, at this quality if it has it."""
    return base.at(quality) if quality in base.qualities else base


def slic(codec: Codec) -> Pass:
    return _through(slic_coder(codec))


def pillow(kind: str, quality: int) -> Pass:
    return _through(pillow_coder(kind, quality))


def slic_coder(codec: Codec) -> Coder:
    # Wreckage is measured here, and needs no warning.
    return lambda pixels: codec.encode_picture(load(pixels)).data, lambda data: levels(codec.decode(data))


def pillow_coder(kind: str, quality: int) -> Coder:
    def encode(pixels: Pixels) -> bytes:
        stream = BytesIO()
        Image.fromarray(pixels).save(stream, kind, quality=quality)
        return stream.getvalue()

    def decode(data: bytes) -> Pixels:
        with Image.open(BytesIO(data)) as image:
            return levels(image)

    return encode, decode


def _through(coder: Coder) -> Pass:
    encode, decode = coder

    def code(pixels: Pixels) -> tuple[Pixels, float]:
        data = encode(pixels)
        return decode(data), bits_per_pixel(data, pixels)

    return code


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
