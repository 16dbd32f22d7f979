"""The frame: one chunk, its checksum, the order of all."""

import pytest

from slic_formats import Chunk, FormatError
from slic_formats.chunks import file_order, order_fault, read_chunk, read_type, truncated

NOTE = bytes.fromhex("02000000") + b"notehi" + bytes.fromhex("462955ab")


def test_frame_is_length_type_payload_and_crc() -> None:
    assert Chunk("note", b"hi").frame() == NOTE


def test_chunk_is_read_without_a_copy() -> None:
    file = memoryview(NOTE)
    span = read_chunk(file, 0)
    assert (span.type, bytes(span.payload), span.offset, span.end) == ("note", b"hi", 8, 14)
    assert span.payload.obj is NOTE


@pytest.mark.parametrize("at", range(4, 14))
def test_each_bit_of_type_payload_and_crc_is_checked(at: int) -> None:
    for bit in range(8):
        damaged = bytearray(NOTE)
        damaged[at] ^= 1 << bit
        with pytest.raises(FormatError, match=r"checksum differs|chunk type"):
            read_chunk(memoryview(damaged), 0)


@pytest.mark.parametrize("raw", [b"abc", b"ab c", b"1abc", b"ab\xe9c", b"a\x00bc", b"abcde", b"_abc"])
def test_type_is_a_letter_and_three_letters_or_digits(raw: bytes) -> None:
    assert read_type(raw) is None


def test_type_may_hold_digits() -> None:
    assert read_type(b"c2pa") == "c2pa"


def test_file_order_is_that_of_the_specification() -> None:
    types = ["sign", "zzzz", "aaaa", "c2pa", "xmpd", "exif", "icpr", "ALPH", "LATN", "HYPR", "HEAD"]
    expected = ["HEAD", "HYPR", "LATN", "ALPH", "icpr", "exif", "xmpd", "c2pa", "aaaa", "zzzz", "sign"]
    assert sorted(types, key=file_order) == expected


@pytest.mark.parametrize(
    ("before", "type", "fault"),
    [
        ([], "HEAD", None),
        (["HEAD", "HYPR", "LATN"], "sign", None),
        (["HEAD", "HYPR"], "ALPH", "expected chunk LATN"),
        (["HEAD", "HYPR", "LATN"], "HYPR", "repeated chunk"),
        (["HEAD", "HYPR", "LATN", "xmpd"], "exif", "chunk out of order"),
        (["HEAD", "HYPR", "LATN", "sign"], "zzzz", "chunk out of order"),
        ([], "Anim", "unknown critical chunk needs a newer slic"),
    ],
)
def test_order(before: list[str], type: str, fault: str | None) -> None:
    assert order_fault(before, type) == fault


def test_end_of_a_file_with_endless_chunks_is_found_without_walking_them_all() -> None:
    error = truncated(memoryview(bytes(16) + Chunk("note", b"").frame() * 100_000))
    assert (error.reason, error.chunk, error.offset) == ("truncated", None, 16 + 12 * 100_000)
