"""What becomes of a decoded picture that is edited and encoded again?

    python -m benchmarks.recompress --images DIR [--edits all] [--json]
    python -m benchmarks.recompress --images DIR --edits "jpeg(quality=50); crop(left=3, top=5)"

Through whole `.slic` files and 8-bit pixels. `first_*` is between the picture and its encode,
`recompress_*` between the edited picture and its encode: low PSNR is destroyed. A block of 16x16 is
destroyed below 15 dB. LPIPS is empty where its backbone is not at hand, MS-SSIM for small pictures.

The last rows are means over the pictures, for each edit and for all, with the picture that fared best:
a secured model's worst case.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path

import click
import numpy as np

from benchmarks import judges
from benchmarks.data import Pixels, Row, options, pictures, show
from benchmarks.judges import Judge
from benchmarks.passes import decibels, destroyed, quality_option, slic
from slic import Codec, attacks, models
from slic.attacks import Attack, Chain
from slic.models import Model

NAMED: Mapping[str, Sequence[Attack | Chain]] = {
    "paper": attacks.PAPER,
    "crops": attacks.CROPS,
    "offsets": attacks.OFFSETS,
    "all": (*attacks.PAPER, *attacks.CROPS, attacks.CUT_AND_SAVED, *attacks.EVERYDAY),
}


def measure(
    model: Model,
    images: Iterable[tuple[str, Pixels]],
    edits: Sequence[Attack | Chain],
    *,
    device: str = "auto",
    judged: bool = True,
) -> Iterator[Row]:
    """`judged`: by MS-SSIM and LPIPS too, which take about as long as the codec."""
    codec = Codec(model, device=device)
    rows: list[Row] = []
    code, beyond = slic(codec), judges.load(codec.device) if judged else {}
    for name, pixels in images:
        first, bpp = code(pixels)
        known = {"bpp": bpp} | _compare("first", pixels, first, beyond)
        for edit in (None, *edits):
            edited = edit(first) if edit else first
            again, again_bpp = code(edited)
            row = (
                {"image": name, "model": model.name, "quality": model.quality, "edit": str(edit or "none")}
                | known
                | _compare("recompress", edited, again, beyond)
                | {"recompress_bpp": again_bpp, "blocks_destroyed": destroyed(edited, again)}
            )
            rows.append(row)
            yield row
    for name in dict.fromkeys(row["edit"] for row in rows):
        yield summary([row for row in rows if row["edit"] == name])
    if edits and rows:
        yield summary(rows) | {"edit": "all", "worst_edit": worst(rows)["edit"]}


def summary(rows: list[Row]) -> Row:
    """Means, and which picture is worst."""
    row: Row = {key: rows[0][key] for key in ("model", "quality", "edit")}
    row["images"] = len({one["image"] for one in rows})
    row |= {key: _mean([one[key] for one in rows]) for key in rows[0] if key not in ("image", *row)}
    return row | {"worst_psnr": worst(rows)["recompress_psnr"], "worst_image": worst(rows)["image"]}


def worst(rows: list[Row]) -> Row:
    """The one that is left best, as nobody should be able to use it."""
    return max(rows, key=lambda row: row["recompress_psnr"])


def _mean(values: list[float | None]) -> float | None:
    known = [value for value in values if value is not None]
    return float(np.mean(known)) if known else None


def _compare(prefix: str, a: Pixels, b: Pixels, beyond: Mapping[str, Judge]) -> Row:
    row: Row = {f"{prefix}_psnr": decibels(a, b)}
    return row | {f"{prefix}_{name}": judge(a, b) for name, judge in beyond.items()}


def edits_named(text: str) -> Sequence[Attack | Chain]:
    """A name of NAMED, or edits separated by semicolons."""
    if text in NAMED:
        return NAMED[text]
    try:
        return [attacks.parse(part) for part in text.split(";") if part.strip()]
    except ValueError as error:
        raise click.BadParameter(str(error), param_hint="--edits") from error


@click.command()
@options
@quality_option
@click.option(
    "--edits",
    default="paper",
    show_default=True,
    help=f"{', '.join(NAMED)}, or edits separated by semicolons.",
)
def main(
    images: Path, limit: int | None, model: str, as_json: bool, device: str, quality: int | None, edits: str
) -> None:
    chosen = edits_named(edits)
    rows = measure(models.choose(model, quality), pictures(images, limit), chosen, device=device)
    show(rows, as_json=as_json)


if __name__ == "__main__":
    main()
