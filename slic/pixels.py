"""Any source → Picture, and back. (first cut)"""
import io, os
from dataclasses import dataclass
from typing import BinaryIO
import numpy as np
from numpy.typing import NDArray
from PIL import Image
from slic.errors import PictureError
Source = str | os.PathLike[str] | bytes | bytearray | memoryview | BinaryIO | Image.Image | NDArray[np.uint8]
MAX_PIXELS = 1 << 28

@dataclass(frozen=True)
class Picture:
    rgb: NDArray[np.uint8]
    grey: bool = False
    alpha: NDArray[np.uint8] | None = None
    icc: bytes | None = None
    exif: bytes | None = None
    xmp: bytes | None = None
    warnings: tuple[str, ...] = ()

def load(source: Source, *, strip: bool = False, max_pixels: int = MAX_PIXELS) -> Picture:
    if isinstance(source, np.ndarray): return Picture(source if source.ndim==3 else np.repeat(source[...,None],3,2))
    if isinstance(source, Image.Image): return Picture(np.asarray(source.convert("RGB")))
    return Picture(np.asarray(Image.open(io.BytesIO(source) if isinstance(source, bytes) else source).convert("RGB")))

def to_image(picture: Picture) -> Image.Image:
    return Image.fromarray(picture.rgb)
