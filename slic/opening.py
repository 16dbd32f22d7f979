"""From whatever is given to an image that Pillow has identified but not decoded."""

import errno
import io
import os
import struct
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, BinaryIO

from PIL import Image, ImageFile

from slic.errors import PictureError
from slic_formats import FILE_SIGNATURE

# Pillow has other programs draw these: no picture may start one.
_PROGRAMS = {"EPS", "WMF"}

# Pillow's many readers let almost anything escape from a damaged picture.
DAMAGE = (
    OSError, SyntaxError, ValueError, LookupError, TypeError, AttributeError, ArithmeticError, EOFError,
    AssertionError, RuntimeError, struct.error, zlib.error, Image.DecompressionBombError,
)  # fmt: skip


@contextmanager
def stream(source: Any) -> Iterator[BinaryIO]:
    """A seekable binary file at its start; closed at the end only if it was opened here."""
    if isinstance(source, str | os.PathLike):
        with open(source, "rb") as file:
            yield file if file.seekable() else io.BytesIO(file.read())
    elif isinstance(source, bytes | bytearray | memoryview):
        yield io.BytesIO(source)
    elif hasattr(source, "read"):
        yield _rewound(source)
    else:
        raise PictureError(
            f"cannot take a {type(source).__name__} as a picture",
            hint="give a path, bytes, a binary file, a Pillow image or a uint8 array",
        )


def _rewound(file: BinaryIO) -> BinaryIO:
    try:
        file.seek(0)
        whole, seekable = file.read(0), True
    except (AttributeError, OSError):  # a pipe, a socket, an upload
        whole, seekable = file.read(), False
    if not isinstance(whole, bytes):
        raise PictureError("the file is open in text mode", hint='open it with mode "rb"')
    return file if seekable else io.BytesIO(whole)


def identify(stream: BinaryIO) -> ImageFile.ImageFile:
    """Pillow's `open` without its limit on pixels.

    That limit is one number for the whole process and belongs to the program that uses slic; to change it,
    even for a moment, would change it for other threads. So its plugins are asked here, and the caller
    checks the size before anything is decoded.
    """
    prefix = stream.read(16)
    if prefix.startswith(FILE_SIGNATURE):
        raise PictureError("is a .slic file already", hint="slic decode makes a picture of it")
    if not prefix:
        raise PictureError("is empty")
    tried = set(_PROGRAMS)
    for find_plugins in (Image.preinit, Image.init):  # the usual formats first: all take 0.1 s to import
        find_plugins()
        for name in [name for name in Image.ID if name not in tried]:
            tried.add(name)
            factory, accept = Image.OPEN[name]
            try:
                accepted = accept is None or accept(prefix)
                if not accepted or isinstance(accepted, str):
                    continue
                stream.seek(0)
                return factory(stream, "")
            except (SyntaxError, IndexError, TypeError, struct.error):
                continue  # Pillow's sign for "not mine"
    raise PictureError("not a picture of a known format")


@contextmanager
def damage_is_ours() -> Iterator[None]:
    """What goes wrong inside Pillow as PictureError; an error of the disk stays an OSError."""
    try:
        yield
    except DAMAGE as error:
        # EINVAL: a damaged offset, and so a seek to before the start of the file
        if isinstance(error, OSError) and error.errno not in (None, errno.EINVAL):
            raise
        raise PictureError(f"picture is damaged: {_one_line(error)}") from error


def _one_line(error: BaseException) -> str:
    return " ".join(str(error).split()) or type(error).__name__
