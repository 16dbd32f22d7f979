"""The linear detector finds what is there, never scores what it has seen, and is calibrated."""

import numpy as np
import pytest

pytest.importorskip("sklearn", reason="needs scikit-learn, from the extra [train]")

from training.detectors import linear, measures
from training.detectors.linear import Examples


def examples(shift: float, rows: int = 600, seed: int = 0) -> Examples:
    """Two real sources and three generators; generated pictures are off by `shift` in the first of two."""
    random = np.random.default_rng(seed)
    source = random.choice(["a", "b", "gan", "flow", "diffusion"], rows)
    fake = ~np.isin(source, ["a", "b"])
    x = random.normal(size=(rows, 2))
    x[:, 0] += shift * fake
    return Examples(x, fake, source, random.integers(0, linear.FOLDS, rows))


def test_it_finds_what_is_there_and_ranks_a_new_sample() -> None:
    fitted, fresh = linear.fit(examples(1.5)), examples(1.5, seed=1)
    scores = fitted(fresh.x)
    assert measures.auc(scores[~fresh.fake], scores[fresh.fake]) == pytest.approx(0.86, abs=0.04)
    assert fitted.weights[0] > 5 * abs(fitted.weights[1])


def test_probabilities_are_calibrated() -> None:
    fitted, fresh = linear.fit(examples(1.5, 3000)), examples(1.5, 3000, seed=1)
    probability = 1 / (1 + np.exp(-fitted(fresh.x)))
    for row in measures.calibration(probability[~fresh.fake], probability[fresh.fake]):
        assert row["said"] == pytest.approx(row["generated"], abs=0.08)


def test_where_there_is_nothing_to_find_the_odds_stay_even() -> None:
    fitted, fresh = linear.fit(examples(0.0)), examples(0.0, seed=1)
    probability = 1 / (1 + np.exp(-fitted(fresh.x)))
    assert probability.min() > 0.3 and probability.max() < 0.7


def test_scores_of_left_out_pictures_are_by_who_saw_neither_generator_nor_fold(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    seen: list[Examples] = []
    plain = linear.fit_plain

    def watched(chosen: Examples) -> linear.Linear:
        seen.append(chosen)
        return plain(chosen)

    monkeypatch.setattr(linear, "fit_plain", watched)
    known = examples(1.0)
    scores, fake = linear.left_out(known)
    assert len(seen) == 3 * linear.FOLDS
    assert all(len(s.generators) == 2 and len(set(s.fold)) == linear.FOLDS - 1 for s in seen)
    assert fake.sum() == known.fake.sum() and (~fake).sum() == 3 * (~known.fake).sum()
    assert len(scores) == len(fake)


def test_what_tells_sources_apart_is_noise() -> None:
    """The second feature is off in some sources of either class, more in all by chance in generated ones."""
    known = examples(1.0, 3000)
    known.x[:, 1] += 2.0 * np.isin(known.source, ["gan", "flow", "a"])
    weights = linear.fit_plain(known).weights
    assert weights[0] > 5 * abs(weights[1])
