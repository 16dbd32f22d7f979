"""UNetJPEG: sizes, the identity it starts from, and training that goes on bit for bit."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from click.testing import CliRunner
from numpy.typing import NDArray
from PIL import Image
from safetensors import safe_open
from safetensors.torch import load_file

from training import unetjpeg
from training.data import pack
from training.unetjpeg import Run, Settings, UNetJPEG

CPU = torch.device("cpu")
Maker = Callable[..., NDArray[np.uint8]]


@pytest.fixture(scope="module")
def packed(tmp_path_factory: pytest.TempPathFactory, picture: Maker) -> Path:
    folder = tmp_path_factory.mktemp("pictures")
    for i in range(4):
        Image.fromarray(picture(140, 150, i)).save(folder / f"{i}.png")
    pack(sorted(folder.iterdir()), folder / "pack.safetensors", 10, {})
    return folder / "pack.safetensors"


@pytest.fixture
def settings(packed: Path) -> Settings:
    return Settings(packed, width=2, steps=40, batch=2, crop=32)


@pytest.fixture
def lively() -> UNetJPEG:
    """As if trained: its last layer is not zero."""
    torch.manual_seed(0)
    net = UNetJPEG(2)
    torch.nn.init.normal_(net.out.weight)
    return net.requires_grad_(False)


def test_the_published_width_has_31_million_weights() -> None:
    with torch.device("meta"):
        net = UNetJPEG()
    assert sum(p.numel() for p in net.parameters()) == 31_379_651


def test_any_size_comes_back(lively: UNetJPEG) -> None:
    for height, width in ((1, 1), (16, 32), (35, 50)):
        assert lively(torch.rand(2, 3, height, width), torch.tensor([10, 90])).shape == (2, 3, height, width)


def test_padding_repeats_the_edge(lively: UNetJPEG) -> None:
    x = torch.rand(1, 3, 24, 30)
    padded = torch.nn.functional.pad(x, (0, 2, 0, 8), mode="replicate")
    q = torch.tensor([50])
    assert torch.allclose(lively(x, q), lively(padded, q)[:, :, :24, :30], atol=1e-5)


def test_each_sample_has_its_own_quality(lively: UNetJPEG) -> None:
    x = torch.rand(1, 3, 32, 32).expand(2, -1, -1, -1)
    low, high = lively(x, torch.tensor([10, 90]))
    assert (low - high).abs().max() > 1e-3
    assert torch.allclose(lively(x[:1], torch.tensor([90]))[0], high, atol=1e-5)


def test_it_starts_as_the_identity() -> None:
    x = torch.rand(1, 3, 32, 32)
    assert torch.equal(UNetJPEG(2)(x, torch.tensor([50])), x)


def test_what_it_learns_is_pillows_jpeg(picture) -> None:  # type: ignore[no-untyped-def]
    x = torch.from_numpy(picture(32, 48)).permute(2, 0, 1)[None].float() / 255
    poor, good = unetjpeg.real(x.expand(2, -1, -1, -1), torch.tensor([10, 95]))
    assert (poor - x[0]).square().mean() > 4 * (good - x[0]).square().mean()
    assert np.array_equal((poor * 255).byte().permute(1, 2, 0), unetjpeg.jpeg(picture(32, 48), 10))


def test_resumed_equals_uninterrupted(settings: Settings, tmp_path: Path) -> None:
    whole, part = tmp_path / "whole", tmp_path / "part"
    for folder, stops in ((whole, (4,)), (part, (2, 2))):
        folder.mkdir()
        for steps in stops:
            run = Run(settings, folder, CPU)
            for _ in range(steps):
                run.train_step()
            run.save()
    assert run.step == 4
    a, b = (torch.load(f / "checkpoint.pt", weights_only=True)["net"] for f in (whole, part))
    assert all(torch.equal(a[key], b[key]) for key in a)


def test_it_learns(settings: Settings, tmp_path: Path) -> None:
    run = Run(replace(settings, width=4, lowest=30, highest=30, batch=4, steps=150, rate=3e-3), tmp_path, CPU)
    before = run.evaluate()
    for _ in range(150):
        run.train_step()
    after = run.evaluate()
    assert before["psnr30"] == before["identity30"]
    assert after["psnr30"] > before["psnr30"] + 0.08


def test_the_command_leaves_a_log_and_weights(packed: Path, tmp_path: Path) -> None:
    small = ["--width", "2", "--steps", "2", "--batch", "1", "--crop", "32"]
    arguments = [str(packed), str(tmp_path / "run"), *small]
    done = CliRunner().invoke(unetjpeg.main, arguments, catch_exceptions=False)
    assert done.exit_code == 0
    (line,) = (tmp_path / "run" / "log.jsonl").read_text().splitlines()
    assert '"step": 2' in line and '"psnr50"' in line and '"identity90"' in line
    file = tmp_path / "run" / "weights.safetensors"
    assert {v.dtype for v in load_file(file).values()} == {torch.float16}
    with safe_open(file, "pt") as opened:
        assert opened.metadata() == {"width": "2"}
    net = unetjpeg.load(file)
    assert net.width == 2 and not any(p.requires_grad for p in net.parameters())
