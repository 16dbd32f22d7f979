"""The encoder answers only where the evidence about a place is for it. Decoders do not know of it."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from safetensors import safe_open
from safetensors.numpy import save_file

import slic
from slic import engine, evidence
from slic.codec import Codec
from slic.errors import ModelError
from slic.evidence import STRIDE, Evidence, detail
from slic.models import Model
from slic_formats import parse, serialise
from tests import tiny

Maker = Callable[..., NDArray[np.uint8]]


def test_there_is_an_answer_where_evidence_is_for_it_and_the_picture_stays_as_it_is() -> None:
    network = Evidence(3)
    network.answer[1] = 10.0
    y = torch.full((1, 3, 1, 4), 1.5)
    y[..., 3] = -30.0
    said = torch.tensor([-20.0, -20.0, 9.0, 9.0]).view(1, 1, 1, 4)
    out = network.answered(y, said)
    assert out[0, 1, 0].tolist() == [0, 0, 1.5, -10]
    assert torch.equal(out[:, [0, 2]], y[:, [0, 2]])


@pytest.mark.parametrize(
    ("own", "one", "answered"),
    [(0, 4.0, 0.0), (0, 5.5, 0.5), (1, 0.5, 0.5), (4, -5.0, 1.0), (4, -13.0, 0.0)],
)
def test_what_enough_of_a_picture_says_decides_about_the_rest(own: int, one: float, answered: float) -> None:
    """Of twenty places so many speak for the model, one says something else, the rest are against it."""
    said = torch.full((1, 1, 1, 20), -30.0)
    said[..., :own] = 9.0
    said[..., own] = one
    out = evidence.due(said)[0, 0, 0]
    assert out[own] == pytest.approx(answered)
    assert (out[:own] == 1).all() and (out[own + 1 :] == 0).all()


def test_a_vote_comes_from_as_far_as_halo_and_no_farther() -> None:
    torch.manual_seed(0)
    network, halo = Evidence(3, 6, 5, 4), Evidence.halo
    side, place = STRIDE * (4 * halo + 1), slice(STRIDE * 2 * halo, STRIDE * (2 * halo + 1))
    x = torch.rand(1, 3, side, side)
    changed = x.clone()
    changed[:, :, place, place] += 2 * torch.randn(3, STRIDE, STRIDE)
    apart = (network.votes(x) - network.votes(changed))[0].abs().amax(0)
    assert ((apart > 1e-6).nonzero() - 2 * halo).abs().max() == halo


def test_a_picture_s_edge_takes_nothing_from_the_evidence() -> None:
    """What lies outside is not counted: a place at the edge speaks as loudly as one inside."""
    out = Evidence(3).together(torch.ones(1, 128, 20, 20))
    torch.testing.assert_close(out, out[:, :, 10:11, 10:11].expand_as(out))


@pytest.mark.parametrize("contrast", [1.0, 20.0])
def test_detail_is_what_stands_out_and_edges_count_no_more_than_it(contrast: float) -> None:
    levels = torch.full((1, 3, 48, 48), 100.0)
    levels[:, 1, 20, 22] += 6 * contrast
    seen = detail(levels / 255)
    assert seen.shape == (1, 48, 12, 12)
    pixel = seen[0, 16 + 4 * 0 + 2, 5, 5]  # green's, row 0 and column 2 of its block
    assert float(pixel) == pytest.approx(1, abs=0.01)
    assert seen[0, :16].abs().max() < 1e-3 and seen[0, 32:].abs().max() < 1e-3, "red and blue are flat"
    assert detail(torch.rand(1, 3, 1, 1).expand(1, 3, 48, 48)).abs().max() < 1e-3, "whatever the colour"


@pytest.fixture
def answering(tmp_path: Path) -> Model:
    return tiny.model("bmshj2018-hyperprior", tmp_path, rates=3, evidence=True)


def _written(model: Model, target: Path, **changed: NDArray[np.floating] | None) -> Path:
    with safe_open(model.path, framework="numpy") as file:
        metadata = file.metadata()
    tensors = dict(model.tensors) | {name.replace("__", "."): value for name, value in changed.items()}
    save_file({name: value for name, value in tensors.items() if value is not None}, target, metadata)
    return target


@pytest.mark.parametrize("bias", [-1e4, 1e4])
def test_the_encoder_codes_what_was_answered(
    bias: float, answering: Model, tmp_path: Path, picture: Maker
) -> None:
    decided = np.full(1, bias, np.float32)
    sure = _written(answering, tmp_path / "sure.safetensors", evidence__decide__bias=decided)
    ours = Codec(slic.models.open_file(sure), device="cpu")._engine
    levels = torch.from_numpy(picture(90, 70))[None]
    y = ours._transformed(levels)
    expected = ours._evidence.answered(y, ours._evidence(cut(levels)))
    torch.testing.assert_close(ours._analyse(levels), expected)
    silent = (expected[:, answering.tensors["evidence.answer"] > 0] == 0).all()
    assert silent == (bias < 0)


def test_tiles_equal_the_whole(answering: Model, picture: Maker, monkeypatch: pytest.MonkeyPatch) -> None:
    levels = torch.from_numpy(picture(400, 300))[None]
    ours = Codec(answering, device="cpu", precision="fp32")._engine
    whole = ours._votes(levels)
    monkeypatch.setattr(engine, "TILE", 7)
    torch.testing.assert_close(ours._votes(levels), whole)


def test_a_model_of_an_earlier_kind_decodes_and_does_no_more(
    answering: Model, tmp_path: Path, picture: Maker, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Files name their model, and must decode for ever; evidence is the encoder's alone."""
    looked = np.zeros((5, tiny.M, 1, 1), np.float32)
    older = _written(
        answering, tmp_path / "older.safetensors", evidence__look__weight=looked, evidence__vote__weight=None
    )
    file = parse(slic.encode(picture(20, 20), model=answering.path) or b"")
    theirs = replace(file.header, model=slic.models.open_file(older).identity)
    monkeypatch.setenv("SLIC_MODELS", str(tmp_path))
    decoded = slic.decode(serialise(replace(file, header=theirs)))
    assert np.array_equal(np.asarray(decoded), Codec(answering, device="cpu").again(picture(20, 20)).pixels)
    for ask in (slic.encode, slic.check):
        with pytest.raises(ModelError, match="only decodes"):
            ask(picture(80, 80), model=older)


