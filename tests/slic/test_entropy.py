"""Symbols ↔ words."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from slic.entropy import SYMBOL_LIMIT, TOTAL, Decoder, Tables, encode
from slic.errors import FormatError, ModelError


def tables() -> Tables:
    """−1, 0, 1 and the escape, nearly certain; 0 … 4 and the escape, all alike."""
    sharp = [1000, TOTAL - 2064, 1000, 64]
    flat = [TOTAL // 6] * 5
    counts = np.array([*sharp, *flat, TOTAL - sum(flat)], np.int32)
    return Tables(counts, np.array([4, 6], np.int32), np.array([-1, 0], np.int32))


def decoder(payload: bytes) -> Decoder:
    return Decoder(payload, tables(), chunk="LATN", offset=100)


def test_words_are_these_for_ever() -> None:
    symbols = np.array([0, 1, 3, -1, 0, 0, 4, 500], np.int32)
    numbers = np.array([0, 0, 1, 0, 0, 0, 1, 1], np.uint8)
    assert encode([(symbols, numbers)], tables()).hex() == "02000000222836d3f8064302f401"


def test_symbols_beyond_their_table_follow_the_words_as_int16() -> None:
    symbols = np.array([7, 0, -300], np.int32)
    payload = encode([(symbols, np.zeros(3, np.uint8))], tables())
    assert payload.endswith((7).to_bytes(2, "little") + (-300).to_bytes(2, "little", signed=True))


blocks = st.lists(
    st.lists(
        st.tuples(st.one_of(st.integers(-2, 6), st.integers(-SYMBOL_LIMIT, SYMBOL_LIMIT)), st.integers(0, 1)),
        max_size=60,
    ),
    max_size=5,
)


@given(blocks)
def test_blocks_come_back(content: list[list[tuple[int, int]]]) -> None:
    arrays = [(np.array([s for s, _ in b], np.int32), np.array([n for _, n in b], np.uint8)) for b in content]
    reader = decoder(encode(arrays, tables()))
    for symbols, numbers in arrays:
        assert np.array_equal(reader.decode(numbers), symbols)
    reader.finish()


def test_zero_symbols_cost_next_to_nothing() -> None:
    symbols = np.zeros(100_000, np.int32)
    assert len(encode([(symbols, np.zeros(100_000, np.uint8))], tables())) < 40


def test_words_left_over_are_refused() -> None:
    symbols, numbers = np.array([2, 3, 4], np.int32), np.ones(3, np.uint8)
    reader = decoder(encode([(symbols, numbers)], tables()))
    reader.decode(numbers[:2])
    with pytest.raises(FormatError, match="not used up in chunk LATN at byte 100"):
        reader.finish()


def test_missing_escapes_are_refused() -> None:
    symbols, numbers = np.array([99, 99], np.int32), np.zeros(2, np.uint8)
    with pytest.raises(FormatError, match="escapes are missing"):
        decoder(encode([(symbols, numbers)], tables())[:-2]).decode(numbers)


def test_escape_for_a_symbol_of_the_table_is_refused() -> None:
    payload = encode([(np.array([99], np.int32), np.zeros(1, np.uint8))], tables())
    with pytest.raises(FormatError, match="has no need of one"):
        decoder(payload[:-2] + b"\0\0").decode(np.zeros(1, np.uint8))


@pytest.mark.parametrize(
    ("counts", "lengths", "first"),
    [
        ([TOTAL - 1, 2], [2], [0]),  # sum
        ([TOTAL, 0], [2], [0]),  # a share of nothing
        ([TOTAL - 1, 1], [3], [0]),  # lengths beyond the counts
        ([TOTAL], [1], [0]),  # no room for an escape
        ([TOTAL - 1, 1], [2], [40_000]),  # symbols out of range
    ],
)
def test_damaged_tables_are_refused(counts: list[int], lengths: list[int], first: list[int]) -> None:
    with pytest.raises(ModelError):
        Tables(np.array(counts, np.int32), np.array(lengths, np.int32), np.array(first, np.int32))


def test_words_are_read_as_the_specification_says() -> None:
    """An ANS decoder written from SPEC.md alone, against constriction's words."""
    random = np.random.default_rng(0)
    numbers = random.integers(0, 2, 500).astype(np.uint8)
    symbols = np.where(numbers == 0, random.integers(-1, 2, 500), random.integers(0, 5, 500)).astype(np.int32)
    payload = encode([(symbols, numbers)], tables())
    words = np.frombuffer(payload[4:], "<u4").tolist()
    assert len(words) == int.from_bytes(payload[:4], "little")
    state = words.pop()
    if words:
        state = state << 32 | words.pop()
    read: list[int] = []
    for counts, first, count in (
        ([1000, TOTAL - 2064, 1000, 64], -1, int((numbers == 0).sum())),
        ([TOTAL // 6] * 5 + [TOTAL - TOTAL // 6 * 5], 0, int((numbers == 1).sum())),
    ):
        starts = np.cumsum([0, *counts])
        for _ in range(count):
            q = state % 2**24
            i = int(np.searchsorted(starts, q, side="right")) - 1
            state = (state >> 24) * counts[i] + q - int(starts[i])
            if state < 2**32 and words:
                state = state << 32 | words.pop()
            read.append(first + i)
    assert (state, words) == (0, [])
    assert read == [*symbols[numbers == 0], *symbols[numbers == 1]]
