"""What the benchmarks share: pictures to measure on, rows out."""

import json
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any

import click
import numpy as np
from numpy.typing import NDArray
from PIL import Image

Row = dict[str, Any]
Pixels = NDArray[np.uint8]

EXAMPLES = Path(__file__).parents[1] / "examples"


def options(command: Callable[..., None]) -> Callable[..., None]:
    """--images, --limit, --model, --json."""
    for option in (
        click.option(
            "--images", type=click.Path(exists=True, path_type=Path), default=EXAMPLES, show_default=True
        ),
        click.option("--limit", type=int, default=None, help="Measure on this many pictures only."),
        click.option("--model", default="slic", show_default=True, help="A model's name or file."),
        click.option("--json", "as_json", is_flag=True, help="One JSON object a row."),
    ):
        command = option(command)
    return command


def pictures(folder: Path, limit: int | None = None) -> Iterator[tuple[str, Pixels]]:
    """Name and (H,W,3) of every picture in a folder, by name."""
    files = sorted(f for f in folder.iterdir() if f.suffix.lower() in {".png", ".jpg", ".jpeg"})
    for file in files[:limit]:
        with Image.open(file) as image:
            yield file.stem, np.asarray(image.convert("RGB"))


def show(rows: Iterable[Row], *, as_json: bool) -> None:
    """Print rows as they come: JSON lines, or a table headed anew whenever the columns change."""
    columns: list[str] = []
    for row in rows:
        if as_json:
            click.echo(json.dumps(row))
            continue
        if list(row) != columns:
            columns = list(row)
            click.echo("\n" + "  ".join(f"{c:>14}" for c in columns))
        click.echo("  ".join(f"{text(v):>14}" for v in row.values()))


def text(value: Any) -> str:
    return f"{value:.4g}" if isinstance(value, float) else str(value)


def psnr(a: Pixels, b: Pixels) -> float:
    """Decibels on 8-bit levels."""
    error = float(np.mean((a.astype(np.float64) - b) ** 2))
    return float("inf") if error == 0 else 10 * float(np.log10(255**2 / error))
