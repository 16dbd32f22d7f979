"""Files written once decode for ever: their symbols exactly, their pixels within one level."""

import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

import slic
from slic import models

FOLDER = Path(__file__).parents[2] / "formats" / "vectors" / "decode"
FILES = sorted(FOLDER.glob("*.slic"))


def test_there_are_vectors_of_every_architecture() -> None:
    assert {models.open_file(p).architecture for p in FOLDER.glob("*.safetensors")} == {
        "bmshj2018-hyperprior",
        "mbt2018",
        "cheng2020-anchor",
        "cheng2020-attn",
    }
    assert len(FILES) == 18


@pytest.fixture(autouse=True)
def stored_models(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SLIC_MODELS", str(FOLDER))


@pytest.mark.parametrize("file", FILES, ids=lambda f: f.stem)
def test_decodes_as_it_did_when_it_was_written(file: Path) -> None:
    """A decode that succeeds has the stored symbols: their digest is in the file and in the JSON."""
    facts = json.loads(file.with_suffix(".json").read_text())
    described = slic.info(file)
    assert (described.model, described.digest, described.mode) == (
        facts["model"],
        facts["digest"],
        facts["mode"],
    )
    decoded = slic.decode(file, precision="fp32")
    expected = np.asarray(Image.open(file.with_suffix(".png")))
    assert np.abs(np.asarray(decoded).astype(int) - expected).max() <= 1


@pytest.mark.parametrize("file", FILES, ids=lambda f: f.stem)
def test_bf16_decodes_the_same_symbols(file: Path) -> None:
    assert slic.decode(file, precision="bf16").mode == slic.decode(file, precision="fp32").mode
