"""Each twin does what the edit of its name does, and lets gradients through."""

from collections.abc import Mapping
from pathlib import Path

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from PIL import Image
from torch import Tensor

from slic import attacks as edits
from slic.attacks import Attack
from training.attacks import TABLE, Attacked, compression

PHOTO = np.array(Image.open(Path(__file__).parents[3] / "examples" / "photo.png"))
CROPS = [PHOTO[y : y + 128, x : x + 128].copy() for y, x in ((150, 250), (300, 20))]
HANDED = {"unetjpeg": {"surrogate": lambda x, quality: x * quality.view(-1, 1, 1, 1) / 100}}
HANDED["codec"] = {"networks": [lambda x: x * 0.5, lambda x: x * 0.25]}


def tensor(pictures: list[NDArray[np.uint8]]) -> Tensor:
    return torch.from_numpy(np.stack(pictures)).permute(0, 3, 1, 2).float() / 255


X = tensor(CROPS).contiguous(memory_format=torch.channels_last)  # as training hands them over


def psnr(a: Tensor, b: Tensor) -> float:
    return float(-10 * torch.log10((a - b).square().mean() + 1e-12))


def twin(name: str, values: Mapping[str, object], x: Tensor = X) -> Attacked:
    return TABLE[name](x, torch.Generator().manual_seed(0), **HANDED.get(name, {}), **values)


def agreement(name: str, ours: Mapping[str, object], theirs: Mapping[str, float], real: str = "") -> float:
    """PSNR between the twin with some parameters and the real edit with others."""
    attack = Attack(real or name, theirs)
    return psnr(twin(name, ours).pixels.clamp(0, 1), tensor([attack(c) for c in CROPS]))


# Name, parameters, least PSNR, and the parameter that is made 20 % stronger or weaker to fall below it.
AGREE = [
    ("blur", {"radius": 2.0}, 45, "radius"),
    ("blur", {"radius": 0.6}, 40, "radius"),
    ("sharpen", {"amount": 1.0}, 55, "amount"),
    ("sharpen", {"amount": 0.3}, 50, "amount"),
    ("lighten", {"factor": 1.5}, 45, "factor"),
    ("lighten", {"factor": 1.2}, 45, "factor"),
    ("darken", {"factor": 0.5}, 45, "factor"),
    ("colour", {"saturation": 1.3}, 50, "saturation"),
    ("colour", {"saturation": 1.0, "red": 1.1, "green": 0.9, "blue": 1.05}, 50, "red"),
    ("gamma", {"exponent": 0.8}, 50, "exponent"),
    ("bilateral", {"reach": 2, "space": 2.0, "tone": 20.0}, 50, "tone"),
    ("bilateral", {"reach": 2, "space": 1.0, "tone": 20.0}, 56, "space"),
    ("rescale", {"factor": 0.5}, 45, "factor"),
    ("affine", dict(edits.PAPER[0].parameters), 32, "degrees"),
    ("affine", dict(edits.PAPER[0].parameters), 32, "left"),
    ("affine", {"degrees": -3.0, "scale": 1.05, "shift_x": 0.06, "shift_y": -0.05}, 32, "shift_x"),
    ("affine", {"degrees": -3.0, "scale": 1.05, "shift_x": 0.06, "shift_y": -0.05}, 32, "shift_y"),
    ("affine", {"degrees": 0.0, "scale": 0.9, "shift_x": 0.0}, 36, "scale"),
]


@pytest.mark.parametrize(
    ("name", "values", "least", "key"), AGREE, ids=lambda v: v if isinstance(v, str) else ""
)
def test_twin_agrees_and_a_fifth_off_would_not(
    name: str, values: dict[str, float], least: float, key: str
) -> None:
    assert agreement(name, values, values) > least
    for wrong in (0.8, 1.2):
        limits = TABLE[name].limits[key]
        other = min(max(values[key] * wrong, limits.low), limits.high)
        if limits.step:
            other = float(round(other))
        if other != values[key]:
            assert agreement(name, values | {key: other}, values) < least


@pytest.mark.parametrize(
    ("name", "values"),
    [
        ("identity", {}),
        ("median", {"size": 3}),
        ("median", {"size": 5}),
        ("equalize", {}),
        ("shift", {"dx": 3, "dy": -2}),
        ("turn", {"quarters": 1}),
        ("turn", {"quarters": 3}),
        ("mirror", {}),
        ("frame", {"share": 0.1}),
        ("jpeg", {"quality": 70}),
        ("webp", {"quality": 80}),
        ("avif", {"quality": 60}),
    ],
)
def test_twin_is_exact(name: str, values: dict[str, float]) -> None:
    assert agreement(name, values, values) > 100


@pytest.mark.parametrize("quality", [40, 70, 90])
def test_jpeg_by_its_coefficients_agrees_with_jpeg(quality: int) -> None:
    assert agreement("jpeg_dct", {"quality": quality}, {"quality": quality}, "jpeg") > 40
    for wrong in (round(quality * 0.8), min(100, round(quality * 1.2))):
        assert agreement("jpeg_dct", {"quality": wrong}, {"quality": quality}, "jpeg") < 40


def test_noise_has_its_strength_for_each_sample() -> None:
    x = torch.full((2, 3, 64, 64), 0.5)
    added = TABLE["noise"](x, torch.Generator().manual_seed(1), sigma=5).pixels - x
    assert (added * 255).std((1, 2, 3)).tolist() == pytest.approx([5, 5], rel=0.03)


