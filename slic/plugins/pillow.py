"""Pillow reads and writes `.slic`.

    import slic.plugins.pillow
    from PIL import Image

    slic.plugins.pillow.register()
    image = Image.open("photo.slic")                    # size, mode and metadata; loads no torch
    image.save("copy.slic", quality=6, exif=None)       # also model, icc_profile, xmp

What is not said to `save` is taken from the image's own `info`; None drops it. To open a file is to check
all its checksums, so `verify` has nothing to add; pixels are decoded by `load`, which raises OSError
rather than show a wrong picture.
"""

import warnings
from typing import IO, Any

from PIL import Image, ImageFile, UnidentifiedImageError

from slic.errors import FormatError, SlicError
from slic_formats import FILE_SIGNATURE, Container, Mode, parse

_METADATA = ("icc_profile", "exif", "xmp")


def register() -> None:
    """Make `.slic` one of Pillow's formats; a second time changes nothing."""
    Image.register_open(SlicImageFile.format, SlicImageFile, _accept)
    Image.register_save(SlicImageFile.format, _save)
    Image.register_extension(SlicImageFile.format, ".slic")
    Image.register_mime(SlicImageFile.format, "image/x-slic")


def _accept(prefix: bytes) -> bool:
    return prefix.startswith(FILE_SIGNATURE)


class SlicImageFile(ImageFile.ImageFile):
    """A `.slic` file that Pillow has opened."""

    format = "SLIC"
    format_description = "slic learned image"
    _container: Container | None = None  # until its pixels are decoded

    def _open(self) -> None:
        from slic import pixels

        assert self.fp is not None
        data = self.fp.read(len(FILE_SIGNATURE))
        if not _accept(data):
            raise SyntaxError("not a slic file")
        try:
            container = parse(data + self.fp.read())
        except FormatError as error:
            # No other plugin could read it: instead of SyntaxError, which Pillow answers without a reason,
            # what Pillow itself would raise, with the reason.
            raise UnidentifiedImageError(str(error)) from error
        self._container = container
        self._size = container.header.width, container.header.height
        self._mode = ("L" if container.header.mode is Mode.GREY else "RGB") + "A" * bool(container.alpha)
        self.info.update(pixels.info(container.icc, container.exif, container.xmp))

    def load(self) -> Any:
        if self._container is not None:
            self._close_own_file()
            image = _decode(self._container)
            self.im, self.readonly = image.im, image.readonly
            self._container = None
        return super().load()

    def _close_own_file(self) -> None:
        """All of it was read when it was opened; a file that the caller opened stays open."""
        if self.fp is not None and self._exclusive_fp:
            self.fp.close()
            self.fp = None


def _decode(container: Container) -> Image.Image:
    from slic import codec, models, pixels

    try:
        model = models.find_identity(container.header.model)
        return pixels.to_image(codec.Codec(model).decode_picture(container))
    except SlicError as error:
        raise OSError(one_line(error)) from error


def _save(image: Image.Image, file: IO[bytes], filename: str | bytes) -> None:
    options = dict(image.encoderinfo)
    for name in _METADATA:
        options.setdefault(name, image.info.get(name))
    try:
        data = encode(image, **options)
    except SlicError as error:
        raise OSError(one_line(error)) from error
    file.write(data)


def encode(
    image: Image.Image,
    *,
    model: Any = None,
    quality: int | None = None,
    icc_profile: bytes | None = None,
    exif: bytes | Image.Exif | None = None,
    xmp: bytes | str | None = None,
    **_others: object,  # Pillow's programs hand every format the options of all
) -> bytes:
    """The bytes of a `.slic` file with this metadata; says as a warning what it cannot hold."""
    from slic import codec, pixels

    given = icc_profile, _bytes(exif), _bytes(xmp)
    dressed = image.copy()  # a picture of our own: `info` is changed, and the caller's stays
    dressed.info = {k: v for k, v in image.info.items() if k not in _METADATA}
    dressed.info |= {name: data for name, data in zip(_METADATA, given, strict=True) if data}
    picture = pixels.load(dressed)
    for lost in picture.warnings:
        warnings.warn(lost, stacklevel=5)
    return codec.Codec(_model(model, quality)).encode_picture(picture)


def _model(model: Any, quality: int | None) -> Any:
    from slic import models

    if model is not None and quality is not None:
        raise ValueError("give a model or a quality, not both")
    if quality is None:
        return models.DEFAULT if model is None else model
    if isinstance(quality, bool) or quality not in range(1, 9):
        raise ValueError(f"quality is {quality!r}; slic's are whole numbers from 1 to 8")
    return models.find_quality(quality)


def _bytes(data: bytes | str | Image.Exif | None) -> bytes | None:
    if isinstance(data, Image.Exif):
        return data.tobytes()
    return data.encode() if isinstance(data, str) else data


def one_line(error: SlicError) -> str:
    """The error and how to go on."""
    hint = getattr(error, "hint", None)
    return f"{error} ({hint})" if hint else str(error)
