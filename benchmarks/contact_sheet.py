"""What does a picture look like, published, edited, and encoded again?

    python -m benchmarks.contact_sheet --images DIR --out DIR [--edits "blur; crop(left=3, top=5)"] [--json]

A sheet for each picture, `contact-sheet-NAME.jpg`: first the original, its first encode and an encode of
that; then each edit beside what encoding it again gives. A row for each edit says the PSNR between those
two; the last row of a picture has the SHA-256 of its sheet.
"""

import hashlib
from collections.abc import Iterable, Iterator, Sequence
from io import BytesIO
from itertools import chain
from pathlib import Path

import click
from PIL import Image, ImageDraw, ImageFont

from benchmarks.data import Pixels, Row, options, pictures, psnr, show
from benchmarks.passes import quality_option, slic
from benchmarks.recompress import edits_named
from slic import Codec, models
from slic.attacks import Attack, Chain

SIDE = 176  # of a cell's picture, the longer one
PAIRS = 3  # in a row of the sheet
LINE, GAP = 17, 6

Cell = tuple[Pixels, str]


def measure(
    codec: Codec, images: Iterable[tuple[str, Pixels]], edits: Sequence[Attack | Chain], out: Path
) -> Iterator[Row]:
    out.mkdir(parents=True, exist_ok=True)
    for name, pixels in images:
        cells, rows = look(codec, pixels, edits)
        yield from ({"image": name} | row for row in rows)
        stream = BytesIO()
        sheet(cells).save(stream, "JPEG", quality=85)
        file = out / f"contact-sheet-{name}.jpg"
        file.write_bytes(stream.getvalue())
        yield {"image": name, "sheet": file.name, "sha256": hashlib.sha256(stream.getvalue()).hexdigest()}


def look(codec: Codec, pixels: Pixels, edits: Sequence[Attack | Chain]) -> tuple[list[list[Cell]], list[Row]]:
    """The cells of a sheet, in groups that stay together, and a row for each encode."""
    code = slic(codec)
    first, bpp = code(pixels)
    known = f"encoded: {psnr(pixels, first):.1f} dB, {bpp:.2f} bpp"
    cells = [[(pixels, "original"), (first, known)]]
    rows: list[Row] = [{"edit": "", "psnr": psnr(pixels, first), "bpp": bpp}]
    for edit in (None, *edits):
        edited = edit(first) if edit else first
        again, bpp = code(edited)
        rows.append({"edit": edit.name if edit else "none", "psnr": psnr(edited, again), "bpp": bpp})
        label = f"encoded again: {psnr(edited, again):.1f} dB"
        if edit is None:
            cells[0].append((again, label))
        else:
            cells.append([(edited, edit.name), (again, label)])
    return cells, rows


def sheet(cells: Sequence[Sequence[Cell]]) -> Image.Image:
    """The first group on a line of its own, then PAIRS groups a line."""
    lines = [list(cells[0])]
    lines += [list(chain(*cells[i : i + PAIRS])) for i in range(1, len(cells), PAIRS)]
    height, width = cells[0][0][0].shape[:2]
    scale = SIDE / max(height, width)
    w, h = max(1, round(width * scale)), max(1, round(height * scale))
    columns = max(map(len, lines))
    page = Image.new("RGB", (columns * (w + GAP) + GAP, len(lines) * (h + LINE + GAP) + GAP), (255, 255, 255))
    draw, font = ImageDraw.Draw(page), ImageFont.load_default(12)
    for i, line in enumerate(lines):
        for j, (pixels, label) in enumerate(line):
            left, top = GAP + j * (w + GAP), GAP + i * (h + LINE + GAP)
            page.paste(_shrunk(pixels, w, h), (left, top))
            draw.text((left, top + h + 2), label, (0, 0, 0), font)
    return page


def _shrunk(pixels: Pixels, width: int, height: int) -> Image.Image:
    """Within these sides; a crop keeps its shape."""
    image = Image.fromarray(pixels)
    image.thumbnail((width, height), Image.Resampling.LANCZOS)
    return image


@click.command()
@options
@quality_option
@click.option(
    "--edits", default="paper", show_default=True, help="Those, or others, separated by semicolons."
)
@click.option("--out", type=click.Path(file_okay=False, path_type=Path), default=Path("runs/sheets"))
def main(
    images: Path,
    limit: int | None,
    model: str,
    as_json: bool,
    device: str,
    quality: int | None,
    edits: str,
    out: Path,
) -> None:
    codec = Codec(models.choose(model, quality), device=device)
    show(measure(codec, pictures(images, limit), edits_named(edits), out), as_json=as_json)


if __name__ == "__main__":
    main()
