"""Pixels ↔ payloads: exact symbols on every path, refusal instead of a wrong picture."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import tiny
import torch
from numpy.typing import NDArray

from slic import engine, exact
from slic.engine import Coded, Engine
from slic.errors import FormatError, MismatchError, ModelError, SlicError
from slic.models import Model
from slic.transforms import ARCHITECTURES

CPU = torch.device("cpu")
Maker = Callable[..., NDArray[np.uint8]]


def make(model: Model, precision: torch.dtype = torch.float32) -> Engine:
    return Engine(model.architecture, model.tensors, CPU, precision)


@pytest.mark.parametrize("architecture", ARCHITECTURES)
@pytest.mark.parametrize("size", [(1, 1), (1, 70), (17, 15), (64, 64), (65, 130)])
def test_every_size_comes_back(
    architecture: str, size: tuple[int, int], tiny_models: dict[str, Model], picture: Maker
) -> None:
    ours = make(tiny_models[architecture])
    (coded,) = ours.encode([picture(*size)])
    (pixels,) = ours.decode([coded], *size)
    assert pixels.shape == (*size, 3) and pixels.dtype == np.uint8


@pytest.mark.parametrize("architecture", ARCHITECTURES)
def test_symbols_decode_alike_in_every_precision(
    architecture: str, tiny_models: dict[str, Model], picture: Maker
) -> None:
    """The digest is checked in every decode, so that it succeeds is the proof."""
    model = tiny_models[architecture]
    (coded,) = make(model).encode([picture(90, 70)])
    (reference,) = make(model).decode([coded], 90, 70)
    for precision in (torch.bfloat16, torch.float64):
        (pixels,) = make(model, precision).decode([coded], 90, 70)
        if precision is torch.float64:
            assert np.abs(pixels.astype(int) - reference).max() <= 1


@pytest.mark.parametrize("architecture", ARCHITECTURES)
def test_threads_and_batches_do_not_change_a_byte(
    architecture: str, tiny_models: dict[str, Model], picture: Maker
) -> None:
    ours, pictures = make(tiny_models[architecture]), [picture(80, 48, seed) for seed in range(3)]
    together = ours.encode(pictures)
    before = torch.get_num_threads()
    try:
        torch.set_num_threads(1)
        alone = [ours.encode([p])[0] for p in pictures]
    finally:
        torch.set_num_threads(before)
    for a, b in zip(ours.decode(together, 80, 48), pictures, strict=True):
        assert a.shape == b.shape
    assert [c.digest for c in together] == [c.digest for c in alone]
    assert [c.latent for c in together] == [c.latent for c in alone]


@pytest.mark.parametrize("architecture", ARCHITECTURES)
def test_tiles_change_nothing_but_rounding_ties(
    architecture: str, tiny_models: dict[str, Model], picture: Maker, monkeypatch: pytest.MonkeyPatch
) -> None:
    ours, wide = make(tiny_models[architecture]), picture(400, 350)
    y = ours._analyse(torch.from_numpy(wide)[None])
    whole = ours._synthesise(y.round(), 400, 350, 0, grey=False)
    monkeypatch.setattr(engine, "TILE", 7)
    tiled = ours._analyse(torch.from_numpy(wide)[None])
    torch.testing.assert_close(tiled, y, rtol=1e-4, atol=1e-3)
    again = ours._synthesise(y.round(), 400, 350, 0, grey=False)
    assert (again.int() - whole.int()).abs().max() <= 1


@pytest.mark.parametrize("architecture", ARCHITECTURES)
def test_tiled_hyper_synthesis_is_exactly_the_same(
    architecture: str, tiny_models: dict[str, Model], monkeypatch: pytest.MonkeyPatch
) -> None:
    from slic import priors

    hyper = make(tiny_models[architecture])._prior._hyper  # type: ignore[attr-defined]
    z = torch.randint(-4000, 4000, (8, 30, 23), generator=torch.Generator().manual_seed(0)).double()
    whole = hyper(z, 118, 90)
    monkeypatch.setattr(priors, "HYPER_TILE", 6)
    assert torch.equal(hyper(z, 118, 90), whole)


@pytest.mark.parametrize("architecture", ARCHITECTURES)
def test_disturbed_entropy_parameters_are_refused(
    architecture: str, tiny_models: dict[str, Model], picture: Maker, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A decoder whose scales are off by 1e-5 must not show a picture: it reads another stream."""
    ours, exact_index, changed = make(tiny_models[architecture]), exact.scale_index, 0
    (coded,) = ours.encode([picture(384, 384)])

    def disturbed(scales: torch.Tensor, table: torch.Tensor) -> torch.Tensor:
        nonlocal changed
        index = exact_index((scales.double() * (1 + 1e-5)).ceil(), table)  # whole thresholds see no fraction
        changed += int((index != exact_index(scales, table)).sum())
        return index

    monkeypatch.setattr(exact, "scale_index", disturbed)
    with pytest.raises((MismatchError, FormatError)):
        ours.decode([coded], 384, 384)
    assert changed


def test_a_wrong_digest_is_refused(tiny_model: Model, picture: Maker) -> None:
    ours = make(tiny_model)
    (coded,) = ours.encode([picture(40, 40)])
    with pytest.raises(MismatchError, match="refusing to show a wrong picture"):
        ours.decode([Coded(coded.hyper, coded.latent, bytes(16))], 40, 40)


