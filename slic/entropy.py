"""Symbols ↔ words: integer tables, symbols grouped by table, ANS by constriction.

A table gives 2**24 shares to the symbols first, first + 1, …; its last share belongs to the escape,
which stands for everything else: the symbol itself then follows as int16 after the words. Escapes are
so rare (one in ten million where the model fits) that a shorter code for them would gain nothing.

A *block* is an array of symbols with a table number for each. Within a block symbols are coded by
table, ascending, each table's symbols in their order in the block. ANS is a stack: the encoder goes
through everything backwards so that the decoder goes forwards.
"""

from collections.abc import Iterator, Sequence

import constriction
import numpy as np
from numpy.typing import NDArray

from slic.errors import ModelError
from slic_formats import pack_words, unpack_words
from slic_formats.errors import FormatError

AnsCoder = constriction.stream.stack.AnsCoder
Categorical = constriction.stream.model.Categorical

Int32s = NDArray[np.int32]
Numbers = NDArray[np.uint8] | NDArray[np.uint16]
Block = tuple[Int32s, Numbers]

TOTAL = 1 << 24
SYMBOL_LIMIT = 2**14 - 1  # of a symbol's magnitude; in fixed point it stays within exact.ACTIVATION_LIMIT
_ESCAPE_TYPE = np.dtype("<i2")


class Tables:
    """Probability tables as stored in a model file: `counts` one after the other, `lengths`, `first`."""

    def __init__(self, counts: Int32s, lengths: Int32s, first: Int32s) -> None:
        if (
            not counts.ndim == lengths.ndim == first.ndim == 1
            or not counts.dtype == lengths.dtype == first.dtype == np.int32
        ):
            raise ModelError("probability tables have the wrong types")
        self.first = first
        self.escape = lengths.astype(np.int32) - 1  # the escape's place in each table
        ends = np.cumsum(lengths, dtype=np.int64)
        if not (first.shape == lengths.shape and len(lengths) <= 65535):
            raise ModelError("probability tables have the wrong shape")
        if not len(lengths) or (lengths < 2).any() or ends[-1] != len(counts) or (counts < 1).any():
            raise ModelError("probability tables are damaged")
        last = first.astype(np.int64) + lengths - 2
        if first.min() < -SYMBOL_LIMIT or last.max() > SYMBOL_LIMIT:
            raise ModelError("probability tables go beyond the symbols")
        parts = np.split(counts, ends[:-1])
        if any(int(p.sum(dtype=np.int64)) != TOTAL for p in parts):
            raise ModelError("probability tables do not sum to 2**24")
        # constriction gives every symbol weight 1 and shares the other 2**24 − S in proportion. Given
        # counts − 1, which sum to just that, its scale is exactly 1.0 and its table is ours.
        self.models = [Categorical((p - 1).astype(np.float64), perfect=False) for p in parts]
        self._parts = parts

    def __len__(self) -> int:
        return len(self.models)

    def bits(self, magnitudes: int) -> NDArray[np.float64]:
        """(tables, magnitudes): what 0, 1, … cost; those beyond a table as much as its last."""
        wanted = np.arange(magnitudes)
        rows = zip(self._parts, self.first, self.escape, strict=True)
        shares = [part[np.clip(wanted - first, 0, escape - 1)] for part, first, escape in rows]
        bits: NDArray[np.float64] = np.log2(TOTAL / np.stack(shares))
        return bits


def _groups(numbers: Numbers) -> Iterator[tuple[int, NDArray[np.intp]]]:
    """Table number and the places that use it, for each table in use, ascending."""
    order = np.argsort(numbers, kind="stable")
    counts = np.bincount(numbers)
    ends = np.cumsum(counts)
    for number in np.flatnonzero(counts):
        yield int(number), order[ends[number] - counts[number] : ends[number]]


def encode(blocks: Sequence[Block], tables: Tables) -> bytes:
    """The payload of HYPR or LATN; inverse of `Decoder`. Symbols lie within ±SYMBOL_LIMIT."""
    coder = AnsCoder()
    escapes: list[Int32s] = []  # last block first, like everything here
    for symbols, numbers in reversed(blocks):
        outside: list[NDArray[np.intp]] = []
        for number, places in reversed(list(_groups(numbers))):
            shares, escape = symbols[places] - tables.first[number], tables.escape[number]
            unlisted = (shares < 0) | (shares >= escape)
            if unlisted.any():
                outside.append(places[unlisted])
                shares[unlisted] = escape
            coder.encode_reverse(shares, tables.models[number])
        if outside:
            escapes.append(symbols[np.sort(np.concatenate(outside))])
    raw = b"".join(e.astype(_ESCAPE_TYPE).tobytes() for e in reversed(escapes))
    return pack_words(coder.get_compressed().astype("<u4").tobytes(), raw)


class Decoder:
    """Reads blocks back in the order in which they were given to `encode`."""

    def __init__(self, payload: bytes, tables: Tables, *, chunk: str, offset: int) -> None:
        self._tables, self._chunk, self._offset = tables, chunk, offset
        words, escapes = unpack_words(payload)
        if len(escapes) % _ESCAPE_TYPE.itemsize:
            raise self._error("odd number of escape bytes")
        self._escapes = np.frombuffer(escapes, _ESCAPE_TYPE).astype(np.int32)
        try:
            self._coder = AnsCoder(np.frombuffer(words, "<u4").astype(np.uint32))
        except ValueError as error:  # a last word of zero
            raise self._error("entropy coder's words are not canonical") from error

    def decode(self, numbers: Numbers) -> Int32s:
        """The symbols of one block, in its order."""
        tables = self._tables
        symbols = np.empty(len(numbers), np.int32)
        outside: list[NDArray[np.intp]] = []
        for number, places in _groups(numbers):
            shares = self._coder.decode(tables.models[number], len(places))
            escaped = shares == tables.escape[number]
            if escaped.any():
                outside.append(places[escaped])
            symbols[places] = shares + tables.first[number]
        if outside:
            order = np.sort(np.concatenate(outside))
            symbols[order] = self._take_escapes(numbers[order])
        return symbols

    def _take_escapes(self, numbers: Numbers) -> Int32s:
        taken, self._escapes = np.split(self._escapes, [len(numbers)])
        if len(taken) < len(numbers):
            raise self._error("escapes are missing")
        first, escape = self._tables.first[numbers], self._tables.escape[numbers]
        if ((taken >= first) & (taken < first + escape)).any() or (np.abs(taken) > SYMBOL_LIMIT).any():
            raise self._error("an escape stands for a symbol that has no need of one")
        return taken

    def finish(self) -> None:
        """Refuse a payload that holds more than was read."""
        if not self._coder.is_empty() or len(self._escapes):
            raise self._error("entropy coder's words are not used up")

    def _error(self, reason: str) -> FormatError:
        return FormatError(reason, chunk=self._chunk, offset=self._offset)
