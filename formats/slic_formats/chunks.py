"""Signature, file length and chunks: the layer below the meaning of any chunk.

signature   89 53 4C 49 43 0D 0A 1A
length      u64, of the whole file
chunk       u32 length of data, type, data, u32 CRC-32 of type and data          … to the end
"""

import struct
import zlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from slic_formats.errors import FormatError

# The first byte is no text and dies where only 7 bits pass; CR LF and ^Z die in text-mode transfers.
FILE_SIGNATURE = b"\x89SLIC\r\n\x1a"
PREAMBLE = len(FILE_SIGNATURE) + 8
OVERHEAD = 12  # of a chunk: length, type, CRC

_FIRST = frozenset(b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz")
_REST = _FIRST | frozenset(b"0123456789")


@dataclass(frozen=True)
class Chunk:
    """A chunk's type and data. An upper-case first letter: who does not know it cannot read the file."""

    type: str
    data: bytes

    @property
    def critical(self) -> bool:
        return self.type[0].isupper()


@dataclass(frozen=True)
class Located:
    """A chunk as it stands in a file, its data not copied."""

    type: str
    data: memoryview
    offset: int  # of the data

    @property
    def start(self) -> int:
        return self.offset - 8


def valid_type(name: bytes) -> bool:
    return len(name) == 4 and name[0] in _FIRST and all(c in _REST for c in name[1:])


def check_preamble(data: memoryview) -> int:
    """The length of the file as it says itself."""
    if bytes(data[: len(FILE_SIGNATURE)]) != FILE_SIGNATURE:
        reason = "truncated" if FILE_SIGNATURE.startswith(data) and len(data) else "not a slic file"
        raise FormatError(reason, offset=len(data) if reason == "truncated" else 0)
    if len(data) < PREAMBLE:
        raise FormatError("truncated", offset=len(data))
    (length,) = struct.unpack_from("<Q", data, len(FILE_SIGNATURE))
    return int(length)


def split(data: memoryview) -> Iterator[Located]:
    """The chunks of a whole file, their CRCs checked. What is missing or too much is said where it begins."""
    length = check_preamble(data)
    if length < len(data):
        raise FormatError("bytes follow the end of the file", offset=max(length, PREAMBLE))
    position = PREAMBLE
    while position < length:
        chunk = read_chunk(data, position, length)
        yield chunk
        position = chunk.offset + len(chunk.data) + 4


def read_chunk(data: memoryview, position: int, length: int) -> Located:
    """The chunk that begins at `position` in a file of `length` bytes."""
    if length - position < OVERHEAD:
        raise FormatError("chunk reaches beyond the end of the file", offset=position)
    if len(data) - position < 8:
        raise FormatError("truncated", offset=len(data))
    size, name = struct.unpack_from("<I4s", data, position)
    if not valid_type(name):
        raise FormatError("chunk type is not four letters and digits", offset=position + 4)
    type_, offset = name.decode("ascii"), position + 8
    if size > length - offset - 4:
        raise FormatError("chunk reaches beyond the end of the file", chunk=type_, offset=position)
    if len(data) < offset + size + 4:
        raise FormatError("truncated", chunk=type_, offset=len(data))
    body = data[offset : offset + size]
    (crc,) = struct.unpack_from("<I", data, offset + size)
    if crc != zlib.crc32(body, zlib.crc32(name)):
        raise FormatError("checksum differs", chunk=type_, offset=offset + size)
    return Located(type_, body, offset)


def join(chunks: Iterable[Chunk]) -> bytes:
    """Signature, length and chunks as a file."""
    parts = [raw(chunk) for chunk in chunks]
    length = PREAMBLE + sum(map(len, parts))
    return b"".join([FILE_SIGNATURE, struct.pack("<Q", length), *parts])


def raw(chunk: Chunk) -> bytes:
    """A chunk's bytes in a file."""
    name = chunk.type.encode("ascii")
    crc = zlib.crc32(chunk.data, zlib.crc32(name))
    return struct.pack("<I4s", len(chunk.data), name) + chunk.data + struct.pack("<I", crc)
