"""Pictures to look at after each evaluation: a row a crop, a column a stage."""

from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw

from training.evaluate import Second

_SHOWN = ("none", "affine", "blur", "median", "jpeg", "webp")  # edits, by the beginning of their names
_ROWS, _HEAD = 6, 14  # crops; pixels above a column for its name


def write(result: Second, file: Path) -> None:
    """Original, first encode, then for some edits what was encoded again."""
    edits = [next(n for n in result.edited if n.startswith(shown)) for shown in _SHOWN]
    columns = {"original": list(result.original), "first encode": list(result.first)}
    columns |= {f"again: {name}": result.again[name] for name in edits}
    height, width = result.original.shape[1:3]
    rows = min(_ROWS, len(result.original))
    sheet = Image.new("RGB", (width * len(columns), _HEAD + height * rows), "white")
    draw = ImageDraw.Draw(sheet)
    for i, (title, pictures) in enumerate(columns.items()):
        draw.text((i * width + 2, 1), title, fill="black")
        for row in range(rows):
            sheet.paste(Image.fromarray(pictures[row]), (i * width, _HEAD + row * height))
    sheet.save(file)


def first(original: NDArray[np.uint8], decoded: NDArray[np.uint8], file: Path) -> None:
    """For a plain codec: originals above, decoded below, (B,H,W,3) each."""
    rows = [np.concatenate(list(part[:_ROWS]), 1) for part in (original, decoded)]
    Image.fromarray(np.concatenate(rows, 0)).save(file)
