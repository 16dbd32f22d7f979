"""Sheets show each step of a picture's way."""

import hashlib
import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
from click.testing import CliRunner
from numpy.typing import NDArray
from PIL import Image

from benchmarks import contact_sheet
from slic.models import Model


def test_a_sheet_for_each_picture_and_a_row_for_each_encode(
    tiny_model: Model, tmp_path: Path, picture: Callable[..., NDArray[np.uint8]]
) -> None:
    for name, size in (("a", (64, 96)), ("b", (90, 70))):
        Image.fromarray(picture(*size)).save(tmp_path / f"{name}.png")
    arguments = ["--images", str(tmp_path), "--model", str(tiny_model.path), "--device", "cpu", "--json"]
    arguments += ["--out", str(tmp_path / "out"), "--edits", "blur; crop(left=3, top=5)"]
    done = CliRunner().invoke(contact_sheet.main, arguments, catch_exceptions=False)
    rows = [json.loads(line) for line in done.stdout.splitlines()]
    assert [row.get("edit", "sheet") for row in rows] == ["", "none", "blur", "crop", "sheet"] * 2
    for row in rows[4::5]:
        data = (tmp_path / "out" / row["sheet"]).read_bytes()
        assert hashlib.sha256(data).hexdigest() == row["sha256"]


def test_pairs_stay_together_below_the_first_line() -> None:
    cell = (np.zeros((50, 100, 3), np.uint8), "black")
    page = contact_sheet.sheet([[cell] * 3, *[[cell] * 2] * 4])
    side, line = contact_sheet.SIDE + contact_sheet.GAP, contact_sheet.SIDE // 2 + contact_sheet.LINE
    assert page.width == 6 * side + contact_sheet.GAP  # three pairs
    assert page.height == 3 * (line + contact_sheet.GAP) + contact_sheet.GAP  # then the fourth


def test_an_edit_that_does_not_exist_is_one_line() -> None:
    done = CliRunner().invoke(contact_sheet.main, ["--edits", "blurr"])
    assert done.exit_code == 2 and "unknown edit blurr" in done.output
