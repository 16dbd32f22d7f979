"""Sizes and angles of known waves, found by power alone."""

import itertools
import math

import pytest
import torch
from torch import Tensor

from slic import spectrum
from slic.spectrum import Fit, likeliest, starts
from slic.trigger import PERIOD
from tests import tiny

VECTORS = tiny.waves()[:, :2] / PERIOD


def field(fit: Fit, loud: float, side: int = 512, seed: int = 0) -> Tensor:
    """(side,side): noise, and the waves as they lie in such a copy, each from anywhere."""
    random = torch.Generator().manual_seed(seed)
    noise = torch.randn(side, side, generator=random)
    y, x = torch.meshgrid(torch.arange(side), torch.arange(side), indexing="ij")
    for down, right in fit.of(VECTORS).tolist():
        noise += loud * torch.cos(2 * math.pi * (down * y + right * x + torch.rand(1, generator=random)))
    return noise


@pytest.mark.parametrize("fit", [Fit(), Fit(0.6, 0.3), Fit(1.5, 1.2), Fit(0.5, 0.0)])
def test_waves_far_below_the_noise_are_found(fit: Fit) -> None:
    best = likeliest(field(fit, 0.06), VECTORS, 1)[0]
    turned = abs(best.angle - fit.angle)
    assert best.size == pytest.approx(fit.size, rel=0.015)
    assert min(turned, math.pi / 2 - turned) < 0.015, "a quarter of a turn is none"


def test_no_more_than_asked_for_and_each_apart_from_the_others() -> None:
    found = likeliest(field(Fit(), 0.1), VECTORS, 3)
    assert 1 <= len(found) <= 3
    for one, other in itertools.combinations(found, 2):
        turned = abs(one.angle - other.angle)
        apart = abs(math.log(one.size / other.size)), min(turned, math.pi / 2 - turned)
        assert max(apart) > spectrum.APART - 1e-6


def test_a_flat_field_has_none() -> None:
    assert likeliest(torch.zeros(64, 64), VECTORS, 4) == []


def test_a_copy_s_waves_are_longer_and_turned() -> None:
    doubled = Fit(2.0, math.pi / 2).of(torch.tensor([[0.1, 0.04]]))
    assert doubled.tolist()[0] == pytest.approx([-0.02, 0.05])


@pytest.mark.parametrize(("side", "size", "hop"), [(10, 16, 8), (16, 16, 8), (17, 16, 8), (100, 16, 8)])
def test_starts_cover_all_and_stay_within(side: int, size: int, hop: int) -> None:
    at = starts(side, size, hop)
    assert at[0] == 0 and at[-1] == max(0, side - size)
    assert all(0 < b - a <= hop for a, b in itertools.pairwise(at))
