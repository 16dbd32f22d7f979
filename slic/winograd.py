"""3x3 convolutions with 16 products for four places instead of 36: Winograd's F(2x2, 3x3).

    Y = Aᵀ [ (G g Gᵀ) ∘ (Bᵀ d B) ] A      d: 4x4 places in, g: the kernel, Y: 2x2 places out

Bᵀ and A add and subtract, G halves: on integers everything is exact once the kernels count in quarters,
if no sum leaves the exact range, for which `bound` answers. (The larger forms divide by three.)

Signals are (B,H,W,C) here: four places of a tile are then four rows of memory.
"""

import torch
import torch.nn.functional as F
from torch import Tensor

QUARTERS = 4  # a kernel's unit is a quarter of what it was
_G = ((1, 0, 0), (0.5, 0.5, 0.5), (0.5, -0.5, 0.5), (0, 0, 1))


def transform(weight: Tensor) -> Tensor:
    """(O,I,3,3) → (16,O,I): G g Gᵀ, rows before columns."""
    g = weight.new_tensor(_G)
    kernels = torch.kron(g, g) @ weight.flatten(0, 1).flatten(1).T
    return kernels.view(16, *weight.shape[:2])


def bound(kernels: Tensor, limit: float) -> Tensor:
    """(O): what no sum for signals within ±limit can exceed; a sample of Bᵀ d B adds up four of them."""
    size = kernels.abs().sum(2).view(4, 4, -1)
    corners = [size[r : r + 3, c : c + 3].sum((0, 1)) for r in (0, 1) for c in (0, 1)]
    return torch.stack(corners).amax(0) * (4 * limit)


def convolve(x: Tensor, kernels: Tensor) -> Tensor:
    """(B,H+2,W+2,I), its frame included → (B,H,W,O)."""
    height, width = x.shape[1] - 2, x.shape[2] - 2
    if height % 2 or width % 2:
        x = F.pad(x, (0, 0, 0, width % 2, 0, height % 2))
    samples = _samples(_samples(x, 2), 2)  # (4,4,B,H/2,W/2,I)
    b, rows, cols, inputs = samples.shape[2:]
    products = torch.bmm(samples.view(16, -1, inputs), kernels.mT).view(4, 4, b, rows, cols, -1)
    out = x.new_empty(b, rows, 2, cols, 2, kernels.shape[1])
    for row, half in enumerate(_pair(products)):
        for col, places in enumerate(_pair(half)):
            out[:, :, row, :, col] = places
    return out.view(b, 2 * rows, 2 * cols, -1)[:, :height, :width]


def _samples(x: Tensor, axis: int) -> Tensor:
    """Bᵀ d along one axis, tiles overlapping by two: (4, …)."""
    even, odd = x.view(*x.shape[:axis], -1, 2, *x.shape[axis + 1 :]).unbind(axis + 1)
    tiles = even.shape[axis] - 1
    d0, d2 = even.narrow(axis, 0, tiles), even.narrow(axis, 1, tiles)
    d1, d3 = odd.narrow(axis, 0, tiles), odd.narrow(axis, 1, tiles)
    return torch.stack([d0 - d2, d1 + d2, d2 - d1, d1 - d3])


def _pair(m: Tensor) -> tuple[Tensor, Tensor]:
    """Aᵀ m along the first axis. Overwrites its argument."""
    return m[0].add_(m[1]).add_(m[2]), m[1].sub_(m[2]).sub_(m[3])
