"""Pictures ↔ four sub-bands, by one level of a bior4.4 wavelet transform of each colour.

    A   means of neighbours, twice as bright as the picture: 0 to 2 and a little beyond
    H, V, D   what changes down, across and both ways: around 0, mostly within ±.1

The transform has long filters: a side of S pixels gives bands of (S + 9) // 2. Codecs want multiples of 64,
hence the sides 120, 248, 376 and 504 (the method's own) and no other.
"""

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from slic.modes import Levels

BANDS = ("A", "H", "V", "D")
WAVELET = "bior4.4"
GRID, LOST = 64, 8


def largest(side: int) -> int:
    """The largest side that can be transformed, of those up to this one."""
    step = 2 * GRID
    if side < step - LOST:
        raise ValueError(f"a side of {side} pixels is too small for sub-bands: {step - LOST} are needed")
    return (side + LOST) // step * step - LOST


def split(levels: Levels) -> Tensor:
    """(n,S,S,3) → (4,n,3,s,s), in the order of BANDS."""
    import pywt

    approximation, details = pywt.dwt2(levels.astype(np.float32) / 255, WAVELET, axes=(1, 2))
    return torch.from_numpy(np.stack([approximation, *details])).permute(0, 1, 4, 2, 3).contiguous()


def join(bands: Tensor) -> NDArray[np.float32]:
    """The inverse of `split`, not rounded, clamped to 0 … 255."""
    import pywt

    approximation, *details = bands.permute(0, 1, 3, 4, 2).numpy()
    pixels: NDArray[np.float32] = pywt.idwt2((approximation, tuple(details)), WAVELET, axes=(1, 2))
    return (pixels * 255).clip(0, 255)
