"""Any source → Picture, and back.

What becomes of each Pillow mode:

    L, 1               grey
    LA, La             grey and alpha
    RGB, RGBX          colour                        (a transparent colour, PNG's tRNS, becomes alpha)
    RGBA, RGBa, PA     colour and alpha              (premultiplied colours are divided: said)
    P                  colour, and alpha where the palette has it
    CMYK, LAB          to sRGB by the picture's profile, else as Pillow converts: said
    YCbCr, HSV         to RGB: said
    I;16, I            16 bits to 8, rounded to nearest: said; I outside 0 … 65535 is refused
    F                  refused

16-bit colour, of which Pillow keeps the high bytes only, is read a second time for the low ones.
Rounding is to nearest everywhere. What a `.slic` file has no place for is named in `warnings`.
"""

import os
from dataclasses import dataclass
from typing import BinaryIO, cast

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from slic import metadata, modes, opening
from slic.errors import PictureError
from slic.metadata import Metadata
from slic.modes import Levels

Source = str | os.PathLike[str] | bytes | bytearray | memoryview | BinaryIO | Image.Image | Levels

MAX_PIXELS = 1 << 28
MAX_SIDE = 65_535

_TURNS = {  # EXIF's orientations as turns of rows and columns
    1: lambda a: a,
    2: lambda a: a[:, ::-1],
    3: lambda a: a[::-1, ::-1],
    4: lambda a: a[::-1],
    5: lambda a: a.swapaxes(0, 1),
    6: lambda a: a.swapaxes(0, 1)[:, ::-1],
    7: lambda a: a[::-1, ::-1].swapaxes(0, 1),
    8: lambda a: a.swapaxes(0, 1)[::-1],
}


@dataclass(frozen=True, eq=False)  # arrays have no truth value to compare by
class Picture:
    """A picture as slic codes it, upright."""

    rgb: Levels  # (H,W,3); of a grey picture the three are equal
    grey: bool = False
    alpha: Levels | None = None  # (H,W)
    icc: bytes | None = None
    exif: bytes | None = None
    xmp: bytes | None = None
    warnings: tuple[str, ...] = ()
    """What the user must be told: all that was converted or dropped."""


def load(source: Source, *, strip: bool = False, max_pixels: int = MAX_PIXELS) -> Picture:
    """Read a picture. `strip` drops EXIF and XMP after the orientation has been applied."""
    if isinstance(source, np.ndarray):
        return _from_array(source, max_pixels)
    if isinstance(source, Image.Image):
        return _from_image(source, strip, max_pixels)
    with opening.stream(source) as stream, opening.damage_is_ours():
        return _from_image(opening.identify(stream), strip, max_pixels)


def to_image(picture: Picture) -> Image.Image:
    """A Pillow image of mode L, LA, RGB or RGBA, with the metadata where Pillow's own readers put it."""
    planes = [picture.rgb[:, :, :1] if picture.grey else picture.rgb]
    if picture.alpha is not None:
        planes.append(picture.alpha[:, :, None])
    levels = np.ascontiguousarray(np.concatenate(planes, 2))
    image = Image.fromarray(levels[:, :, 0] if levels.shape[2] == 1 else levels)
    image.info.update(metadata.for_pillow(picture.icc, picture.exif, picture.xmp))
    return image


def _from_array(array: NDArray[np.generic], max_pixels: int) -> Picture:
    fits = array.dtype == np.uint8 and (array.ndim == 2 or (array.ndim == 3 and 1 <= array.shape[2] <= 4))
    if not fits:
        raise PictureError(
            f"array of {array.dtype} and shape {array.shape} is no picture",
            hint="slic takes uint8 of shape (H,W), (H,W,1), (H,W,2), (H,W,3) or (H,W,4)",
        )
    levels = cast(Levels, array if array.ndim == 3 else array[:, :, None])
    _check_size(levels.shape[1], levels.shape[0], max_pixels)
    return _assemble(levels, Metadata(), [])


def _from_image(image: Image.Image, strip: bool, max_pixels: int) -> Picture:
    _check_size(*image.size, max_pixels)
    warnings: list[str] = []
    with opening.damage_is_ours():
        raw = modes.raw_mode(image)  # gone once the pixels are loaded
        low = modes.second_reading(image, raw)
        image.load()
        _check_size(*image.size, max_pixels)  # icons choose a size while they load
        found = metadata.collect(image, strip=strip)
        if _has_more_frames(image):
            warnings.append("only the first frame is kept")
        levels, found = modes.to_levels(image, raw, low, found, warnings)
    return _assemble(_TURNS[found.orientation](levels), found, warnings)


def _has_more_frames(image: Image.Image) -> bool:
    try:
        return bool(getattr(image, "is_animated", False))
    except opening.DAMAGE:  # a damaged second frame, or a file closed once the first was loaded
        return False


def _assemble(levels: Levels, found: Metadata, warnings: list[str]) -> Picture:
    """(H,W,1 to 4) → Picture."""
    channels = levels.shape[2]
    grey, transparent = channels <= 2, channels in (2, 4)
    colours = np.repeat(levels[:, :, :1], 3, 2) if grey else levels[:, :, :3]
    icc = found.icc
    if icc is not None and metadata.profile_space(icc) not in (("GRAY", "RGB") if grey else ("RGB",)):
        space = metadata.profile_space(icc)
        warnings.append(
            f"colour profile dropped: it is for {space}, the picture is {'grey' if grey else 'RGB'}"
        )
        icc = None
    return Picture(
        rgb=np.ascontiguousarray(colours),
        grey=grey,
        alpha=np.ascontiguousarray(levels[:, :, -1]) if transparent else None,
        icc=icc,
        exif=found.exif,
        xmp=found.xmp,
        warnings=(*found.warnings, *warnings),
    )


def _check_size(width: int, height: int, max_pixels: int) -> None:
    if not (width and height):
        raise PictureError("picture has no pixels")
    if max(width, height) > MAX_SIDE:
        raise PictureError(f"picture of {width}x{height} is too large: a side has at most {MAX_SIDE} pixels")
    if width * height > max_pixels:
        raise PictureError(
            f"picture of {width}x{height} is beyond the limit of {max_pixels} pixels",
            hint="raise max_pixels (--max-pixels) if you trust it",
        )
