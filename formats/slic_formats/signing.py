"""What a signature covers, and what it says of a file's chunks. The cryptography is slic.trust's.

A `sign` chunk holds a table: type and SHA-256 of every chunk before it, when it was signed. The signature
is over the table (and so over every byte of the file but itself), the key id and the comment. A publisher
may drop EXIF or XMP later: their digests stay, and the verdict says "removed after signing". There
are no ranges that a signature leaves out.

    u8 scheme (1: Ed25519)   8 bytes key id   u8 n   n x (4 bytes type, 32 bytes SHA-256 of the chunk)
    u16 length   comment, UTF-8   64 bytes signature
"""

import hashlib
import struct
from dataclasses import dataclass
from enum import Enum

from slic_formats.chunks import Chunk, raw, valid_type
from slic_formats.errors import FormatError
from slic_formats.limits import MAX_COMMENT

ED25519 = 1
DOMAIN = b"slic signed chunks 1\n"
REMOVABLE = frozenset({"exif", "xmpd"})
"""Chunks that may go after signing without making the file an altered one."""

_HEAD = struct.Struct("<B8sB")
_ENTRY = struct.Struct("<4s32s")
_SIGNATURE_BYTES = 64


@dataclass(frozen=True)
class Signature:
    """The data of a `sign` chunk."""

    key_id: bytes
    table: tuple[tuple[str, bytes], ...]
    comment: str
    signature: bytes
    scheme: int = ED25519


class Status(Enum):
    INTACT = "intact"
    ALTERED = "altered"
    REMOVED = "removed after signing"
    ADDED = "added after signing"


def digest(chunk: Chunk) -> bytes:
    """SHA-256 over the chunk as it stands in the file: length, type, data, CRC."""
    return hashlib.sha256(raw(chunk)).digest()


def message(signature: Signature) -> bytes:
    """The bytes that are signed."""
    return DOMAIN + _without_signature(signature)


def compare(signature: Signature, chunks: tuple[Chunk, ...]) -> tuple[tuple[str, Status], ...]:
    """What became of each chunk since the table was made; whether the table is genuine is not asked here."""
    now = {chunk.type: digest(chunk) for chunk in chunks}
    then = dict(signature.table)
    statuses = []
    for type_, was in signature.table:
        current = now.get(type_)
        status = Status.REMOVED if current is None else Status.INTACT if current == was else Status.ALTERED
        statuses.append((type_, status))
    return (*statuses, *((type_, Status.ADDED) for type_ in now if type_ not in then))


def pack(signature: Signature) -> bytes:
    return _without_signature(signature) + signature.signature


def _without_signature(signature: Signature) -> bytes:
    comment = signature.comment.encode()
    table = b"".join(_ENTRY.pack(type_.encode("ascii"), hash_) for type_, hash_ in signature.table)
    head = _HEAD.pack(signature.scheme, signature.key_id, len(signature.table))
    return head + table + struct.pack("<H", len(comment)) + comment


def unpack(data: memoryview, offset: int) -> Signature:
    """The structure of a `sign` chunk; `offset` is its data's place in the file."""

    def fail(reason: str, at: int) -> FormatError:
        return FormatError(reason, chunk="sign", offset=offset + at)

    if len(data) < _HEAD.size:
        raise fail("signature is too short", len(data))
    scheme, key_id, count = _HEAD.unpack_from(data)
    if scheme != ED25519:
        raise fail(f"signature scheme {scheme} is unknown; a newer slic may know it", 0)
    position = _HEAD.size + count * _ENTRY.size
    if len(data) < position + 2:
        raise fail("signature is too short", len(data))
    table = tuple(_entries(data, count, fail_at=offset))
    (length,) = struct.unpack_from("<H", data, position)
    if length > MAX_COMMENT:
        raise fail(f"comment is longer than {MAX_COMMENT} bytes", position)
    if len(data) != position + 2 + length + _SIGNATURE_BYTES:
        raise fail("signature's length does not add up", position)
    comment = bytes(data[position + 2 : position + 2 + length])
    return Signature(
        key_id,
        table,
        _text(comment, offset + position + 2),
        bytes(data[position + 2 + length :]),
        scheme,
    )


def _entries(data: memoryview, count: int, *, fail_at: int) -> list[tuple[str, bytes]]:
    entries: list[tuple[str, bytes]] = []
    for i in range(count):
        name, hash_ = _ENTRY.unpack_from(data, _HEAD.size + i * _ENTRY.size)
        place = fail_at + _HEAD.size + i * _ENTRY.size
        if not valid_type(name) or name == b"sign":
            raise FormatError("signed table names no chunk", chunk="sign", offset=place)
        if any(name.decode("ascii") == known for known, _ in entries):
            raise FormatError("signed table names a chunk twice", chunk="sign", offset=place)
        entries.append((name.decode("ascii"), hash_))
    if [type_ for type_, _ in entries[:3]] != ["HEAD", "HYPR", "LATN"]:
        raise FormatError(
            "signed table does not begin with HEAD, HYPR, LATN", chunk="sign", offset=fail_at + _HEAD.size
        )
    return entries


def _text(comment: bytes, offset: int) -> str:
    try:
        text = comment.decode()
    except UnicodeDecodeError as error:
        raise FormatError("comment is not UTF-8", chunk="sign", offset=offset + error.start) from error
    if any(ord(c) < 32 or 127 <= ord(c) < 160 for c in text):
        raise FormatError("comment holds control characters", chunk="sign", offset=offset)
    return text
