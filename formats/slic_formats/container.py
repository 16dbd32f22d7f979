"""Bytes ↔ Container: the fields of the header, the rules of each payload, one byte form for each file."""

import struct
from collections.abc import Iterator
from dataclasses import dataclass
from enum import IntEnum

from slic_formats import signing
from slic_formats.chunks import (
    AFTER_PAYLOAD,
    BEFORE_PAYLOAD,
    FILE_SIGNATURE,
    FIRST_CHUNK,
    KNOWN,
    MANDATORY,
    SIGN,
    Chunk,
    Span,
    check_file_length,
    check_signature,
    order_fault,
    read_chunk,
    stated_length,
    truncated,
    walk,
)
from slic_formats.errors import FormatError
from slic_formats.limits import max_alpha_bytes, max_entropy_bytes, max_metadata_bytes
from slic_formats.signing import Signature

MAJOR = 1
_HEAD = struct.Struct("<BBHHBB16s16s")  # major, minor, width, height, mode, quality, model, digest
HEADER_BYTES = FIRST_CHUNK + BEFORE_PAYLOAD + _HEAD.size + AFTER_PAYLOAD  # `parse_header` needs so many
_MAX_FILTER = 2  # of alpha's rows: 0 none, 1 left, 2 up

Buffer = bytes | bytearray | memoryview


class Mode(IntEnum):
    """What the decoder shows: grey pictures are coded as RGB and shown in one channel."""

    GREY = 0
    RGB = 1


@dataclass(frozen=True)
class Header:
    """Chunk HEAD. `model` and `digest` are 16 bytes of SHA-256s; quality 0 is the model's only one."""

    width: int
    height: int
    mode: Mode
    quality: int
    model: bytes
    digest: bytes
    minor: int = 0  # of the format that wrote the file; kept so that its bytes come back

    def pack(self) -> bytes:
        size = self.width, self.height
        return _HEAD.pack(MAJOR, self.minor, *size, self.mode, self.quality, self.model, self.digest)


@dataclass(frozen=True)
class Container:
    """A file, taken apart: `parse(serialise(container)) == container`."""

    header: Header
    hyper: bytes
    latent: bytes
    alpha: bytes | None = None
    icc: bytes | None = None
    exif: bytes | None = None
    xmp: bytes | None = None
    c2pa: bytes | None = None
    unknown: tuple[Chunk, ...] = ()
    signature: Signature | None = None

    def chunks(self) -> Iterator[Chunk]:
        """All that a signature covers, in file order."""
        optional = self.alpha, self.icc, self.exif, self.xmp, self.c2pa
        payloads = self.header.pack(), self.hyper, self.latent, *optional
        yield from (Chunk(t, data) for t, data in zip(KNOWN, payloads, strict=True) if data is not None)
        yield from self.unknown


def parse(data: Buffer) -> Container:
    """The container in the bytes of a whole file; raises FormatError for any other bytes."""
    view = memoryview(data).cast("B")
    check_signature(view)
    check_file_length(view)
    header = _read_header(view)
    spans = _collect(view, header)
    known = {t: bytes(spans[t].payload) if t in spans else None for t in KNOWN}
    return Container(
        header,
        hyper=bytes(spans["HYPR"].payload),
        latent=bytes(spans["LATN"].payload),
        alpha=known["ALPH"],
        icc=known["icpr"],
        exif=known["exif"],
        xmp=known["xmpd"],
        c2pa=known["c2pa"],
        unknown=tuple(Chunk(t, bytes(s.payload)) for t, s in spans.items() if t not in KNOWN and t != SIGN),
        signature=signing.read(spans[SIGN]) if SIGN in spans else None,
    )


def parse_header(data: Buffer) -> Header:
    """The header from the first HEADER_BYTES of a file or more; what follows is not looked at."""
    view = memoryview(data).cast("B")
    check_signature(view)
    if len(view) < HEADER_BYTES:
        raise truncated(view)
    if stated_length(view) < HEADER_BYTES:
        raise FormatError("bytes after the end of the file", offset=stated_length(view))
    return _read_header(view)


def serialise(container: Container) -> bytes:
    """The bytes of the file. What `parse` would refuse or read otherwise is refused here too.

    Raises FormatError, its offset that in the file refused, or ValueError for what no file can hold.
    """
    try:
        chunks = [chunk.frame() for chunk in container.chunks()]
        if container.signature:
            chunks.append(Chunk(SIGN, signing.pack(container.signature)).frame())
    except struct.error as error:
        raise ValueError(f"container has a field out of range: {error}") from error
    length = FIRST_CHUNK + sum(map(len, chunks))
    data = b"".join((FILE_SIGNATURE, length.to_bytes(8, "little"), *chunks))
    # Reading back is the one check that cannot differ from the reader's: struct pads and cuts in silence.
    if parse(data) != container:
        raise ValueError("container does not come back from its file: a field has a wrong size or type")
    return data


