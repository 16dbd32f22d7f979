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

16-bit colour reaches Pillow as 8 bits already; that is said too. Rounding is to nearest everywhere.
"""

import io
import os
import struct
import zlib
from dataclasses import dataclass
from typing import BinaryIO, cast

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageCms, UnidentifiedImageError

from slic import metadata
from slic.errors import PictureError
from slic.metadata import Metadata

Levels = NDArray[np.uint8]
Source = str | os.PathLike[str] | bytes | bytearray | memoryview | BinaryIO | Image.Image | Levels

MAX_PIXELS = 1 << 28
MAX_SIDE = 65_535

# What Pillow's many readers raise for a damaged picture; an OSError with a number is the system's.
_DAMAGE = (
    OSError,
    SyntaxError,
    ValueError,
    EOFError,
    struct.error,
    zlib.error,
    IndexError,
    KeyError,
    TypeError,
)

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


@dataclass(frozen=True)
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
    if not isinstance(source, str | os.PathLike):
        data = source if isinstance(source, bytes | bytearray | memoryview) else source.read()
        source = cast(BinaryIO, io.BytesIO(data))
    try:
        with Image.open(source) as image:
            return _from_image(image, strip, max_pixels)
    except Image.DecompressionBombError as error:
        raise PictureError(
            "picture is beyond Pillow's limit of pixels",
            hint="raise PIL.Image.MAX_IMAGE_PIXELS if you trust it",
        ) from error
    except UnidentifiedImageError as error:
        raise PictureError("not a picture of a known format") from error
    except _DAMAGE as error:
        if isinstance(error, OSError) and error.errno is not None:
            raise
        raise PictureError(f"picture is damaged: {_one_line(error)}") from error


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
    warnings = _opening_warnings(image)
    image.load()
    found = metadata.collect(image.info, strip=strip)
    levels, found = _levels(image, found, warnings)
    return _assemble(_TURNS[found.orientation](levels), found, warnings)


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


def _opening_warnings(image: Image.Image) -> list[str]:
    """What can be seen before the pixels are loaded."""
    warnings = []
    if getattr(image, "n_frames", 1) > 1:
        warnings.append("only the first frame is kept")
    raw_modes = [str(tile[3]) for tile in getattr(image, "tile", [])]
    if not image.mode.startswith("I") and any(";16" in mode for mode in raw_modes):
        warnings.append("16 bits a channel reduced to 8")
    return warnings


def _levels(image: Image.Image, found: Metadata, warnings: list[str]) -> tuple[Levels, Metadata]:
    """(H,W,1 to 4), and the metadata less a profile that no longer holds."""
    mode = image.mode
    if mode.startswith("I"):
        return _from_16_bits(image, warnings), found
    if mode in ("CMYK", "LAB"):
        return _managed(image, found, warnings)
    target = _target(image)
    if target is None:
        raise PictureError(
            f"pictures of mode {mode} are not supported", hint="convert it to 8 bits a channel first"
        )
    if mode in ("YCbCr", "HSV"):
        warnings.append(f"converted from {mode} to RGB")
    if mode in ("La", "RGBa"):
        warnings.append("premultiplied colours were divided by alpha")
    levels = np.asarray(image if mode == target else image.convert(target))
    return levels.reshape(*levels.shape[:2], -1), found


def _target(image: Image.Image) -> str | None:
    """The mode among L, LA, RGB and RGBA that loses nothing."""
    transparent = "transparency" in image.info
    plain = {"1": "L", "L": "L", "P": "RGB", "RGB": "RGB", "RGBX": "RGB", "YCbCr": "RGB", "HSV": "RGB"}
    with_alpha = {"LA": "LA", "La": "LA", "RGBA": "RGBA", "RGBa": "RGBA", "PA": "RGBA"}
    if image.mode in with_alpha:
        return with_alpha[image.mode]
    target = plain.get(image.mode)
    if transparent and image.mode in ("1", "L", "P", "RGB"):
        return "LA" if target == "L" else "RGBA"
    return target


def _from_16_bits(image: Image.Image, warnings: list[str]) -> Levels:
    values = np.asarray(image).astype(np.int64)
    if values.min() < 0 or values.max() > 65_535:
        raise PictureError(
            f"values of {values.min()} to {values.max()} are no 16-bit picture",
            hint="scale them to 0 … 255 or 0 … 65535 first",
        )
    warnings.append("16 bits a channel reduced to 8, rounded to nearest")
    return ((values + 128) // 257).astype(np.uint8)[:, :, None]  # 65535 = 257 · 255


def _managed(image: Image.Image, found: Metadata, warnings: list[str]) -> tuple[Levels, Metadata]:
    """CMYK and LAB to sRGB: by the picture's own profile if it has a fitting one."""
    rgb = None
    if found.icc is not None and metadata.profile_space(found.icc) == image.mode.replace("LAB", "Lab"):
        try:
            own = ImageCms.ImageCmsProfile(io.BytesIO(found.icc))
            rgb = ImageCms.profileToProfile(image, own, ImageCms.createProfile("sRGB"), outputMode="RGB")
        except (ImageCms.PyCMSError, OSError):
            warnings.append("colour profile dropped: it is damaged")
    how = "without a profile" if rgb is None else "by its profile"
    warnings.append(f"converted from {image.mode} to sRGB {how}")
    unprofiled = Metadata(None, found.exif, found.xmp, found.orientation, found.warnings)
    return np.asarray(image.convert("RGB") if rgb is None else rgb), unprofiled


def _one_line(error: BaseException) -> str:
    return " ".join(str(error).split()) or type(error).__name__
