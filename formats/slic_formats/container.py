"""What the chunks mean: bytes ↔ `Container`, one byte form for each.

Order, no repeats:  HEAD HYPR LATN [ALPH] [icpr] [exif] [xmpd] [c2pa] [unknown ancillary …] [sign]
"""

import struct
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from enum import IntEnum

from slic_formats import signing
from slic_formats.chunks import PREAMBLE, Chunk, Located, check_preamble, join, read_chunk, split
from slic_formats.errors import FormatError
from slic_formats.limits import MAX_C2PA, MAX_METADATA, MAX_UNKNOWN, max_alpha_bytes, max_entropy_bytes
from slic_formats.signing import Signature

MAJOR = 1
KNOWN = ("HEAD", "HYPR", "LATN", "ALPH", "icpr", "exif", "xmpd", "c2pa", "sign")
_RANK = {type_: rank for rank, type_ in enumerate(KNOWN)}
_UNKNOWN_RANK = _RANK["c2pa"] + 0.5
_HEADER = struct.Struct("<BBHHBB16s16s")
_MIN_WORDS = 4  # the count of words alone


class Mode(IntEnum):
    GREY = 0
    RGB = 1


@dataclass(frozen=True)
class Header:
    width: int
    height: int
    mode: Mode
    model: bytes
    """The first 16 bytes of the model's SHA-256."""
    digest: bytes
    """The first 16 bytes of SHA-256 over the symbols."""
    quality: int = 0
    """0: the model has one quality."""
    minor: int = 0


@dataclass(frozen=True)
class Container:
    """All that a file holds."""

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

    @property
    def chunks(self) -> tuple[Chunk, ...]:
        """The chunks in their order, without the signature: what a signature covers."""
        optional = zip(("ALPH", "icpr", "exif", "xmpd", "c2pa"), self._optional(), strict=True)
        return (
            Chunk("HEAD", _pack_header(self.header)),
            Chunk("HYPR", self.hyper),
            Chunk("LATN", self.latent),
            *(Chunk(type_, data) for type_, data in optional if data is not None),
            *self.unknown,
        )

    def _optional(self) -> tuple[bytes | None, ...]:
        return self.alpha, self.icc, self.exif, self.xmp, self.c2pa


def parse(data: bytes | bytearray | memoryview) -> Container:
    """A whole file. Raises FormatError unless every byte is as SPEC.md says."""
    found: dict[str, Located] = {}
    header: Header | None = None
    for chunk in _in_order(split(memoryview(data).cast("B"))):
        if header is None:
            header = _parse_header(chunk)
        else:
            _check_data(chunk, header)
        found[chunk.type] = chunk
        _check_together(chunk, found, header)
    for type_ in ("HEAD", "HYPR", "LATN"):
        if header is None or type_ not in found:
            raise FormatError(f"chunk {type_} is missing", offset=len(data))
    assert header is not None
    sign = found.get("sign")

    def content(type_: str) -> bytes | None:
        return bytes(found[type_].data) if type_ in found else None

    return Container(
        header,
        bytes(found["HYPR"].data),
        bytes(found["LATN"].data),
        alpha=content("ALPH"),
        icc=content("icpr"),
        exif=content("exif"),
        xmp=content("xmpd"),
        c2pa=content("c2pa"),
        unknown=tuple(Chunk(c.type, bytes(c.data)) for c in found.values() if c.type not in _RANK),
        signature=None if sign is None else signing.unpack(sign.data, sign.offset),
    )


def parse_header(data: bytes | bytearray | memoryview) -> Header:
    """Size, mode and model from the first 80 bytes or more of a file; the rest is not looked at."""
    view = memoryview(data).cast("B")
    chunk = read_chunk(view, PREAMBLE, check_preamble(view))
    if chunk.type != "HEAD":
        raise FormatError("first chunk is not HEAD", chunk=chunk.type, offset=chunk.start)
    return _parse_header(chunk)


def serialise(container: Container) -> bytes:
    """The file. Raises FormatError for what `parse` would refuse."""
    sign = container.signature
    signed = () if sign is None else (Chunk("sign", signing.pack(sign)),)
    data = join((*container.chunks, *signed))
    parse(data)
    return data


