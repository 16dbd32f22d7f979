"""Waves that a decoder adds to its pixels: what SPEC.md says, whatever the tiles, louder where it is busy."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from safetensors import safe_open
from safetensors.numpy import save_file

import slic
from slic import engine, trigger
from slic.codec import Codec
from slic.errors import ModelError
from slic.models import Model
from slic.trigger import LOUDEST, MOST_WAVES, PERIOD, Trigger, busy
from tests import tiny

Maker = Callable[..., NDArray[np.uint8]]


@pytest.fixture(scope="module")
def models(tmp_path_factory: pytest.TempPathFactory) -> tuple[Model, Model]:
    """One with a trigger and one without; in all else they are the same."""
    folder = tmp_path_factory.mktemp("models")
    with_it, without = (
        tiny.model("bmshj2018-hyperprior", folder, rates=3, trigger=trigger) for trigger in (True, False)
    )
    assert with_it.identity != without.identity
    return with_it, without


def made(loudness: float = 1.0) -> Trigger:
    return Trigger(tiny.waves(), torch.tensor([loudness]))


def test_the_waves_repeat_and_are_as_loud_as_one() -> None:
    tile = made().tile()
    assert tile.shape == (PERIOD, PERIOD)
    assert float(tile.square().mean().sqrt()) == pytest.approx(1, abs=1e-5)
    assert abs(float(tile.mean())) < 1e-5, "nothing gets brighter"
    flat = torch.full((1, 3, 2 * PERIOD, 3 * PERIOD), 0.5)
    left = made().left_on(flat, 1, 0, 0) - flat
    torch.testing.assert_close(left[..., PERIOD:, PERIOD : 2 * PERIOD], left[..., :PERIOD, 2 * PERIOD :])
    torch.testing.assert_close(left, left[:, :1].expand_as(left), msg="the same in every colour")
    torch.testing.assert_close(
        left[0, 0, :PERIOD, :PERIOD], tile * trigger.STILL**0.5 / 255, atol=1e-6, rtol=0
    )


@pytest.mark.parametrize("quality", [1, 3])
def test_what_is_added_is_what_the_specification_says(quality: int, picture: Maker) -> None:
    """Once more, slowly, in numpy. What g_s makes may lie outside [0,1] and is not clipped before."""
    waves, loudness = tiny.waves(3), torch.tensor([2.0, 1.5, 1.0])
    height, width = 144, 48
    pixels = picture(height, width).astype(np.float64) / 100 - 0.7
    grey = 255 * pixels.mean(2)
    added = _around(np.sqrt(np.abs(grey - _around(grey)) + 0.3)) * float(loudness[quality - 1]) / 255
    y, x = np.mgrid[:height, :width]
    angles = [2 * np.pi * (down * y + right * x) / 112 + phase for down, right, phase in waves.tolist()]
    added *= np.sqrt(2 / len(waves)) * np.sum(np.cos(angles), 0)
    given = torch.from_numpy(pixels).permute(2, 0, 1)[None].float()
    ours = Trigger(waves, loudness).left_on(given, quality, 0, 0)[0].permute(1, 2, 0).numpy()
    np.testing.assert_allclose(ours, pixels + added[..., None], atol=1e-5)


def _around(values: NDArray[np.float64]) -> NDArray[np.float64]:
    h, w = (side // 4 for side in values.shape)
    blocks = values.reshape(h, 4, w, 4).mean((1, 3))
    means = [
        [blocks[max(0, i - 2) : i + 3, max(0, j - 2) : j + 3].mean() for j in range(w)] for i in range(h)
    ]
    rows, columns = ((np.arange(4 * n) + 0.5) / 4 - 0.5 for n in (h, w))
    along = np.array([np.interp(columns, range(w), row) for row in np.array(means)])
    return np.array([np.interp(rows, range(h), column) for column in along.T]).T


@pytest.mark.parametrize("grey", [False, True])
def test_tiles_equal_the_whole(
    grey: bool, models: tuple[Model, Model], picture: Maker, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole, codec = picture(300, 250), Codec(models[0], quality=1, device="cpu", precision="fp32")
    data = codec.encode(whole[..., 0] if grey else whole)
    at_once = np.asarray(codec.decode(data)).astype(int)
    monkeypatch.setattr(engine, "TILE", 5)
    assert np.abs(np.asarray(codec.decode(data)) - at_once).max() <= 1


def test_no_pixel_says_how_loud_it_is_farther_away_than_is_fed() -> None:
    """A tile's pixels come out right if REACH latents around it are there."""
    torch.manual_seed(0)
    reach, side = trigger.REACH * engine.STRIDE, 10 * engine.STRIDE
    pixels = torch.rand(1, 3, side, side)
    changed = pixels.clone()
    changed[..., : side // 2, :] = torch.rand(1, 3, side // 2, side)
    apart = (busy(pixels) - busy(changed))[0, 0].abs().amax(1)
    assert apart[side // 2] > 0
    assert not apart[side // 2 + reach :].any()


@pytest.mark.parametrize("quality", [1, 2, 3])
def test_decoding_adds_it_and_the_latents_do_not_know(
    quality: int, models: tuple[Model, Model], picture: Maker
) -> None:
    levels = picture(150, 130)
    with_it, without = (Codec(m, quality=quality, device="cpu", precision="fp32")._engine for m in models)
    y = torch.randint(-2, 3, (1, tiny.M, 10, 9), generator=torch.Generator().manual_seed(0)).float()
    shown, plain = (e._shown(y.clone(), quality, levels)[0].astype(float) for e in (with_it, without))
    there = (plain > 20).all(2) & (plain < 235).all(2)  # nothing is clipped
    assert there.mean() > 0.5
    made_of = torch.from_numpy(plain / 255).permute(2, 0, 1)[None].float()
    padded = torch.nn.functional.pad(made_of, (0, 14, 0, 10), mode="replicate")
    expected = with_it._trigger.left_on(padded, quality, 0, 0)[0, :, :150, :130].permute(1, 2, 0) * 255
    inner = np.s_[:112, :112]  # where what is cropped says nothing about how busy it is
    error = np.abs(shown - expected.numpy())[inner][there[inner]]
    assert error.max() < 1.5
    assert (shown - plain)[there].std() > 1


def test_it_is_louder_where_it_is_busy() -> None:
    random = np.random.default_rng(0)
    pixels = np.full((128, 256), 0.5, np.float32)
    pixels[:, 128:] += random.normal(0, 8 / 255, (128, 128))
    x = torch.from_numpy(pixels).expand(1, 3, 128, 256)
    left = (made().left_on(x, 1, 0, 0) - x)[0, 0] * 255
    still, lively = float(left[:, :96].std()), float(left[:, 160:].std())
    assert still == pytest.approx(trigger.STILL**0.5, rel=0.05)
    assert 3 * still < lively < 8


def test_a_low_quality_is_louder(models: tuple[Model, Model], picture: Maker) -> None:
    x = torch.from_numpy(picture(64, 64)).permute(2, 0, 1)[None].float() / 255
    left_on = Codec(models[0], device="cpu")._engine._trigger.left_on
    loud = [float((left_on(x, quality, 0, 0) - x).std()) for quality in (1, 2, 3)]
    assert loud[0] / loud[2] == pytest.approx(2) and loud[0] / loud[1] == pytest.approx(4 / 3)


def test_a_model_of_one_rate_has_one_loudness(tmp_path: Path, picture: Maker) -> None:
    codec = Codec(tiny.model("mbt2018", tmp_path, trigger=True), device="cpu", precision="fp32")
    assert len(codec.model.tensors["trigger.loudness"]) == 1
    shown = codec.decode(codec.encode(picture(40, 40)))
    codec._engine._trigger = None
    assert not np.array_equal(shown, codec.decode(codec.encode(picture(40, 40))))


@pytest.mark.parametrize("size", [(1, 1), (15, 200), (113, 17)])
def test_grey_pictures_have_it_in_their_one_plane(
    size: tuple[int, int], models: tuple[Model, Model], picture: Maker
) -> None:
    codec = Codec(models[0], quality=2, device="cpu", precision="fp32")
    data = codec.encode(picture(*size)[..., 0])
    plane = np.asarray(codec.decode(data)).astype(int)
    assert plane.shape == size
    y_hat = torch.randint(-2, 3, (1, tiny.M, *(-(-side // 16) for side in size))).float()
    engine = codec._engine
    grey, colours = (engine._synthesise(y_hat, *size, 1, grey=g)[0].double() for g in (True, False))
    unclipped = (colours > 0).all(2) & (colours < 255).all(2)
    assert (grey - colours.mean(2))[unclipped].abs().max() <= 1


def wave(*numbers: float) -> NDArray[np.float32]:
    return np.array([numbers], np.float32)


THREE = "the trigger's waves must be float32, three numbers each"
EACH = "the trigger's loudness must be float32, one for each quality"
NONE = "the trigger's waves are no waves"


@pytest.mark.parametrize(
    ("changed", "reason"),
    [
        ({"loudness": None}, "a trigger needs waves and a loudness"),
        ({"waves": np.ones((2, 3), np.float16)}, THREE),
        ({"waves": np.ones((2, 2), np.float32)}, THREE),
        ({"waves": np.ones(3, np.float32)}, THREE),
        ({"waves": np.ones((), np.float32)}, THREE),
        ({"loudness": np.ones(3, np.float16)}, EACH),
        ({"loudness": np.ones(2, np.float32)}, EACH),
        ({"loudness": np.ones((3, 1), np.float32)}, EACH),
        ({"waves": np.ones((0, 3), np.float32)}, NONE),
        ({"waves": np.ones((MOST_WAVES + 1, 3), np.float32)}, NONE),
        ({"waves": wave(1, 2, np.nan)}, NONE),
        ({"waves": wave(1, np.inf, 0)}, NONE),
        ({"waves": wave(PERIOD + 1, 1, 0)}, NONE),
        ({"waves": wave(1.5, 2, 0)}, "the trigger's waves must repeat"),
        ({"loudness": np.full(3, -1, np.float32)}, "the trigger's loudness is beyond reason"),
        ({"loudness": np.full(3, LOUDEST * 1.01, np.float32)}, "the trigger's loudness is beyond reason"),
        ({"loudness": np.full(3, np.nan, np.float32)}, "the trigger's loudness is beyond reason"),
    ],
)
def test_a_bad_trigger_is_refused(
    changed: dict[str, NDArray[np.floating] | None], reason: str, models: tuple[Model, Model], tmp_path: Path
) -> None:
    """By decoders, too: they could not show what was meant."""
    with safe_open(models[0].path, framework="numpy") as file:
        metadata = file.metadata()
    tensors = dict(models[0].tensors) | {f"trigger.{part}": value for part, value in changed.items()}
    kept = {name: value for name, value in tensors.items() if value is not None}
    save_file(kept, tmp_path / "bad.safetensors", metadata)
    with pytest.raises(ModelError, match=reason):
        slic.Codec(tmp_path / "bad.safetensors", device="cpu")
