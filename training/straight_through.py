"""Operations whose gradient is not their own."""

from typing import Any

import torch
from torch import Tensor


def round_8bit(x: Tensor) -> Tensor:
    """Rounded to 8 bits and clamped to [0, 1], as a picture that is saved between two passes.

    The gradient is that of the identity, except where a step against it would push a sample that
    is out of range still further out: there it is zero. Saturated samples can so come back.
    """
    return _Round8Bit.apply(x)


def replaced(x: Tensor, y: Tensor) -> Tensor:
    """Exactly `y`, with the gradient going to `x` as if nothing had been done to it."""
    return _Replaced.apply(x, y)


class _Round8Bit(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, x: Tensor) -> Tensor:
        ctx.save_for_backward(x)
        return x.mul(255).round_().clamp_(0, 255).div_(255)

    @staticmethod
    def backward(ctx: Any, g: Tensor) -> Tensor:
        (x,) = ctx.saved_tensors
        outward = ((x > 1) & (g < 0)) | ((x < 0) & (g > 0))
        return g.masked_fill(outward, 0)


class _Replaced(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, x: Tensor, y: Tensor) -> Tensor:
        return y.detach().clone()

    @staticmethod
    def backward(ctx: Any, g: Tensor) -> tuple[Tensor, None]:
        return g, None