@pytest.mark.parametrize("architecture", ARCHITECTURES)
def test_damaged_payloads_are_refused(
    architecture: str, tiny_models: dict[str, Model], picture: Maker
) -> None:
    ours, random = make(tiny_models[architecture]), np.random.default_rng(0)
    (coded,) = ours.encode([picture(48, 48)])
    for _ in range(60):
        hyper, latent = bytearray(coded.hyper), bytearray(coded.latent)
        target = hyper if random.random() < 0.3 else latent
        target[random.integers(4, len(target))] ^= 1 << random.integers(8)
        with pytest.raises(SlicError):
            ours.decode([Coded(bytes(hyper), bytes(latent), coded.digest)], 48, 48)


def test_grey_is_one_plane(tiny_model: Model, picture: Maker) -> None:
    ours = make(tiny_model)
    (coded,) = ours.encode([picture(33, 20)])
    (plane,) = ours.decode([coded], 33, 20, grey=True)
    (rgb,) = ours.decode([coded], 33, 20)
    assert plane.shape == (33, 20)
    unclipped = (rgb > 0).all(2) & (rgb < 255).all(2)
    assert np.abs(plane - rgb.mean(2))[unclipped].max() <= 1


@pytest.mark.parametrize("architecture", ["bmshj2018-hyperprior", "cheng2020-attn"])
@pytest.mark.parametrize("rates", [0, 3])
def test_a_look_sees_what_decoding_shows_there(
    architecture: str, rates: int, tmp_path: Path, picture: Maker
) -> None:
    ours, whole = make(tiny.model(architecture, tmp_path, rates=rates)), picture(400, 500)
    quality = min(rates, 2)
    (coded,) = ours.encode([whole], quality, look=True)
    (pixels,) = ours.decode([coded], *whole.shape[:2], quality)
    assert len(coded.seen) == (
        4 if architecture == "bmshj2018-hyperprior" else 2
    )  # of the other nearly all is fed
    for decibels, left, top in coded.seen:
        part = np.s_[top : top + 32, left : left + 32]
        error = (pixels[part].astype(float) - whole[part]) / 255
        means = error.reshape(8, 4, 8, 4, 3).mean((1, 3))
        assert decibels == pytest.approx(-10 * np.log10(np.square(means).mean()), abs=0.05)


def test_a_look_goes_where_the_answer_to_a_trigger_is_loudest(tmp_path: Path, picture: Maker) -> None:
    """In every quarter, also at the edge and in the corner of the picture."""
    ours = make(tiny.model("bmshj2018-hyperprior", tmp_path, floors=True))
    answering = int(np.argmax(ours._floors[:, 0, 0] > 0))
    for loud in ([(0, 0), (2, 19), (14, 5), (19, 19)], [(7, 8), (8, 12), (19, 0), (12, 17)]):
        y = torch.zeros(len(ours._floors), 20, 20)
        for row, column in loud:
            y[answering, row, column] = 100
        for (row, column), (rows, cols) in zip(loud, ours._suspects(y), strict=True):
            for at, span in ((row, rows), (column, cols)):
                assert span.start >= 0 and span.start + span.count <= 20
                assert span.start + span.before <= at < span.start + span.count - span.after


@pytest.mark.parametrize("size", [(1, 1), (3, 90), (96, 17), (130, 40)])
def test_small_pictures_are_looked_at_whole(
    size: tuple[int, int], tiny_models: dict[str, Model], picture: Maker
) -> None:
    (coded,) = make(tiny_models["bmshj2018-hyperprior"]).encode([picture(*size)], look=True)
    assert coded.seen and all(np.isfinite(decibels) for decibels, _, _ in coded.seen)
    assert len(set(coded.seen)) == len(coded.seen)  # nothing is decoded twice


def test_nothing_is_looked_at_where_nothing_is_answered(tmp_path: Path, picture: Maker) -> None:
    ours = make(tiny.model("bmshj2018-hyperprior", tmp_path, rates=3, trigger=True))
    assert ours.evidence is not None
    (innocent,) = ours.encode([picture(400, 500)], 2, look=True)
    assert innocent.seen == ()
    ours.evidence.due = lambda one: torch.ones(-(-one.shape[0] // 16), -(-one.shape[1] // 16))  # type: ignore[method-assign]
    (answered,) = ours.encode([picture(400, 500)], 2, look=True)
    assert len(answered.seen) == 4


def test_pictures_that_go_together_are_seen_as_alone(tmp_path: Path, picture: Maker) -> None:
    ours = make(tiny.model("bmshj2018-hyperprior", tmp_path, floors=True))
    both = [picture(160, 224, seed) for seed in (1, 2)]
    for one, together in zip(both, ours.encode(both, look=True), strict=True):
        (alone,) = ours.encode([one], look=True)
        assert [s[1:] for s in alone.seen] == [s[1:] for s in together.seen]
        assert [s[0] for s in alone.seen] == pytest.approx([s[0] for s in together.seen], abs=0.01)


def test_a_study_shows_what_a_pass_shows(tiny_model: Model, picture: Maker) -> None:
    ours, pictures = make(tiny_model), [picture(64, 80, seed) for seed in (1, 2)]
    for levels, study in zip(pictures, ours.study(pictures, (0,), 0), strict=True):
        once = ours.again(levels)
        assert np.abs(study.pixels.astype(int) - once).max() <= 1
        assert np.allclose(study.latents, ours.latents(levels), atol=1e-3)
        assert [s.y.shape for s in study.symbols] == [s.numbers.shape for s in study.symbols]


def test_only_hyperpriors_are_studied(tiny_models: dict[str, Model], picture: Maker) -> None:
    with pytest.raises(ModelError, match="only hyperprior models say how surprising a picture is"):
        make(tiny_models["mbt2018"]).study([picture(16, 16)], (0,), 0)
