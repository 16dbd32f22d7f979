"""Each row learns from what it says, and all are measured against the same real pictures."""

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from training.detectors import matrices
from training.detectors.linear import Examples

Floats = NDArray[np.float64]


def examples() -> Examples:
    """One number a picture: 0 if it is real, else its generator's."""
    source = np.array(["a", "b", "gan", "gan", "flow", "flow"])
    x = np.array([[0.0], [0.0], [1.0], [1.0], [2.0], [2.0]])
    return Examples(x, ~np.isin(source, ["a", "b"]), source, np.arange(6) % 5)


def by_heart(known: Examples) -> Callable[[Floats], Floats]:
    """Finds those generated pictures that it has seen, and no others."""
    seen = known.x[known.fake, 0]
    return lambda x: np.isin(x[:, 0], seen).astype(float)


def test_who_learns_one_by_heart_finds_that_one() -> None:
    assert list(matrices.single(by_heart, examples(), examples())) == [
        {"learnt from": "flow", "flow": 1.0, "gan": 0.5},
        {"learnt from": "gan", "flow": 0.5, "gan": 1.0},
    ]


def test_what_is_left_out_is_not_learnt() -> None:
    assert list(matrices.leave_one_out(by_heart, examples(), examples())) == [
        {"learnt from all but": "flow", "flow": 0.5, "gan": 1.0},
        {"learnt from all but": "gan", "flow": 1.0, "gan": 0.5},
    ]
