"""EXIF, XMP and colour profiles: what is carried, what orientation they ask for, what no longer holds."""

import re
import struct
from dataclasses import dataclass, replace
from typing import Any

from PIL import Image

from slic_formats.limits import MAX_METADATA

_EXIF_PREFIX = b"Exif\0\0"  # JPEG puts it before the TIFF structure; the container does not
_PNG_XMP = "XML:com.adobe.xmp"
_RAW_EXIF = "Raw profile type exif"  # ImageMagick's place for it in a PNG
_JPEG_XMP = b"http://ns.adobe.com/xap/1.0/\0"
_ORIENTATION = 0x0112
_TYPES = {1: "B", 3: "H", 4: "I"}  # orientation is a SHORT by the book; others have been seen
_XMP_ORIENTATION = re.compile(rb"""(tiff:Orientation\s*(?:=\s*["']|>)\s*)([0-9]+)""")


@dataclass(frozen=True)
class Metadata:
    """As bytes, to be stored as they are."""

    icc: bytes | None = None
    exif: bytes | None = None
    xmp: bytes | None = None
    orientation: int = 1
    """How the pixels must still be turned, 1 to 8 as EXIF counts."""
    warnings: tuple[str, ...] = ()


def collect(image: Image.Image, *, strip: bool) -> Metadata:
    """From an image that Pillow has loaded. What cannot be kept is named in `warnings`."""
    info = image.info
    icc = _some_bytes(info.get("icc_profile"))
    xmp = _some_bytes(info.get("xmp") or info.get(_PNG_XMP) or _older_xmp(image))
    found = Metadata(icc=icc if icc is None or icc[36:40] == b"acsp" else None, xmp=xmp)
    if found.icc != icc:
        found = replace(found, warnings=("colour profile dropped: it is damaged",))
    try:
        exif = tiff_exif(image) if image.format == "TIFF" else _exif(info)
        found = replace(found, exif=exif)
    except (ValueError, TypeError, KeyError, OSError, SyntaxError, struct.error):
        found = replace(found, warnings=(*found.warnings, "EXIF dropped: it is damaged"))
    found = _oriented(_within_limits(found), turned=image.format == "TIFF")
    if strip:
        kept = tuple(w for w in found.warnings if w.startswith("colour"))
        return replace(found, exif=None, xmp=None, warnings=kept)
    return replace(found, warnings=(*found.warnings, *_homeless(image, found)))


def _exif(info: dict[str | tuple[int, int], Any]) -> bytes | None:
    exif = _some_bytes(info.get("exif"))
    if exif is None and (text := info.get(_RAW_EXIF)):
        exif = bytes.fromhex("".join(text.split("\n")[3:]))
    while exif and exif.startswith(_EXIF_PREFIX):
        exif = exif[len(_EXIF_PREFIX) :]
    return exif or None


# A TIFF's own tags that say something of the picture rather than of how the file holds it
_TIFF_KEPT = (270, 271, 272, 282, 283, 296, 305, 306, 315, 316, 33432, 34665, 34853)
_TIFF_FOLDERS = (34665, 34853)  # Exif's and GPS' own directories


def tiff_exif(image: Image.Image) -> bytes | None:
    """Written anew, as a TIFF's EXIF is spread over the file."""
    tags, kept = image.getexif(), Image.Exif()
    for tag in _TIFF_KEPT:
        if tag in tags:
            kept[tag] = dict(tags.get_ifd(tag)) if tag in _TIFF_FOLDERS else tags[tag]
    return kept.tobytes()[len(_EXIF_PREFIX) :] if len(kept) else None


def _older_xmp(image: Image.Image) -> bytes | None:
    """Where Pillow before 11 leaves the XMP of JPEG and TIFF."""
    for name, data in getattr(image, "applist", ()):
        if name == "APP1" and data.startswith(_JPEG_XMP):
            return bytes(data[len(_JPEG_XMP) :])
    return _some_bytes(getattr(image, "tag_v2", {}).get(700))


def _homeless(image: Image.Image, found: Metadata) -> tuple[str, ...]:
    """What the file says besides and a `.slic` file has no place for."""
    info, tags = image.info, getattr(image, "tag_v2", {})
    parts = [name for name, _ in getattr(image, "applist", ())]
    parts += [chunk[0] for chunk in getattr(image, "private_chunks", ())]
    texts = [str(k) for k, v in info.items() if isinstance(v, str) and k not in (_PNG_XMP, _RAW_EXIF)]
    there = {
        "comment": "comment" in info,
        "IPTC": "photoshop" in info or 33723 in tags or 34377 in tags,
        "C2PA": "APP11" in parts or b"caBX" in parts,
        f"text ({', '.join(texts)})": image.format == "PNG" and bool(texts),
        "gamma": "gamma" in info and "srgb" not in info and found.icc is None,
        "resolution": found.exif is None and any(round(d) not in (1, 72, 96) for d in info.get("dpi", ())),
    }
    names = ", ".join(name for name, is_there in there.items() if is_there)
    return (f"dropped, as a slic file has no place for it: {names}",) if names else ()


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


def _oriented(found: Metadata, *, turned: bool) -> Metadata:
    """Read the orientation and set it to 1, in place, so that every other byte stays as it was.

    `turned`: Pillow has applied it while loading, as it does for TIFF.
    """
    try:
        orientation, exif = reset_orientation(found.exif) if found.exif else (None, None)
    except (struct.error, ValueError):
        return replace(found, exif=None, warnings=(*found.warnings, "EXIF dropped: it is damaged"))
    said = _XMP_ORIENTATION.search(found.xmp or b"")
    warnings = found.warnings
    if orientation is None and said and not turned and said[2] != b"1":
        # As Pillow reads it; browsers do not, so it is said.
        orientation = int(said[2])
        warnings = (*warnings, "turned as its XMP says; its EXIF says nothing")
    xmp = found.xmp and _XMP_ORIENTATION.sub(rb"\g<1>1", found.xmp)  # nobody must turn it twice
    upright = orientation if orientation and 1 <= orientation <= 8 and not turned else 1
    return replace(found, exif=exif, xmp=xmp, orientation=upright, warnings=warnings)


def reset_orientation(exif: bytes) -> tuple[int | None, bytes]:
    """The orientation in a TIFF structure, None if it has none, and the structure with orientation 1.

    Raises ValueError or struct.error for what is no TIFF structure.
    """
    order = {b"II*\0": "<", b"MM\0*": ">"}.get(exif[:4])
    if order is None:
        raise ValueError("no TIFF structure")
    (start,) = struct.unpack_from(f"{order}I", exif, 4)
    (count,) = struct.unpack_from(f"{order}H", exif, start)
    orientation, reset = None, bytearray(exif)
    for place in range(start + 2, start + 2 + 12 * count, 12):
        tag, kind, _, _ = struct.unpack_from(f"{order}HHII", exif, place)
        if tag == _ORIENTATION and kind in _TYPES:
            (orientation,) = struct.unpack_from(order + _TYPES[kind], exif, place + 8)
            struct.pack_into(order + _TYPES[kind], reset, place + 8, 1)
    return orientation, bytes(reset)
