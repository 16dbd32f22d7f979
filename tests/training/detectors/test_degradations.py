"""Degradations are what they are called, and learning with them helps where it must."""

import numpy as np

from training.detectors import degradations
from training.detectors.classifier import Classifier
from training.detectors.degradations import Patch
from training.detectors.fitting import Schedule


def test_a_patch_is_left_where_the_picture_says(picture) -> None:  # type: ignore[no-untyped-def]
    levels = picture(64, 48).clip(1)
    seen = Patch(20)(levels)
    kept = (seen != 0).any(2)
    assert kept.sum() == 400 and np.array_equal(seen[kept], levels[kept])
    assert np.array_equal(seen, Patch(20)(levels))
    places = {tuple(np.argwhere(Patch(20)(picture(64, 48, s)).any(2))[0]) for s in range(6)}
    assert len(places) > 3


def test_a_patch_larger_than_the_picture_is_all_of_it(picture) -> None:  # type: ignore[no-untyped-def]
    assert np.array_equal(Patch(500)(picture(32, 32)), picture(32, 32))


def test_they_grow_stronger(picture) -> None:  # type: ignore[no-untyped-def]
    levels = picture(128, 128)
    for edits in degradations.DEGRADATIONS.values():
        errors = [np.square(edit(levels).astype(float) - levels).mean() for edit in edits]
        assert errors == sorted(errors) and len(set(errors)) == len(errors)


def test_balanced_weighs_both_classes_the_same() -> None:
    assert degradations.balanced(np.array([0.1, 0.2, 0.9, 0.3]), np.array([0.6])) == (3 / 4 + 1) / 2


def test_rows_have_the_mean_and_deviation_of_several_trainings(pixels) -> None:  # type: ignore[no-untyped-def]
    quick = Classifier(width=4, schedule=Schedule(epochs=25, batch=8, rate=3e-3))
    turned = {"negative": [Negative()]}
    rows = list(degradations.degradations(quick, pixels(16, 32), pixels(8, 32, seed=1), 2, turned))
    assert [row["degradation"] for row in rows] == ["none", "none, negative learnt", "negative"]
    assert rows[0]["plain: auc"] > 0.9 and "augmented: auc" not in rows[0]
    assert rows[2]["augmented: auc"] > 0.8
    assert rows[0]["plain: auc ±"] < 0.1


class Negative:
    def __call__(self, levels):  # type: ignore[no-untyped-def]
        return 255 - levels

    def __str__(self) -> str:
        return "negative"
