"""Crops that a secure codec breaks though nobody encoded them before."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from torch import Tensor, nn

from training import mine, synthetic
from training.config import Config
from training.data import pack


class Perfect(nn.Module):
    def forward(self, x: Tensor) -> Tensor:
        return x


class AfraidOfRed(nn.Module):
    """Breaks every pixel of a crop whose red exceeds its green."""

    def forward(self, x: Tensor) -> Tensor:
        red, green = x[:, 0].mean((1, 2)), x[:, 1].mean((1, 2))
        return torch.where((red > green)[:, None, None, None], 1 - x, x)


@pytest.fixture
def two_colours(tmp_path: Path) -> Path:
    files = []
    for name, colour in (("red", (200, 10, 10)), ("green", (10, 200, 10))):
        for i in range(4):
            files.append(tmp_path / f"{name}{i}.png")
            Image.new("RGB", (300, 300), colour).save(files[-1])
    pack(files, tmp_path / "pack.safetensors", 10, {})
    return tmp_path / "pack.safetensors"


def test_only_what_the_codec_breaks_is_found(
    settings: Callable[..., Config], two_colours: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(synthetic, "overlaid", lambda crop, seed: crop)
    found = mine.mine(settings(f"data.pack={two_colours}"), AfraidOfRed(), Perfect(), 16)
    assert 0 < len(found) < 16
    assert all((f.pixels == (200, 10, 10)).all() for f in found)
    assert found[0].excess == pytest.approx(((1 - 400 / 255) ** 2 + 2 * (1 - 20 / 255) ** 2) / 3, abs=1e-3)


def test_what_the_base_breaks_too_is_not_found(settings: Callable[..., Config], packed: Path) -> None:
    assert mine.mine(settings(), AfraidOfRed(), AfraidOfRed(), 8) == []


def test_half_of_the_candidates_carry_something_foreign() -> None:
    grey = torch.full((3, mine.SIZE, mine.SIZE), 0.5)
    foreign = [not torch.equal(synthetic.overlaid(grey, (0, i)), grey) for i in range(60)]
    assert 15 < sum(foreign) < 45
    assert torch.equal(synthetic.overlaid(grey, (0, 7)), synthetic.overlaid(grey, (0, 7)))


def test_found_crops_take_their_share_of_the_draw() -> None:
    old = {
        "pixels": np.zeros(12, np.uint8),
        "sizes": np.array([[2, 2]], np.int32),
        "weights": np.array([4.0]),
    }
    crop = np.full((mine.SIZE, mine.SIZE, 3), 7, np.uint8)
    new = mine.extended(old, [mine.Found(crop, 0.1), mine.Found(crop, 0.2)], share=0.2)
    assert new["sizes"].tolist() == [[2, 2], [mine.SIZE, mine.SIZE], [mine.SIZE, mine.SIZE]]
    assert new["weights"][1:].sum() / new["weights"].sum() == pytest.approx(0.2)
    assert (new["pixels"][12:] == 7).all() and new["pixels"].size == 12 + 2 * crop.size