def pack_words(words: bytes, escapes: bytes) -> bytes:
    """The data of HYPR or LATN: u32 count, the entropy coder's u32 words, escapes."""
    return struct.pack("<I", len(words) // 4) + words + escapes


def unpack_words(data: bytes) -> tuple[bytes, bytes]:
    """Words and escapes of data that `parse` accepted."""
    (count,) = struct.unpack_from("<I", data)
    return data[4 : 4 + 4 * count], data[4 + 4 * count :]


def _in_order(chunks: Iterator[Located]) -> Iterator[Located]:
    """Refuse chunks out of order, twice, or critical and unknown."""
    last: tuple[float, str] = (-1.0, "")
    unknown = 0
    for chunk in chunks:
        if last[0] < 0 and chunk.type != "HEAD":
            raise FormatError("first chunk is not HEAD", chunk=chunk.type, offset=chunk.start)
        if chunk.type not in _RANK:
            if Chunk(chunk.type, b"").critical:
                raise FormatError("needs a newer slic", chunk=chunk.type, offset=chunk.start)
            unknown += 1
            if unknown > MAX_UNKNOWN:
                raise FormatError("too many unknown chunks", chunk=chunk.type, offset=chunk.start)
        rank = (float(_RANK.get(chunk.type, _UNKNOWN_RANK)), chunk.type)
        if rank == last:
            raise FormatError("chunk stands twice", chunk=chunk.type, offset=chunk.start)
        if rank < last:
            raise FormatError("chunk is out of order", chunk=chunk.type, offset=chunk.start)
        last = rank
        yield chunk


def _pack_header(h: Header) -> bytes:
    try:
        return _HEADER.pack(MAJOR, h.minor, h.width, h.height, h.mode, h.quality, h.model, h.digest)
    except struct.error as error:
        raise FormatError(f"header does not fit its fields: {error}", chunk="HEAD", offset=0) from error


def _parse_header(chunk: Located) -> Header:
    def fail(reason: str, at: int) -> FormatError:
        return FormatError(reason, chunk="HEAD", offset=chunk.offset + at)

    if not len(chunk.data):
        raise fail("header is empty", 0)
    if chunk.data[0] != MAJOR:  # before all else: a later version may lay the rest out anew
        raise fail(f"format version {chunk.data[0]} is unknown to this slic, which reads version {MAJOR}", 0)
    if len(chunk.data) != _HEADER.size:
        raise fail(f"header is {len(chunk.data)} bytes long, not {_HEADER.size}", 0)
    _, minor, width, height, mode, quality, model, digest = _HEADER.unpack(chunk.data)
    if not width:
        raise fail("width is zero", 2)
    if not height:
        raise fail("height is zero", 4)
    if mode not in iter(Mode):
        raise fail(f"mode {mode} is unknown", 6)
    return Header(width, height, Mode(mode), model, digest, quality, minor)


def _check_data(chunk: Located, header: Header) -> None:
    """What can be said of one chunk's data without decoding it."""

    def fail(reason: str, at: int = 0) -> FormatError:
        return FormatError(reason, chunk=chunk.type, offset=chunk.offset + at)

    limits = {
        "HYPR": max_entropy_bytes(header.width, header.height),
        "LATN": max_entropy_bytes(header.width, header.height),
        "ALPH": max_alpha_bytes(header.width, header.height),
        "c2pa": MAX_C2PA,
    }
    limit = limits.get(chunk.type, MAX_METADATA)
    if len(chunk.data) > limit:
        raise fail(f"chunk is larger than {limit} bytes")
    if chunk.type in ("HYPR", "LATN"):
        _check_words(chunk.data, fail)
    elif chunk.type == "ALPH":
        if len(chunk.data) < 2:
            raise fail("alpha is too short", len(chunk.data))
        if chunk.data[0] > 2:
            raise fail(f"alpha filter {chunk.data[0]} is unknown")
    elif chunk.type in _RANK and not len(chunk.data):
        raise fail("chunk is empty")


def _check_words(data: memoryview, fail: Callable[..., FormatError]) -> None:
    if len(data) < _MIN_WORDS:
        raise fail("count of words is missing", len(data))
    (count,) = struct.unpack_from("<I", data)
    if 4 + 4 * count > len(data):
        raise fail(f"{count} words do not fit the chunk")
    # The coder never leaves a last word of zero: with it, one picture would have two files.
    if count and not any(data[4 * count : 4 * count + 4]):
        raise fail("last word is zero", 4 * count)


def _check_together(chunk: Located, found: dict[str, Located], header: Header) -> None:
    """Limits over several chunks."""
    if chunk.type == "LATN" and "HYPR" in found:
        limit = max_entropy_bytes(header.width, header.height)
        if len(found["HYPR"].data) + len(chunk.data) > limit:
            raise FormatError(
                f"HYPR and LATN are larger than {limit} bytes", chunk="LATN", offset=chunk.offset
            )
