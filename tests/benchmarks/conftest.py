"""Two small pictures, a tiny model of three rates, and a benchmark asked as from the shell."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import click
import pytest
import tiny
from click.testing import CliRunner
from PIL import Image

from slic.models import Model

Ask = Callable[..., list[dict[str, Any]]]


@pytest.fixture(scope="session")
def two_pictures(tmp_path_factory: pytest.TempPathFactory, picture) -> Path:  # type: ignore[no-untyped-def]
    folder = tmp_path_factory.mktemp("pictures")
    for name, seed in (("a", 1), ("b", 2)):
        Image.fromarray(picture(82, 97, seed)).save(folder / f"{name}.png")
    return folder


@pytest.fixture(scope="session")
def three_rates(tmp_path_factory: pytest.TempPathFactory) -> Model:
    return tiny.model("bmshj2018-hyperprior", tmp_path_factory.mktemp("rates"), rates=3)


@pytest.fixture
def ask(two_pictures: Path, three_rates: Model, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Ask:
    """The rows of a benchmark's command, on the two pictures, with the tiny model, without backbones."""
    monkeypatch.setenv("SLIC_BACKBONES", str(tmp_path))

    def run(command: click.Command, *arguments: str) -> list[dict[str, Any]]:
        usual = ["--images", str(two_pictures), "--model", str(three_rates.path), "--device", "cpu", "--json"]
        done = CliRunner().invoke(command, [*usual, *arguments], catch_exceptions=False)
        assert done.exit_code == 0, done.output
        return [json.loads(line) for line in done.stdout.splitlines()]

    return run
