"""What the benchmarks share: pictures to measure on, rows out."""

import inspect
import json
import sys
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any, TypeVar

import click
import numpy as np
from numpy.typing import NDArray
from PIL import Image
from tqdm import tqdm

Row = dict[str, Any]
Pixels = NDArray[np.uint8]
T = TypeVar("T")

EXAMPLES = Path(__file__).parents[1] / "examples"

_images = click.option(
    "--images",
    type=click.Path(exists=True, file_okay=False, path_type=Path),
    default=EXAMPLES,
    show_default=True,
    help="A folder of pictures; python -m benchmarks.datasets fetches Kodak's.",
)
_device = click.option(
    "--device",
    type=click.Choice(["auto", "cpu", "cuda"]),
    default="auto",
    show_default=True,
    help="Where slic runs; auto is cuda where there is one.",
)


def options(command: Callable[..., None]) -> Callable[..., None]:
    """--images, --limit, --model, --json; --device where the command takes a `device`."""
    shared = [
        _images,
        click.option("--limit", type=int, default=None, help="Measure on this many pictures only."),
        click.option("--model", default="slic", show_default=True, help="A model's name or file."),
        click.option("--json", "as_json", is_flag=True, help="One JSON object a row."),
    ]
    if "device" in inspect.signature(command).parameters:
        shared.append(_device)
    for option in shared:
        command = option(command)
    return command


def pictures(folder: Path, limit: int | None = None) -> Iterator[tuple[str, Pixels]]:
    """Name and (H,W,3) of every picture in a folder, by name; a bar shows how far one is."""
    files = sorted(f for f in folder.iterdir() if f.suffix.lower() in {".png", ".jpg", ".jpeg"})
    for file in progress(files[:limit], "pictures"):
        with Image.open(file) as image:
            yield file.stem, np.asarray(image.convert("RGB"))


def progress(items: Iterable[T], what: str, total: int | None = None) -> Iterable[T]:
    """The same items, with a bar on stderr if that is a terminal."""
    bar: Iterable[T] = tqdm(items, desc=what, total=total, disable=None, leave=False)
    return bar


def show(rows: Iterable[Row], *, as_json: bool) -> None:
    """Print rows as they come: JSON lines, or a table headed anew whenever the columns change."""
    columns: list[str] = []
    for row in rows:
        if as_json:
            _print(json.dumps(row))
            continue
        if list(row) != columns:
            columns = list(row)
            _print("\n" + "  ".join(f"{c:>14}" for c in columns))
        _print("  ".join(f"{text(v):>14}" for v in row.values()))


def _print(line: str) -> None:
    """To stdout at once, above whatever bar is on the terminal."""
    tqdm.write(line)
    sys.stdout.flush()


def text(value: Any) -> str:
    return f"{value:.4g}" if isinstance(value, float) else str(value)


def middle(pixels: Pixels, side: int) -> Pixels:
    """A square of it, or as much as there is."""
    top, left = (max(0, length - side) // 2 for length in pixels.shape[:2])
    return np.ascontiguousarray(pixels[top : top + side, left : left + side])


def psnr(a: Pixels, b: Pixels) -> float:
    """Decibels on 8-bit levels."""
    error = float(np.mean((a.astype(np.float64) - b) ** 2))
    return float("inf") if error == 0 else 10 * float(np.log10(255**2 / error))
