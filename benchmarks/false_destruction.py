"""Does a picture that was never in a file come out as well as from a model that is not secured?

    python -m benchmarks.false_destruction --model FILE --base FILE [--images DIR] [--json]

First encodes of crops of what is difficult: the pictures of a folder and generated ones (text, screens,
drawings, flats, noise, …), as they are, after JPEG, and decoded by the base model. A crop is destroyed
by mistake if it is more than 3 dB below the base model's encode of it, or below 25 dB where that is
above 30. Above 40 dB nobody sees it, so `seen` leaves those out. The worst crops come first, by name
and place; then the counts.
"""

import itertools
import warnings
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import click
import numpy as np

from benchmarks.data import Pixels, Row, options, pictures, progress, show
from benchmarks.passes import alike, bits_per_pixel, decibels, levels, quality_option
from slic import Codec, models
from slic.attacks import Attack
from slic.errors import SlicWarning
from slic.models import Model
from training import synthetic

MARGIN = 32  # a crop lies anywhere on the grid of what JPEG and the base model left
TOGETHER = 128
LOWER, LOW, HIGH, CLEAN = 3.0, 25.0, 30.0, 40.0  # dB
SEED = 20_000  # training starts from 0


@dataclass(frozen=True)
class Crop:
    name: str
    history: str
    pixels: Pixels


def measure(
    model: Model, base: Model, crops: Iterable[Crop], *, worst: int = 20, device: str = "auto"
) -> Iterator[Row]:
    codecs, crops = [Codec(m, device=device) for m in (model, base)], iter(crops)
    rows: list[Row] = []
    while some := list(itertools.islice(crops, TOGETHER)):
        some.sort(key=lambda crop: crop.pixels.shape)  # only neighbours of one size go together
        encoded = [list(_encode(codec, some)) for codec in codecs]
        rows += [_row(crop, *ours, *bases) for crop, ours, bases in zip(some, *encoded, strict=True)]
    yield from sorted(rows, key=lambda row: -row["lower"])[:worst]
    for history in sorted({row["history"] for row in rows}):
        yield {"history": history} | _counts([row for row in rows if row["history"] == history])
    yield {"model": model.name, "quality": model.quality, "base": base.name} | _counts(rows)


def _encode(codec: Codec, crops: list[Crop]) -> Iterator[tuple[float, float]]:
    """PSNR and bits per pixel."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", SlicWarning)  # wreckage is counted here
        files = list(codec.encode_batch(crop.pixels for crop in crops))
    for crop, file, decoded in zip(crops, files, codec.decode_batch(files), strict=True):
        yield decibels(crop.pixels, levels(decoded)), bits_per_pixel(file, crop.pixels)


def _row(crop: Crop, psnr: float, bpp: float, base_psnr: float, base_bpp: float) -> Row:
    lower = base_psnr - psnr
    return {
        "crop": crop.name,
        "history": crop.history,
        "psnr": psnr,
        "base_psnr": base_psnr,
        "lower": lower,
        "bpp": bpp,
        "base_bpp": base_bpp,
        "destroyed": lower > LOWER or (base_psnr > HIGH and psnr < LOW),
    }


def _counts(rows: list[Row]) -> Row:
    return {
        "crops": len(rows),
        "destroyed": sum(row["destroyed"] for row in rows),
        "seen": sum(row["destroyed"] and row["psnr"] < CLEAN for row in rows),
        "mean_lower": float(np.mean([row["lower"] for row in rows])),
        "most_lower": max(row["lower"] for row in rows),
    }


def material(sources: Sequence[tuple[str, Pixels]], base: Model, count: int, size: int) -> Iterator[Crop]:
    """`count` crops of at most `size` x `size`: of every picture with one history, then with the next."""
    past = histories(base)
    for i in progress(range(count), "crops"):
        name, pixels = sources[i % len(sources)]
        history, edit = past[i // len(sources) % len(past)]
        random = np.random.default_rng((SEED, i))
        region, (top, left) = cut(pixels, size + MARGIN, random)
        crop, (y, x) = cut(edit(region), size, random)
        height, width = crop.shape[:2]
        yield Crop(f"{name} {width}x{height}+{left + x}+{top + y}", history, crop)


def cut(pixels: Pixels, size: int, random: np.random.Generator) -> tuple[Pixels, tuple[int, int]]:
    """A square at random and its upper left corner; of a smaller picture, what there is."""
    top, left = (int(random.integers(max(0, side - size) + 1)) for side in pixels.shape[:2])
    return pixels[top : top + size, left : left + size], (top, left)


def histories(base: Model) -> list[tuple[str, Attack]]:
    """What happened to a picture before anybody secured it."""
    past = {"none": Attack("identity")}
    past |= {f"jpeg {quality}": Attack("jpeg", {"quality": quality}) for quality in (20, 40, 60, 75, 85, 95)}
    for quality in sorted({base.qualities[0], base.qualities[len(base.qualities) // 2], base.qualities[-1]}):
        past[f"base {quality}"] = Attack("codec", {"model": str(base.path), "quality": quality})
    return list(past.items())


def generated(count: int) -> list[tuple[str, Pixels]]:
    """As many of each kind of training.synthetic; none that training is shown."""
    kinds = itertools.islice(itertools.cycle(synthetic.KINDS), count)
    return [
        (f"{kind.__name__} {i}", np.asarray(kind(np.random.default_rng((SEED, i))).convert("RGB")))
        for i, kind in enumerate(kinds)
    ]


@click.command()
@options
@quality_option
@click.option("--base", required=True, help="The unsecured model, at the same quality where it has it.")
@click.option("--generated", "made", default=64, show_default=True, help="So many generated pictures, too.")
@click.option("--count", default=2400, show_default=True, help="Of crops.")
@click.option("--size", default=256, show_default=True, help="Side of a crop.")
@click.option("--worst", default=20, show_default=True, help="How many of the worst crops to name.")
def main(
    images: Path,
    limit: int | None,
    model: str,
    as_json: bool,
    device: str,
    quality: int | None,
    base: str,
    made: int,
    count: int,
    size: int,
    worst: int,
) -> None:
    chosen = models.choose(model, quality)
    unsecured = alike(models.find(base), chosen.quality)
    sources = [*pictures(images, limit), *generated(made)]
    crops = material(sources, unsecured, count, size)
    show(measure(chosen, unsecured, crops, worst=worst, device=device), as_json=as_json)


if __name__ == "__main__":
    main()
