"""A decoded picture in a file of the usual formats, and what that format could not hold."""

import io
import struct
from typing import TYPE_CHECKING, Any

from slic import metadata
from slic.errors import PictureError

if TYPE_CHECKING:
    from PIL import Image

    from slic.pixels import Picture

_XMP_TAG = 700  # of TIFF
_PNG_XMP = "XML:com.adobe.xmp"
PILLOW = {"png": "PNG", "jpg": "JPEG", "webp": "WEBP", "tiff": "TIFF"}
_OPTIONS: dict[str, dict[str, Any]] = {
    "png": {},
    "jpg": {"quality": 95, "subsampling": 0},  # keeps what was decoded to within what an eye may see
    "webp": {"lossless": True, "exact": True},  # exact: colours under transparent pixels stay
    "tiff": {"compression": "tiff_deflate"},
}


def save(picture: "Picture", format_: str) -> tuple[bytes, list[str]]:
    """The bytes of the file, and warnings."""
    from slic import pixels

    image = pixels.to_image(picture)
    lost = []
    if format_ == "jpg" and picture.alpha is not None:
        image = image.convert("L" if picture.grey else "RGB")
        lost.append("transparency is lost: jpg cannot hold it")
    out = io.BytesIO()
    try:
        image.save(out, PILLOW[format_], **_OPTIONS[format_], **_metadata(picture, format_))
    except (ValueError, OSError, KeyError) as error:  # Pillow's for a picture that is too large for a format
        raise PictureError(f"cannot be written as {format_}: {error}") from error
    return out.getvalue(), [*lost, *_lost(out, picture, format_)]


def _metadata(picture: "Picture", format_: str) -> dict[str, Any]:
    """Pillow's arguments for what the picture carries, where the format has room for it."""
    if format_ == "tiff":
        return {"icc_profile": picture.icc, "exif": _tiff_tags(picture)}
    exif, xmp = metadata.for_pillow(None, picture.exif, None).get("exif"), picture.xmp
    if format_ == "jpg":  # one segment of 64 KiB each; for more, Pillow would refuse the whole picture
        exif, xmp = (data if data and len(data) < 65_000 else None for data in (exif, xmp))
    kept = {"icc_profile": picture.icc, "exif": exif} | (_xmp(xmp, format_) if xmp else {})
    return {name: value for name, value in kept.items() if value}


def _tiff_tags(picture: "Picture") -> "Image.Exif":
    """EXIF and XMP as tags of the TIFF itself."""
    tags = _tags(picture.exif)
    if picture.xmp:
        tags[_XMP_TAG] = picture.xmp
    return tags


def _tags(exif: bytes | None) -> "Image.Exif":
    """The tags in EXIF bytes; none where they are damaged, as anyone can write them into a file."""
    from PIL import Image

    tags = Image.Exif()
    try:
        tags.load(exif or b"")
        list(tags.items())  # Pillow reads a value when it is first asked for
    except (SyntaxError, ValueError, TypeError, KeyError, OSError, struct.error):
        return Image.Exif()
    return tags


def _xmp(data: bytes, format_: str) -> dict[str, Any]:
    if format_ != "png":
        return {"xmp": data}
    from PIL.PngImagePlugin import PngInfo

    text = PngInfo()
    text.add_itxt(_PNG_XMP, data.decode("utf-8", "replace"))
    return {"pnginfo": text}


def _lost(file: io.BytesIO, picture: "Picture", format_: str) -> list[str]:
    """What is not in the file although the picture has it: Pillow drops in silence what it cannot write."""
    from PIL import Image

    with Image.open(file) as image:
        info = image.info
        exif = bool(_tags(picture.exif)) if format_ == "tiff" else "exif" in info
    xmp = info.get("xmp") or info.get(_PNG_XMP, "").encode()
    lost = {
        "colour profile": picture.icc and "icc_profile" not in info,
        "EXIF": picture.exif and not exif,
        "XMP": picture.xmp and xmp != picture.xmp,
    }
    return [f"{name} is lost: {format_} cannot hold it" for name, is_lost in lost.items() if is_lost]
