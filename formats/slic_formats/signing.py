"""Structure of the `sign` chunk: what is signed, and which chunks still are what was signed.

A signature signs a table of the digests of all chunks before it, so it covers every byte, and yet a
publisher can drop EXIF later: its digest stays in the table and says that it was there. Keys, the
cryptography and the verdict are the business of `slic.trust`; here are only the bytes.
"""

import hashlib
import struct
from collections.abc import Iterable
from dataclasses import dataclass
from enum import Enum
from typing import TYPE_CHECKING

from slic_formats.chunks import (
    FILE_SIGNATURE,
    MANDATORY,
    SIGN,
    Chunk,
    Span,
    file_order,
    order_fault,
    read_type,
)
from slic_formats.limits import MAX_COMMENT, MAX_TABLE

if TYPE_CHECKING:
    from slic_formats.container import Container

ED25519 = 1
# Nothing else that this key may ever sign begins like this; the zero byte ends the string for certain.
DOMAIN = b"slic signature 1\x00"
# May be removed after signing: they hold places, names, serial numbers.
REDACTABLE = frozenset({"exif", "xmpd"})

_START = struct.Struct("<B8sB")  # scheme, key id, entries in the table
_ENTRY = struct.Struct("<4s32s")  # type, SHA-256 of the chunk as it stands in the file
_COMMENT = struct.Struct("<H")
_VALUE = 64
MAX_SIGN = _START.size + MAX_TABLE * _ENTRY.size + _COMMENT.size + MAX_COMMENT + _VALUE

# What can move the cursor, start a line or turn the direction of text makes a comment lie on a screen.
FORBIDDEN = frozenset(
    chr(c)
    for first, last in ((0x00, 0x1F), (0x7F, 0x9F), (0x2028, 0x202E), (0x2066, 0x2069))
    for c in range(first, last + 1)
)


@dataclass(frozen=True)
class TableEntry:
    """A chunk as it was when the file was signed."""

    type: str
    digest: bytes


@dataclass(frozen=True)
class Signature:
    """The payload of `sign`; `value` is 64 bytes over `signed_message`."""

    key_id: bytes
    table: tuple[TableEntry, ...]
    comment: str
    value: bytes
    scheme: int = ED25519


class State(Enum):
    """What became of a chunk since the file was signed."""

    INTACT = "intact"
    ALTERED = "altered"
    REMOVED = "removed"
    ADDED = "added"


@dataclass(frozen=True)
class ChunkStatus:
    type: str
    state: State


def key_id(public: bytes) -> bytes:
    """The id of an Ed25519 public key: it follows from the key, so that no key can take another's id."""
    return hashlib.sha256(public).digest()[:8]


def make_table(chunks: Iterable[Chunk]) -> tuple[TableEntry, ...]:
    """The table to sign for these chunks (`Container.chunks()`)."""
    return tuple(TableEntry(c.type, hashlib.sha256(c.frame()).digest()) for c in chunks)


def signed_message(signature: Signature) -> bytes:
    """The bytes that `signature.value` signs; they depend on all its fields but `value`."""
    return DOMAIN + FILE_SIGNATURE + _pack_unsigned(signature)


def compare(container: "Container") -> tuple[ChunkStatus, ...]:
    """State of each chunk that was signed or is there now, in file order.

    It says nothing on the signature itself: whoever has not verified that has a table by anybody.
    """
    if container.signature is None:
        raise ValueError("container has no signature to compare with")
    signed = {e.type: e.digest for e in container.signature.table}
    present = {e.type: e.digest for e in make_table(container.chunks())}
    return tuple(
        ChunkStatus(type, _state(signed.get(type), present.get(type)))
        for type in sorted(signed | present, key=file_order)
    )


def holds(statuses: Iterable[ChunkStatus]) -> bool:
    """Whether nothing happened since signing but what a publisher may do: remove REDACTABLE chunks."""
    return all(
        s.state is State.INTACT or (s.state is State.REMOVED and s.type in REDACTABLE) for s in statuses
    )


def pack(signature: Signature) -> bytes:
    return _pack_unsigned(signature) + signature.value


def read(span: Span) -> Signature:
    """The signature in a `sign` chunk, its structure checked, its value not."""
    payload, at = span.payload, _START.size
    _need(span, at)
    scheme, key_id, count = _START.unpack_from(payload)
    if scheme != ED25519:
        raise span.error("unknown signature scheme needs a newer slic", span.offset)
    if not len(MANDATORY) <= count <= MAX_TABLE:
        raise span.error(f"table has not {len(MANDATORY)} to {MAX_TABLE} entries", span.offset + 9)
    _need(span, at + count * _ENTRY.size + _COMMENT.size)
    table = _read_table(span, count)
    at += count * _ENTRY.size
    comment = _read_comment(span, at)
    at += _COMMENT.size + len(comment.encode())
    if len(payload) != at + _VALUE:
        raise span.error("signature is not 64 bytes", span.offset + at)
    return Signature(key_id, table, comment, bytes(payload[at:]), scheme)


def _need(span: Span, size: int) -> None:
    if len(span.payload) < size:
        raise span.error("payload ends early", span.offset + len(span.payload))


def _read_table(span: Span, count: int) -> tuple[TableEntry, ...]:
    table: list[TableEntry] = []
    for i in range(count):
        at = _START.size + i * _ENTRY.size
        raw, digest = _ENTRY.unpack_from(span.payload, at)
        type = read_type(raw)
        fault = _table_fault([e.type for e in table], type)
        if type is None or fault:
            raise span.error(f"table: {fault}", span.offset + at)
        table.append(TableEntry(type, digest))
    return tuple(table)


def _table_fault(before: list[str], type: str | None) -> str | None:
    if type is None:
        return "chunk type is not a letter and three letters or digits"
    # A signature that signs a signature would need an order of its own.
    return "sign cannot sign itself" if type == SIGN else order_fault(before, type)


def _read_comment(span: Span, at: int) -> str:
    (size,) = _COMMENT.unpack_from(span.payload, at)
    if size > MAX_COMMENT:
        raise span.error(f"comment is longer than {MAX_COMMENT} bytes", span.offset + at)
    start = at + _COMMENT.size
    _need(span, start + size)
    raw = bytes(span.payload[start : start + size])
    try:
        comment = raw.decode()
    except UnicodeDecodeError as error:
        raise span.error("comment is not utf-8", span.offset + start + error.start) from None
    for i, character in enumerate(comment):
        if character in FORBIDDEN:
            place = span.offset + start + len(comment[:i].encode())
            raise span.error("control character in comment", place)
    return comment


def _pack_unsigned(signature: Signature) -> bytes:
    comment = signature.comment.encode()
    return b"".join(
        (
            _START.pack(signature.scheme, signature.key_id, len(signature.table)),
            *(_ENTRY.pack(e.type.encode("ascii"), e.digest) for e in signature.table),
            _COMMENT.pack(len(comment)),
            comment,
        )
    )


def _state(signed: bytes | None, present: bytes | None) -> State:
    if signed is None:
        return State.ADDED
    if present is None:
        return State.REMOVED
    return State.INTACT if signed == present else State.ALTERED
