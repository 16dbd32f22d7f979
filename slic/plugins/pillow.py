"""`.slic` files in Pillow.

import slic.plugins.pillow
slic.plugins.pillow.register()

Image.open("photo.slic").size                # reads the file, loads no torch
image.save("photo.slic", quality=6)          # model=…; exif, icc_profile and xmp as everywhere
"""

import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from typing import IO, Any

from PIL import Image, ImageFile, UnidentifiedImageError

from slic import metadata, pixels
from slic.errors import FormatError, SlicError
from slic_formats import FILE_SIGNATURE, HEADER_BYTES, Mode, parse, parse_header

FORMAT = "SLIC"
MIME = "image/x-slic"


def register() -> None:
    """Teach this process's Pillow to open and save `.slic`; to do so twice changes nothing."""
    Image.register_open(FORMAT, SlicImageFile, _accept)
    Image.register_save(FORMAT, _save)
    Image.register_extension(FORMAT, ".slic")
    Image.register_mime(FORMAT, MIME)


def _accept(prefix: bytes) -> bool:
    return prefix[:8] == FILE_SIGNATURE


class SlicImageFile(ImageFile.ImageFile):
    """All but the pixels is read, and every checksum compared, when the file is opened."""

    format = FORMAT
    format_description = "slic learned image"

    def _open(self) -> None:
        assert self.fp is not None
        data = self.fp.read(HEADER_BYTES)
        if not _accept(data):
            raise SyntaxError("not a slic file")  # so Pillow asks the next plugin
        try:
            parse_header(data)  # refuses another version before all of the file is read
            data += self.fp.read()
            container = parse(data)
        except FormatError as error:
            # An OSError, as SyntaxError would have Pillow go on searching and give no reason at the end.
            raise UnidentifiedImageError(f"damaged slic file: {error}") from error
        header = container.header
        self._size = header.width, header.height
        self._mode = ("L" if header.mode is Mode.GREY else "RGB") + ("" if container.alpha is None else "A")
        self.info.update(metadata.for_pillow(container.icc, container.exif, container.xmp))
        self._data: bytes | None = data

    def load(self) -> Any:
        """Decode, the first time."""
        if self._data is not None:
            if self.fp and self._exclusive_fp:  # all of it has been read
                self.fp.close()
            self.fp = None
            self.im = _decode(self._data).im
            self._data = None
        return super().load()


def _decode(data: bytes) -> Image.Image:
    from slic import codec  # brings torch

    with os_errors():
        return codec.decode(data)


def _save(image: Image.Image, file: IO[bytes], filename: str | bytes) -> None:
    from slic.codec import Codec

    with os_errors():
        picture = pixels.load(_with_options(image))
        encoded = Codec(_model(image)).encode_picture(picture)
        for text in (*picture.warnings, *encoded.warnings):
            warnings.warn(text, stacklevel=3)  # where image.save was called
    file.write(encoded.data)


def _with_options(image: Image.Image) -> Image.Image:
    """A copy whose metadata is what `save` was given, else the image's own."""
    copy = image.copy()
    options: dict[str, Any] = image.encoderinfo
    for name in ("icc_profile", "exif", "xmp"):
        if name in options:
            value = options[name]
            copy.info[name] = value.tobytes() if isinstance(value, Image.Exif) else value
    if "xmp" in options:
        copy.info.pop("XML:com.adobe.xmp", None)
    return copy


def _model(image: Image.Image) -> Any:
    """What the options `model` and `quality` name, or the default."""
    from slic import models

    options: dict[str, Any] = image.encoderinfo
    return models.choose(options.get("model"), options.get("quality"))


@contextmanager
def os_errors() -> Iterator[None]:
    """What slic refuses as OSError, which programs that use Pillow or imageio know, with its hint."""
    try:
        yield
    except SlicError as error:
        hint = getattr(error, "hint", None)
        raise OSError(f"{error} ({hint})" if hint else str(error)) from error
