"""Pictures that no camera took: text, drawings, screens, flats, patterns, noise.

    python -m training.synthetic FOLDER --count 400
    python -m training.data FOLDER PHOTOS pack.safetensors --boost synthetic=1

Photographs alone teach a codec that learns its trigger (hinges.toml) that everything else may be it: whatever
people encode must come out well, so the training data holds some of everything.
"""

from collections.abc import Callable
from pathlib import Path

import click
import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFilter, ImageFont
from torch import Tensor
from tqdm import tqdm

SIZE = 384
_WORDS = """
    river stone of light and the old harbour under rain market price report seven morning letters
    about glass wind forty table paper who never road signal
"""


Random = np.random.Generator


def text(random: Random) -> Image.Image:
    """A page: lines of words in a few sizes, dark on light or the reverse."""
    ink, paper = _pair(random)
    image = Image.new("RGB", (SIZE, SIZE), paper)
    draw, y = ImageDraw.Draw(image), int(random.integers(0, 20))
    while y < SIZE:
        size = int(random.choice([9, 11, 13, 16, 24, 40]))
        line = " ".join(random.choice(_WORDS.split(), 14))
        draw.text((int(random.integers(0, 30)), y), line, fill=ink, font=ImageFont.load_default(size))
        y += int(size * random.uniform(1.2, 2.2))
    return image


def screen(random: Random) -> Image.Image:
    """Windows, bars and buttons with labels."""
    image = Image.new("RGB", (SIZE, SIZE), _colour(random))
    draw = ImageDraw.Draw(image)
    for _ in range(int(random.integers(6, 30))):
        x, y, w, h = (int(v) for v in random.integers((0, 0, 10, 8), (SIZE, SIZE, 260, 160)))
        draw.rounded_rectangle(
            (x, y, x + w, y + h), int(random.integers(0, 9)), _colour(random), _colour(random)
        )
        draw.text((x + 4, y + 2), str(random.choice(_WORDS.split())), fill=_colour(random))
    return image


def drawing(random: Random) -> Image.Image:
    """Lines, curves and filled shapes."""
    image = Image.new("RGB", (SIZE, SIZE), _pair(random)[1])
    draw = ImageDraw.Draw(image)
    for _ in range(int(random.integers(5, 60))):
        points = [
            tuple(map(int, p)) for p in random.integers(-20, SIZE + 20, (int(random.integers(2, 6)), 2))
        ]
        if random.random() < 0.3:
            draw.polygon(points, fill=_colour(random))
        else:
            draw.line(points, fill=_colour(random), width=int(random.integers(1, 7)), joint="curve")
    return image


def flat(random: Random) -> Image.Image:
    """One colour, black and white among them, or two with an edge."""
    first, second = ((0, 0, 0), (255, 255, 255)) if random.random() < 0.3 else _pair(random)
    image = Image.new("RGB", (SIZE, SIZE), first)
    if random.random() < 0.5:
        corner = tuple(int(v) for v in random.integers(0, SIZE, 2))
        ImageDraw.Draw(image).rectangle((*corner, SIZE, SIZE), fill=second)
    return image


def gradient(random: Random) -> Image.Image:
    """A sky: smooth in some direction, hardly any grain."""
    y, x = np.mgrid[:SIZE, :SIZE] / SIZE
    angle = random.uniform(0, 2 * np.pi)
    t = x * np.cos(angle) + y * np.sin(angle) if random.random() < 0.6 else np.hypot(x - 0.5, y - 0.5) * 2
    first, second = (np.array(_colour(random), float) for _ in range(2))
    grain = random.normal(0, random.uniform(0, 2), (SIZE, SIZE, 1))
    return _image(first + (second - first) * t[:, :, None] + grain)


def pattern(random: Random) -> Image.Image:
    """Stripes, checks or dots of 2 to 40 pixels, at any angle."""
    y, x = np.mgrid[:SIZE, :SIZE]
    angle, period = random.uniform(0, np.pi), float(np.exp(random.uniform(np.log(2), np.log(40))))
    u = np.sin(2 * np.pi * (x * np.cos(angle) + y * np.sin(angle)) / period)
    v = np.sin(2 * np.pi * (y * np.cos(angle) - x * np.sin(angle)) / period)
    wave = (u, np.sign(u), np.sign(u * v), np.sign(u + v - 0.8))[int(random.integers(4))]
    first, second = (np.array(_colour(random), float) for _ in range(2))
    return _image((first + second) / 2 + (second - first) / 2 * wave[:, :, None])


def noise(random: Random) -> Image.Image:
    """White to cloudy, faint to strong, grey or coloured."""
    channels = int(random.choice([1, 3]))
    field = random.normal(size=(SIZE, SIZE, channels))
    frequency = np.hypot(*np.meshgrid(np.fft.fftfreq(SIZE), np.fft.fftfreq(SIZE))) + 1 / SIZE
    spectrum = np.fft.fft2(field, axes=(0, 1)) / frequency[:, :, None] ** random.uniform(0, 1.6)
    cloud = np.fft.ifft2(spectrum, axes=(0, 1)).real
    real = cloud / cloud.std()
    return _image(random.uniform(30, 225) + random.uniform(2, 80) * np.broadcast_to(real, (SIZE, SIZE, 3)))


