"""Options that all share, pictures in, rows out."""

import json
from pathlib import Path

import click
import numpy as np
import pytest
from click.testing import CliRunner
from PIL import Image

from benchmarks import data


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for name in ("b.png", "a.jpg"):
        Image.fromarray(np.zeros((8, 8, 3), np.uint8)).save(tmp_path / name)
    (tmp_path / "notes.txt").write_text("no picture")
    return tmp_path


def test_pictures_come_by_name_as_many_as_asked_for(folder: Path) -> None:
    assert [name for name, _ in data.pictures(folder)] == ["a", "b"]
    assert [name for name, _ in data.pictures(folder, 1)] == ["a"]


def test_no_bar_where_stderr_is_no_terminal(folder: Path, capfd: pytest.CaptureFixture[str]) -> None:
    list(data.pictures(folder))
    assert capfd.readouterr() == ("", "")


def test_a_command_without_a_device_has_no_such_option() -> None:
    @click.command()
    @data.options
    def with_device(images: Path, limit: int | None, model: str, as_json: bool, device: str) -> None:
        click.echo(device)

    @click.command()
    @data.options
    def without(images: Path, limit: int | None, model: str, as_json: bool) -> None: ...

    assert CliRunner().invoke(with_device, ["--device", "cpu"]).stdout == "cpu\n"
    assert CliRunner().invoke(with_device, []).stdout == "auto\n"
    assert CliRunner().invoke(without, ["--device", "cpu"]).exit_code == 2


def test_rows_are_lines_of_json_or_tables(capsys: pytest.CaptureFixture[str]) -> None:
    rows = [{"image": "a", "psnr": 31.23456}, {"image": "mean", "of": 2}]
    data.show(rows, as_json=True)
    assert [json.loads(line) for line in capsys.readouterr().out.splitlines()] == rows
    data.show(rows, as_json=False)
    assert [line.split() for line in capsys.readouterr().out.splitlines() if line] == [
        ["image", "psnr"], ["a", "31.23"], ["image", "of"], ["mean", "2"]
    ]  # fmt: skip


def test_psnr_of_one_level() -> None:
    a = np.zeros((4, 4, 3), np.uint8)
    assert data.psnr(a, a) == float("inf")
    assert data.psnr(a, a + np.uint8(1)) == pytest.approx(48.1308, abs=1e-4)