def pack_words(words: bytes, escapes: bytes) -> bytes:
    """Payload of HYPR or LATN: the entropy coder's 32-bit words with their count, then the escapes."""
    if len(words) % 4:
        raise ValueError(f"{len(words)} bytes are no whole number of 32-bit words")
    return b"".join((struct.pack("<I", len(words) // 4), words, escapes))


def unpack_words(payload: bytes) -> tuple[bytes, bytes]:
    """Words and escapes of a payload; inverse of `pack_words`. `parse` has checked the count."""
    end = _words_end(payload)
    return payload[4:end], payload[end:]


def _words_end(payload: bytes | memoryview) -> int:
    return 4 + 4 * int.from_bytes(payload[:4], "little")


def _read_header(view: memoryview) -> Header:
    _check_head(view)
    span = read_chunk(view, FIRST_CHUNK)
    if fault := order_fault([], span.type):
        raise span.error(fault, span.type_offset)
    _, minor, width, height, mode, quality, model, digest = _HEAD.unpack(span.payload)
    for name, size, at in (("width", width, 2), ("height", height, 4)):
        if size == 0:
            raise span.error(f"{name} is zero", span.offset + at)
    if mode not in tuple(Mode):
        raise span.error("unknown mode", span.offset + 6)
    return Header(width, height, Mode(mode), quality, model, digest, minor)


def _check_head(view: memoryview) -> None:
    """Refuse another major version by its number alone: all else in HEAD, its CRC too, may differ there.

    Then another length: `parse_header` may not have the rest of a longer one to check its CRC.
    """
    at = FIRST_CHUNK + BEFORE_PAYLOAD
    if bytes(view[FIRST_CHUNK + 4 : at]) != b"HEAD":
        return  # what stands there instead is said by who reads it
    length = int.from_bytes(view[FIRST_CHUNK : FIRST_CHUNK + 4], "little")
    if length and len(view) > at and view[at] != MAJOR:
        needs = "needs a newer slic" if view[at] > MAJOR else "does not exist"
        raise FormatError(f"format version {view[at]} {needs}", chunk="HEAD", offset=at)
    if length != _HEAD.size:
        raise FormatError(f"payload is not {_HEAD.size} bytes", chunk="HEAD", offset=FIRST_CHUNK)


def _collect(view: memoryview, header: Header) -> dict[str, Span]:
    """All chunks by type, in file order; order, sizes and payloads are right."""
    spans: dict[str, Span] = {}
    for span in walk(view):
        if fault := order_fault(list(spans), span.type):
            raise span.error(fault, span.type_offset)
        if len(span.payload) > _limit(span.type, header, spans):
            raise span.error("chunk is larger than its limit", span.start)
        _check_payload(span)
        spans[span.type] = span
    if len(spans) < len(MANDATORY):
        raise FormatError(f"missing chunk {MANDATORY[len(spans)]}", offset=len(view))
    return spans


def _limit(type: str, header: Header, before: dict[str, Span]) -> int:
    size = header.width, header.height
    if type == "HYPR":
        return max_entropy_bytes(*size)
    if type == "LATN":
        return max_entropy_bytes(*size) - len(before["HYPR"].payload)
    if type == "ALPH":
        return max_alpha_bytes(*size)
    return signing.MAX_SIGN if type == SIGN else max_metadata_bytes(type)


def _check_payload(span: Span) -> None:
    if span.type in ("HYPR", "LATN"):
        _check_words(span)
    elif span.type == "ALPH":
        _check_alpha(span)
    elif span.type in KNOWN and not span.payload:
        # The chunk's absence says the same in fewer bytes, and one file has one form.
        raise span.error("chunk is empty", span.start)


def _check_words(span: Span) -> None:
    payload = span.payload
    if len(payload) < 4:
        raise span.error("payload ends early", span.offset + len(payload))
    end = _words_end(payload)
    if end > len(payload):
        raise span.error("more words than the payload holds", span.offset)
    if end > 4 and not any(payload[end - 4 : end]):
        # The coder drops a last word of zero: with it, one picture would have two files.
        raise span.error("last word is zero", span.offset + end - 4)


def _check_alpha(span: Span) -> None:
    if len(span.payload) < 2:
        raise span.error("payload ends early", span.offset + len(span.payload))
    if span.payload[0] > _MAX_FILTER:
        raise span.error("unknown alpha filter", span.offset)
