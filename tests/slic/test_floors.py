"""A floor per channel of y: the encoder says nothing of what lies below. Decoders do not know of it."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from safetensors import safe_open
from safetensors.numpy import save_file

import slic
from slic.codec import Codec
from slic.errors import ModelError
from tests import tiny

Maker = Callable[..., NDArray[np.uint8]]


def test_each_channel_loses_its_floor(tmp_path: Path, picture: Maker) -> None:
    plain, floored = (
        tiny.model("bmshj2018-hyperprior", tmp_path, rates=3, floors=floors) for floors in (False, True)
    )
    floor = floored.tensors["floors"][:, None, None]
    assert floor.max() == 2
    y = Codec(plain, device="cpu").latents(picture(90, 70))
    expected = np.sign(y) * np.maximum(np.abs(y) - floor, 0)
    codec = Codec(floored, device="cpu")
    answered = codec._engine._analyse(torch.from_numpy(picture(90, 70))[None])[0].numpy()
    np.testing.assert_allclose(answered, expected, atol=1e-6)
    np.testing.assert_array_equal(codec.latents(picture(90, 70)), y, "who looks at latents sees all of them")
    assert (expected == 0).any() and (expected[-1] != 0).any()


def test_files_decode_and_are_the_model_s_own(tmp_path: Path, picture: Maker) -> None:
    floored = tiny.model("bmshj2018-hyperprior", tmp_path, rates=3, floors=True)
    codec = Codec(floored, device="cpu")
    data = codec.encode(picture(90, 70))
    assert np.array_equal(np.asarray(codec.decode(data)), codec.again(picture(90, 70)))
    without = tiny.model("bmshj2018-hyperprior", tmp_path, rates=3)
    assert without.identity != floored.identity


@pytest.mark.parametrize(
    ("floors", "reason"),
    [
        (np.zeros(tiny.M, np.float16), "floors must be float32, one for each latent"),
        (np.zeros(tiny.M + 1, np.float32), "floors must be float32, one for each latent"),
        (np.zeros((tiny.M, 1), np.float32), "floors must be float32, one for each latent"),
        (np.full(tiny.M, -1, np.float32), "floors must be finite and not negative"),
        (np.full(tiny.M, np.nan, np.float32), "floors must be finite and not negative"),
    ],
)
def test_bad_floors_are_refused(
    floors: NDArray[np.floating], reason: str, tmp_path: Path, picture: Maker
) -> None:
    model = tiny.model("bmshj2018-hyperprior", tmp_path)
    with safe_open(model.path, framework="numpy") as file:
        metadata = file.metadata()
    save_file(dict(model.tensors) | {"floors": floors}, tmp_path / "bad.safetensors", metadata)
    with pytest.raises(ModelError, match=reason):
        slic.encode(picture(20, 20), model=tmp_path / "bad.safetensors")
