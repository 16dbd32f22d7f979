"""The pre-training loop: a resumed run equals an uninterrupted one, bit for bit."""

from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from safetensors.torch import load_file

pytest.importorskip("compressai", reason="training needs the extra [train], up to Python 3.12")

from training import config, train
from training.config import Config
from training.data import Crops, pack


@pytest.fixture(scope="module")
def packed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("pictures")
    random = np.random.default_rng(0)
    for i in range(6):
        Image.fromarray(random.integers(0, 256, (80 + i, 90, 3)).astype(np.uint8)).save(folder / f"{i}.png")
    pack(sorted(folder.iterdir()), folder / "pack.safetensors", 10, {"3": 2.0})
    return folder / "pack.safetensors"


def settings(packed: Path, name: str, steps: int) -> Config:
    overrides = (
        f"data.pack={packed}", "data.batch=1", "data.crop=64", "model.N=8", "model.M=12",
        f"name={name}", "evaluate_every=1000", "save_every=1000", f"steps={steps}", "optimiser.decay=100",
    )  # fmt: skip
    return config.load(Path(__file__).parents[2] / "training" / "configs" / "base-q6.toml", overrides)


def test_resumed_equals_uninterrupted(packed: Path, tmp_path: Path) -> None:
    whole, part = tmp_path / "whole", tmp_path / "part"
    for folder in (whole, part):
        folder.mkdir()
    run = train.Run(settings(packed, "whole", 200), whole)
    for _ in range(4):
        run.train_step()
    run.save()
    first = train.Run(settings(packed, "part", 200), part)
    for _ in range(2):
        first.train_step()
    first.save()
    second = train.Run(settings(packed, "part", 200), part)
    assert second.step == 2
    for _ in range(2):
        second.train_step()
    second.save()
    a, b = load_file(whole / "weights.safetensors"), load_file(part / "weights.safetensors")
    assert all(torch.equal(a[k], b[k]) for k in a)


def test_rates_rise_stay_and_fall_to_zero(packed: Path) -> None:
    s = settings(packed, "x", 300)
    assert [round(train.share(step, s), 2) for step in (0, 49, 99, 150, 200, 250, 300)] == [
        0.01, 0.5, 1.0, 1.0, 1.0, 0.5, 0.0,
    ]  # fmt: skip


def test_averages_keep_their_own_entropy_model(packed: Path, tmp_path: Path) -> None:
    run = train.Run(settings(packed, "x", 10), tmp_path)
    assert run.ema.entropy_bottleneck is not run.net.entropy_bottleneck
    assert run.ema.entropy_bottleneck.quantiles.data_ptr() != run.net.entropy_bottleneck.quantiles.data_ptr()


def test_bounds_survive_half_precision_weights(packed: Path, tmp_path: Path) -> None:
    """1e-9 in float16 is zero: a model started from such a file had infinite rates."""
    from safetensors.torch import save_file

    run = train.Run(settings(packed, "x", 10), tmp_path)
    halves = {k: v.half() if v.is_floating_point() else v for k, v in run.net.state_dict().items()}
    save_file({k: v.contiguous() for k, v in halves.items()}, tmp_path / "half.safetensors")
    train._start_from(run.net, tmp_path / "half.safetensors")
    assert float(run.net.gaussian_conditional.likelihood_lower_bound.bound) > 0


def test_training_and_held_out_pictures_are_apart(packed: Path) -> None:
    held, trained = Crops(packed, "held-out"), Crops(packed)
    assert {p[0] for p in held._pictures} & {p[0] for p in trained._pictures} == set()
    assert len(held._pictures) == 1 and len(trained._pictures) == 5


def test_crops_go_on_where_they_were(packed: Path) -> None:
    crops = Crops(packed)
    crops.batch(2, 64)
    state = crops.state()
    expected = crops.batch(3, 64)
    other = Crops(packed, seed=9)
    other.restore(state)
    assert torch.equal(other.batch(3, 64), expected)


def test_pack_keeps_pictures_exactly(packed: Path) -> None:
    crop = Crops(packed).batch(1, 64)
    assert crop.shape == (1, 3, 64, 64)
    assert torch.equal((crop * 255).round() / 255, crop)
