"""Judging is the same every time, sees every edit, and does not flatter."""

from collections.abc import Callable

import numpy as np
import pytest
import torch

from slic import attacks
from training import evaluate, networks
from training.config import Config
from training.evaluate import Second

Settings = Callable[..., Config]


@pytest.fixture(autouse=True)
def few_crops(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(evaluate, "SIZE", 128)
    monkeypatch.setattr(evaluate, "FIRST_BATCHES", 1)
    monkeypatch.setattr(evaluate, "SECOND_BATCHES", 1)


@pytest.fixture
def net(settings: Settings) -> torch.nn.Module:
    torch.manual_seed(0)
    return networks.build(settings().model)


def grey(level: int, height: int = 32, width: int = 32) -> np.ndarray:  # type: ignore[type-arg]
    return np.full((height, width, 3), level, np.uint8)


def test_psnr_of_equal_pictures_is_100() -> None:
    assert evaluate.psnr(grey(7), grey(7)) == 100.0


def test_psnr_of_known_errors() -> None:
    assert evaluate.psnr(grey(0), grey(1)) == pytest.approx(48.1308, abs=1e-4)
    assert evaluate.psnr(grey(255), grey(0)) == 0.0


def test_evaluation_is_the_same_twice_whatever_was_drawn_between(
    net: torch.nn.Module, settings: Settings
) -> None:
    s = settings("judge=[2, 6]")
    before = (evaluate.first(net, s), evaluate.destruction(evaluate.second(net, s)))
    torch.manual_seed(99)
    np.random.seed(99)
    net.train()
    assert (evaluate.first(net, s), evaluate.destruction(evaluate.second(net, s))) == before


def test_evaluation_leaves_weights_and_generator_alone(net: torch.nn.Module, settings: Settings) -> None:
    weights = {k: v.clone() for k, v in net.state_dict().items()}
    state = torch.get_rng_state()
    evaluate.first(net, settings())
    assert torch.equal(torch.get_rng_state(), state)
    assert all(torch.equal(v, weights[k]) for k, v in net.state_dict().items())
    assert all(p.grad is None for p in net.parameters())


def test_first_judges_the_qualities_asked_for(net: torch.nn.Module, settings: Settings) -> None:
    values = evaluate.first(net, settings("judge=[8, 2, 8]"))
    assert set(values) == {f"{key}{q}" for key in ("loss", "bpp", "psnr") for q in (2, 8)} | {"score"}
    weighed = (values["loss2"] * (0.0483 / 0.0035) ** 0.5 + values["loss8"] * (0.0483 / 0.18) ** 0.5) / 2
    assert values["score"] == pytest.approx(weighed)


def test_second_covers_every_edit_at_any_size(
    net: torch.nn.Module, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(evaluate, "SIZE", 100)
    result = evaluate.second(net, settings("judge=[4, 6]"))
    edits = [str(e) for e in evaluate.EDITS]
    assert list(result.edited) == list(result.again) == ["none", "none at 4", *edits]
    named = (*attacks.PAPER, *attacks.EVERYDAY, *attacks.ESCAPES)
    assert set(map(str, named)) < set(edits) and len(set(edits)) == len(edits)
    for name in result.edited:
        shapes = [(a.shape, b.shape) for a, b in zip(result.edited[name], result.again[name], strict=True)]
        assert len(shapes) == 4 and all(a == b for a, b in shapes)


@pytest.mark.parametrize("size", [(1, 1), (63, 65), (100, 40)])
def test_any_size_is_encoded(size: tuple[int, int], net: torch.nn.Module) -> None:
    with torch.no_grad():
        pixels, bpp = evaluate._encode(net.eval(), grey(90, *size)[None], 6, torch.device("cpu"))
    assert pixels.shape == (1, *size, 3) and pixels.dtype == np.uint8 and bpp > 0


def test_pictures_are_crops_and_their_encodes(net: torch.nn.Module, settings: Settings) -> None:
    original, decoded = evaluate.pictures(net, settings())
    assert original.shape == decoded.shape == (8, 128, 128, 3)


def test_the_worst_edit_is_not_averaged_away() -> None:
    black, white = [grey(0)], [grey(255)]
    edited = {"none": black, "blur": black, "jpeg": black}
    again = {"none": white, "blur": [grey(128)], "jpeg": [grey(0)]}
    values = evaluate.destruction(Second(grey(0)[None], grey(0)[None], edited, again, 2.5))
    assert values["again none"] == 0.0 and values["again blur"] == pytest.approx(5.986, abs=1e-3)
    assert values["again worst"] == values["again jpeg"] == 100.0
    assert values["above"] == pytest.approx((9 / 3 + 9) / 2)
    assert values["again bpp"] == 2.5


def test_an_edits_psnr_is_the_mean_over_its_crops() -> None:
    result = Second(
        grey(0)[None], grey(0)[None], {"none": [grey(0)] * 2}, {"none": [grey(0), grey(255)]}, 1.0
    )
    assert result.psnr("none") == 50.0
