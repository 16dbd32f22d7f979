"""Once through a file and back."""

import numpy as np
import pytest

from benchmarks import passes
from slic import Codec
from slic.models import Model


def test_blocks_below_fifteen_decibels_are_destroyed() -> None:
    a = np.zeros((40, 33, 3), np.uint8)  # 2 x 2 whole blocks
    b = a.copy()
    b[:16, :16] = 60  # 12.6 dB
    b[16:32, :16] = 40  # 16.1 dB
    assert passes.destroyed(a, b) == 0.25


def test_equal_pictures_have_a_finite_figure() -> None:
    a = np.zeros((4, 4, 3), np.uint8)
    assert passes.decibels(a, a) == 100
    assert passes.decibels(a, a + np.uint8(1)) == pytest.approx(48.1308, abs=1e-4)


def test_bits_are_those_of_the_whole_file(tiny_model: Model, picture) -> None:  # type: ignore[no-untyped-def]
    pixels, codec = picture(40, 50), Codec(tiny_model, device="cpu")
    decoded, bpp = passes.slic(codec)(pixels)
    assert bpp == 8 * len(codec.encode(pixels)) / 2000
    assert decoded.shape == (40, 50, 3)


def test_other_formats_at_their_quality(picture) -> None:  # type: ignore[no-untyped-def]
    pixels = picture(64, 64)
    for kind in ("JPEG", "WEBP", "AVIF"):
        poor, small = passes.pillow(kind, 20)(pixels)
        good, large = passes.pillow(kind, 90)(pixels)
        assert small < large and passes.decibels(pixels, poor) < passes.decibels(pixels, good)


def test_a_base_without_that_quality_stays_at_its_own(tiny_model: Model, three_rates: Model) -> None:
    assert passes.alike(three_rates, 3).quality == 3
    assert passes.alike(tiny_model, 3) is tiny_model
