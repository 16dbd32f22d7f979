"""slic check. What it finds is tests/slic/trust/test_tamper.py's; here, how it is said."""

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from calls import MODEL, Slic, tree  # type: ignore[import-not-found]
from numpy.typing import NDArray
from PIL import Image

from slic.models import Model
from slic.trust import tamper
from slic.trust.tamper import Look, TamperReport

SMALL = "cannot tell: a side of 30 pixels shows too little; 64 are needed"


@pytest.fixture
def found(monkeypatch: pytest.MonkeyPatch) -> Callable[[bool], None]:
    """Makes every picture untouched, or edited near its upper left corner."""

    class Secured:
        name, secured = "press", True

    def look(levels: NDArray[np.uint8], edited: bool) -> TamperReport:
        trace = 2 * np.ones([-(-side // 16) for side in levels.shape[:2]], np.float32)
        if edited:
            trace[2:6, 2:6] = -4
        return tamper.judge(levels, Look(20 - 6 * trace, trace, levels), Secured())  # type: ignore[arg-type]

    def force(edited: bool) -> None:
        monkeypatch.setattr(tamper, "check_levels", lambda levels, codec: look(levels, edited))

    return force


@pytest.fixture
def copies(slic: Slic, picture: Callable[..., NDArray[np.uint8]]) -> None:
    """inbox/a.png and inbox/a.jpg of 160x128, and a text."""
    Path("inbox").mkdir()
    for name in ("a.png", "a.jpg"):
        Image.fromarray(picture(128, 160)).save(f"inbox/{name}")
    Path("inbox/notes.txt").write_text("no picture")


def test_untouched_exits_with_0(slic: Slic, copies: None, found: Callable[[bool], None]) -> None:
    found(False)
    result = slic("check", "-m", MODEL, "inbox/a.png")
    assert result.stdout == "inbox/a.png: protected and untouched: all of it came out of press\n"
    assert (result.stderr, result.exit_code) == ("", 0)


def test_edited_exits_with_3(slic: Slic, copies: None, found: Callable[[bool], None]) -> None:
    found(True)
    result = slic("check", "-m", MODEL, "inbox/a.png")
    line = "inbox/a.png: protected, edited here: 20.0% of it, in one region, did not come out of press\n"
    assert (result.stdout, result.exit_code) == (line, 3)


def test_a_folder_with_two_of_one_name(slic: Slic, copies: None, found: Callable[[bool], None]) -> None:
    found(False)
    result = slic("check", "-m", MODEL, "-r", "inbox")
    assert [line.split(":")[0] for line in result.stdout.splitlines()] == ["inbox/a.jpg", "inbox/a.png"]
    assert (
        slic("check", "-m", MODEL, "inbox").stderr
        == "slic: inbox: is a folder\nslic: hint: -r goes through it\n"
    )


def test_maps_are_written_for_what_was_edited(
    slic: Slic, copies: None, found: Callable[[bool], None]
) -> None:
    found(False)
    slic("check", "-m", MODEL, "inbox/a.png", "--map", "map.png")
    assert not Path("map.png").exists()
    found(True)
    slic("check", "-m", MODEL, "inbox/a.png", "--map", "map.png")
    with Image.open("map.png") as drawn:
        assert drawn.size == (160, 128)


def test_a_map_that_is_there_stays(slic: Slic, copies: None, found: Callable[[bool], None]) -> None:
    found(True)
    Path("map.png").write_text("mine")
    result = slic("check", "-m", MODEL, "inbox/a.png", "--map", "map.png")
    assert (result.exit_code, Path("map.png").read_text()) == (1, "mine")
    assert "map.png: file exists" in result.stderr
    assert slic("check", "-m", MODEL, "inbox/a.png", "--map", "map.png", "--force").exit_code == 3


def test_maps_of_a_folder_keep_its_tree(slic: Slic, copies: None, found: Callable[[bool], None]) -> None:
    found(True)
    Path("inbox/a.jpg").unlink()
    slic("check", "-m", MODEL, "-r", "inbox", "--map", "maps/")
    assert "maps/a.map.png" in tree()


def test_json(slic: Slic, copies: None, found: Callable[[bool], None]) -> None:
    found(True)
    result = slic("check", "-m", MODEL, "inbox/a.png", "missing.png", "--json", "--map", "maps")
    first, second = map(json.loads, result.stdout.splitlines())
    assert first.pop("seconds") >= 0
    assert first == {
        "input": "inbox/a.png",
        "ok": False,
        "finding": "protected, edited here",
        "reason": "20.0% of it, in one region, did not come out of press",
        "model": "press",
        "edited": 0.2,
        "own": first["own"],
        "scale": 1.0,
        "turned": 0,
        "mirrored": False,
        "boxes": [[32, 32, 96, 96]],
        "map": "maps/a.map.png",
    }
    assert second == {"input": "missing.png", "ok": False, "error": "no such file or directory", "hint": None}
    assert result.exit_code == 3


def test_a_slic_file_and_standard_input(slic: Slic, file: Path, tiny_model: Model) -> None:
    assert slic("check", "-m", MODEL, str(file)).stdout == f"photo.slic: {SMALL}\n"
    assert slic("check", "-m", MODEL, "-", input=file.read_bytes()).stdout == f"-: {SMALL}\n"


def test_what_cannot_be_read_exits_with_1(slic: Slic) -> None:
    Path("a.png").write_text("no picture")
    result = slic("check", "-m", MODEL, "a.png")
    assert result.exit_code == 1
    assert result.stderr.startswith("slic: a.png: ")
