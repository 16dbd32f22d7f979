"""What do one to ten encodes in a row leave, by this codec and by those people use?

    python -m benchmarks.generations --images DIR [--base FILE] [--count 10] [--json]

Codecs should lose nothing after the first encode; a secured one should lose everything. `to_first` is
the PSNR between this encode and the first one, `psnr` that against the original, `growth` the size of
the file over that of the first. Each codec at one quality, and at two in turn. Means over the pictures.
"""

import itertools
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

import click
import numpy as np

from benchmarks.data import Pixels, Row, options, pictures, progress, show
from benchmarks.passes import Pass, alike, decibels, pillow, quality_option, slic
from slic import Codec, models
from slic.models import Model

FORMATS = {"jpeg": (85, 75), "webp": (80, 70), "avif": (60, 50)}


def measure(
    codecs: Mapping[str, Model],
    images: Sequence[tuple[str, Pixels]],
    count: int = 10,
    *,
    device: str = "auto",
) -> Iterator[Row]:
    turns = [*_of_models(codecs, device), *_of_formats()]
    for name, qualities, passes in progress(turns, "codecs"):
        runs = np.array([_generations(pixels, passes, count) for _, pixels in images])
        for generation, (psnr, to_first, bpp, growth) in enumerate(runs.mean(0).tolist(), 1):
            yield {
                "codec": name,
                "qualities": " ".join(map(str, qualities)),
                "generation": generation,
                "psnr": psnr,
                "to_first": to_first,
                "bpp": bpp,
                "growth": growth,
            }


def _generations(original: Pixels, passes: Sequence[Pass], count: int) -> list[tuple[float, ...]]:
    """PSNR, PSNR to the first, bits per pixel, the same over the first: of each generation."""
    out: list[tuple[float, ...]] = []
    first, first_bpp = pixels, bpp = passes[0](original)
    for code in itertools.islice(itertools.cycle(passes), 1, count + 1):
        out.append((decibels(original, pixels), decibels(first, pixels), bpp, bpp / first_bpp))
        if len(out) < count:
            pixels, bpp = code(pixels)
    return out


def _of_models(codecs: Mapping[str, Model], device: str) -> Iterator[tuple[str, tuple[int, ...], list[Pass]]]:
    for name, model in codecs.items():
        others = [q for q in model.qualities if q != model.quality]
        nearest = sorted(others, key=lambda q: (abs(q - model.quality), q))[:1]
        for qualities in [(model.quality,), *((model.quality, q) for q in nearest)]:
            yield name, qualities, [slic(Codec(model.at(q), device=device)) for q in qualities]


def _of_formats() -> Iterator[tuple[str, tuple[int, ...], list[Pass]]]:
    for name, pair in FORMATS.items():
        for qualities in (pair[:1], pair):
            yield name, qualities, [pillow(name.upper(), q) for q in qualities]


@click.command()
@options
@quality_option
@click.option("--base", help="An unsecured model to compare with, at the same quality where it has it.")
@click.option("--count", type=click.IntRange(1), default=10, show_default=True, help="Encodes in a row.")
def main(
    images: Path,
    limit: int | None,
    model: str,
    as_json: bool,
    device: str,
    quality: int | None,
    base: str | None,
    count: int,
) -> None:
    chosen = models.choose(model, quality)
    codecs = {"slic": chosen}  # by their parts in this: both models may have the same name
    if base:
        codecs["base"] = alike(models.find(base), chosen.quality)
    show(measure(codecs, list(pictures(images, limit)), count, device=device), as_json=as_json)


if __name__ == "__main__":
    main()
