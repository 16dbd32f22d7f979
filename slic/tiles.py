"""Cut with a halo, run, join: equal to running in one piece, with memory bounded by the tile."""

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from torch import Tensor


@dataclass(frozen=True)
class Span:
    """Along one side: the part to keep, and the part to feed the network so that it comes out right."""

    start: int
    stop: int
    feed_start: int
    feed_stop: int


def spans(length: int, limit: int, halo: int) -> Iterator[Span]:
    """Cut `length` into equal parts of at most `limit`, each fed with `halo` more where there is more.

    At the ends of the whole nothing is added: there the network pads with zeros as it does untiled.
    """
    count = math.ceil(length / limit)
    size = math.ceil(length / count)
    for start in range(0, length, size):
        stop = min(start + size, length)
        yield Span(start, stop, max(0, start - halo), min(length, stop + halo))


def run(
    fetch: Callable[[slice, slice], Tensor],
    store: Callable[[slice, slice, Tensor], None],
    height: int,
    width: int,
    *,
    limit: int,
    halo: int,
    scale: int = 1,
) -> None:
    """Feed tiles through `fetch` and give `store` what belongs to each, `scale` places out for one in."""
    for rows in spans(height, limit, halo):
        for cols in spans(width, limit, halo):
            out = fetch(slice(rows.feed_start, rows.feed_stop), slice(cols.feed_start, cols.feed_stop))
            top, left = (rows.start - rows.feed_start) * scale, (cols.start - cols.feed_start) * scale
            tall, wide = (rows.stop - rows.start) * scale, (cols.stop - cols.start) * scale
            store(
                slice(rows.start * scale, rows.stop * scale),
                slice(cols.start * scale, cols.stop * scale),
                out[..., top : top + tall, left : left + wide],
            )
