"""Is a picture safe from every other model of the family, too?

    python -m benchmarks.family --images DIR --model FILE [--also FILE]... [--qualities 2,4,6] [--json]

An attacker encodes again with whichever model suits him. A row is the model that wrote the file, a
column the one that encodes the decoded picture again; a cell is the mean PSNR between the two. The last
row says which cell is highest.
"""

from collections.abc import Iterator, Sequence
from pathlib import Path

import click
import numpy as np

from benchmarks.data import Pixels, Row, options, pictures, progress, show
from benchmarks.passes import decibels, slic
from slic import Codec, models
from slic.models import Model


def measure(
    family: Sequence[Model], images: Sequence[tuple[str, Pixels]], *, device: str = "auto"
) -> Iterator[Row]:
    codes = {f"{m.name} {m.quality}": slic(Codec(m, device=device)) for m in family}
    cells: dict[tuple[str, str], float] = {}
    for wrote, write in progress(codes.items(), "models"):
        firsts = [write(pixels)[0] for _, pixels in images]
        for reads, again in codes.items():
            cells[wrote, reads] = float(np.mean([decibels(first, again(first)[0]) for first in firsts]))
        yield {"wrote": wrote} | {reads: cells[wrote, reads] for reads in codes}
    wrote, reads = max(cells, key=lambda pair: cells[pair])
    yield {"highest_psnr": cells[wrote, reads], "wrote": wrote, "encodes_again": reads, "images": len(images)}


def members(names: Sequence[str], qualities: Sequence[int] = ()) -> list[Model]:
    """Each model at those of its qualities that are asked for, or at all; one that has none, as it is."""
    out = []
    for model in map(models.find, names):
        chosen = [q for q in model.qualities if not qualities or q in qualities]
        out += [model.at(q) for q in chosen or [model.quality]]
    return out


def _numbers(context: click.Context, option: click.Parameter, value: str) -> list[int]:
    try:
        return [int(part) for part in value.split(",") if part.strip()]
    except ValueError as error:
        raise click.BadParameter("numbers with commas between, such as 2,4,6") from error


@click.command()
@options
@click.option("--also", multiple=True, help="A further model's name or file; repeatable.")
@click.option("--qualities", callback=_numbers, default="", help="Such as 2,4,6; all by default.")
def main(
    images: Path,
    limit: int | None,
    model: str,
    as_json: bool,
    device: str,
    also: tuple[str, ...],
    qualities: list[int],
) -> None:
    family = members((model, *also), qualities)
    show(measure(family, list(pictures(images, limit)), device=device), as_json=as_json)


if __name__ == "__main__":
    main()
