"""Each baseline sees what it is for."""

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from slic.codec import Codec
from slic.detection.features import Extractor
from training.detectors import baselines
from training.detectors.protocol import Item


@pytest.mark.parametrize("name", baselines.PIXELS)
def test_every_value_is_finite_and_their_number_is_always_the_same(name: str, picture) -> None:  # type: ignore[no-untyped-def]
    method = baselines.PIXELS[name]
    lively, flat = method(picture(128, 128)), method(np.full((128, 128, 3), 77, np.uint8))
    assert np.isfinite(lively).all() and np.isfinite(flat).all()
    assert lively.shape == flat.shape == method(picture(133, 128)).shape


def test_what_a_file_gives_away(tmp_path: Path, picture) -> None:  # type: ignore[no-untyped-def]
    Image.fromarray(picture(32, 64)).save(tmp_path / "a.jpg")
    *size, per_pixel, jpeg = baselines.as_found(Item(tmp_path / "a.jpg", "press", False))
    assert (*np.exp(size).round(), jpeg) == (64, 32, 1)
    assert np.exp(per_pixel) * 64 * 32 == pytest.approx((tmp_path / "a.jpg").stat().st_size)


def test_npr_sees_what_nearest_up_sampling_leaves(picture) -> None:  # type: ignore[no-untyped-def]
    small = picture(64, 64)
    doubled = small.repeat(2, 0).repeat(2, 1)
    still = slice(18, 27)  # shares of differences that are zero
    assert (baselines.npr(doubled)[still] == 1).all()
    assert (baselines.npr(picture(128, 128))[still] < 0.5).all()


def test_the_spectrum_of_finer_noise_ends_higher() -> None:
    fine = np.random.default_rng(0).integers(0, 256, (128, 128, 3)).astype(np.uint8)
    coarse = fine[:32, :32].repeat(4, 0).repeat(4, 1)
    assert baselines.spectrum(fine)[-2] > baselines.spectrum(coarse)[-2] + 1


def test_rigid_is_farther_for_what_noise_changes_more(tiny_model, picture) -> None:  # type: ignore[no-untyped-def]
    method = baselines.rigid(Codec(tiny_model))
    lively = picture(128, 128)
    faint = (lively.astype(float) * 0.05 + 120).astype(np.uint8)
    assert method(faint)[0] > method(lively)[0]


def test_the_codecs_figures_are_slics_features_less_spectrum_blocks_and_latents(  # type: ignore[no-untyped-def]
    tiny_model, picture
) -> None:
    codec = Codec(tiny_model)
    (features,) = Extractor(codec)([picture(128, 128)])
    own = ("rate", "hyper", "surprise", "error", "band", "similar", "gradient")
    wanted = [value for name, value in features.items() if name.startswith(own)]
    assert baselines.codec_features(codec)(picture(128, 128)).tolist() == wanted
