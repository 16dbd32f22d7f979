"""What only a real process shows: signals, pipes, the shell."""

import os
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from calls import MODEL, Slic, tree  # type: ignore[import-not-found]
from numpy.typing import NDArray
from PIL import Image

import slic as package
from slic.cli import program

ROOT = Path(__file__).parents[3]


def start(*args: str, **env: str) -> "subprocess.Popen[str]":
    path = os.pathsep.join((str(ROOT), str(ROOT / "formats")))
    return subprocess.Popen(
        [sys.executable, "-m", "slic", *args],
        env=os.environ | {"PYTHONPATH": path} | env,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


@pytest.mark.skipif(sys.platform == "win32", reason="signals are another matter there")
@pytest.mark.parametrize("jobs", ["1", "2"])
def test_an_interrupt_leaves_whole_files_and_no_traceback(
    slic: Slic, picture: Callable[..., NDArray[np.uint8]], jobs: str
) -> None:
    Image.fromarray(picture(800, 1200)).save("0.bmp")  # large: the interrupt must find work to interrupt
    for i in range(1, 60):
        os.link("0.bmp", f"{i}.bmp")
    with start("encode", "-m", MODEL, "-r", ".", "-o", "out", "-j", jobs) as process:
        assert process.stdout is not None and process.stderr is not None
        process.stdout.readline()  # the first is done, so many are not
        process.send_signal(signal.SIGINT)
        process.stdout.read()
        said = process.stderr.read()
    assert process.returncode == 130
    assert "Traceback" not in said and "rror" not in said
    made = [name for name in tree() if name.startswith("out")]
    assert 1 <= len(made) < 60
    assert slic("info", *made).exit_code == 0  # all of them whole


def test_a_reader_who_leaves_ends_it_quietly(file: Path, slic: Slic) -> None:
    with start("info", *["photo.slic"] * 2000) as process:
        assert process.stdout is not None and process.stderr is not None
        process.stdout.readline()
        process.stdout.close()
        assert process.stderr.read() == ""
    assert process.returncode == 1


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_completion_is_offered(shell: str, tmp_path: Path) -> None:
    with start(_SLIC_COMPLETE=f"{shell}_source") as process:
        said, _ = process.communicate()
    if "Couldn't detect Bash version" not in said:
        assert "slic" in said


def test_the_version_is_the_package_s(slic: Slic) -> None:
    assert slic("--version").stdout == f"slic {package.__version__}\n"


def test_a_wrong_option_is_a_usage_error(slic: Slic) -> None:
    result = slic("info", "--wrong")
    assert result.stderr.splitlines()[-1] == "slic: hint: slic info --help"
    assert (result.stdout, result.exit_code) == ("", 2)


def test_a_wrong_command_is_a_usage_error(slic: Slic) -> None:
    result = slic("encodd")
    assert result.stderr.startswith("slic: no such command 'encodd'")
    assert result.exit_code == 2


def test_a_name_has_one_line_and_moves_no_cursor(file: Path, slic: Slic) -> None:
    name = "a\nslic: b\x1b[2J.slic"
    shown = "a\\u000aslic: b\\u001b[2J"
    file.rename(name)
    assert slic("info", name).stdout.startswith(f"{shown}.slic\n")
    assert slic("decode", name).stdout == f"{shown}.png: 40x30, unsigned\n"
    assert slic("info", name + "x").stderr == f"slic: {shown}.slicx: no such file or directory\n"
    there = slic("decode", name).stderr.splitlines()
    assert there[0] == f"slic: {shown}.slic: {shown}.png exists already"


def test_what_nobody_expected_is_one_line(file: Path, slic: Slic, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(source: object) -> None:
        raise ZeroDivisionError("division\nby zero")

    monkeypatch.setattr("slic.describe.info", fail)
    result = slic("info", "photo.slic")
    assert result.stderr == "slic: internal error: division by zero; run with --debug to see where\n"
    assert result.exit_code == 1
    assert "Traceback" in slic("--debug", "info", "photo.slic").stderr


def test_debug_shows_where_an_error_comes_from(slic: Slic) -> None:
    said = slic("--debug", "info", "gone.slic").stderr
    assert said.startswith("slic: gone.slic: no such file or directory\nTraceback ")


def test_commands_are_all_there() -> None:
    assert set(program.list_commands(None)) >= {"encode", "decode", "info", "models"}  # type: ignore[arg-type]
