"""Tables of y's symbols that are counted, not assumed, and symbols that are chosen by what they cost.

A Gaussian's tables fit latents that noise stands in for; those that `slic.rounding` brings to zero wherever
that pays have more zeros and longer tails. So while a model trains, every symbol is counted by the table that
h_s chose for it: these counts are the tables. What h_s gives is then no σ, but which table; between two of
them bits are interpolated, so that it learns which. The latents themselves learn along the slope of the bits.
"""

import math

import numpy as np
import torch
from compressai.ops import LowerBound
from torch import Tensor, nn

from slic import convert, rounding
from slic.convert import OUTLIER_SHARE, SCALE_LEVELS, SCALE_MAX, SCALE_MIN
from slic.entropy import TOTAL
from training.straight_through import replaced

REACH = 2048  # magnitudes
KEPT = 0.998  # of the counts, from step to step
STEP = math.log(SCALE_MAX / SCALE_MIN) / (SCALE_LEVELS - 1)


class Tally(nn.Module):
    """Of a model whose latents are worth `worth` bits a squared step."""

    worth: Tensor
    counts: Tensor
    """(T,K) of each magnitude by each table."""
    fresh: Tensor
    """Those of this step."""

    def __init__(self, worth: float) -> None:
        super().__init__()
        self.register_buffer("worth", torch.tensor([worth]))
        expected = np.stack([convert.gaussian(scale, REACH - 1)[REACH - 1 :] for scale in convert.scales()])
        self.register_buffer("counts", torch.zeros(expected.shape))
        self.register_buffer("fresh", torch.zeros(expected.shape), persistent=False)
        self.register_buffer("_expected", torch.from_numpy(expected).float(), persistent=False)
        self.register_buffer("_edges", torch.from_numpy(convert.scales()[:-1]).float(), persistent=False)
        self._bound = LowerBound(SCALE_MIN * math.exp(-STEP / 2))

    def forward(self, y: Tensor, scales: Tensor) -> tuple[Tensor, Tensor]:
        """y and what h_s gives, of one shape → whole numbers, and bits of each; both have gradients."""
        bits = (convert.mixed(self._expected, self.counts) + OUTLIER_SHARE / TOTAL).log2().neg()
        numbers = torch.bucketize(scales.detach().contiguous(), self._edges)
        chosen = rounding.towards_zero(y.detach(), numbers, rounding.drops(bits, float(self.worth)))
        size = chosen.abs().long().clamp_max_(REACH - 1)
        if self.training:
            counted = torch.bincount((numbers * REACH + size).flatten(), minlength=bits.numel())
            self.fresh += counted.view_as(bits)
        place = (self._bound(scales) / SCALE_MIN).log() / STEP + 0.5  # whole in the middle of a table
        place = place.clamp(0, SCALE_LEVELS - 1.001)
        below = place.detach().long()
        share = place - below
        of_choice = bits[below, size] * (1 - share) + bits[below + 1, size] * share
        return replaced(y, chosen), of_choice + _slope(y, chosen, bits, numbers)

    @torch.no_grad()
    def absorb(self) -> None:
        """The step is over."""
        self.counts.mul_(KEPT).add_(self.fresh)
        self.fresh.zero_()


def _slope(y: Tensor, chosen: Tensor, bits: Tensor, numbers: Tensor) -> Tensor:
    """Nothing, whose gradient to y is that of its bits: from one whole number to the next, and less within
    what becomes zero."""
    size = y.detach().abs()
    below = size.long().clamp_max_(REACH - 2)
    slope = bits[numbers, below + 1] - bits[numbers, below]
    slope = torch.where(chosen == 0, slope * size, slope) * y.detach().sign()
    return slope * (y - y.detach())
