"""bf16 shows pixels, and flat fields above all, as fp32 does."""

import pytest
import tiny
import torch
from torch import Tensor

from slic import bf16, layers, models, transforms
from slic.transforms import Transforms

CPU = torch.device("cpu")


@torch.no_grad()
def test_the_first_layer_loses_no_more_than_rounding_its_result_costs() -> None:
    net = transforms.networks("bmshj2018-hyperprior", tiny.N, tiny.M)["g_a"]
    layer = layers.UnshuffledConv(net[0])
    x = torch.randint(0, 256, (1, 3, 64, 64), generator=torch.Generator().manual_seed(2)).float() / 255
    layer.bias.zero_()
    wanted, got = layer(x), bf16.InLevels(layer)(x)
    assert (got - wanted).abs().max() < 2**-8 * wanted.abs().max()
    rounded = layers.UnshuffledConv(net[0]).bfloat16()(x.bfloat16())
    assert (got - wanted).square().mean() < 0.6 * (rounded - wanted).square().mean()


def test_every_level_of_a_pixel_reaches_the_first_layer() -> None:
    levels = torch.arange(256).float()
    assert torch.equal((levels / 255 * bf16.LEVELS).bfloat16().float(), levels)


def test_kernels_keep_their_sums() -> None:
    weight = torch.randn(32, 16, 5, 5, generator=torch.Generator().manual_seed(3))
    rounded = bf16.carried(weight)
    assert torch.equal(rounded, rounded.bfloat16().float())

    def off(kernels: Tensor) -> float:
        return (kernels - weight).sum((2, 3)).abs().mean().item()

    assert off(rounded) < 0.5 * off(weight.bfloat16().float())
    assert (rounded - weight).abs().max() < 2**-7 * weight.abs().max()  # and stay near what they were


@torch.no_grad()
def test_a_white_field_of_the_embedded_model_stays_as_white() -> None:
    model = models.find("slic")
    state = {name: torch.from_numpy(tensor) for name, tensor in model.tensors.items()}
    exact, ours = (Transforms(model.architecture, state, CPU, p) for p in (torch.float32, torch.bfloat16))
    unmatched = bf16.lowered(exact.g_s, ends=True)
    y = exact.analyse(torch.ones(1, 3, 80, 80))
    middle = (..., slice(32, 48), slice(32, 48))
    white = exact.synthesise(y)[middle].mean()
    off = (ours.synthesise(y)[middle].mean() - white).abs()
    assert off < 1 / 255
    assert off < (unmatched(y.bfloat16())[middle].mean() - white).abs()


def test_a_model_to_which_greys_are_nothing_stays_finite() -> None:
    state = {name: torch.zeros_like(t) for name, t in tiny.state("bmshj2018-hyperprior").items()}
    ours = Transforms("bmshj2018-hyperprior", state, CPU, torch.bfloat16)
    assert ours.synthesise(torch.ones(1, tiny.M, 4, 4)).isfinite().all()


@torch.no_grad()
def test_pixels_are_the_same_piece_by_piece(monkeypatch: pytest.MonkeyPatch) -> None:
    last = layers.ShuffledConv.of_deconv(torch.nn.ConvTranspose2d(8, 3, 5, 2, 2, output_padding=1))
    x = torch.randn(2, 8, 21, 30, generator=torch.Generator().manual_seed(4)).bfloat16()
    monkeypatch.setattr(bf16, "PIECE", 8)
    torch.testing.assert_close(bf16.PixelsInFloat32(last)(x), bf16.InFloat32(last)(x))