def test_evidence_and_the_map_have_a_value_for_each_place(
    answering: Model, tiny_model: Model, picture: Maker
) -> None:
    for model in (answering, tiny_model):
        codec = Codec(model, device="cpu")
        assert codec.gathers == (model is answering)
        for found in (codec.evidence(picture(90, 70)), codec.again(picture(90, 70)).own):
            assert (found is None) != codec.gathers
            assert found is None or found.shape == (6, 5)


def cut(levels: torch.Tensor) -> torch.Tensor:
    """(B,H,W,3) → (B,3,16h,16w): as the networks are given it."""
    return engine._cut(levels, *(slice(0, -(-side // STRIDE)) for side in levels.shape[1:3]))


def test_files_decode_and_are_the_model_s_own(answering: Model, tmp_path: Path, picture: Maker) -> None:
    codec = Codec(answering, device="cpu")
    data = codec.encode(picture(90, 70))
    assert np.array_equal(np.asarray(codec.decode(data)), codec.again(picture(90, 70)).pixels)
    assert tiny.model("bmshj2018-hyperprior", tmp_path, rates=3).identity != answering.identity


@pytest.mark.parametrize(
    ("changed", "reason"),
    [
        ({"evidence__near__weight": None}, "do not fit"),
        ({"evidence__look__weight": None}, "do not fit"),
        ({"evidence__look__weight": np.zeros((5, 47, 3, 3), np.float32)}, "do not fit"),
        ({"evidence__odd__bias": np.zeros(1, np.float32)}, "do not fit"),
        ({"evidence__answer": np.full(tiny.M, -1, np.float32)}, "not negative"),
        ({"evidence__decide__bias": np.full(1, np.nan, np.float32)}, "must be finite"),
        ({"evidence__look__weight": np.ones((), np.float32)}, "do not fit"),
        ({"evidence__look__weight": np.zeros((0, 48, 3, 3), np.float32)}, "are empty"),
    ],
)
def test_bad_evidence_is_refused(
    changed: dict[str, NDArray[np.floating] | None],
    reason: str,
    answering: Model,
    tmp_path: Path,
    picture: Maker,
) -> None:
    bad = _written(answering, tmp_path / "bad.safetensors", **changed)
    with pytest.raises(ModelError, match=reason):
        slic.encode(picture(20, 20), model=bad)
