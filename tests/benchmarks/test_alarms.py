"""Squares lie where they should, and few alarms say how many there may be."""

import numpy as np
import pytest

from benchmarks import alarms


def test_a_row_for_what_was_encoded_and_what_was_not(ask) -> None:  # type: ignore[no-untyped-def]
    rows = ask(alarms.main, "--side", "64", "--each", "2")
    assert [(row["squares"], row["copy"]) for row in rows] == [
        (what, copy) for what in alarms.RIGHT for copy in alarms.COPIES
    ]
    assert all(row["unclear"] == row["checked"] for row in rows)  # the model is not secured
    assert [row["alarms"] == 0 for row in rows] == [True, True, False, False]


def test_squares_are_whole_and_spread() -> None:
    picture = np.arange(6 * 8).reshape(6, 8, 1).repeat(3, 2).astype(np.uint8)
    assert [s[0, 0, 0] for s in alarms.squares(picture, 100, 3)] == [0, 3, 24, 27]
    assert [s[0, 0, 0] for s in alarms.squares(picture, 2, 3)] == [0, 24]
    assert all(s.shape == (3, 3, 3) for s in alarms.squares(picture, 3, 3))
    assert not list(alarms.squares(picture, 5, 7))


@pytest.mark.parametrize(("seen", "of", "share"), [(0, 100, 0.0295), (1, 100, 0.0466), (5, 20, 0.4556)])
def test_the_bound_is_that_of_clopper_and_pearson(seen: int, of: int, share: float) -> None:
    assert alarms.at_most(seen, of) == pytest.approx(share, abs=1e-4)
