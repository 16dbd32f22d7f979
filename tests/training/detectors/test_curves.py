"""A new generator comes in by so many pictures, to a network that knows the others."""

import numpy as np
import pytest

from training.detectors import curves
from training.detectors.classifier import HELD, Classifier
from training.detectors.fitting import Schedule
from training.detectors.linear import Examples


def test_so_many_pictures_of_the_new_one_are_learnt(  # type: ignore[no-untyped-def]
    pixels, monkeypatch: pytest.MonkeyPatch
) -> None:
    known, seen = pixels(20, 32), []
    plain = Classifier.__call__

    def watched(self: Classifier, examples: Examples):  # type: ignore[no-untyped-def]
        new = examples.source == "stylegan"
        seen.append((int(new.sum()), self.start is not None, bool((examples.fold[new] == HELD).any())))
        return plain(self, examples)

    monkeypatch.setattr(Classifier, "__call__", watched)
    quick = Classifier(width=2, schedule=Schedule(epochs=1, batch=8))
    rows = list(curves.curves(quick, known, pixels(4, 32, seed=1), "stylegan"))
    assert [row["pictures"] for row in rows] == [0, 5, 10]  # 16 are not held out
    assert seen == [(0, False, False), (5, True, False), (10, True, False)]
    assert all(0 <= row["auc"] <= 1 and row["new"] == "stylegan" for row in rows)


def test_the_network_before_is_not_changed(pixels) -> None:  # type: ignore[no-untyped-def]
    known = pixels(8, 32)
    quick = Classifier(width=2, schedule=Schedule(epochs=1, batch=8))
    before = quick(known)
    scores = before(known.x)
    Classifier(width=2, schedule=Schedule(epochs=2, batch=8), start=before)(known)
    assert np.array_equal(before(known.x), scores)
