"""The bytes of a `.slic` file, however it is given."""

import os
from pathlib import Path
from typing import BinaryIO

from slic.errors import PictureError
from slic_formats import FILE_SIGNATURE

FileSource = str | os.PathLike[str] | bytes | bytearray | memoryview | BinaryIO


_HEAD = len(FILE_SIGNATURE) + 8
_PIECE = 1 << 20


def read(source: FileSource) -> bytes:
    """All bytes, but no more than show that it is no `.slic` file or goes on after its own end."""
    if isinstance(source, bytes | bytearray | memoryview):
        return bytes(source)
    if isinstance(source, str | os.PathLike):
        with Path(source).open("rb") as stream:
            return _read_stream(stream)
    if not hasattr(source, "read"):
        raise PictureError(
            f"cannot take a {type(source).__name__} as a .slic file",
            hint="give a path, bytes or a binary file",
        )
    return _read_stream(source)


def _read_stream(stream: BinaryIO) -> bytes:
    head = stream.read(_HEAD)
    if not isinstance(head, bytes):
        raise PictureError("the file is open in text mode", hint='open it with mode "rb"')
    data = bytearray(head)
    if not data.startswith(FILE_SIGNATURE):
        return bytes(data)
    wanted = int.from_bytes(data[len(FILE_SIGNATURE) :], "little") + 1  # one more shows that it goes on
    # In pieces: asked for a length that is a lie, Python would take that much memory at once.
    while len(data) < wanted and (piece := stream.read(min(_PIECE, wanted - len(data)))):
        data += piece
    return bytes(data)
