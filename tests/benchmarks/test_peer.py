"""CompressAI with slic's weights codes as slic does: who compares the two compares the same model."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch
from numpy.typing import NDArray

pytest.importorskip("compressai", reason="compressai comes with the extra [train], up to Python 3.12")

from benchmarks import peer
from slic import Codec
from slic.evidence import Evidence
from slic.models import Model, open_file
from tests import tiny

Maker = Callable[..., NDArray[np.uint8]]
OLDER = "formats/vectors/decode/tiny-bmshj2018-hyperprior-3-rates-evidence-0.safetensors"


def tensor(pixels: NDArray[np.uint8]) -> torch.Tensor:
    return torch.from_numpy(pixels.copy()).permute(2, 0, 1)[None].float() / 255


@torch.no_grad()
def agree(model: Model, pixels: NDArray[np.uint8]) -> None:
    """Both networks, y as it is before rounding and pixels as they are after."""
    engine, twin = Codec(model, device="cpu", precision="fp32")._engine, peer.twin(model)
    y = engine._analyse(torch.from_numpy(pixels)[None])
    gain = engine._gain(model.index)
    scaled = y if gain is None else y * gain[0]
    assert (twin.g_a(tensor(pixels)) - scaled).abs().max() < 1e-3 * scaled.abs().max()
    theirs = twin.g_s(scaled.round())[0].permute(1, 2, 0).clamp(0, 1) * 255
    assert np.abs(engine._shown(scaled.round(), model.index, pixels)[0] - theirs.numpy()).max() < 1.5


def test_the_twin_has_slics_weights(tiny_models: dict[str, Model], tmp_path: Path, picture: Maker) -> None:
    for model in tiny_models.values():
        agree(model, picture(64, 64))
    for secured in ({"floors": True}, {"trigger": True}, {"floors": True, "trigger": True}):
        for rates in (0, 3):
            agree(tiny.model("bmshj2018-hyperprior", tmp_path, rates=rates, **secured), picture(64, 64))


def test_the_twin_answers_where_slic_does(
    tmp_path: Path, picture: Maker, monkeypatch: pytest.MonkeyPatch
) -> None:
    due = torch.full((8, 4), -1.0)
    due[2:5, 1:] = 1.0
    monkeypatch.setattr(Evidence, "strength", lambda self, levels: due)
    model, pixels = tiny.model("bmshj2018-hyperprior", tmp_path, rates=3, trigger=True), picture(128, 64)
    agree(model, pixels)
    twin, answers = peer.twin(model), model.tensors["trigger.answer"] > 0
    y = twin.g_a(tensor(pixels))[0]
    assert y[answers][:, due > 0].any() and not y[answers][:, due <= 0].any()
    silent = twin.g_a.silent(tensor(pixels))[0]
    assert not silent[answers].any() and silent[~answers].any()


def test_a_model_of_an_earlier_kind_has_no_twin() -> None:
    """It no longer encodes, and its g_s is told the quality."""
    with pytest.raises(AssertionError, match="told the quality"):
        peer.twin(open_file(Path(__file__).parents[2] / OLDER))


@torch.no_grad()
def test_a_twin_that_is_not_secured_does_what_compressai_alone_does(
    tmp_path: Path, picture: Maker, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It looks for no trigger and leaves none; what it codes of an innocent picture is the same."""
    model = tiny.model("bmshj2018-hyperprior", tmp_path, rates=3, trigger=True)
    x, twins = tensor(picture(64, 64)), [peer.twin(model, secured=on) for on in (True, False)]
    y = twins[0].g_a(x)
    monkeypatch.setattr(Evidence, "strength", lambda *_: pytest.fail("it looked"))
    torch.testing.assert_close(twins[1].g_a(x), y)
    marked, plain = (twin.g_s(y.round()) for twin in twins)
    assert not torch.equal(marked, plain) and torch.equal(twins[0].g_s.g_s(y.round()), plain)
