"""One model, several rates: gains multiply y before rounding and after, and the header names the quality."""

import io
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import tiny
import torch
from numpy.typing import NDArray
from PIL import Image
from safetensors import safe_open
from safetensors.numpy import save_file

import slic
from slic import models
from slic.engine import _scaled_back
from slic.errors import ModelError
from slic.models import Model
from slic.plugins import pillow
from slic.transforms import ARCHITECTURES
from slic_formats import parse

Maker = Callable[..., NDArray[np.uint8]]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("rates")


@pytest.fixture(scope="module", params=ARCHITECTURES)
def several(request: pytest.FixtureRequest, folder: Path) -> Model:
    return tiny.model(request.param, folder, rates=3)


@pytest.fixture(autouse=True)
def installed(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SLIC_MODELS", str(folder))


def test_every_quality_comes_back(several: Model, picture: Maker) -> None:
    sizes = []
    for quality in (1, 2, 3):
        data = slic.Codec(several, quality=quality).encode(picture(70, 90))
        assert parse(data).header.quality == quality
        assert slic.decode(data).size == (90, 70)
        sizes.append(len(data))
    assert sizes == sorted(sizes) and sizes[0] < sizes[2]


def test_qualities_may_stand_in_one_batch(several: Model, picture: Maker) -> None:
    codecs = [slic.Codec(several, quality=q) for q in (1, 3, 3)]
    files = [codec.encode(picture(40, 40, seed)) for seed, codec in enumerate(codecs)]
    alone = [np.asarray(codecs[0].decode(file)) for file in files]
    for ours, theirs in zip(codecs[1].decode_batch(files), alone, strict=True):
        assert np.abs(np.asarray(ours).astype(int) - theirs).max() <= 1


def test_quality_and_model_may_both_be_named(several: Model, picture: Maker) -> None:
    data = slic.encode(picture(30, 30), model=several.path, quality=2)
    assert data is not None and slic.info(data).quality == 2
    pillow.register()
    stream = io.BytesIO()
    Image.fromarray(picture(30, 30)).save(stream, "SLIC", model=str(several.path), quality=3)
    assert parse(stream.getvalue()).header.quality == 3
    with pytest.raises(ModelError, match="has no quality 4") as refused:
        slic.encode(picture(30, 30), model=several.path, quality=4)
    assert refused.value.hint == "it has 1 to 3"


def test_a_header_with_a_quality_that_the_model_lacks_is_refused(several: Model, picture: Maker) -> None:
    from dataclasses import replace

    from slic_formats import serialise

    container = parse(slic.encode(picture(30, 30), model=several.path) or b"")
    for quality in (0, 4, 255):
        forged = serialise(replace(container, header=replace(container.header, quality=quality)))
        with pytest.raises(ModelError, match="needs a quality that its model does not have"):
            slic.decode(forged)


FITS = "gains must be float32, two for each latent"
EACH = "offsets must be float32, one for each latent at each quality"


@pytest.mark.parametrize(
    ("name", "values", "reason"),
    [
        ("gains", np.ones((3, 2, tiny.M), np.float16), FITS),
        ("gains", np.ones((3, 2, tiny.M + 1), np.float32), FITS),
        ("gains", np.ones((3, tiny.M), np.float32), FITS),
        ("gains", np.zeros((3, 2, tiny.M), np.float32), "gains must be finite and positive"),
        ("gains", np.full((3, 2, tiny.M), np.inf, np.float32), "gains must be finite and positive"),
        ("offsets", np.zeros((3, tiny.M), np.float16), EACH),
        ("offsets", np.zeros((2, tiny.M), np.float32), EACH),
        ("offsets", np.full((3, tiny.M), np.nan, np.float32), "offsets must be finite"),
    ],
)
def test_bad_gains_and_offsets_are_refused(
    name: str, values: NDArray[np.floating], reason: str, tmp_path: Path, picture: Maker
) -> None:
    model = tiny.model("bmshj2018-hyperprior", tmp_path, rates=3)
    with safe_open(model.path, framework="numpy") as file:
        metadata = file.metadata()
    save_file(dict(model.tensors) | {name: values}, tmp_path / "bad.safetensors", metadata)
    with pytest.raises(ModelError, match=reason):
        slic.encode(picture(20, 20), model=tmp_path / "bad.safetensors")


def test_offsets_are_added_to_what_is_decoded(tmp_path: Path) -> None:
    """By quality, in models of an earlier kind; the file is the same, but for the model that it names."""
    model = tiny.model("bmshj2018-hyperprior", tmp_path, rates=3)
    offsets = np.random.default_rng(0).normal(size=(3, tiny.M)).astype(np.float32)
    with safe_open(model.path, framework="numpy") as file:
        metadata = file.metadata()
    save_file(dict(model.tensors) | {"offsets": offsets}, tmp_path / "older.safetensors", metadata)
    engine = slic.Codec(tmp_path / "older.safetensors", device="cpu")._engine
    y = torch.randint(-9, 9, (1, tiny.M, 5, 4)).float()
    for quality in (1, 3):
        _, after, offset = engine._gain(quality)
        assert np.array_equal(offset.flatten(), offsets[quality - 1])
        expected = engine._transforms.synthesise(y * after + offset)
        scaled_back = _scaled_back(y.clone(), engine._gain(quality))
        shown = engine._synthesise(scaled_back, 80, 64, quality, grey=False)
        levels = (expected * 255).round().clamp(0, 255).to(torch.uint8)
        assert torch.equal(shown, levels.permute(0, 2, 3, 1))


def test_a_card_cannot_promise_more_rates_than_there_are(tmp_path: Path, picture: Maker) -> None:
    model = tiny.model("bmshj2018-hyperprior", tmp_path, rates=3)
    with safe_open(model.path, framework="numpy") as file:
        metadata = file.metadata()
    save_file(dict(model.tensors), tmp_path / "more.safetensors", metadata | {"rates": "8"})
    with pytest.raises(ModelError, match="needs a quality that its model does not have"):
        slic.encode(picture(20, 20), model=tmp_path / "more.safetensors", quality=5)
    save_file(dict(model.tensors), tmp_path / "odd.safetensors", metadata | {"rates": "256"})
    with pytest.raises(ModelError, match="damaged card"):
        models.open_file(tmp_path / "odd.safetensors")
