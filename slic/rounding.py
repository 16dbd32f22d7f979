"""Which whole number stands for a latent: the nearest, or the one before it towards zero.

The smaller one where it saves more bits than its error is worth. Encoders alone decide it: decoders take
whatever comes. How much a squared step is worth the model says, as its networks learnt beside that choice.
"""

from torch import Tensor

MAGNITUDES = 32  # from here on all are judged like the last


def drops(bits: Tensor, worth: float) -> Tensor:
    """(T,K) bits of each magnitude in each table → how far beyond K − ½ a latent must lie to become K.

    From worth·(y − K)² + bits(K) = worth·(y − K + 1)² + bits(K − 1).
    """
    saved = bits.diff(dim=1, prepend=bits[:, :1])
    return (saved / (2 * worth)).clamp_(0, 1)


def towards_zero(y: Tensor, numbers: Tensor, drops: Tensor) -> Tensor:
    """Whole numbers of the shape of y and of its tables' `numbers`."""
    size = y.contiguous().abs()
    whole = size.round()
    places = whole.clamp_max(drops.shape[1] - 1).int().add_(numbers.int(), alpha=drops.shape[1])
    needed = drops.flatten().index_select(0, places.flatten()).view_as(whole)
    return whole.sub_((size < needed.add_(whole).sub_(0.5)).to(whole.dtype)).copysign_(y)
