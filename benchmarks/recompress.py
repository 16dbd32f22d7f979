"""What becomes of a decoded picture that is edited and encoded again?

    python -m benchmarks.recompress --images DIR [--edits "jpeg(quality=50); crop(left=3, top=5)"] [--json]

Through whole `.slic` files and 8-bit pixels. `recompress_psnr` is between the edited picture and its
encode: low is destroyed. A block of 16x16 is destroyed below 15 dB. The last rows are means over the
pictures, with the picture that fared best (for a secured model: the worst case).
"""

from collections.abc import Iterator, Sequence
from pathlib import Path

import click
import numpy as np

from benchmarks.data import Pixels, Row, options, pictures, psnr, show
from slic import Codec, attacks, models
from slic.attacks import Attack, Chain
from slic.models import Model

BLOCK, DESTROYED = 16, 15.0


def measure(
    model: Model, images: Iterator[tuple[str, Pixels]], edits: Sequence[Attack | Chain]
) -> Iterator[Row]:
    codec, rows = Codec(model), []
    for name, pixels in images:
        first, bpp = _pass(codec, pixels)
        for edit in (None, *edits):
            edited = edit(first) if edit else first
            again, again_bpp = _pass(codec, edited)
            row = {
                "image": name,
                "model": model.name,
                "edit": str(edit or "none"),
                "bpp": bpp,
                "first_psnr": psnr(pixels, first),
                "recompress_psnr": psnr(edited, again),
                "recompress_bpp": again_bpp,
                "blocks_destroyed": destroyed(edited, again),
            }
            rows.append(row)
            yield row
    for edit in dict.fromkeys(row["edit"] for row in rows):
        yield _summary([row for row in rows if row["edit"] == edit])


def destroyed(a: Pixels, b: Pixels) -> float:
    """Share of whole blocks whose PSNR is below DESTROYED."""
    h, w = (n // BLOCK * BLOCK for n in a.shape[:2])
    error = np.square(a[:h, :w].astype(np.float64) - b[:h, :w]).mean(2)
    blocks = error.reshape(h // BLOCK, BLOCK, w // BLOCK, BLOCK).mean((1, 3))
    return float((blocks > 255**2 / 10 ** (DESTROYED / 10)).mean())


def _summary(rows: list[Row]) -> Row:
    means = {k: float(np.mean([row[k] for row in rows])) for k in rows[0] if isinstance(rows[0][k], float)}
    best = max(rows, key=lambda row: row["recompress_psnr"])
    highest = {"highest_psnr": best["recompress_psnr"], "of": best["image"]}
    return {"edit": rows[0]["edit"], "images": len(rows)} | means | highest


def _pass(codec: Codec, pixels: Pixels) -> tuple[Pixels, float]:
    data = codec.encode(pixels)
    return np.asarray(codec.decode(data)), 8 * len(data) / (pixels.shape[0] * pixels.shape[1])


@click.command()
@options
@click.option("--quality", type=int, help="1 to 8, for a model that has several.")
@click.option("--edits", default="", help="In place of the paper's nine, separated by semicolons.")
def main(images: Path, limit: int | None, model: str, as_json: bool, quality: int | None, edits: str) -> None:
    try:
        chosen = [attacks.parse(text) for text in edits.split(";") if text.strip()] or attacks.PAPER
    except ValueError as error:
        raise click.BadParameter(str(error), param_hint="--edits") from error
    show(measure(models.choose(model, quality), pictures(images, limit), chosen), as_json=as_json)


if __name__ == "__main__":
    main()
