"""A small pack of pictures, settings of a run that takes a blink, and such a run."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

pytest.importorskip("compressai", reason="training needs the extra [train], up to Python 3.12")

from training import config
from training.config import Config
from training.data import pack
from training.parallel import Team
from training.train import train

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
def base_run(packed: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a base's run, of two steps."""
    folder = tmp_path_factory.mktemp("run")
    overrides = (
        f"data.pack={packed}", "data.batch=1", "data.crop=64", "model.N=8", "model.M=12", "steps=2",
        "judge=[6]", "precision=fp32",
    )  # fmt: skip
    train(config.load(CONFIGS / "base.toml", overrides), folder, Team(0, 1, torch.device("cpu")))
    return folder


@pytest.fixture
def settings(packed: Path) -> Callable[..., Config]:
    def make(*overrides: str, file: str = "base.toml") -> Config:
        small = (
            f"data.pack={packed}", "data.batch=1", "data.crop=64", "model.N=8", "model.M=12",
            "evaluate_every=1000", "save_every=1000", "steps=200", "optimiser.decay=100", "precision=fp32",
        )  # fmt: skip
        return config.load(CONFIGS / file, (*small, *overrides))

    return make
