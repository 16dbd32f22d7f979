"""Tiles."""

import torch
from hypothesis import given
from hypothesis import strategies as st

from slic import tiles
from slic.tiles import Span, spans


def test_parts_are_equal_and_fed_with_their_surroundings() -> None:
    assert list(spans(10, 4, 1)) == [Span(0, 4, 0, 5), Span(4, 8, 3, 9), Span(8, 10, 7, 10)]


@given(st.integers(1, 300), st.integers(1, 100), st.integers(0, 20))
def test_parts_cover_the_whole_once(length: int, limit: int, halo: int) -> None:
    parts = list(spans(length, limit, halo))
    covered = [i for p in parts for i in range(p.start, p.stop)]
    assert covered == list(range(length))
    assert all(p.stop - p.start <= limit for p in parts)
    assert all(p.feed_start == max(0, p.start - halo) for p in parts)


def test_tiled_equals_whole() -> None:
    random = torch.Generator().manual_seed(0)
    x = torch.randn(1, 1, 23, 31, generator=random)
    weight = torch.randn(4, 1, 5, 5, generator=random)

    def run(part: torch.Tensor) -> torch.Tensor:
        return torch.pixel_shuffle(torch.nn.functional.conv2d(part, weight, padding=2), 2)

    out = torch.full((1, 1, 46, 62), torch.nan)

    def store(rows: slice, cols: slice, tile: torch.Tensor) -> None:
        out[:, :, rows, cols] = tile

    tiles.run(lambda r, c: run(x[:, :, r, c]), store, 23, 31, limit=7, halo=2, scale=2)
    torch.testing.assert_close(out, run(x))
