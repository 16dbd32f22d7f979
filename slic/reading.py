"""The bytes of a `.slic` file, however it is given."""

import os
from pathlib import Path
from typing import BinaryIO

from slic_formats import FILE_SIGNATURE

FileSource = str | os.PathLike[str] | bytes | bytearray | memoryview | BinaryIO


def read(source: FileSource) -> bytes:
    """All bytes; of a file that begins otherwise than a `.slic` file, only so many that this can be told."""
    if isinstance(source, bytes | bytearray | memoryview):
        return bytes(source)
    if isinstance(source, str | os.PathLike):
        with Path(source).open("rb") as stream:
            return _read_stream(stream)
    return _read_stream(source)


def _read_stream(stream: BinaryIO) -> bytes:
    head = stream.read(len(FILE_SIGNATURE))
    return head + stream.read() if head == FILE_SIGNATURE else head
