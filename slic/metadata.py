"""EXIF, XMP and colour profiles: what is carried, what orientation they ask for, what no longer holds."""

import re
import struct
from dataclasses import dataclass, replace
from typing import Any

from slic_formats.limits import MAX_METADATA

_EXIF_PREFIX = b"Exif\0\0"  # JPEG puts it before the TIFF structure; the container does not
_ORIENTATION, _SHORT = 0x0112, 3
_XMP_ORIENTATION = re.compile(rb"""(tiff:Orientation(?:\s*=\s*["']|>\s*))[1-8]""")


@dataclass(frozen=True)
class Metadata:
    """As bytes, to be stored as they are."""

    icc: bytes | None = None
    exif: bytes | None = None
    xmp: bytes | None = None
    orientation: int = 1
    """How the pixels must still be turned, 1 to 8 as EXIF counts."""
    warnings: tuple[str, ...] = ()


def collect(info: dict[str | tuple[int, int], Any], *, strip: bool) -> Metadata:
    """From a Pillow image's `info`. What cannot be kept is named in `warnings`."""
    icc = _some_bytes(info.get("icc_profile"))
    exif = _some_bytes(info.get("exif"))
    xmp = _some_bytes(info.get("xmp") or info.get("XML:com.adobe.xmp"))
    found = Metadata(icc=icc, exif=exif.removeprefix(_EXIF_PREFIX) if exif else None, xmp=xmp)
    found = _oriented(_within_limits(found))
    return replace(found, exif=None, xmp=None) if strip else found


def for_pillow(icc: bytes | None, exif: bytes | None, xmp: bytes | None) -> dict[str, bytes]:
    """The entries of `info` that Pillow's own plugins make."""
    prefixed = None if exif is None else _EXIF_PREFIX + exif
    entries = {"icc_profile": icc, "exif": prefixed, "xmp": xmp}
    return {key: value for key, value in entries.items() if value is not None}


def profile_space(icc: bytes) -> str:
    """RGB, GRAY, CMYK, Lab …: the colour space that a profile describes."""
    return icc[16:20].decode("latin-1").strip()


def _some_bytes(value: object) -> bytes | None:
    if isinstance(value, str):
        value = value.encode()
    return bytes(value) or None if isinstance(value, bytes | bytearray | memoryview) else None


def _within_limits(found: Metadata) -> Metadata:
    for field, name in (("icc", "colour profile"), ("exif", "EXIF"), ("xmp", "XMP")):
        data = getattr(found, field)
        if data is not None and len(data) > MAX_METADATA:
            warning = f"{name} of {len(data)} bytes dropped: beyond the limit of {MAX_METADATA}"
            dropped: dict[str, Any] = {field: None, "warnings": (*found.warnings, warning)}
            found = replace(found, **dropped)
    return found


def _oriented(found: Metadata) -> Metadata:
    """Read the orientation and set it to 1, in place, so that every other byte stays as it was."""
    if found.exif is None:
        return found
    try:
        orientation, exif = reset_orientation(found.exif)
    except (struct.error, ValueError):
        return replace(found, exif=None, warnings=(*found.warnings, "EXIF dropped: it is damaged"))
    xmp = found.xmp
    if orientation != 1 and xmp is not None:  # it says the same again: nobody must turn the picture twice
        xmp = _XMP_ORIENTATION.sub(rb"\g<1>1", xmp)
    return replace(found, exif=exif, xmp=xmp, orientation=orientation)


def reset_orientation(exif: bytes) -> tuple[int, bytes]:
    """The orientation in a TIFF structure, and the structure with orientation 1.

    Raises ValueError or struct.error for what is no TIFF structure.
    """
    order = {b"II": "<", b"MM": ">"}.get(exif[:2])
    if order is None:
        raise ValueError("no byte order mark")
    magic, start = struct.unpack_from(f"{order}HI", exif, 2)
    if magic != 42:
        raise ValueError("no TIFF structure")
    (count,) = struct.unpack_from(f"{order}H", exif, start)
    for place in range(start + 2, start + 2 + 12 * count, 12):
        tag, kind, values, orientation = struct.unpack_from(f"{order}HHIH", exif, place)
        if tag == _ORIENTATION and kind == _SHORT and values == 1:
            reset = bytearray(exif)
            struct.pack_into(f"{order}H", reset, place + 8, 1)
            return (orientation if 1 <= orientation <= 8 else 1), bytes(reset)
    return 1, exif
