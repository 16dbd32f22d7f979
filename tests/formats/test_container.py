"""Whole files: round trips, one byte form, the same checks in both directions."""

import subprocess
import sys
from dataclasses import replace

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from slic_formats import (
    HEADER_BYTES,
    Chunk,
    Container,
    FormatError,
    Mode,
    pack_words,
    parse,
    parse_header,
    serialise,
    unpack_words,
)
from slic_formats.limits import MAX_C2PA, MAX_METADATA
from tests.formats.samples import FULL, HEADER, SMALL, WORDS, containers, signed

FILE = serialise(replace(FULL, signature=signed(FULL)))


def test_smallest_file_is_these_bytes() -> None:
    assert serialise(Container(HEADER, pack_words(b"", b""), pack_words(b"", b""))) == bytes.fromhex(
        "89534c49430d0a1a 6400000000000000"
        "28000000 48454144 01 00 0300 0200 01 00"
        "000102030405060708090a0b0c0d0e0f 101112131415161718191a1b1c1d1e1f 259b1432"
        "04000000 48595052 00000000 093e4a67"
        "04000000 4c41544e 00000000 cfdab089"
    )


@given(containers)
@settings(max_examples=150, deadline=None)
def test_container_comes_back(container: Container) -> None:
    data = serialise(container)
    assert parse(data) == container
    assert parse_header(data[:HEADER_BYTES]) == container.header


@given(st.integers(0, len(FILE) - 1), st.binary(min_size=1, max_size=4), st.integers(0, 4))
@settings(max_examples=600, deadline=None)
@example(25, b"\x01", 1)
def test_file_is_not_malleable(at: int, put: bytes, cut: int) -> None:
    changed = FILE[:at] + put + FILE[at + cut :]
    try:
        container = parse(changed)
    except FormatError:
        return
    assert serialise(container) == changed


def test_every_single_byte_is_guarded_by_a_checksum_or_a_rule() -> None:
    for at in range(len(FILE)):
        changed = bytearray(FILE)
        changed[at] ^= 0x10
        with pytest.raises(FormatError):
            parse(changed)


def test_truncation_is_found_at_every_byte() -> None:
    for end in range(len(FILE)):
        with pytest.raises(FormatError) as refused:
            parse(FILE[:end])
        assert (refused.value.reason, refused.value.offset) == ("truncated", end)


def test_truncation_names_the_chunk_it_cuts() -> None:
    with pytest.raises(FormatError, match=r"^truncated in chunk LATN at byte 100$"):
        parse(serialise(SMALL)[:100])


@pytest.mark.parametrize("form", [bytes, bytearray, memoryview])
def test_any_buffer_is_read_and_payloads_are_bytes(form: type) -> None:
    container = parse(form(FILE))
    assert container.signature is not None
    assert type(container.exif) is type(container.hyper) is type(container.signature.value) is bytes


def test_unknown_chunks_are_kept() -> None:
    assert parse(FILE).unknown == (Chunk("aaaa", b""), Chunk("note", b"hello"))


# The header alone


def test_header_is_read_from_the_first_bytes() -> None:
    assert parse_header(FILE[:HEADER_BYTES]) == HEADER


def test_header_says_so_when_it_gets_too_few_bytes() -> None:
    for size in range(HEADER_BYTES):
        with pytest.raises(FormatError) as refused:
            parse_header(FILE[:size])
        assert (refused.value.reason, refused.value.offset) == ("truncated", size)


def test_header_of_a_file_that_claims_to_be_shorter_is_refused() -> None:
    with pytest.raises(FormatError, match="bytes after the end of the file at byte 67"):
        parse_header(FILE[:8] + (67).to_bytes(8, "little") + FILE[16:])


@pytest.mark.parametrize("at", [0, 8, 20, 24, 30, 40, 66])
def test_header_checks_what_it_reads(at: int) -> None:
    changed = bytearray(FILE[:HEADER_BYTES])
    changed[at] ^= 0x80
    if at == 8:  # of the file's length, any value from 68 up may be right
        assert parse_header(changed) == HEADER
        return
    with pytest.raises(FormatError):
        parse_header(changed)


# What a writer may not write


