"""Code lengths are those of the entropy coder, and what is expected is their mean."""

from collections.abc import Callable

import numpy as np
import pytest
from numpy.typing import NDArray

from slic.codec import Codec
from slic.detection.surprise import ESCAPED, Lengths, Tables
from slic.models import Model
from slic_formats import parse

Picture = Callable[..., NDArray[np.uint8]]

HALF, QUARTER = 1 << 23, 1 << 22


@pytest.fixture
def lengths() -> Lengths:
    """One table: 0 takes one bit, 1 takes two, the escape two and what follows."""
    tensors = {
        "tables.y.counts": np.array([HALF, QUARTER, QUARTER], np.int32),
        "tables.y.lengths": np.array([3], np.int32),
        "tables.y.first": np.array([0], np.int32),
    }
    return Lengths.load(tensors, "y")  # type: ignore[arg-type]


def test_bits_are_the_logarithm_of_the_share(lengths: Lengths) -> None:
    symbols = np.array([0, 1, 2, -1, 500], np.int32)
    assert lengths.of(symbols, np.zeros(5, np.uint8)).tolist() == [1, 2, *[2 + ESCAPED] * 3]


def test_the_entropy_is_the_mean_of_the_bits(lengths: Lengths) -> None:
    assert lengths.entropy.tolist() == [0.5 * 1 + 0.25 * 2 + 0.25 * (2 + ESCAPED)]


def test_the_bits_of_a_picture_are_those_of_its_file(tiny_model: Model, picture: Picture) -> None:
    codec, levels = Codec(tiny_model), picture(96, 128)
    (study,) = codec.study([levels], codec.model.qualities, codec.model.quality)
    found = Tables(codec.model.tensors).surprise(study.symbols[0])
    container = parse(codec.encode(levels))
    assert found.bits.sum() / 8 == pytest.approx(len(container.latent), rel=0.02, abs=16)
    assert found.hyper / 8 == pytest.approx(len(container.hyper), rel=0.05, abs=16)
