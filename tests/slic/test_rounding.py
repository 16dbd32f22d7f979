"""A latent becomes the nearest whole number or the one before it, whichever costs less in all."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from slic import rounding
from slic.codec import Codec
from tests import tiny

Maker = Callable[..., NDArray[np.uint8]]
BITS = torch.tensor([[0.1, 5.0, 6.0, 9.0], [2.0, 2.0, 2.0, 2.0]])


def cost(y: float, whole: int, table: int, worth: float) -> float:
    return worth * (abs(y) - whole) ** 2 + float(BITS[table, whole])


@given(st.floats(-3.4, 3.4), st.integers(0, 1), st.floats(3.0, 100.0))
def test_it_is_the_cheaper_of_two(y: float, table: int, worth: float) -> None:
    drops = rounding.drops(BITS, worth)
    chosen = float(rounding.towards_zero(torch.tensor([y]), torch.tensor([table]), drops))
    nearest = round(abs(y))
    both = [whole for whole in (nearest, nearest - 1) if whole >= 0]
    assert abs(chosen) in both and (chosen == 0 or (chosen > 0) == (y > 0))
    best = min(cost(y, whole, table, worth) for whole in both)
    assert cost(y, int(abs(chosen)), table, worth) == pytest.approx(best, abs=1e-3)


def test_where_all_cost_the_same_it_is_the_nearest() -> None:
    y = torch.linspace(-3.3, 3.3, 100)
    chosen = rounding.towards_zero(y, torch.ones(100, dtype=torch.uint8), rounding.drops(BITS, 12.0))
    assert torch.equal(chosen, y.round())


def test_beyond_the_last_magnitude_all_are_judged_like_it() -> None:
    drops = rounding.drops(BITS, 12.0)
    y = torch.tensor([3.5, 40.5]) + 1.0 / 12 + 0.1  # the last one saves three bits: an eighth of a step
    assert rounding.towards_zero(y, torch.zeros(2), drops).tolist() == [4.0, 41.0]
    assert rounding.towards_zero(y - 0.1, torch.zeros(2), drops).tolist() == [3.0, 40.0]


def test_files_are_smaller_and_show_what_again_says(tmp_path: Path, picture: Maker) -> None:
    nearest, cheaper = (
        tiny.model("bmshj2018-hyperprior", tmp_path, rates=3, worth=worth) for worth in (0.0, 12.0)
    )
    plain, made = (Codec(model, device="cpu") for model in (nearest, cheaper))
    levels = picture(90, 70)
    data = made.encode(levels)
    assert np.array_equal(np.asarray(made.decode(data)), made.again(levels))
    assert len(data) < len(plain.encode(levels))