@pytest.mark.parametrize(
    ("container", "text"),
    [
        (replace(SMALL, header=replace(HEADER, width=0)), "width is zero in chunk HEAD at byte 26"),
        (replace(SMALL, hyper=b""), "payload ends early in chunk HYPR at byte 76"),
        (replace(SMALL, exif=b""), "chunk is empty in chunk exif at byte 108"),
        (replace(SMALL, alpha=b"\x03\x78"), "unknown alpha filter in chunk ALPH at byte 116"),
        (replace(SMALL, unknown=(Chunk("Anim", b""),)), "unknown critical chunk needs a newer slic"),
        (replace(SMALL, unknown=(Chunk("b000", b""), Chunk("a000", b""))), "chunk out of order"),
        (replace(SMALL, latent=WORDS + bytes(5000)), "chunk is larger than its limit in chunk LATN"),
        (replace(SMALL, signature=replace(signed(SMALL), value=b"short")), "signature is not 64 bytes"),
        (replace(SMALL, signature=signed(SMALL, "a\nb")), "control character in comment"),
    ],
)
def test_writer_refuses_what_a_reader_would(container: Container, text: str) -> None:
    with pytest.raises(FormatError) as refused:
        serialise(container)
    assert str(refused.value).startswith(text)


@pytest.mark.parametrize(
    "container",
    [
        replace(SMALL, header=replace(HEADER, width=65536)),
        replace(SMALL, header=replace(HEADER, quality=-1)),
        replace(SMALL, header=replace(HEADER, model=b"too short")),
        replace(SMALL, header=replace(HEADER, digest=bytes(17))),
        replace(SMALL, unknown=(Chunk("icpr", b"in the wrong field"),)),
        replace(SMALL, unknown=(Chunk("é000", b""),)),
        replace(SMALL, signature=replace(signed(SMALL), key_id=b"short")),
        replace(SMALL, signature=signed(SMALL, "\ud800")),
    ],
)
def test_writer_refuses_what_no_file_can_hold(container: Container) -> None:
    with pytest.raises(ValueError):
        serialise(container)


@pytest.mark.parametrize(
    ("container", "limit"),
    [
        (replace(SMALL, icc=bytes(MAX_METADATA)), MAX_METADATA),
        (replace(SMALL, exif=bytes(MAX_METADATA)), MAX_METADATA),
        (replace(SMALL, xmp=bytes(MAX_METADATA)), MAX_METADATA),
        (replace(SMALL, c2pa=bytes(MAX_C2PA)), MAX_C2PA),
        (replace(SMALL, unknown=(Chunk("note", bytes(MAX_METADATA)),)), MAX_METADATA),
    ],
    ids=["icpr", "exif", "xmpd", "c2pa", "unknown"],
)
def test_metadata_may_fill_its_limit_and_not_one_byte_more(container: Container, limit: int) -> None:
    data = serialise(container)  # vectors of this size would be too large to store
    type = data[112:116].decode()
    over = Chunk(type, bytes(limit + 1)).frame()
    longer = data[:8] + (len(data) + 1).to_bytes(8, "little") + data[16:108] + over
    with pytest.raises(FormatError, match=f"^chunk is larger than its limit in chunk {type} at byte 108$"):
        parse(longer)


# Words


def test_words_stand_between_their_count_and_the_escapes() -> None:
    payload = pack_words(bytes.fromhex("0100000002000080"), b"\x7f\x00")
    assert payload == bytes.fromhex("02000000 01000000 02000080 7f00")
    assert unpack_words(payload) == (bytes.fromhex("0100000002000080"), b"\x7f\x00")


def test_words_are_whole() -> None:
    with pytest.raises(ValueError, match="5 bytes are no whole number of 32-bit words"):
        pack_words(b"12345", b"")


# The package


def test_formats_needs_the_standard_library_only() -> None:
    code = (
        "import sys; import slic_formats.signing;"
        "print(*{m.split('.')[0] for m in sys.modules} - sys.stdlib_module_names - {'__main__'})"
    )
    # -S: without site-packages, as nothing there is needed
    run = subprocess.run(
        [sys.executable, "-S", "-c", code], cwd="formats", capture_output=True, text=True, check=True
    )
    assert run.stdout.split() == ["slic_formats"]


def test_mode_is_a_number() -> None:
    assert (Mode.GREY, Mode.RGB) == (0, 1)
