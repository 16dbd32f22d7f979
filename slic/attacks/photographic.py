"""What a picture editor does to the values of pixels and leaves in place. Levels are 0 to 255."""

from typing import Annotated, Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageFilter, ImageOps

from slic.attacks.parameters import Limits, Seed, edit
from slic.modes import Levels

Floats = NDArray[np.float64]

LUMA = np.array([0.299, 0.587, 0.114])  # ITU-R BT.601, as JPEG has it

# CIE XYZ of linear sRGB, divided by the white D65: white is (1, 1, 1).
TO_XYZ = np.array(
    [[0.412453, 0.357580, 0.180423], [0.212671, 0.715160, 0.072169], [0.019334, 0.119193, 0.950227]]
)
TO_XYZ /= np.array([[0.950456], [1.0], [1.088754]])


@edit
def identity(pixels: Levels) -> Levels:
    """No edit: a plain second encode."""
    return pixels.copy()


@edit
def blur(pixels: Levels, radius: Annotated[float, Limits(0, 64)] = 2.0) -> Levels:
    """Gaussian blur with a standard deviation of `radius` pixels, as Pillow approximates it by boxes."""
    return np.asarray(Image.fromarray(pixels).filter(ImageFilter.GaussianBlur(radius)))


@edit
def median(pixels: Levels, size: Annotated[int, Limits(3, 15, harmless=3, step=2)] = 5) -> Levels:
    """The median of the `size` × `size` pixels around each, per channel; `size` is odd, from 3 to 15."""
    return np.asarray(Image.fromarray(pixels).filter(ImageFilter.MedianFilter(int(size))))


@edit
def sharpen(pixels: Levels, amount: Annotated[float, Limits(0, 4)] = 1.0) -> Levels:
    """Add `amount` times the difference to each of the eight neighbours; the outermost pixels stay."""
    kernel = [-amount] * 9
    kernel[4] = 1 + 8 * amount
    return np.asarray(Image.fromarray(pixels).filter(ImageFilter.Kernel((3, 3), kernel, scale=1)))


@edit
def equalize(pixels: Levels) -> Levels:
    """Spread each channel's histogram evenly over all levels."""
    return np.asarray(ImageOps.equalize(Image.fromarray(pixels)))


@edit
def lighten(pixels: Levels, factor: Annotated[float, Limits(1, 4, harmless=1)] = 1.5) -> Levels:
    """Multiply the lightness L of 8-bit CIE LAB by `factor`, from 1 to 4."""
    return _scale_lightness(pixels, factor)


@edit
def darken(pixels: Levels, factor: Annotated[float, Limits(0, 1, harmless=1)] = 0.5) -> Levels:
    """Multiply the lightness L of 8-bit CIE LAB by `factor`, from 0 to 1."""
    return _scale_lightness(pixels, factor)


@edit
def noise(pixels: Levels, sigma: Annotated[float, Limits(0, 128)] = 5.0, seed: Seed = 0) -> Levels:
    """Add Gaussian noise with a standard deviation of `sigma` levels, independent for each sample."""
    return to_levels(pixels + np.random.default_rng(seed).normal(0, sigma, pixels.shape))


@edit
def colour(
    pixels: Levels,
    saturation: Annotated[float, Limits(0, 4, harmless=1)] = 1.3,
    red: Annotated[float, Limits(0, 4, harmless=1)] = 1.0,
    green: Annotated[float, Limits(0, 4, harmless=1)] = 1.0,
    blue: Annotated[float, Limits(0, 4, harmless=1)] = 1.0,
) -> Levels:
    """Multiply the distance from grey by `saturation`, then each channel by its factor; 1 changes nothing."""
    grey = (pixels @ LUMA)[:, :, None]
    return to_levels((grey + saturation * (pixels - grey)) * (red, green, blue))


@edit
def gamma(pixels: Levels, exponent: Annotated[float, Limits(0.1, 10, harmless=1)] = 0.8) -> Levels:
    """Raise samples, as shares of 255, to the power `exponent`; below 1 is lighter, 1 changes nothing."""
    return to_levels(255 * (np.arange(256) / 255) ** exponent)[pixels]


@edit
def bilateral(
    pixels: Levels,
    reach: Annotated[int, Limits(1, 8, harmless=1, step=1)] = 2,
    space: Annotated[float, Limits(0.3, 16, harmless=0.3)] = 2.0,
    tone: Annotated[float, Limits(0.5, 255, harmless=0.5)] = 20.0,
) -> Levels:
    """Denoise: the mean of the pixels at most `reach` away, near and alike ones first.

    Weights are Gaussian, of standard deviation `space` in pixels and `tone` in levels of the
    distance between colours.
    """
    height, width, _ = pixels.shape
    centre = pixels.astype(np.float32)
    padded = np.pad(centre, ((reach, reach), (reach, reach), (0, 0)), mode="edge")
    total, mass = np.zeros_like(centre), np.zeros((height, width, 1), np.float32)
    for dy in range(-reach, reach + 1):
        for dx in range(-reach, reach + 1):
            other = padded[reach + dy :, reach + dx :][:height, :width]
            distance = ((other - centre) ** 2).sum(2, keepdims=True) / (2 * tone**2)
            weight = np.exp(-distance - (dx * dx + dy * dy) / (2 * space**2))
            total += weight * other
            mass += weight
    return to_levels(total / mass)


def to_levels(values: NDArray[np.floating[Any]]) -> Levels:
    return values.round().clip(0, 255).astype(np.uint8)


def _scale_lightness(pixels: Levels, factor: float) -> Levels:
    """The new L is cut off to a whole number, not rounded: so the published edits were made."""
    lab = _to_lab(pixels).astype(np.float64)
    lab[:, :, 0] = np.floor((lab[:, :, 0] * factor).clip(0, 255))
    return _from_lab(lab)


def _to_lab(pixels: Levels) -> Levels:
    """8-bit LAB as OpenCV defines it: L × 255/100, a + 128, b + 128."""
    share: Floats = np.arange(256) / 255
    linear = np.where(share > 0.04045, ((share + 0.055) / 1.055) ** 2.4, share / 12.92)[pixels]
    xyz = linear @ TO_XYZ.T
    f = np.where(xyz > 0.008856, np.cbrt(xyz), 7.787 * xyz + 16 / 116)
    x, y, z = np.moveaxis(f, 2, 0)
    lab: Floats = np.stack([(116 * y - 16) * 2.55, 500 * (x - y) + 128, 200 * (y - z) + 128], 2)
    return to_levels(lab)


def _from_lab(lab: Floats) -> Levels:
    y = (lab[:, :, 0] / 2.55 + 16) / 116
    f = np.stack([y + (lab[:, :, 1] - 128) / 500, y, y - (lab[:, :, 2] - 128) / 200], 2)
    xyz = np.where(f > 0.206893, f**3, (f - 16 / 116) / 7.787)
    linear = (xyz @ np.linalg.inv(TO_XYZ).T).clip(0, 1)
    share: Floats = np.where(linear > 0.0031308, 1.055 * linear ** (1 / 2.4) - 0.055, 12.92 * linear)
    return to_levels(255 * share)
