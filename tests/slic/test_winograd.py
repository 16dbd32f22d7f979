"""Winograd's convolution: on integers the same as the plain one, to the last bit."""

import pytest
import torch
import torch.nn.functional as F

from slic import exact, winograd
from slic.exact import IntegerNet

CPU = torch.device("cpu")


def integers(*shape: int, limit: int) -> torch.Tensor:
    random = torch.Generator().manual_seed(sum(shape))
    return torch.randint(-limit, limit + 1, shape, generator=random).double()


@pytest.mark.parametrize(("height", "width"), [(1, 1), (2, 2), (3, 4), (6, 5)])
def test_every_place_is_exact(height: int, width: int) -> None:
    x, weight = integers(2, 3, height, width, limit=2**24), integers(4, 3, 3, 3, limit=2**15)
    framed = F.pad(x, (1, 1, 1, 1)).permute(0, 2, 3, 1)
    out = winograd.convolve(framed, winograd.transform(weight)).permute(0, 3, 1, 2)
    plain = weight.flatten(1) @ F.unfold(x, 3, padding=1)
    assert torch.equal(out, plain.view_as(out))


def test_no_sum_exceeds_the_bound() -> None:
    kernels = winograd.transform(integers(4, 3, 3, 3, limit=2**15))
    x = integers(1, 10, 10, 3, limit=1) * 2.0**24
    assert (
        winograd.convolve(x, kernels).abs().flatten(0, 2).amax(0) <= winograd.bound(kernels, 2.0**24)
    ).all()


@pytest.mark.parametrize(("inputs", "fast"), [(100, True), (1500, False)])
def test_layers_whose_sums_could_grow_too_large_are_unfolded(inputs: int, fast: bool) -> None:
    plan = exact.LayerPlan("h_s.0", "conv", "none")
    tensors = exact.round_layer(plan, torch.ones(1, inputs, 3, 3), torch.zeros(1))
    (layer,) = IntegerNet((plan,), tensors, CPU).layers
    assert (layer.fast is not None) == fast
    x = integers(1, inputs, 3, 2, limit=2**10)
    ideal = F.conv2d(x, torch.ones(1, inputs, 3, 3).double(), padding=1)
    assert torch.equal(layer(x), ideal)
