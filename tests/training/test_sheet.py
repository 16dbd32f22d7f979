"""Sheets have a column a stage, and put each picture where its title says."""

from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from slic import attacks
from training import sheet
from training.evaluate import Second

EDITS = ["none", *(str(e) for e in (*attacks.PAPER, *attacks.LAUNDERING, attacks.CUT_AND_SAVED))]


def crops(level: int, count: int = 8) -> NDArray[np.uint8]:
    return np.stack([np.full((32, 48, 3), level + i, np.uint8) for i in range(count)])


def test_original_first_encode_and_six_edits(tmp_path: Path) -> None:
    again = {name: list(crops(10 * i + 20)) for i, name in enumerate(EDITS)}
    sheet.write(Second(crops(0), crops(10), again, again, 1.0), tmp_path / "sheet.png")
    with Image.open(tmp_path / "sheet.png") as image:
        pixels = np.asarray(image)
    assert pixels.shape == (14 + 6 * 32, 8 * 48, 3)
    shown = [EDITS.index(next(n for n in EDITS if n.startswith(k))) for k in sheet._SHOWN]
    columns = [0, 10, *(10 * i + 20 for i in shown)]
    assert pixels[14 + 31 :: 32, 24::48, 0].tolist() == [[c + row for c in columns] for row in range(6)]


def test_fewer_crops_make_a_lower_sheet(tmp_path: Path) -> None:
    again = {name: list(crops(0, 2)) for name in EDITS}
    sheet.write(Second(crops(0, 2), crops(0, 2), again, again, 1.0), tmp_path / "sheet.png")
    with Image.open(tmp_path / "sheet.png") as image:
        assert image.size == (8 * 48, 14 + 2 * 32)


def test_of_a_plain_codec_originals_lie_above_and_decoded_below(tmp_path: Path) -> None:
    sheet.first(crops(0), crops(100), tmp_path / "sheet.png")
    with Image.open(tmp_path / "sheet.png") as image:
        pixels = np.asarray(image)
    assert pixels.shape == (64, 6 * 48, 3)
    assert pixels[::32, ::48, 0].tolist() == [list(range(6)), list(range(100, 106))]
