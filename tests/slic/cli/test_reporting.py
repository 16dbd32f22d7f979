"""slic report: where the page goes; what is on it is tests/slic/trust/test_report.py's."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from calls import MODEL, Slic, tree  # type: ignore[import-not-found]
from numpy.typing import NDArray
from PIL import Image


@pytest.fixture
def copy(slic: Slic, picture: Callable[..., NDArray[np.uint8]]) -> None:
    """copy.png, 80x64."""
    Image.fromarray(picture(64, 80)).save("copy.png")


def test_a_page_is_written_and_the_finding_said(slic: Slic, copy: None) -> None:
    result = slic("report", "copy.png", "-o", "r.html", "-m", MODEL)
    assert result.stdout.startswith("r.html: cannot tell: model tiny-")
    assert (result.stderr, result.exit_code) == ("", 0)
    assert Path("r.html").read_text().startswith("<!doctype html>")


def test_a_slic_file(slic: Slic, file: Path) -> None:
    assert slic("report", "photo.slic", "-o", "r.html").exit_code == 0
    assert "<h1>photo.slic</h1>" in Path("r.html").read_text()


def test_a_page_that_is_there_stays(slic: Slic, copy: None) -> None:
    Path("r.html").write_text("mine")
    result = slic("report", "copy.png", "-o", "r.html", "-m", MODEL)
    assert (result.exit_code, Path("r.html").read_text()) == (1, "mine")
    assert result.stderr == "slic: r.html: file exists\nslic: hint: --force overwrites it\n"
    assert slic("report", "copy.png", "-o", "r.html", "-m", MODEL, "--force").exit_code == 0


def test_a_page_ends_in_html(slic: Slic, copy: None) -> None:
    result = slic("report", "copy.png", "-o", "copy.png")
    assert result.exit_code == 2
    assert "must end in .html" in result.stderr


def test_what_cannot_be_read_leaves_no_page(slic: Slic) -> None:
    Path("a.png").write_text("no picture")
    assert slic("report", "a.png", "-o", "r.html", "-m", MODEL).exit_code == 1
    assert tree() == ["a.png"]
