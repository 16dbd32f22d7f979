"""What saving in another format does: encoded and decoded in memory."""

from functools import cache
from io import BytesIO
from typing import TYPE_CHECKING, Annotated

import numpy as np
from PIL import Image

from slic.attacks.parameters import Limits, Quality, edit
from slic.modes import Levels

if TYPE_CHECKING:
    from slic.codec import Codec


@edit
def jpeg(pixels: Levels, quality: Quality = 85) -> Levels:
    """JPEG with colours at half the resolution (4:2:0), `quality` from 1 to 100."""
    return _through(pixels, "JPEG", quality=int(quality), subsampling="4:2:0")


@edit
def webp(pixels: Levels, quality: Quality = 80) -> Levels:
    """Lossy WebP, `quality` from 1 to 100."""
    return _through(pixels, "WEBP", quality=int(quality))


@edit
def avif(pixels: Levels, quality: Quality = 60) -> Levels:
    """AVIF, `quality` from 1 to 100, at one of the encoder's quick settings."""
    return _through(pixels, "AVIF", quality=int(quality), speed=8)


@edit
def codec(
    pixels: Levels, model: str = "", quality: Annotated[int, Limits(0, 8, harmless=8, step=1)] = 0
) -> Levels:
    """A `.slic` file by the installed model of that name, or that file, at `quality` 1 to 8.

    Without them (empty, 0), what `slic.Codec` takes by itself.
    """
    coder = _codec(model, int(quality))
    return np.asarray(coder.decode(coder.encode(pixels)).convert("RGB"))  # a grey picture comes back grey


@cache
def _codec(model: str, quality: int) -> "Codec":
    from slic.codec import Codec  # torch is loaded only for this

    return Codec(model or None, quality=quality or None)


def _through(pixels: Levels, kind: str, **options: int | str) -> Levels:
    buffer = BytesIO()
    Image.fromarray(pixels).save(buffer, kind, **options)
    with Image.open(buffer) as image:
        return np.asarray(image.convert("RGB"))
