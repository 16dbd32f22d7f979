"""Gradients that are not their functions' own."""

import pytest
import torch

from training.straight_through import replaced, round_8bit


def test_round_8bit_rounds_and_clamps() -> None:
    x = torch.tensor([-0.2, 0.0, 0.5, 100.4 / 255, 100.6 / 255, 1.0, 1.3])
    assert (round_8bit(x) * 255).tolist() == pytest.approx([0, 0, 128, 100, 101, 255, 255], abs=1e-4)


@pytest.mark.parametrize(
    ("value", "gradient", "passed"),
    [
        (0.5, 1.0, 1.0),
        (0.5, -1.0, -1.0),
        (1.2, 1.0, 1.0),  # descent lowers it: back into the range
        (1.2, -1.0, 0.0),
        (-0.2, 1.0, 0.0),
        (-0.2, -1.0, -1.0),
        (1.0, -1.0, -1.0),  # not yet out of range
        (0.0, 1.0, 1.0),
    ],
)
def test_round_8bit_blocks_only_what_would_leave_further(
    value: float, gradient: float, passed: float
) -> None:
    x = torch.tensor(value, requires_grad=True)
    (round_8bit(x) * gradient).backward()
    assert x.grad is not None
    assert x.grad.item() == passed


def test_replaced_is_exact_and_passes_the_gradient_on() -> None:
    x = torch.rand(100, requires_grad=True)
    y = torch.rand(100)
    out = replaced(x, y)
    (out * 3).sum().backward()
    assert torch.equal(out, y)
    assert torch.equal(x.grad, torch.full((100,), 3.0))
