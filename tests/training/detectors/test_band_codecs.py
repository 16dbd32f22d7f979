"""Codecs of sub-bands learn what they are shown, and are measured on each band's own range."""

import pytest
import torch
from torch import Tensor

pytest.importorskip("compressai", reason="training needs the extra [train], up to Python 3.12")

from training.detectors import band_codecs
from training.detectors.band_codecs import MEASURES, Settings, Workshop

TINY = Settings(N=8, M=12, steps=40, batch=4)


def bands(amplitude: float, seed: int = 0) -> Tensor:
    """Noise of squares of 8 pixels."""
    coarse = torch.randn(12, 3, 8, 8, generator=torch.Generator().manual_seed(seed))
    return amplitude * torch.nn.functional.interpolate(coarse, scale_factor=8.0)


def column(found, name: str):  # type: ignore[no-untyped-def]
    return found[:, MEASURES.index(name)]


def test_a_codec_learns() -> None:
    x, rd = bands(0.3) + 1, []
    for steps in (1, 40):
        workshop = Workshop(Settings(N=8, M=12, steps=steps, batch=4))
        rd.append(column(workshop.measures(workshop.codec(x), bands(0.3, 1) + 1, "A")[1], "rd").mean())
    assert rd[1] < 0.4 * rd[0]


def test_it_is_the_same_every_time() -> None:
    first, again = (band_codecs.train(bands(0.3), Settings(N=8, M=12, steps=3)) for _ in range(2))
    assert all(torch.equal(a, b) for a, b in zip(first.parameters(), again.parameters(), strict=True))


def test_what_was_trained_once_is_not_trained_again() -> None:
    workshop = Workshop(Settings(N=8, M=12, steps=1))
    assert workshop.codec(bands(0.3)) is workshop.codec(bands(0.3))
    assert workshop.codec(bands(0.3)) is not workshop.codec(bands(0.3, 1))


def test_measures_are_of_the_decoded_band() -> None:
    workshop, x = Workshop(TINY), bands(0.3)
    decoded, found = workshop.measures(workshop.codec(x), x, "A")
    error = (decoded - x).square().mean((1, 2, 3)).numpy()
    assert column(found, "mse") == pytest.approx(error)
    assert column(found, "rd") == pytest.approx(column(found, "bpp") + 1000 * error)
    assert column(found, "psnr") == pytest.approx(10 * torch.tensor(4 / error).log10().numpy())


def test_similarity_of_faint_details_is_not_saturated() -> None:
    x = bands(0.02)
    _, ssim, ms_ssim = band_codecs.similarities(0.5 * x, x, band_codecs.RANGES["H"])
    assert (ssim < 0.97).all() and (ms_ssim < 0.97).all()
    assert (band_codecs.similarities(0.5 * x, x, 255.0)[1] > 0.9999).all()  # as published: nothing to see


@pytest.mark.parametrize("side", [64, 120, 256])
def test_equal_pictures_are_alike_at_every_size(side: int) -> None:
    x = torch.rand(1, 3, side, side, generator=torch.Generator().manual_seed(0))
    psnr, ssim, ms_ssim = band_codecs.similarities(x, x, 1.0)
    assert (float(psnr), float(ssim), float(ms_ssim)) == pytest.approx((80, 1, 1))
