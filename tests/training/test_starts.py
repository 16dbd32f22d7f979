"""A transform to start from: it codes pictures before any training."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from training import networks
from training.config import Config, ConfigError
from training.data import Crops, pack
from training.loop import Run
from training.parallel import Team

ALONE = Team(0, 1, torch.device("cpu"))
Settings = Callable[..., Config]


@pytest.fixture(scope="module")
def clouds(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Pictures whose energy lies at low frequencies, as that of photographs does."""
    folder = tmp_path_factory.mktemp("clouds")
    random = np.random.default_rng(0)
    frequency = np.hypot(*np.meshgrid(np.fft.fftfreq(256), np.fft.fftfreq(256))) + 1 / 256
    for i in range(4):
        spectrum = np.fft.fft2(random.normal(size=(256, 256, 3)), axes=(0, 1)) / frequency[..., None] ** 1.5
        field = np.fft.ifft2(spectrum, axes=(0, 1)).real
        levels = (110 + 40 * field / field.std()).clip(0, 255).astype(np.uint8)
        Image.fromarray(levels).save(folder / f"{i}.png")
    pack(sorted(folder.iterdir()), folder / "pack.safetensors", 10, {})
    return folder / "pack.safetensors"


@pytest.mark.parametrize("architecture", ["bmshj2018-hyperprior", "mbt2018"])
def test_it_codes_pictures_at_once(
    settings: Settings, clouds: Path, architecture: str, tmp_path: Path
) -> None:
    """With as many channels as fit, only rounding is lost; random weights show nothing."""
    common = (f"data.pack={clouds}", f"model.architecture={architecture}", "model.N=24", "model.M=48")
    common += ("model.worth=0.0",)
    quality = {}
    for start in ("", "transform"):
        net = Run(settings(*common, f"model.start={start}"), tmp_path / (start or "random"), ALONE).net.eval()
        crops = Crops(clouds)
        x = crops.read(crops.draw(0, 2, 256), 256)
        with torch.no_grad():
            coded = networks.code(net, x, torch.full((2,), 6), None)
        quality[start] = float(-10 * (coded.pixels - x).square().mean().log10())
        rate = float(coded.bpp.mean())
    assert quality["transform"] > 28 > 18 > quality[""]
    assert rate < 4  # the context model of mbt2018 knows nothing yet: 3 without one


def test_other_architectures_are_refused(settings: Settings, tmp_path: Path) -> None:
    cheng = ("model.architecture=cheng2020-anchor", "model.start=transform", "model.gains=false")
    one_rate = "data.draw=[0, 0, 0, 0, 0, 1, 0, 0]"
    cheng += ("model.worth=0.0",)
    with pytest.raises(ConfigError, match="transform is for bmshj2018-hyperprior and mbt2018"):
        Run(settings(*cheng, one_rate), tmp_path, ALONE)


def test_a_resumed_run_starts_from_its_checkpoint(settings: Settings, clouds: Path, tmp_path: Path) -> None:
    s = settings(f"data.pack={clouds}", "model.start=transform")
    first = Run(s, tmp_path, ALONE)
    first.train_step()
    first.save()
    again = Run(s, tmp_path, ALONE)
    assert again.step == 1
    assert all(torch.equal(a, b) for a, b in zip(first.net.parameters(), again.net.parameters(), strict=True))
