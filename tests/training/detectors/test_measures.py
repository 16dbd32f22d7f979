"""The measures agree with what can be counted by hand, and with scikit-learn."""

import numpy as np
import pytest

from training.detectors import measures

REAL, FAKE = np.array([0.1, 0.2, 0.4, 0.7]), np.array([0.3, 0.7, 0.8])


def test_auc_counts_pairs_and_half_of_ties() -> None:
    assert measures.auc(REAL, FAKE) == (2 + 3.5 + 4) / 12
    assert measures.auc(FAKE, REAL) == pytest.approx(1 - measures.auc(REAL, FAKE))


def test_auc_and_average_precision_are_scikit_learns() -> None:
    metrics = pytest.importorskip("sklearn.metrics")
    random = np.random.default_rng(0)
    real, fake = random.normal(size=80).round(1), (random.normal(size=50) + 0.8).round(1)
    truth, scores = np.r_[np.zeros(80), np.ones(50)], np.r_[real, fake]
    assert measures.auc(real, fake) == pytest.approx(metrics.roc_auc_score(truth, scores))
    assert measures.average_precision(real, fake) == pytest.approx(
        metrics.average_precision_score(truth, scores)
    )


def test_found_at_leaves_at_most_the_false_alarms_allowed() -> None:
    real, fake = np.arange(200.0), np.array([150.0, 197.0, 198.0, 500.0])
    assert measures.found_at(real, fake, 0.01) == 0.5  # two of 200 may be above: the threshold is 197
    assert measures.found_at(real, fake, 0.0) == 0.25


def test_a_summary_at_a_threshold() -> None:
    row = measures.summary(REAL, FAKE, 0.5, draws=20)
    assert (row["recall"], row["false alarms"]) == (2 / 3, 1 / 4)
    assert (row["precision"], row["accuracy"]) == (2 / 3, 5 / 7)
    assert row["balanced"] == pytest.approx((2 / 3 + 3 / 4) / 2)


def test_a_class_that_is_missing_leaves_only_counts() -> None:
    assert measures.summary(REAL, FAKE[:0]) == {"real": 4, "fake": 0}


def test_an_interval_holds_the_value_and_is_always_the_same() -> None:
    low, high = map(float, measures.interval(measures.auc, REAL, FAKE).split(" to "))
    assert low <= measures.auc(REAL, FAKE) <= high
    assert measures.interval(measures.auc, REAL, FAKE) == measures.interval(measures.auc, REAL, FAKE)


def test_calibration_weighs_both_classes_the_same() -> None:
    real, fake = np.full(100, 0.9), np.full(10, 0.9)
    *empty, last = measures.calibration(real, fake)
    assert last == {
        "probability": "0.8 to 1.0",
        "pictures": 110,
        "said": pytest.approx(0.9),
        "generated": 0.5,
    }
    assert all(row["pictures"] == 0 and row["said"] is None for row in empty)