def test_crop_is_the_cut_picture_padded_as_the_codec_does() -> None:
    values = {"left": 13, "top": 7, "right": 2, "bottom": 1}
    done = twin("crop", values)
    for crop, pixels, kept in zip(CROPS, done.pixels, done.kept, strict=True):
        cut = tensor([Attack("crop", values)(crop)])  # (1,3,120,113)
        padded = torch.nn.functional.pad(cut, (0, 15, 0, 8), mode="replicate")
        assert torch.equal(pixels[None], padded)
        assert kept[:, :120, :113].all()
        assert kept.sum() == 120 * 113


def test_paste_takes_the_same_part_of_another_picture() -> None:
    foreign = X.flip(0)
    done = twin("paste", {"share": 0.25, "foreign": foreign})
    assert torch.equal(done.pixels, torch.where(done.kept.bool(), X, foreign))
    assert (1 - done.kept).sum((1, 2, 3)).tolist() == [64 * 64] * 2
    alone = twin("paste", {"share": 0.25}, X[:1])
    assert alone.pixels[(alone.kept == 0).expand(-1, 3, -1, -1)].std() > 0.05


def test_kept_is_where_the_picture_is() -> None:
    white = torch.ones(2, 3, 64, 96)
    for name, values in (("affine", {"left": -5}), ("frame", {"share": 0.2})):
        done = twin(name, values, white)
        assert 0.2 < done.kept.mean() < 0.95
        assert torch.equal(done.kept.unique(), torch.tensor([0.0, 1.0]))
        assert (done.pixels * done.kept - done.kept).abs().max() < 0.011  # white wherever kept
        assert (
            done.pixels.sum(1, keepdim=True) * (1 - done.kept)
        ).mean() < 0.05  # black elsewhere, but for seams
    shifted = twin("shift", {"dx": 3, "dy": -2}, white)
    assert shifted.kept.sum() == 2 * (64 - 2) * (96 - 3)
    assert shifted.kept[:, :, :62, 3:].all()


@pytest.mark.parametrize("name", sorted(TABLE))
def test_gradients_reach_the_picture(name: str) -> None:
    x = X.clone().requires_grad_()
    weights = torch.rand(X.shape, generator=torch.Generator().manual_seed(5))
    (twin(name, {}, x).pixels * weights).sum().backward()
    assert x.grad is not None
    assert x.grad.isfinite().all()
    for sample in x.grad:
        assert (sample != 0).float().mean() > 0.05


@pytest.mark.parametrize("name", ["lighten", "darken", "gamma", "equalize", "bilateral", "jpeg_dct"])
def test_gradients_are_finite_at_the_ends_and_beyond(name: str) -> None:
    x = torch.tensor([-0.1, 0.0, 1.0, 1.1]).repeat(48).view(1, 3, 8, 8).requires_grad_()
    twin(name, {}, x).pixels.sum().backward()
    assert x.grad is not None
    assert x.grad.isfinite().all()


@pytest.mark.parametrize("name", ["blur", "sharpen", "lighten", "colour", "gamma", "bilateral", "affine"])
def test_gradients_are_the_functions_own(name: str) -> None:
    """A small step changes the result by as much as the gradient says."""
    x = (X * 0.5 + 0.2).requires_grad_()
    step = 1e-3 * torch.rand(X.shape, generator=torch.Generator().manual_seed(6))
    weights = torch.rand(X.shape, generator=torch.Generator().manual_seed(7))

    def value(x: Tensor) -> Tensor:
        return (twin(name, {}, x).pixels.double() * weights).sum()

    (gradient,) = torch.autograd.grad(value(x), x)
    with torch.no_grad():
        change = float(value(x + step) - value(x - step)) / 2
    assert change == pytest.approx(float((gradient * step).sum()), rel=0.05)


def test_the_median_sends_its_gradient_to_the_median() -> None:
    x = torch.arange(75.0).view(1, 3, 5, 5) / 75
    x = x.requires_grad_()
    twin("median", {"size": 3}, x).pixels[0, 1, 2, 2].backward()
    assert x.grad is not None
    assert x.grad.nonzero().tolist() == [[0, 1, 2, 2]]


def test_cubic_rounding_is_chosen_by_name() -> None:
    hard, soft = (twin("jpeg_dct", {"rounding": r}).pixels for r in ("straight-through", "cubic"))
    assert 20 < psnr(hard, soft) < 60


def test_surrogate_gets_qualities_from_1_to_100() -> None:
    assert torch.allclose(twin("unetjpeg", {"quality": 50}).pixels, X / 2)


def test_codec_draws_one_of_the_networks() -> None:
    shares = TABLE["codec"](torch.ones(40, 3, 2, 2), torch.Generator().manual_seed(0), **HANDED["codec"])
    assert set(shares.pixels.flatten().tolist()) == {0.5, 0.25}


def test_defaults_are_those_of_the_edits() -> None:
    drawn = twin("blur", {}).pixels
    assert torch.equal(drawn, twin("blur", {"radius": 2.0}).pixels)


def test_surviving_rounding_gives_no_hope_to_what_jpeg_discards() -> None:
    """JPEG 30 removes a faint checkerboard; only straight-through has a gradient for it."""
    checks = (torch.arange(32)[:, None] + torch.arange(32)) % 2 * 2.0 - 1
    x = (0.5 + 0.004 * checks).repeat(1, 3, 1, 1)
    quality = torch.tensor([30.0])

    def hope(rounding: str) -> float:
        pixels = x.clone().requires_grad_()
        out = compression.jpeg_dct(pixels, quality, rounding)
        assert float((out.detach() - 0.5).abs().max()) < 0.004
        (out * checks).sum().backward()
        assert pixels.grad is not None
        return float((pixels.grad * checks).sum())

    assert hope("surviving") < 0.1 * hope("straight-through")
