"""A small pack of pictures, and settings of a run that takes a blink."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from safetensors.torch import save_file

pytest.importorskip("compressai", reason="training needs the extra [train], up to Python 3.12")

from training import config
from training.config import Config, Model
from training.data import pack
from training.networks import build

CONFIGS = Path(__file__).parents[2] / "training" / "configs"


@pytest.fixture(scope="session")
def packed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("pictures")
    random = np.random.default_rng(0)
    for i in range(6):
        noise = random.integers(0, 256, (260 + i, 270, 3)).astype(np.uint8)
        Image.fromarray(noise).save(folder / f"{i}.png")
    pack(sorted(folder.iterdir()), folder / "pack.safetensors", 10, {"3": 2.0})
    return folder / "pack.safetensors"


@pytest.fixture(scope="session")
def base_weights(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Of a plain codec as small as those of `settings`."""
    torch.manual_seed(0)
    net, target = build(Model(N=8, M=12, gains=True)), tmp_path_factory.mktemp("base") / "weights.safetensors"
    save_file({k: v.contiguous() for k, v in net.state_dict().items()}, target)
    return target


@pytest.fixture
def settings(packed: Path) -> Callable[..., Config]:
    def make(*overrides: str, file: str = "base.toml") -> Config:
        small = (
            f"data.pack={packed}", "data.batch=1", "data.crop=64", "model.N=8", "model.M=12",
            "evaluate_every=1000", "save_every=1000", "steps=200", "optimiser.decay=100", "precision=fp32",
        )  # fmt: skip
        return config.load(CONFIGS / file, (*small, *overrides))

    return make
