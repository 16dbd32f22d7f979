"""What moves pixels, or puts others in their place."""

from typing import Annotated

import numpy as np
from PIL import Image

from slic.attacks.parameters import Limits, Seed, edit
from slic.attacks.photographic import to_levels
from slic.modes import Levels

Share = Annotated[float, Limits(-1, 1)]
Pixels = Annotated[int, Limits(-4096, 4096, step=1)]
Cut = Annotated[int, Limits(0, 65535, step=1)]
Factor = Annotated[float, Limits(0.01, 4, harmless=1)]


@edit
def affine(
    pixels: Levels,
    degrees: Annotated[float, Limits(-180, 180)] = 10.0,
    scale: Annotated[float, Limits(0.1, 4, harmless=1)] = 0.95,
    shift_x: Share = 0.0,
    shift_y: Share = 0.0,
    left: Pixels = 0,
    top: Pixels = 0,
) -> Levels:
    """Turn, scale and move on a black canvas of the same size.

    The picture is turned about its centre, `degrees` against the clock, and scaled by `scale`. Its
    upper left corner comes to lie at `left` pixels and a share `shift_x` of the width, rounded
    together to a whole pixel; likewise `top` and `shift_y`.
    """
    height, width, _ = pixels.shape
    turned = Image.fromarray(pixels).rotate(degrees, Image.Resampling.BILINEAR)
    canvas = Image.new("RGB", (width, height))
    canvas.paste(
        turned.resize(scaled(width, height, scale)),
        (left + round(shift_x * width), top + round(shift_y * height)),
    )
    return np.asarray(canvas)


@edit
def resize(pixels: Levels, factor: Factor = 0.5) -> Levels:
    """Change the size by `factor`, bicubic with a low pass, from 0.01 to 4."""
    height, width, _ = pixels.shape
    return np.asarray(Image.fromarray(pixels).resize(scaled(width, height, factor)))


@edit
def rescale(pixels: Levels, factor: Factor = 0.5) -> Levels:
    """Change the size by `factor` and back again, bicubic both times."""
    height, width, _ = pixels.shape
    return np.asarray(Image.fromarray(resize(pixels, factor)).resize((width, height)))


@edit
def crop(pixels: Levels, left: Cut = 13, top: Cut = 7, right: Cut = 0, bottom: Cut = 0) -> Levels:
    """Cut so many pixels off each side: the size changes, and so does the place on the codec's grid."""
    height, width, _ = pixels.shape
    if left + right >= width or top + bottom >= height:
        raise ValueError(f"crop: nothing would be left of {width}x{height} pixels")
    return pixels[top : height - bottom, left : width - right].copy()


@edit
def shift(pixels: Levels, dx: Pixels = 1, dy: Pixels = 1) -> Levels:
    """Move `dx` pixels right and `dy` down (negative: left, up), repeating the edge that is left behind."""
    height, width, _ = pixels.shape
    rows, columns = np.arange(height) - dy, np.arange(width) - dx
    moved: Levels = pixels[rows.clip(0, height - 1)][:, columns.clip(0, width - 1)]
    return moved


@edit
def turn(pixels: Levels, quarters: Annotated[int, Limits(0, 3, step=1)] = 1) -> Levels:
    """Turn by so many quarters against the clock: width becomes height."""
    return np.rot90(pixels, quarters).copy()


@edit
def mirror(pixels: Levels) -> Levels:
    """Left becomes right."""
    return pixels[:, ::-1].copy()


@edit
def frame(pixels: Levels, share: Annotated[float, Limits(0, 0.5)] = 0.1) -> Levels:
    """Black out a border as wide as `share` of the longer side (the paper's "copy"): nothing moves."""
    height, width, _ = pixels.shape
    border = int(max(width, height) * share)
    out = np.zeros_like(pixels)
    inside = slice(border, max(border, height - border)), slice(border, max(border, width - border))
    out[inside] = pixels[inside]
    return out


@edit
def paste(
    pixels: Levels,
    share: Annotated[float, Limits(0, 1)] = 0.25,
    seed: Seed = 0,
    foreign: Levels | None = None,
) -> Levels:
    """Put the same part of another picture over a rectangle of `share` of the area, at a random place.

    The other picture is `foreign`, of the same size, or else a generated texture.
    """
    random = np.random.default_rng(seed)
    height, width, _ = pixels.shape
    if foreign is not None and foreign.shape != pixels.shape:
        raise ValueError(f"paste: foreign must be of shape {pixels.shape}, not {foreign.shape}")
    rows, columns = round(height * share**0.5), round(width * share**0.5)
    y, x = random.integers(0, (height - rows + 1, width - columns + 1))
    place = slice(y, y + rows), slice(x, x + columns)
    out = pixels.copy()
    out[place] = (_texture(height, width, random) if foreign is None else foreign)[place]
    return out


def scaled(width: int, height: int, factor: float) -> tuple[int, int]:
    """Sizes are cut off to whole numbers, not rounded: so the published edits were made."""
    return max(1, int(factor * width)), max(1, int(factor * height))


def _texture(height: int, width: int, random: np.random.Generator) -> Levels:
    """Coloured noise of several sizes, the coarse ones strongest."""
    out = np.full((height, width, 3), random.uniform(64, 192, 3))
    for step in (64, 16, 4, 1):
        size = -(-height // step), -(-width // step), 3
        coarse = Image.fromarray(to_levels(random.normal(128, 40, size))).resize((width, height))
        out += (np.asarray(coarse) - 128.0) * (step / 64) ** 0.25
    return to_levels(out)
