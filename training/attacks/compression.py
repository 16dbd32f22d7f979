"""Twins of `slic.attacks.compression`, and two that only training has: `jpeg_dct` and `unetjpeg`.

(B,3,H,W) in [0,1] → the same. `jpeg`, `webp` and `avif` are the real ones, on the CPU, with the
gradient of the identity.
"""

from collections.abc import Callable, Sequence
from functools import cache

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from slic.attacks import compression as edits
from slic.attacks.photographic import LUMA
from slic.modes import Levels
from training.straight_through import replaced

# Tables K.1 and K.2 of ITU-T T.81, which libjpeg scales by quality.
LUMINANCE = """16 11 10 16 24 40 51 61 12 12 14 19 26 58 60 55 14 13 16 24 40 57 69 56 14 17 22 29 51 87 80 62
               18 22 37 56 68 109 103 77 24 35 55 64 81 104 113 92 49 64 78 87 103 121 120 101
               72 92 95 98 112 100 103 99"""
CHROMINANCE = "17 18 24 47 99 99 99 99 18 21 26 66 99 99 99 99 24 26 56 99 99 99 99 99 47 66" + 38 * " 99"

ROUNDINGS = ("straight-through", "cubic", "surviving")


def jpeg(x: Tensor, quality: Tensor) -> Tensor:
    return _real(edits.jpeg, x, quality)


def webp(x: Tensor, quality: Tensor) -> Tensor:
    return _real(edits.webp, x, quality)


def avif(x: Tensor, quality: Tensor) -> Tensor:
    return _real(edits.avif, x, quality)


def jpeg_dct(x: Tensor, quality: Tensor, rounding: str = "straight-through") -> Tensor:
    """JPEG's own arithmetic, 4:2:0, differentiable but for the rounding of coefficients.

    `straight-through` rounds and passes the gradient on; `cubic` replaces rounding by
    round(c) + (c − round(c))³, whose gradient is small wherever c is near a whole number. `surviving`
    rounds, and passes the gradient on where something is left; towards 0 it falls to nothing, so that
    nobody hopes for coefficients that JPEG throws away.
    """
    height, width = x.shape[2:]
    padded = F.pad(x, (0, -width % 16, 0, -height % 16), mode="replicate")
    ycc = F.conv2d(padded * 255, _ycc().to(x)[:, :, None, None])  # chroma about 0
    luma = _quantised(ycc[:, :1] - 128, _table(LUMINANCE, quality), rounding) + 128
    chroma = _quantised(F.avg_pool2d(ycc[:, 1:], 2), _table(CHROMINANCE, quality), rounding)
    # libjpeg interpolates chroma with weights 3/4 and 1/4, which is bilinear by two.
    chroma = F.interpolate(chroma, scale_factor=2, mode="bilinear", align_corners=False)
    rgb = F.conv2d(torch.cat([luma, chroma], 1), _ycc().inverse().to(x)[:, :, None, None])
    return rgb[:, :, :height, :width] / 255


def unetjpeg(x: Tensor, quality: Tensor, surrogate: Callable[[Tensor, Tensor], Tensor]) -> Tensor:
    """JPEG as a frozen network imitates it; `surrogate` gets the quality as 1 … 100."""
    return surrogate(x, quality)


def codec(x: Tensor, generator: torch.Generator, networks: Sequence[Callable[[Tensor], Tensor]]) -> Tensor:
    """Encoded and decoded by one of the frozen networks, drawn for each sample."""
    chosen = torch.randint(len(networks), (len(x),), generator=generator).tolist()
    return torch.cat([networks[i](sample[None]) for i, sample in zip(chosen, x, strict=True)])


def _real(edit: Callable[[Levels, int], Levels], x: Tensor, quality: Tensor) -> Tensor:
    levels = x.detach().mul(255).round().clamp(0, 255).byte().permute(0, 2, 3, 1).cpu().contiguous().numpy()
    coded = np.stack([edit(p, int(q)) for p, q in zip(levels, quality.tolist(), strict=True)])
    return replaced(x, torch.from_numpy(coded).permute(0, 3, 1, 2).to(x) / 255)


def _quantised(planes: Tensor, table: Tensor, rounding: str) -> Tensor:
    """(B,C,H,W) levels through 8×8 coefficients, rounded in units of `table` (B,8,8)."""
    count, channels, height, width = planes.shape
    dct, unit = _dct().to(planes), table.view(count, 1, 1, 1, 8, 8)
    blocks = planes.reshape(count, channels, height // 8, 8, width // 8, 8).transpose(3, 4)
    scaled = dct @ blocks @ dct.T / unit  # (B,C,H/8,W/8,8,8)
    whole = scaled.detach().round()
    if rounding == "cubic":
        rounded = whole + (scaled - whole) ** 3
    else:
        left = (2 * scaled.detach()).square().clamp(max=1) if rounding == "surviving" else 1.0
        rounded = replaced(scaled * left, whole)
    return (dct.T @ (rounded * unit) @ dct).transpose(3, 4).reshape(planes.shape)


def _table(text: str, quality: Tensor) -> Tensor:
    """(B,8,8): libjpeg's rule for a quality of 1 … 100."""
    base = torch.tensor([float(n) for n in text.split()], device=quality.device).view(8, 8)
    percent = torch.where(quality < 50, (5000 / quality).floor(), 200 - 2 * quality).view(-1, 1, 1)
    return ((base * percent + 50) / 100).floor().clamp(1, 255)


@cache
def _dct() -> Tensor:
    """(8,8): orthonormal, frequency by place."""
    k = torch.arange(8.0)
    rows = torch.cos((2 * k + 1) * k[:, None] * torch.pi / 16) / 2
    rows[0] /= 2**0.5
    return rows


@cache
def _ycc() -> Tensor:
    """(3,3): RGB → Y, Cb, Cr of JFIF, chroma about 0."""
    y = torch.from_numpy(LUMA)
    blue, red = torch.eye(3, dtype=y.dtype)[[2, 0]]
    return torch.stack([y, (blue - y) / 1.772, (red - y) / 1.402])
