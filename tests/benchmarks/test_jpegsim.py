"""Imitations of JPEG are measured against the real one."""

import json
from pathlib import Path

import pytest
from click.testing import CliRunner
from PIL import Image
from safetensors.torch import save_file

pytest.importorskip("compressai", reason="training needs the extra [train], up to Python 3.12")

from benchmarks import jpegsim
from training.unetjpeg import UNetJPEG


@pytest.fixture
def folder(tmp_path: Path, picture) -> Path:  # type: ignore[no-untyped-def]
    Image.fromarray(picture(90, 70)).save(tmp_path / "a.png")
    return tmp_path


def test_every_imitation_is_measured(folder: Path) -> None:
    state = {key: value.contiguous() for key, value in UNetJPEG(1).state_dict().items()}
    save_file(state, folder / "unet.safetensors", {"width": "1"})
    arguments = ["--images", str(folder), "--weights", str(folder / "unet.safetensors"), "--json"]
    done = CliRunner().invoke(jpegsim.main, arguments, catch_exceptions=False)
    rows = {row["imitation"]: row for row in map(json.loads, done.output.splitlines())}
    assert list(rows) == ["identity", "dct straight-through", "dct cubic", "unet"]
    assert rows["dct straight-through"]["q50_db"] > rows["identity"]["q50_db"] + 3
    # A new network adds nothing to its input.
    assert all(rows["unet"][key] == rows["identity"][key] for key in ("q50_db", "q75_db", "q90_db"))


def test_without_weights_there_is_no_unet() -> None:
    assert "unet" not in jpegsim.imitations(None)
