"""The paper's edits of values, against Pillow itself; literals for the others."""

from collections.abc import Callable

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image, ImageFilter, ImageOps

from slic import attacks
from slic.attacks import photographic

Maker = Callable[..., NDArray[np.uint8]]
PAPER = {attack.name: attack for attack in attacks.PAPER}


@pytest.mark.parametrize(
    ("name", "direct"),
    [
        ("equalize", ImageOps.equalize),
        ("blur", lambda im: im.filter(ImageFilter.GaussianBlur(2.0))),
        ("median", lambda im: im.filter(ImageFilter.MedianFilter(5))),
        ("sharpen", lambda im: im.filter(ImageFilter.Kernel((3, 3), [-1, -1, -1, -1, 9, -1, -1, -1, -1], 1))),
    ],
)
def test_the_papers_edits_are_pillows(
    picture: Maker, name: str, direct: Callable[[Image.Image], Image.Image]
) -> None:
    x = picture(61, 83)
    assert np.array_equal(PAPER[name](x), np.asarray(direct(Image.fromarray(x))))


LAB = {  # 8-bit LAB of OpenCV, worked out from the definition
    (0, 0, 0): (0, 128, 128),
    (255, 255, 255): (255, 128, 128),
    (255, 0, 0): (136, 208, 195),
    (0, 255, 0): (224, 42, 211),
    (0, 0, 255): (82, 207, 20),
    (119, 119, 119): (128, 128, 128),
}


def test_lab_is_that_of_opencv() -> None:
    rgb = np.array([list(LAB)], np.uint8)
    assert [tuple(lab) for lab in photographic._to_lab(rgb)[0].tolist()] == list(LAB.values())


def test_lightness_is_scaled_and_cut_off() -> None:
    grey = np.full((1, 1, 3), 119, np.uint8)  # L = 128 of 255
    assert PAPER["lighten"](grey)[0, 0].tolist() == [185, 185, 185]  # L = 192
    assert PAPER["darken"](grey)[0, 0].tolist() == [60, 60, 60]  # L = 64
    assert attacks.parse("darken(factor=0.999)")(grey)[0, 0].tolist() == [118, 118, 118]  # L = 127.87, so 127
    assert PAPER["lighten"](np.full((1, 1, 3), 250, np.uint8))[0, 0].tolist() == [255, 255, 255]


def test_noise_has_its_strength_and_its_seed() -> None:
    x = np.full((64, 64, 3), 128, np.uint8)
    added = attacks.parse("noise(sigma=5)")(x) - 128.0
    assert abs(added.std() - 5) < 0.15
    assert abs(added.mean()) < 0.15
    assert not np.array_equal(attacks.parse("noise(sigma=5, seed=1)")(x) - 128.0, added)


def test_colours_are_weighed_against_grey() -> None:
    x = np.array([[[100, 50, 200]]], np.uint8)  # its grey is 82.05
    assert attacks.parse("colour(saturation=0)")(x)[0, 0].tolist() == [82, 82, 82]
    assert attacks.parse("colour(saturation=1, red=1.5, blue=2)")(x)[0, 0].tolist() == [150, 50, 255]


def test_gamma_bends_shares_of_255() -> None:
    x = np.array([[[0, 64, 255]]], np.uint8)
    assert attacks.parse("gamma(exponent=0.5)")(x)[0, 0].tolist() == [0, 128, 255]


def test_bilateral_smooths_noise_and_keeps_an_edge() -> None:
    x = np.full((32, 32, 3), 60, np.uint8)
    x[:, 16:] = 200
    noisy = attacks.parse("noise(sigma=5)")(x)
    clean = attacks.parse("bilateral")(noisy).astype(int)
    assert np.abs(clean - x).std() < 0.6 * np.abs(noisy.astype(int) - x).std()
    assert np.array_equal(attacks.parse("bilateral(tone=10)")(x), x)
