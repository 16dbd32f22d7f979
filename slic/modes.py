"""Pillow's modes to levels of 8 bits in one to four channels: the table stands in pixels.py."""

import io
import re
import sys
from dataclasses import replace
from typing import Any, BinaryIO, cast

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageCms, ImageFile

from slic import metadata, opening
from slic.errors import PictureError
from slic.metadata import Metadata

Levels = NDArray[np.uint8]

_DEEP = "16 bits a channel reduced to 8, rounded to nearest"


def raw_mode(image: Image.Image) -> str:
    """How the file holds its pixels, in Pillow's words; empty for an image without a file."""
    tiles = getattr(image, "tile", None)
    args = tiles[0][3] if tiles else ""
    return str(args[0] if isinstance(args, tuple) and args else args or "")


def second_reading(image: Image.Image, raw: str) -> NDArray[Any] | None:
    """The low bytes of channels of 16 bits, (H,W,C), which Pillow cuts off; None if there are none.

    A twin of the image is read with the other byte order, so that Pillow takes the low bytes for the high
    ones. Grey with alpha has four bytes a pixel: read as RGBA they are both levels, here put together.
    """
    kind = re.fullmatch(r"(\w+);16([BLN])", raw)
    if kind is None or kind[1] == "I":
        return None
    if kind[1] == "RGBa":
        raise PictureError(f"pictures of kind {raw} are not supported", hint="save it with 8 bits a channel")
    other = {"B": "L", "L": "B", "N": "B" if sys.byteorder == "little" else "L"}[kind[2]]
    twin = _twin(cast(ImageFile.ImageFile, image))
    twin.tile = [_with_raw_mode(t, "RGBA" if kind[1] == "LA" else f"{kind[1]};16{other}") for t in twin.tile]
    twin.load()
    read = np.asarray(twin)
    return _joined(read[:, :, ::2], read[:, :, 1::2]) if kind[1] == "LA" else read


def _joined(high: Levels, low: Levels) -> NDArray[np.uint16]:
    return high.astype(np.uint16) * np.uint16(256) + low


def _twin(image: ImageFile.ImageFile) -> ImageFile.ImageFile:
    file = cast(BinaryIO, image.fp)
    at = file.tell()
    file.seek(0)
    twin = opening.identify(io.BytesIO(file.read()))
    file.seek(at)
    if image.tell():
        twin.seek(image.tell())
    return twin


def _with_raw_mode(tile: Any, raw: str) -> Any:
    args = (raw, *tile[3][1:]) if isinstance(tile[3], tuple) else raw
    return tile._replace(args=args) if hasattr(tile, "_replace") else (*tile[:3], args)


def to_levels(
    image: Image.Image, raw: str, low: NDArray[Any] | None, found: Metadata, warnings: list[str]
) -> tuple[Levels, Metadata]:
    """(H,W,1 to 4), and the metadata less a profile that no longer holds."""
    mode = image.mode
    key = image.info.get("transparency")
    if low is not None:
        deep = low if raw.startswith("LA") else _joined(np.asarray(image), low)
        warnings.append(_DEEP)
        if mode != "CMYK":
            return _keyed(_nearest(deep, 65_535), deep, key, warnings), found
        image = Image.frombytes(mode, image.size, _nearest(deep, 65_535).tobytes())
    if mode.startswith("I"):
        return _from_16_bits(image, raw, warnings), found
    if mode in ("CMYK", "LAB"):
        return _managed(image, found, warnings)
    if mode in ("La", "RGBa"):
        warnings.append("premultiplied colours were divided by alpha")
        return _divided(np.asarray(image)), found
    target = _target(image)
    if target is None:
        raise PictureError(
            f"pictures of mode {mode} are not supported", hint="convert it to 8 bits a channel first"
        )
    if mode in ("YCbCr", "HSV"):
        warnings.append(f"converted from {mode} to RGB")
    levels = np.asarray(image if mode == target else image.convert(target))
    levels = levels.reshape(*levels.shape[:2], -1)
    if mode in ("1", "L", "RGB"):
        # PNG counts in the bits of the file, Pillow has spread the levels over 0 … 255.
        spread = {"1": 255, "L;2": 85, "L;4": 17}.get("1" if mode == "1" else raw, 1)
        key = min(255, key * spread) if isinstance(key, int) else key
        levels = _keyed(levels, levels, key, warnings)
    return levels, found


def _target(image: Image.Image) -> str | None:
    """The mode among L, LA, RGB and RGBA that loses nothing."""
    if image.mode in ("P", "PA"):
        return "RGBA" if image.has_transparency_data else "RGB"
    plain = {"1": "L", "RGBX": "RGB", "YCbCr": "RGB", "HSV": "RGB"}
    return image.mode if image.mode in ("L", "LA", "RGB", "RGBA") else plain.get(image.mode)


def _keyed(levels: Levels, deep: NDArray[Any], key: object, warnings: list[str]) -> Levels:
    """(H,W,C), with alpha if one level or colour of `deep` stands for transparency."""
    if key is None or deep.shape[2] not in (1, 3):
        return levels
    wanted = np.atleast_1d(np.array(key)) if isinstance(key, int | tuple) else np.zeros(0)
    if len(wanted) != deep.shape[2]:
        warnings.append("transparency dropped: it is marked in an unknown way")
        return levels
    clear = (deep == wanted).all(axis=2)
    return np.dstack((levels, np.where(clear, np.uint8(0), np.uint8(255))))


def _divided(levels: Levels) -> Levels:
    """Colours less the alpha that they were multiplied with; Pillow's own division cuts."""
    alpha = levels[:, :, -1:]
    by = np.maximum(alpha, 1).astype(np.uint32)
    straight = np.minimum((levels[:, :, :-1].astype(np.uint32) * 255 + by // 2) // by, 255)
    return np.dstack((straight.astype(np.uint8), alpha))


def _nearest(deep: NDArray[Any], top: int) -> Levels:
    """Levels 0 … top → the nearest of 0 … 255."""
    return ((deep.astype(np.uint32) * 255 + top // 2) // top).astype(np.uint8)


def _from_16_bits(image: Image.Image, raw: str, warnings: list[str]) -> Levels:
    values = np.asarray(image)[:, :, None]
    if values.min() < 0 or values.max() > 65_535:
        raise PictureError(
            f"values of {values.min()} to {values.max()} are no 16-bit picture",
            hint="scale them to 0 … 255 or 0 … 65535 first",
        )
    bits = 12 if raw == "I;12" else 16  # some microscopes' TIFFs
    warnings.append(_DEEP.replace("16", str(bits)))
    levels = _nearest(values, (1 << bits) - 1)
    return _keyed(levels, values, image.info.get("transparency"), warnings)


def _managed(image: Image.Image, found: Metadata, warnings: list[str]) -> tuple[Levels, Metadata]:
    """CMYK and LAB to sRGB: by the picture's own profile if it has a fitting one."""
    rgb = None
    if found.icc is not None and metadata.profile_space(found.icc) == image.mode.replace("LAB", "Lab"):
        try:
            own = ImageCms.ImageCmsProfile(io.BytesIO(found.icc))
            rgb = ImageCms.profileToProfile(image, own, ImageCms.createProfile("sRGB"), outputMode="RGB")
        except (ImageCms.PyCMSError, OSError, ImportError):
            warnings.append("colour profile dropped: it is damaged")
    how = "without a profile" if rgb is None else "by its profile"
    warnings.append(f"converted from {image.mode} to sRGB {how}")
    return np.asarray(image.convert("RGB") if rgb is None else rgb), replace(found, icc=None)
