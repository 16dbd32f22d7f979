"""Each detector learns from what it says, and all are measured against the same real pictures."""

from collections.abc import Callable

import numpy as np
import pytest
from numpy.typing import NDArray

from training.config import ConfigError
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


def by_generator(scores: dict[str, Floats]) -> dict[str, matrices.Row]:
    return {name: matrices.by_generator(of, examples()) for name, of in scores.items()}


def test_who_learns_one_by_heart_finds_that_one() -> None:
    assert by_generator(matrices.alone(by_heart, examples(), examples())) == {
        "flow": {"flow": 1.0, "gan": 0.5},
        "gan": {"flow": 0.5, "gan": 1.0},
    }


def test_what_is_left_out_is_not_learnt() -> None:
    assert by_generator(matrices.without(by_heart, examples(), examples())) == {
        "flow": {"flow": 0.5, "gan": 1.0},
        "gan": {"flow": 1.0, "gan": 0.5},
    }


def test_one_generator_cannot_be_left_out() -> None:
    known = examples()
    with pytest.raises(ConfigError, match="a generator can be left out where there are two or more"):
        matrices.without(by_heart, known[known.source != "flow"], known)
