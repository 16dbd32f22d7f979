"""A small network finds what is plain to see, and gives gradients."""

from dataclasses import replace

import numpy as np
import torch

from training.detectors import measures
from training.detectors.classifier import HELD, Classifier, evened
from training.detectors.fitting import Schedule

QUICK = Schedule(epochs=25, batch=8, rate=3e-3)


def test_it_tells_smooth_pictures_from_others(pixels) -> None:  # type: ignore[no-untyped-def]
    score, fresh = Classifier(width=4, schedule=QUICK)(pixels(16, 32)), pixels(8, 32, seed=1)
    scores = score(fresh.x)
    assert measures.auc(scores[~fresh.fake], scores[fresh.fake]) > 0.9


def test_the_held_out_fold_is_not_learnt_from(pixels) -> None:  # type: ignore[no-untyped-def]
    """With one epoch there is nothing to choose, so what is in that fold can change nothing."""
    known = pixels(10, 32)
    held = (known.fold == HELD)[:, None, None, None]
    blackened = replace(known, x=np.where(held, np.uint8(0), known.x))
    classifier = Classifier(width=4, schedule=Schedule(epochs=1, batch=8))
    nets = [classifier(examples).net for examples in (known, blackened)]
    assert all(torch.equal(a, b) for a, b in zip(*(net.parameters() for net in nets), strict=True))


def test_classes_weigh_the_same() -> None:
    weights = evened(torch.tensor([0, 0, 0, 1]))
    assert (weights * torch.tensor([3, 1])).tolist() == [2, 2]
