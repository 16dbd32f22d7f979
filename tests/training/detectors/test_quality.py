"""The compression-quality detector finds which codecs suit a picture, without having seen it."""

import numpy as np
import pytest
import torch
from torch import Tensor

pytest.importorskip("pywt", reason="needs PyWavelets, from the extra [train]")
pytest.importorskip("sklearn", reason="needs scikit-learn, from the extra [train]")
pytest.importorskip("compressai", reason="training needs the extra [train], up to Python 3.12")

from training.detectors import measures, quality
from training.detectors.band_codecs import Settings, Workshop
from training.detectors.quality import CODECS, NAMES, Quality

WORKSHOP = Workshop(Settings(N=8, M=8, steps=15, batch=4))


def test_there_are_54_features_each_with_a_name() -> None:
    assert len(NAMES) == len(set(NAMES)) == 54
    assert NAMES[:6] == tuple(f"real.A.{m}" for m in ("rd", "bpp", "mse", "psnr", "ssim", "ms-ssim"))
    assert NAMES[24:27] == ("real.picture.psnr", "real.picture.ssim", "real.picture.ms-ssim")


def test_features_are_finite_and_follow_their_names(pixels) -> None:  # type: ignore[no-untyped-def]
    known = pixels()
    found = Quality(workshop=WORKSHOP).features(known, 120)(known.x[:3])
    assert found.shape == (3, 54) and np.isfinite(found).all()
    kinds = found.reshape(3, 2, 27)
    assert not np.allclose(kinds[:, 0], kinds[:, 1])  # two kinds of codec
    for band, extent in ((0, 2.0), (3, 0.25)):
        mse, psnr = kinds[:, :, 6 * band + 2], kinds[:, :, 6 * band + 3]
        assert psnr == pytest.approx(10 * np.log10(extent**2 / mse), rel=1e-4)


@pytest.mark.parametrize("classifier", ["mlp", "boosting"])
def test_it_tells_smooth_pictures_from_others(classifier, pixels) -> None:  # type: ignore[no-untyped-def]
    score, fresh = Quality(classifier, WORKSHOP)(pixels(16)), pixels(6, seed=1)
    scores = score(fresh.x)
    assert measures.auc(scores[~fresh.fake], scores[fresh.fake]) > 0.9


def test_codecs_and_classifier_learn_from_different_folds(  # type: ignore[no-untyped-def]
    pixels, monkeypatch: pytest.MonkeyPatch
) -> None:
    known, seen = pixels(), []

    def watched(self: Workshop, bands: Tensor) -> torch.nn.Module:
        seen.append(len(bands))
        return WORKSHOP.codec(bands)

    class Watched(Workshop):
        codec = watched

    monkeypatch.setattr(quality, "_classifier", lambda kind, seed: Fitted())
    fitted: list[int] = []

    class Fitted:
        def fit(self, x, fake) -> None:  # type: ignore[no-untyped-def]
            fitted.append(len(x))

    Quality(workshop=Watched(WORKSHOP.settings))(known)
    in_codecs = np.isin(known.fold, CODECS)
    assert seen == [int((in_codecs & (known.fake == fake)).sum()) for fake in (False, True) for _ in range(4)]
    assert fitted == [int((~in_codecs).sum())]
