"""Features say what their names say, and compare between windows of any size."""

from collections.abc import Callable

import numpy as np
import pytest
from numpy.typing import NDArray

from slic.codec import Codec
from slic.detection.features import Extractor, spectrum
from slic.models import Model

Picture = Callable[..., NDArray[np.uint8]]


@pytest.fixture(scope="module")
def extract(tiny_model: Model) -> Extractor:
    return Extractor(Codec(tiny_model))


def test_every_feature_is_a_finite_number(extract: Extractor, picture: Picture) -> None:
    for levels in (
        picture(128, 128),
        np.zeros((128, 128, 3), np.uint8),
        np.full((200, 130, 3), 255, np.uint8),
    ):
        (found,) = extract([levels])
        assert all(np.isfinite(value) for value in found.values())


def test_a_window_means_the_same_alone_and_among_others(extract: Extractor, picture: Picture) -> None:
    windows = [picture(128, 128, seed) for seed in range(3)]
    together = extract(windows)
    assert extract(windows[1:2])[0] == pytest.approx(together[1], abs=0.02)


def test_features_hardly_depend_on_the_size_of_the_window(extract: Extractor) -> None:
    pattern = np.random.default_rng(0).integers(0, 256, (64, 64, 3), np.uint8)
    (small,), (large,) = (extract([np.tile(pattern, (n, n, 1))]) for n in (2, 4))
    assert small["rate.q1"] == pytest.approx(large["rate.q1"], abs=0.2)
    assert small["band.0.energy"] == pytest.approx(large["band.0.energy"], abs=0.01)


@pytest.mark.parametrize("size", [(128, 128), (256, 256), (130, 256)])
def test_the_spectrum_of_noise_is_flat_at_its_variance_whatever_the_size(size: tuple[int, int]) -> None:
    grey = np.random.default_rng(0).normal(128, 20, size).round().clip(0, 255).astype(np.uint8)
    assert spectrum(np.repeat(grey[..., None], 3, 2))[5:] == pytest.approx(np.log(20**2), abs=0.3)


def test_noise_has_more_energy_in_the_finest_octave(extract: Extractor, picture: Picture) -> None:
    plain = picture(128, 128)
    noise = np.random.default_rng(0).normal(0, 25, plain.shape)
    (before,), (after,) = extract([plain]), extract([(plain + noise).clip(0, 255).astype(np.uint8)])
    assert after["band.0.energy"] > before["band.0.energy"] + 1


def test_a_model_of_several_qualities_shows_three(tmp_path, picture: Picture) -> None:  # type: ignore[no-untyped-def]
    import tiny

    model = tiny.model("bmshj2018-hyperprior", tmp_path, rates=5)
    (found,) = Extractor(Codec(model))([picture(128, 128)])
    assert {name for name in found if name.startswith("hyper.")} == {"hyper.q1", "hyper.q3", "hyper.q5"}
