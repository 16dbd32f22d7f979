"""A program to call, in an empty folder, with one tiny model installed."""

import inspect
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner, Result
from numpy.typing import NDArray
from PIL import Image

sys.path.insert(0, str(Path(__file__).parent))

from calls import MODEL, Slic

from slic.cli import program
from slic.models import Model


@pytest.fixture
def slic(tmp_path: Path, tiny_model: Model, monkeypatch: pytest.MonkeyPatch) -> Slic:
    """Calls the program; `result.stdout` and `result.stderr` are kept apart."""
    models, home = tmp_path / "models", tmp_path / "here"
    models.mkdir()
    home.mkdir()
    (models / "tiny.safetensors").write_bytes(tiny_model.path.read_bytes())
    monkeypatch.setenv("SLIC_MODELS", str(models))
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "data"))
    monkeypatch.chdir(home)
    apart = {"mix_stderr": False} if "mix_stderr" in inspect.signature(CliRunner).parameters else {}

    def call(*args: str, input: bytes | None = None) -> Result:
        return CliRunner(**apart).invoke(program, args, input=input)  # type: ignore[arg-type]

    return call


@pytest.fixture
def encode(slic: Slic) -> Slic:
    return lambda *args, **more: slic("encode", "-m", MODEL, *args, **more)


@pytest.fixture
def photo(slic: Slic, picture: Callable[..., NDArray[np.uint8]]) -> Path:
    """photo.png, 40x30."""
    Image.fromarray(picture(30, 40)).save("photo.png")
    return Path("photo.png")


@pytest.fixture
def file(photo: Path, encode: Slic) -> Path:
    """photo.slic, made from photo.png, which is gone."""
    assert encode("photo.png").exit_code == 0
    photo.unlink()
    return Path("photo.slic")