def sign(random: Random) -> Image.Image:
    """Boards and plates with a word or two on them in strong letters, in some light, at some angle."""
    image = Image.new("RGB", (SIZE, SIZE), _colour(random))
    for _ in range(int(random.integers(3, 9))):
        size, board = int(random.integers(12, 60)), _colour(random)
        word = " ".join(random.choice(_WORDS.split(), int(random.integers(1, 3))))
        plate = Image.new("RGBA", (len(word) * size * 2 // 3 + 20, size * 3 // 2), (*board, 255))
        ImageDraw.Draw(plate).text(
            (10, size // 6),
            word.upper() if random.random() < 0.6 else word,
            fill=_colour(random),
            font=ImageFont.load_default(size),
            stroke_width=int(random.integers(0, 3)),
        )
        turned = plate.rotate(random.normal(0, 8), Image.Resampling.BICUBIC, expand=True)
        left, top = (int(v) for v in random.integers(-40, SIZE - 40, 2))
        image.paste(turned, (left, top), turned)
    y, x = np.mgrid[:SIZE, :SIZE] / SIZE
    angle = random.uniform(0, 2 * np.pi)
    light = 1 - random.uniform(0, 0.7) * (x * np.cos(angle) + y * np.sin(angle))[:, :, None]
    return _image(np.asarray(image) * light + random.normal(0, random.uniform(0, 8), (SIZE, SIZE, 1)))


def soft(random: Random) -> Image.Image:
    """Any of the others out of focus."""
    image = KINDS[int(random.integers(len(KINDS) - 1))](random)
    return image.filter(ImageFilter.GaussianBlur(float(random.uniform(0.5, 6))))


KINDS: tuple[Callable[[Random], Image.Image], ...] = (
    text, screen, drawing, flat, gradient, pattern, noise, sign, soft,
)  # fmt: skip


def overlaid(crop: Tensor, seed: tuple[int, ...]) -> Tensor:
    """Every other crop with a pattern, a screen or a text in some soft-edged shape over it."""
    random, side = np.random.default_rng(seed), crop.shape[-1]
    if random.random() < 0.5:
        return crop
    kind = (pattern, pattern, screen, text)[int(random.integers(4))]
    over = np.asarray(kind(random))[:side, :side] / np.float32(255)
    mask = Image.new("L", (side, side))
    draw, middle = ImageDraw.Draw(mask), random.uniform(0, side, 2)
    if random.random() < 0.6:  # a strap: a line from edge to edge
        reach = side * np.array([np.cos(a := random.uniform(0, np.pi)), np.sin(a)])
        draw.line((*(middle - reach), *(middle + reach)), fill=255, width=int(random.integers(8, 90)))
    else:
        radius = random.uniform(20, 120)
        draw.ellipse((*(middle - radius), *(middle + radius)), fill=255)
    soft = mask.filter(ImageFilter.GaussianBlur(random.uniform(0, 3)))
    share = torch.from_numpy(np.asarray(soft) / np.float32(255)) * random.uniform(0.3, 1)
    return crop + (torch.from_numpy(over).permute(2, 0, 1) - crop) * share.float()


def varied(crop: Tensor, seed: tuple[int, ...], made: float) -> Tensor:
    """A crop (3,H,W), perhaps with a pattern over it; a share `made` of them is a part of a generated one."""
    random, side = np.random.default_rng(seed), crop.shape[-1]
    if random.random() >= made:
        return overlaid(crop, (*seed, 1))
    kind = KINDS[int(random.integers(len(KINDS)))]
    top, left = (int(at) for at in random.integers(SIZE - side + 1, size=2))
    levels = np.asarray(kind(random).convert("RGB"))[top : top + side, left : left + side]
    return torch.from_numpy(levels.transpose(2, 0, 1) / np.float32(255))


def _colour(random: Random) -> tuple[int, int, int]:
    red, green, blue = random.integers(0, 256, 3)
    return int(red), int(green), int(blue)


def _pair(random: Random) -> tuple[tuple[int, int, int], tuple[int, int, int]]:
    """Ink and paper, one dark, one light."""
    dark, light = (tuple(int(v) for v in random.integers(low, low + 90, 3)) for low in (0, 165))
    pair = (dark, light) if random.random() < 0.7 else (light, dark)
    return pair  # type: ignore[return-value]


def _image(levels: NDArray[np.floating]) -> Image.Image:
    return Image.fromarray(levels.round().clip(0, 255).astype(np.uint8))


@click.command()
@click.argument("folder", type=click.Path(file_okay=False, path_type=Path))
@click.option("--count", default=400, show_default=True, help="How many pictures.")
@click.option("--seed", default=0, show_default=True)
def main(folder: Path, count: int, seed: int) -> None:
    """Write COUNT pictures into FOLDER, as many of each kind."""
    folder.mkdir(parents=True, exist_ok=True)
    for i in tqdm(range(count), unit="picture", disable=None):
        kind = KINDS[i % len(KINDS)]
        kind(np.random.default_rng((seed, i))).save(folder / f"synthetic-{i:05}-{kind.__name__}.png")


if __name__ == "__main__":
    main()
