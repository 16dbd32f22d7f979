"""Sub-bands hold the whole picture, each what it is named after."""

import numpy as np
import pytest

pytest.importorskip("pywt", reason="needs PyWavelets, from the extra [train]")

from training.detectors import subbands


def test_bands_of_the_methods_own_size_are_256(picture) -> None:  # type: ignore[no-untyped-def]
    assert subbands.split(picture(504, 504)[None]).shape == (4, 1, 3, 256, 256)


def test_joined_they_are_the_picture(picture) -> None:  # type: ignore[no-untyped-def]
    levels = np.stack([picture(120, 120, seed) for seed in (1, 2)])
    bands = subbands.split(levels)
    assert bands.shape == (4, 2, 3, 64, 64)
    assert np.abs(subbands.join(bands) - levels).max() < 0.01


def test_the_first_holds_brightness_and_the_others_change() -> None:
    flat = np.full((1, 120, 120, 3), 51, np.uint8)
    bands = subbands.split(flat)
    assert bands[0].numpy() == pytest.approx(0.4, abs=1e-4)  # .2, twice as bright
    assert bands[1:].abs().max() < 1e-4


def test_lines_across_are_in_h_and_lines_down_in_v() -> None:
    across = np.zeros((1, 120, 120, 3), np.uint8)
    across[:, ::2] = 255
    h, v = (subbands.split(x)[1:3].square().mean((1, 2, 3, 4)) for x in (across, across.swapaxes(1, 2)))
    assert h[0] > 100 * h[1] and v[1] > 100 * v[0]


@pytest.mark.parametrize(("side", "largest"), [(120, 120), (128, 120), (256, 248), (504, 504), (640, 632)])
def test_the_largest_side_within_another(side: int, largest: int) -> None:
    assert subbands.largest(side) == largest
    assert (largest + 9) // 2 % 64 == 0


def test_too_small_a_side_is_refused() -> None:
    with pytest.raises(ValueError, match=r"^a side of 119 pixels is too small for sub-bands: 120"):
        subbands.largest(119)
