"""What a signature covers, and what it says when chunks change."""

import hashlib
from dataclasses import replace

import pytest

from slic_formats import Chunk, Container, parse, serialise
from slic_formats.signing import (
    DOMAIN,
    REDACTABLE,
    ChunkStatus,
    State,
    compare,
    holds,
    make_table,
    signed_message,
)
from tests.formats.samples import FULL, HEADER, SMALL, WORDS, signed

SIGNED = replace(FULL, signature=signed(FULL))


def states(container: Container) -> dict[str, str]:
    return {s.type: s.state.value for s in compare(container)}


def changed(container: Container) -> dict[str, str]:
    return {t: s for t, s in states(container).items() if s != "intact"}


def test_table_holds_the_digest_of_the_chunk_as_it_stands_in_the_file() -> None:
    latn = next(e for e in make_table(SMALL.chunks()) if e.type == "LATN")
    assert latn.digest == hashlib.sha256(serialise(SMALL)[88:108]).digest()


def test_digests_of_the_table_cover_every_byte_before_the_signature() -> None:
    data = serialise(SIGNED)
    frames = b"".join(c.frame() for c in FULL.chunks())
    assert data[16 : 16 + len(frames)] == frames
    assert data[16 + len(frames) + 4 :][:4] == b"sign"


def test_message_is_domain_signature_and_payload_without_the_value() -> None:
    data = serialise(replace(SMALL, signature=signed(SMALL)))
    payload = data[108 + 8 : -4]
    message = signed_message(signed(SMALL))
    assert message == b"slic signature 1\x00" + b"\x89SLIC\r\n\x1a" + payload[:-64]


def test_message_depends_on_each_field_but_the_value() -> None:
    signature = signed(FULL)
    others = [
        replace(signature, scheme=2),
        replace(signature, key_id=b"another!"),
        replace(signature, comment="another"),
        replace(signature, table=signature.table[:-1]),
        replace(signature, value=b"V" * 64),
    ]
    assert [signed_message(o) == signed_message(signature) for o in others] == [False] * 4 + [True]
    assert DOMAIN.endswith(b"\x00")


def test_untouched_file_is_intact() -> None:
    types = ["HEAD", "HYPR", "LATN", "ALPH", "icpr", "exif", "xmpd", "c2pa", "aaaa", "note"]
    assert compare(parse(serialise(SIGNED))) == tuple(ChunkStatus(t, State.INTACT) for t in types)
    assert holds(compare(SIGNED))


@pytest.mark.parametrize(
    ("container", "expected", "verdict"),
    [
        (replace(SIGNED, exif=None), {"exif": "removed"}, True),
        (replace(SIGNED, exif=None, xmp=None), {"exif": "removed", "xmpd": "removed"}, True),
        (replace(SIGNED, exif=b"other"), {"exif": "altered"}, False),
        (replace(SIGNED, icc=None), {"icpr": "removed"}, False),
        (replace(SIGNED, alpha=None), {"ALPH": "removed"}, False),
        (replace(SIGNED, c2pa=None), {"c2pa": "removed"}, False),
        (replace(SIGNED, unknown=()), {"aaaa": "removed", "note": "removed"}, False),
        (replace(SIGNED, latent=WORDS), {"LATN": "altered"}, False),
        (replace(SIGNED, hyper=WORDS + b"xx"), {"HYPR": "altered"}, False),
        (replace(SIGNED, header=replace(HEADER, minor=1)), {"HEAD": "altered"}, False),
        (replace(SIGNED, unknown=(*FULL.unknown, Chunk("zzzz", b""))), {"zzzz": "added"}, False),
        (replace(SMALL, exif=b"new", signature=signed(SMALL)), {"exif": "added"}, False),
    ],
)
def test_each_change_is_named(container: Container, expected: dict[str, str], verdict: bool) -> None:
    assert changed(container) == expected
    assert holds(compare(container)) is verdict
    assert parse(serialise(container)) == container  # a verdict, not a malformed file


def test_states_come_in_file_order() -> None:
    mixed = replace(SMALL, alpha=FULL.alpha, unknown=(Chunk("note", b""),), signature=signed(FULL))
    types = ["HEAD", "HYPR", "LATN", "ALPH", "icpr", "exif", "xmpd", "c2pa", "aaaa", "note"]
    assert list(states(mixed)) == types


def test_only_exif_and_xmp_may_go() -> None:
    assert frozenset({"exif", "xmpd"}) == REDACTABLE


def test_nothing_to_compare_without_a_signature() -> None:
    with pytest.raises(ValueError, match="container has no signature"):
        compare(SMALL)
