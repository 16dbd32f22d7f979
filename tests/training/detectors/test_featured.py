"""Cheap features are learnt from, and taken once of each picture."""

import numpy as np
import pytest

pytest.importorskip("sklearn", reason="needs scikit-learn, from the extra [train]")

from training.detectors.featured import Featured
from training.detectors.learner import Floats


def roughness(levels) -> Floats:  # type: ignore[no-untyped-def]
    return np.array([np.abs(np.diff(levels.astype(float), axis=0)).mean()])


def test_smooth_pictures_are_found(pixels) -> None:  # type: ignore[no-untyped-def]
    fresh = pixels(each=4, side=32, seed=1)
    scores = Featured(roughness)(pixels(side=32))(fresh.x)
    assert scores[fresh.fake].min() > scores[~fresh.fake].max()


def test_a_picture_is_looked_at_once_whoever_is_left_out(pixels) -> None:  # type: ignore[no-untyped-def]
    seen = []

    def watched(levels) -> Floats:  # type: ignore[no-untyped-def]
        seen.append(levels)
        return roughness(levels)

    learner, known = Featured(watched), pixels(side=32)
    learner(known[known.source != "stylegan"])
    assert len(seen) == 30
    learner(known)(known.x)
    assert len(seen) == len(known.x) == 40
