"""Our forward pass is CompressAI's, and gains change the rate."""

from dataclasses import replace
from pathlib import Path

import pytest
import torch
from compressai.zoo.image import model_architectures
from safetensors.torch import save_file

from slic.convert import convert
from slic.transforms import ARCHITECTURES
from training import networks
from training.config import ConfigError, Model

N, M = 8, 12


def model(architecture: str, **more: object) -> Model:
    return Model(architecture, N, N if architecture.startswith("cheng") else M, **more)  # type: ignore[arg-type]


@pytest.mark.parametrize("architecture", ARCHITECTURES)
def test_equals_compressai(architecture: str) -> None:
    torch.manual_seed(0)
    ours = networks.build(model(architecture)).eval()
    theirs = model_architectures[architecture](*((N,) if architecture.startswith("cheng") else (N, M)))
    theirs.load_state_dict(ours.state_dict())
    x = torch.rand(2, 3, 64, 128)
    with torch.no_grad():
        expected = theirs.eval()(x)
        coded = networks.code(ours, x, torch.tensor([6, 6]), None)
    bits = [-v.log2().sum((1, 2, 3)) for v in expected["likelihoods"].values()]
    assert torch.allclose(coded.bpp, sum(bits) / (64 * 128), rtol=1e-4)
    if (
        architecture == "bmshj2018-hyperprior"
    ):  # theirs rounds y, not what is left of it beside the means, for pixels
        assert torch.allclose(coded.pixels, expected["x_hat"], atol=1e-4)


def test_noise_is_what_the_caller_gives() -> None:
    net = networks.build(model("bmshj2018-hyperprior"))
    x, quality = torch.rand(2, 3, 64, 64), torch.tensor([6, 6])
    still = networks.code(net, x, quality, torch.zeros)
    assert torch.equal(still.pixels, networks.code(net, x, quality, torch.zeros).pixels)
    assert not torch.equal(still.pixels, networks.code(net, x, quality, torch.ones).pixels)


def test_a_higher_quality_costs_more_bits() -> None:
    torch.manual_seed(1)
    net = networks.build(model("bmshj2018-hyperprior", gains=True)).eval()
    with torch.no_grad():
        net.g_a[6].weight *= 300
        coded = networks.code(
            net, torch.rand(3, 3, 64, 64)[:1].repeat(3, 1, 1, 1), torch.tensor([1, 4, 8]), None
        )
    assert coded.bpp[0] < coded.bpp[1] < coded.bpp[2]


@pytest.mark.parametrize(
    ("start", "reason"),
    [
        ("nowhere.safetensors", "there is no nowhere.safetensors"),
        ("compressai:99", "is none that CompressAI has"),
        ("compressai:best", "is none that CompressAI has"),
    ],
)
def test_a_start_that_is_not_there_is_one_line(start: str, reason: str) -> None:
    with pytest.raises(ConfigError, match=reason) as refused:
        networks.build(model("bmshj2018-hyperprior", start=start))
    assert "\n" not in str(refused.value)


def test_only_the_parts_named_are_taken(tmp_path: Path) -> None:
    torch.manual_seed(2)
    base = networks.build(model("bmshj2018-hyperprior", gains=True))
    save_file({k: v.contiguous() for k, v in base.state_dict().items()}, tmp_path / "base.safetensors")
    start = str(tmp_path / "base.safetensors")
    joint = networks.build(model("mbt2018", gains=True, start=start, parts=["g_a", "gain"]))
    assert torch.equal(joint.g_a[0].weight, base.g_a[0].weight)
    assert not torch.equal(joint.g_s[0].weight, base.g_s[0].weight)
    with pytest.raises(ConfigError, match="does not fit: 14 weights missing"):
        networks.build(model("mbt2018", start=start))


def test_a_vanilla_codec_takes_any_size_and_lets_gradients_pass(tmp_path: Path) -> None:
    """It has the size of its own weights, which may have fewer channels than what they train against."""
    made = model("bmshj2018-hyperprior", gains=True)
    state = networks.build(replace(made, M=made.M - 4)).state_dict()
    save_file({k: v.contiguous() for k, v in state.items()}, tmp_path / "base.safetensors")
    vanilla = networks.Vanilla(made, str(tmp_path / "base.safetensors"), 4, bf16=False)
    x = torch.rand(1, 3, 70, 50, requires_grad=True)
    out = vanilla(x)
    out.sum().backward()
    assert out.shape == x.shape and x.grad is not None and float(x.grad.abs().sum()) > 0
    assert all(p.grad is None for p in vanilla.parameters())


@pytest.mark.parametrize("architecture", ARCHITECTURES)
def test_a_model_file_is_a_start(architecture: str, tmp_path: Path) -> None:
    """Of all that was trained nothing is lost but what float16 and 16 bits round."""
    torch.manual_seed(2)
    made = model(architecture, gains=True, floors=True)
    trained = networks.build(made).eval()
    with torch.no_grad():
        trained.gain.add_(0.3 * torch.randn_like(trained.gain))
        trained.floor.uniform_(0, 0.01)
    save_file({k: v.contiguous() for k, v in trained.state_dict().items()}, tmp_path / "weights.safetensors")
    convert(tmp_path / "weights.safetensors", tmp_path / "model.safetensors", name="m", quality=6)
    started = networks.build(replace(made, start=str(tmp_path / "model.safetensors"))).eval()
    for (name, a), b in zip(trained.named_parameters(), started.parameters(), strict=True):
        masked = name == "context_prediction.weight"  # what the mask hides is not kept
        wanted = a * trained.context_prediction.mask if masked else a
        assert torch.allclose(wanted, b, rtol=2e-3, atol=1e-4), name


def test_channels_that_answer_are_silent_where_training_codes() -> None:
    """What they would say costs no bits, and is not decoded."""
    torch.manual_seed(3)
    net = networks.build(model("bmshj2018-hyperprior", answers=True)).eval()
    with torch.no_grad():
        net.g_a[6].weight.mul_(300)  # a y that takes bits
        x, quality = torch.rand(1, 3, 64, 64), torch.tensor([6])
        loud = networks.code(net, x, quality, None)
        net.answer[::2] = 8.0
        silent = networks.code(net, x, quality, None)
        net.answer.zero_()
        net.g_a[6].weight[::2] = net.g_a[6].bias[::2] = 0
        expected = networks.code(net, x, quality, None)
    assert torch.equal(silent.pixels, expected.pixels) and torch.equal(silent.bpp, expected.bpp)
    assert silent.bpp < loud.bpp
