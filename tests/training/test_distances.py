"""Distances: literal values, the packages' own computations, and manners that training relies on."""

from collections.abc import Callable
from functools import cache
from pathlib import Path

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from PIL import Image
from torch import Tensor

pytest.importorskip("lpips", reason="distances need the extra [metrics], up to Python 3.12")
import lpips
import piq
import pytorch_msssim

from training import distances
from training.distances import Distance

SIGMAS = (0.05, 0.1, 0.2)
PLAIN = ("gmsd", "nlpd", "ms-ssim", "mse")
BACKED = ("lpips-vgg", "lpips-alex", "lpips-squeeze", "dists", "vgg")


@pytest.fixture(autouse=True)
def no_downloads(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    def refuse(*_: object) -> None:
        raise AssertionError("a test asked for a download")

    monkeypatch.setattr(torch.hub, "download_url_to_file", refuse)
    monkeypatch.setenv("SLIC_BACKBONES", str(tmp_path))


@pytest.fixture(scope="module")
def random_weights(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Untrained backbones under the names of the trained ones."""
    from torchvision.models import squeezenet1_1
    from torchvision.models.alexnet import AlexNet
    from torchvision.models.vgg import cfgs, make_layers

    folder = tmp_path_factory.mktemp("backbones")
    with torch.random.fork_rng():
        torch.manual_seed(0)
        networks = {
            "vgg16.pth": make_layers(cfgs["D"]),
            "squeezenet1_1.pth": squeezenet1_1().features,
            "alexnet.pth": AlexNet(num_classes=1).features,
        }
        for name, network in networks.items():
            torch.save({f"features.{k}": v for k, v in network.state_dict().items()}, folder / name)
        shares = torch.rand(2, 1, 1475, 1, 1)
        shares /= shares.sum()
        torch.save(dict(zip(("alpha", "beta"), shares, strict=True)), folder / "dists_weights.pt")
    return folder


@pytest.fixture(scope="module")
def load(random_weights: Path) -> Callable[[str], Distance]:
    return cache(lambda name: distances.load(name, weights=random_weights))


@pytest.fixture
def pair(picture) -> tuple[Tensor, Tensor]:  # type: ignore[no-untyped-def]
    """Two pictures and what different noise made of them."""
    return tensors(picture, 176, 168)


@pytest.fixture
def fitting(name: str, picture) -> tuple[Tensor, Tensor]:  # type: ignore[no-untyped-def]
    """A pair as small as the distance allows."""
    return tensors(picture, 164, 164) if name == "ms-ssim" else tensors(picture, 48, 40)


def tensors(picture: Callable[..., NDArray[np.uint8]], height: int, width: int) -> tuple[Tensor, Tensor]:
    pixels = np.stack([picture(height, width, seed) for seed in (1, 2)])
    a = torch.from_numpy(pixels).permute(0, 3, 1, 2).float() / 255
    noise = np.random.default_rng(3).normal(size=a.shape).astype(np.float32)
    return a, (a + torch.tensor([0.05, 0.2]).reshape(2, 1, 1, 1) * torch.from_numpy(noise)).clamp(0, 1)


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("mse", [0.002497116, 0.03859690]),
        ("gmsd", [0.04499887, 0.21049812]),
        ("nlpd", [0.23767251, 0.63488227]),
        ("ms-ssim", [0.07462007, 0.40987039]),
    ],
)
def test_values_of_a_generated_picture(name: str, expected: list[float], load, pair) -> None:  # type: ignore[no-untyped-def]
    assert load(name)(*pair).tolist() == pytest.approx(expected, rel=1e-4)


@pytest.mark.parametrize("name", PLAIN + BACKED)
def test_equal_pictures_have_no_distance(name: str, load, fitting) -> None:  # type: ignore[no-untyped-def]
    assert load(name)(fitting[0], fitting[0]).abs().max() < 2e-6


@pytest.mark.parametrize("name", PLAIN + BACKED)
def test_each_picture_is_judged_alone(name: str, load, fitting) -> None:  # type: ignore[no-untyped-def]
    a, b = fitting
    alone = torch.cat([load(name)(a[i : i + 1], b[i : i + 1]) for i in range(2)])
    together = load(name)(a, b)
    assert together.shape == (2,) and together[1] > together[0] > 0
    assert torch.allclose(together, alone, rtol=1e-4, atol=1e-6)


@pytest.mark.parametrize("name", PLAIN + BACKED)
def test_autocast_changes_nothing(name: str, load, fitting) -> None:  # type: ignore[no-untyped-def]
    with torch.autocast("cpu", torch.bfloat16):
        cast = load(name)(*fitting)
    assert torch.equal(cast, load(name)(*fitting))


@pytest.mark.parametrize("name", PLAIN + BACKED)
def test_gradients_are_finite_wherever_pictures_end_up(name: str, load, fitting) -> None:  # type: ignore[no-untyped-def]
    """Equal, flat, opposed, and out of range: packages leave NaN in some of these."""
    a = fitting[0][:1]
    flat = torch.full_like(a, 0.5)
    b = torch.cat([a, flat, a, 1 - a, 3 * a - 1]).requires_grad_()
    load(name)(torch.cat([a, flat, flat, a, a]), b).sum().backward()
    assert b.grad is not None and b.grad.isfinite().all()


@pytest.mark.parametrize("name", PLAIN + BACKED)
def test_nothing_in_a_distance_learns(name: str, load) -> None:  # type: ignore[no-untyped-def]
    distance = load(name).train()
    assert not any(p.requires_grad for p in distance.parameters())
    assert not any(m.training for m in distance.modules())


def test_gmsd_is_piqs(load, pair) -> None:  # type: ignore[no-untyped-def]
    assert torch.allclose(load("gmsd")(*pair), piq.gmsd(*pair, reduction="none"), atol=2e-6)


@pytest.mark.parametrize("size", [(176, 168), (165, 171)])
def test_ms_ssim_is_pytorch_msssims(size: tuple[int, int], load, picture) -> None:  # type: ignore[no-untyped-def]
    a, b = tensors(picture, *size)
    expected = 1 - pytorch_msssim.ms_ssim(a, b, data_range=1, size_average=False)
    assert torch.allclose(load("ms-ssim")(a, b), expected, atol=1e-5)


def test_ms_ssim_says_what_it_needs(load) -> None:  # type: ignore[no-untyped-def]
    with pytest.raises(ValueError, match="ms-ssim needs sides above 160, not 256x128"):
        load("ms-ssim")(torch.zeros(1, 3, 128, 256), torch.zeros(1, 3, 128, 256))


@pytest.mark.parametrize("size", [(176, 168), (91, 70)])
def test_nlpd_is_the_published_one(size: tuple[int, int], load, picture) -> None:  # type: ignore[no-untyped-def]
    """Step by step in the published order: filter, take every second, put zeros between, filter."""
    a, b = tensors(picture, *size)
    grey = [np.tensordot([0.299, 0.587, 0.114], x.double().numpy(), (0, 1)) for x in (a, b)]
    expected = [nlpd(p, q) for p, q in zip(*grey, strict=True)]
    assert load("nlpd")(a, b).tolist() == pytest.approx(expected, rel=1e-4)


def nlpd(a: NDArray[np.float64], b: NDArray[np.float64]) -> float:
    ndimage = pytest.importorskip("scipy.ndimage")
    low = np.outer(*[[0.05, 0.25, 0.4, 0.25, 0.05]] * 2)
    # The published kernels as printed there, for a convolution: left is the weight of the pixel on the right.
    kernels = np.zeros((6, 5, 5))
    kernels[0, 1, 2], kernels[0, 3, 2] = 0.1011, 0.1015
    kernels[0, 2] = [0, 0.1493, 0, 0.1460, 0.0072]
    kernels[1, 1, 2], kernels[1, 3, 2], kernels[1, 2, 1], kernels[1, 2, 3] = 0.0757, 0.0837, 0.1986, 0.1846
    kernels[2, 1, 2], kernels[2, 3, 2], kernels[2, 2, 1], kernels[2, 2, 3] = 0.0477, 0.0467, 0.2138, 0.2243
    kernels[3:, 2, 1], kernels[3:, 2, 3] = [0.2503, 0.2598, 0.2215], [0.2616, 0.2552, 0.0717]
    sigmas = [0.0248, 0.0185, 0.0179, 0.0191, 0.0220, 0.2782]

    def pyramid(y: NDArray[np.float64]) -> list[NDArray[np.float64]]:
        levels = []
        for _ in range(5):
            coarse = ndimage.correlate(y, low, mode="reflect")[::2, ::2]
            padded = np.pad(coarse, 1, mode="edge")
            sparse = np.zeros((2 * padded.shape[0], 2 * padded.shape[1]))
            sparse[::2, ::2] = 4 * padded
            finer = ndimage.correlate(sparse, low, mode="constant")[2:, 2:]
            levels.append(y - finer[: y.shape[0], : y.shape[1]])
            y = coarse
        return [*levels, y]

    parts = zip(pyramid(a), pyramid(b), sigmas, kernels, strict=True)
    errors = []
    for p, q, sigma, kernel in parts:
        p, q = (y / (sigma + ndimage.convolve(abs(y), kernel, mode="constant")) for y in (p, q))
        errors.append(np.sqrt(np.mean((p - q) ** 2)))
    return float(np.mean(errors))


@pytest.mark.parametrize("name", ["lpips-vgg", "lpips-alex", "lpips-squeeze"])
def test_lpips_is_lpips(name: str, load, fitting) -> None:  # type: ignore[no-untyped-def]
    model = load(name).measure
    theirs = lpips.LPIPS.forward(model, *fitting, normalize=True).flatten()
    assert torch.allclose(load(name)(*fitting), theirs, rtol=1e-4)


def test_dists_is_piqs(load, random_weights: Path, picture, monkeypatch: pytest.MonkeyPatch) -> None:  # type: ignore[no-untyped-def]
    from torchvision.models.vgg import cfgs, make_layers

    features = make_layers(cfgs["D"])
    state = torch.load(random_weights / "vgg16.pth", weights_only=True)
    features.load_state_dict({k.removeprefix("features."): v for k, v in state.items()})
    shares = torch.load(random_weights / "dists_weights.pt", weights_only=True)
    monkeypatch.setattr(piq.perceptual, "vgg16", lambda **_: type("Net", (), {"features": features}))
    monkeypatch.setattr(torch.hub, "load_state_dict_from_url", lambda *_, **__: shares)
    pair = tensors(picture, 48, 40)
    assert torch.allclose(load("dists")(*pair), piq.DISTS(reduction="none")(*pair), rtol=1e-4)


def test_vgg_sums_squared_differences_of_four_layers(load, random_weights: Path, picture) -> None:  # type: ignore[no-untyped-def]
    features = distances.vgg16(torch.load(random_weights / "vgg16.pth", weights_only=True))
    mean, std = torch.tensor([0.485, 0.456, 0.406]), torch.tensor([0.229, 0.224, 0.225])
    a, b = ((x - mean[:, None, None]) / std[:, None, None] for x in tensors(picture, 48, 40))
    expected = sum((features[:n](a) - features[:n](b)).square().mean((1, 2, 3)) for n in (4, 9, 16, 23))
    assert torch.allclose(load("vgg")(*tensors(picture, 48, 40)), expected, rtol=1e-4)


@pytest.mark.parametrize(
    ("name", "file", "expected"),
    [
        ("lpips-squeeze", "squeezenet1_1.pth", (0.1090599, 0.2622824, 0.4708992)),
        ("lpips-alex", "alexnet_features_fp16.safetensors", (0.0989866, 0.3396878, 0.8123611)),
    ],
)
def test_trained_backbones_judge_noise_on_a_photograph(
    name: str, file: str, expected: tuple[float, ...], shared: Path
) -> None:
    """Beside those weights stand .109, .253, .478 and .102, .335, .811, for a crop and noise not named."""
    if not (shared / "weights" / file).exists():
        pytest.skip(f"needs ../shared/weights/{file}")
    distance = distances.load(name, weights=shared / "weights")
    with Image.open(shared / "data" / "kodak" / "kodim01.png") as image:
        pixels = np.asarray(image.convert("RGB"))[:256, :256].copy()
    a = (torch.from_numpy(pixels).permute(2, 0, 1)[None].float() / 255).expand(3, -1, -1, -1)
    noise = np.random.default_rng(0).normal(size=a.shape).astype(np.float32)
    b = (a + torch.tensor(SIGMAS).reshape(3, 1, 1, 1) * torch.from_numpy(noise)).clamp(0, 1)
    assert distance(a, b).tolist() == pytest.approx(expected, rel=1e-3)


def test_missing_backbones_are_named(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError) as refused:
        distances.load("vgg", weights=tmp_path)
    url = "https://download.pytorch.org/models/vgg16-397923af.pth"
    assert str(refused.value) == f"there is no vgg16-397923af.pth in {tmp_path}; fetch it from {url}"


def test_a_folder_in_the_environment_is_never_downloaded_to() -> None:
    with pytest.raises(FileNotFoundError, match=r"there is no squeezenet1_1-b8a52dc0\.pth in"):
        distances.load("lpips-squeeze")


def test_offline_users_are_told_where_to_put_the_file(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    def offline(*_: object) -> None:
        raise OSError("no route to host")

    monkeypatch.delenv("SLIC_BACKBONES")
    monkeypatch.setenv("TORCH_HOME", str(tmp_path))
    monkeypatch.setattr(torch.hub, "download_url_to_file", offline)
    with pytest.raises(FileNotFoundError) as refused:
        distances.load("dists")
    assert str(refused.value) == (
        "https://download.pytorch.org/models/vgg16-397923af.pth could not be fetched (no route to host); "
        "put it into a folder that SLIC_BACKBONES names"
    )


def test_unknown_names_are_refused_with_those_there_are() -> None:
    with pytest.raises(ValueError, match="unknown distance ssim; there are lpips-vgg, lpips-alex"):
        distances.load("ssim")
