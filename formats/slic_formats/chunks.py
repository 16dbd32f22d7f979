"""Frame of a file: signature, file length, chunks with CRC-32, and the one order they may stand in."""

import struct
import zlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from slic_formats.errors import FormatError
from slic_formats.limits import MAX_TABLE, MAX_UNKNOWN_CHUNKS

# 0x89 is lost in 7-bit transfer, CR LF when line ends are translated, 0x1A ends `type` on Windows.
FILE_SIGNATURE = b"\x89SLIC\r\n\x1a"
FIRST_CHUNK = 16  # signature, then the file's length as u64
BEFORE_PAYLOAD = 8  # u32 length, type
AFTER_PAYLOAD = 4  # CRC-32 of type and payload

MANDATORY = ("HEAD", "HYPR", "LATN")
KNOWN = (*MANDATORY, "ALPH", "icpr", "exif", "xmpd", "c2pa")
SIGN = "sign"


@dataclass(frozen=True)
class Chunk:
    """A type (upper case first: no reader may do without it) and its payload."""

    type: str
    data: bytes

    def frame(self) -> bytes:
        """The chunk as it stands in a file."""
        body = self.type.encode("ascii") + self.data
        return b"".join((struct.pack("<I", len(self.data)), body, struct.pack("<I", zlib.crc32(body))))


@dataclass(frozen=True)
class Span:
    """A chunk where it lies in a file; nothing is copied."""

    type: str
    start: int
    payload: memoryview

    @property
    def type_offset(self) -> int:
        return self.start + 4

    @property
    def offset(self) -> int:
        """Where the payload begins."""
        return self.start + BEFORE_PAYLOAD

    @property
    def end(self) -> int:
        return self.offset + len(self.payload) + AFTER_PAYLOAD

    def error(self, reason: str, offset: int) -> FormatError:
        return FormatError(reason, chunk=self.type, offset=offset)


def check_signature(view: memoryview) -> None:
    """Refuse what does not begin as a file of ours, and say so when a transfer has spoilt it."""
    start = bytes(view[: len(FILE_SIGNATURE)])
    if start == FILE_SIGNATURE:
        return
    if FILE_SIGNATURE.startswith(start):
        raise FormatError("truncated", offset=len(start))
    if start[1:5] == FILE_SIGNATURE[1:5]:
        raise FormatError("damaged by a text-mode or 7-bit transfer", offset=0)
    raise FormatError("not a slic file", offset=0)


def check_file_length(view: memoryview) -> None:
    """Compare the length that the file states with the one it has: cut and lengthened files end here."""
    if len(view) < FIRST_CHUNK:
        raise FormatError("truncated", offset=len(view))
    stated = stated_length(view)
    if stated < len(view):
        raise FormatError("bytes after the end of the file", offset=stated)
    if stated > len(view):
        raise truncated(view)


def stated_length(view: memoryview) -> int:
    return int.from_bytes(view[8:FIRST_CHUNK], "little")


def truncated(view: memoryview) -> FormatError:
    """The error for a file that ends early, with the chunk that it ends in."""
    at, inside = FIRST_CHUNK, None
    for _ in range(MAX_TABLE + 1):
        if len(view) < at + BEFORE_PAYLOAD:
            inside = None
            break
        inside = _type(view, at)
        at += BEFORE_PAYLOAD + _length(view, at) + AFTER_PAYLOAD
        if at > len(view):
            break
    else:
        inside = None  # more chunks than any file may have: no need to follow them
    return FormatError("truncated", chunk=inside, offset=len(view))


def walk(view: memoryview) -> Iterator[Span]:
    """The chunks of a file, each read whole and its CRC right."""
    at = FIRST_CHUNK
    while at < len(view):
        span = read_chunk(view, at)
        yield span
        at = span.end


def read_chunk(view: memoryview, start: int) -> Span:
    if len(view) - start < BEFORE_PAYLOAD + AFTER_PAYLOAD:
        raise FormatError("too few bytes for a chunk", offset=start)
    type, length = _type(view, start), _length(view, start)
    if type is None:
        raise FormatError("chunk type is not a letter and three letters or digits", offset=start + 4)
    span = Span(type, start, view[start + BEFORE_PAYLOAD :][:length])
    if span.end > len(view) or len(span.payload) < length:
        raise span.error("chunk is longer than the rest of the file", start)
    crc = span.end - AFTER_PAYLOAD
    if zlib.crc32(view[span.type_offset : crc]) != int.from_bytes(view[crc : span.end], "little"):
        raise span.error("checksum differs", crc)
    return span


def _length(view: memoryview, start: int) -> int:
    return int.from_bytes(view[start : start + 4], "little")


def _type(view: memoryview, start: int) -> str | None:
    return read_type(bytes(view[start + 4 : start + BEFORE_PAYLOAD]))


def read_type(raw: bytes) -> str | None:
    """A chunk's type, or None if it is none; bytes.isalnum knows ASCII only, as it must."""
    return raw.decode("ascii") if len(raw) == 4 and raw.isalnum() and raw[:1].isalpha() else None


def order_fault(before: Sequence[str], type: str) -> str | None:
    """Why `type` may not follow the types `before`; None if it may. Files and signed tables share this."""
    if type[0].isupper() and type not in KNOWN:
        return "unknown critical chunk needs a newer slic"
    if type in before:
        return "repeated chunk"
    if len(before) < len(MANDATORY) and type != MANDATORY[len(before)]:
        return f"expected chunk {MANDATORY[len(before)]}"
    if before and file_order(type) < file_order(before[-1]):
        return "chunk out of order"
    if sum(_is_unknown(t) for t in (*before, type)) > MAX_UNKNOWN_CHUNKS:
        return f"more than {MAX_UNKNOWN_CHUNKS} unknown chunks"
    return None


def _is_unknown(type: str) -> bool:
    return type not in KNOWN and type != SIGN


def file_order(type: str) -> tuple[int, str]:
    """Sort key of a type: its place in a file."""
    if type in KNOWN:
        return KNOWN.index(type), ""
    return (len(KNOWN), type) if _is_unknown(type) else (len(KNOWN) + 1, "")
