"""slic/alpha.py: lossless, bounded, and only one way to be right."""

import zlib

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import array_shapes, arrays
from numpy.typing import NDArray

from slic.alpha import pack, unpack
from slic.errors import FormatError
from slic_formats.limits import max_alpha_bytes

Plane = NDArray[np.uint8]
WIDTH, HEIGHT = 4, 3
LEVELS = bytes(range(0, 240, 20))


@settings(max_examples=60, deadline=None)
@given(arrays(np.uint8, array_shapes(min_dims=2, max_dims=2, max_side=40)))
def test_alpha_comes_back_exactly(alpha: Plane) -> None:
    height, width = alpha.shape
    back = unpack(pack(alpha), width, height)
    assert np.array_equal(back, alpha)
    assert back.flags.writeable


@pytest.mark.parametrize(
    ("number", "rest"),
    [(0, [1, 2, 3, 4, 5, 6]), (1, [1, 1, 1, 4, 1, 1]), (2, [1, 2, 3, 3, 3, 3])],
    ids=["none", "left", "up"],
)
def test_filters_are_those_of_the_specification(number: int, rest: list[int]) -> None:
    payload = bytes([number]) + zlib.compress(bytes(rest))
    assert unpack(payload, 3, 2).tolist() == [[1, 2, 3], [4, 5, 6]]


def test_differences_are_modulo_256() -> None:
    assert unpack(b"\x01" + zlib.compress(bytes([200, 100])), 2, 1).tolist() == [[200, 44]]


def test_the_filter_that_helps_is_chosen() -> None:
    ramp = np.tile(np.arange(256, dtype=np.uint8), (64, 1))
    noisy_rows = np.random.default_rng(0).integers(0, 256, (64, 1), np.uint8).repeat(256, 1)
    noisy_columns = np.ascontiguousarray(noisy_rows.T)
    assert pack(ramp)[0] in (1, 2)
    assert pack(noisy_columns)[0] == 2
    assert pack(np.random.default_rng(1).integers(0, 2, (64, 64), np.uint8) * 255)[0] == 0
    assert len(pack(ramp)) < 120


def test_noise_stays_within_the_formats_limit() -> None:
    noise = np.random.default_rng(0).integers(0, 256, (300, 500), np.uint8)
    assert len(pack(noise)) <= max_alpha_bytes(500, 300)


def stream(levels: bytes = LEVELS) -> bytes:
    return b"\0" + zlib.compress(levels)


def with_dictionary() -> bytes:
    packer = zlib.compressobj(zdict=b"dictionary")
    return b"\0" + packer.compress(LEVELS) + packer.flush()


@pytest.mark.parametrize(
    ("payload", "offset", "reason"),
    [
        (b"", 0, "payload ends early"),
        (b"\0", 1, "payload ends early"),
        (b"\x03" + stream()[1:], 0, "unknown alpha filter"),
        (with_dictionary(), 2, "alpha's stream needs a preset dictionary"),
        (stream()[:-1], len(stream()) - 1, "alpha's stream ends early"),
        (stream()[:6], 6, "alpha's stream ends early"),
        (stream()[:-1] + b"\0", 1, "alpha's stream is damaged"),
        (b"\0\x78\0not deflated", 1, "alpha's stream is damaged"),
        (stream(LEVELS[:-1]), 1, "alpha's stream holds less than the picture"),
        (stream(LEVELS + b"\0"), 1, "alpha's stream holds more than the picture"),
        (stream(LEVELS * 1000), 1, "alpha's stream holds more than the picture"),
        (stream() + b"\0", len(stream()), "bytes after alpha's stream"),
        (stream() + stream()[1:], len(stream()), "bytes after alpha's stream"),
    ],
)
def test_what_is_not_the_plane_is_refused(payload: bytes, offset: int, reason: str) -> None:
    with pytest.raises(FormatError) as refused:
        unpack(payload, WIDTH, HEIGHT)
    assert (refused.value.reason, refused.value.chunk, refused.value.offset) == (reason, "ALPH", offset)
    with pytest.raises(FormatError) as refused:
        unpack(payload, WIDTH, HEIGHT, offset=1000)
    assert (refused.value.reason, refused.value.offset) == (reason, 1000 + offset)


def test_a_bomb_is_inflated_no_further_than_the_plane(monkeypatch: pytest.MonkeyPatch) -> None:
    asked = []

    class Watched:
        def __init__(self) -> None:
            self._inner = zlib.decompressobj()

        def decompress(self, data: bytes, limit: int) -> bytes:
            asked.append(limit)
            return self._inner.decompress(data, limit)

    bomb = b"\0" + zlib.compress(bytes(10_000_000))
    monkeypatch.setattr("slic.alpha.zlib", type("zlib", (), {"decompressobj": Watched, "error": zlib.error}))
    with pytest.raises(FormatError, match="more than"):
        unpack(bomb, WIDTH, HEIGHT)
    assert asked == [WIDTH * HEIGHT + 1]


@settings(max_examples=200, deadline=None)
@given(st.binary(max_size=60), st.integers(0, 80), st.integers(0, 255))
def test_damage_gives_nothing_but_format_errors(noise: bytes, at: int, byte: int) -> None:
    flipped = bytearray(stream())
    flipped[at % len(flipped)] = byte
    for payload in (noise, bytes(flipped)):
        try:
            assert unpack(payload, WIDTH, HEIGHT).shape == (HEIGHT, WIDTH)
        except FormatError as error:
            assert 0 <= error.offset <= len(payload)
