"""Twins of `slic.attacks.photographic`: (B,3,H,W) in [0,1] → the same, neither rounded nor clamped.

Parameters are (B,), one value for each sample.
"""

import math
from collections.abc import Sequence

import torch
import torch.nn.functional as F
from torch import Tensor

from slic.attacks import photographic as edits
from training.straight_through import replaced

SLOPE_REACH = 8  # levels to either side over which the slope of a staircase is taken


def identity(x: Tensor) -> Tensor:
    return x


def blur(x: Tensor, radius: Tensor) -> Tensor:
    """A true Gaussian, cut off at three standard deviations; Pillow's boxes come close to it."""
    reach = max(1, math.ceil(3 * float(radius.max())))
    distance = torch.arange(-reach, reach + 1, device=x.device)
    kernel = torch.exp(-(distance**2) / (2 * radius.clamp(min=0.05)[:, None] ** 2))
    kernel = (kernel / kernel.sum(1, keepdim=True)).repeat_interleave(3, 0)  # (3B, 2·reach+1)
    planes = x.reshape(1, -1, *x.shape[2:])  # (1,3B,H,W): a group of its own for each
    planes = F.pad(planes, (reach,) * 4, mode="replicate")
    planes = F.conv2d(planes, kernel[:, None, :, None], groups=len(kernel))
    return F.conv2d(planes, kernel[:, None, None, :], groups=len(kernel)).view_as(x)


def median(x: Tensor, size: Tensor) -> Tensor:
    """The exact median; the gradient goes to the pixel that it came from."""
    return torch.cat([_median(sample[None], int(s)) for sample, s in zip(x, size, strict=True)])


def sharpen(x: Tensor, amount: Tensor) -> Tensor:
    """As Pillow's kernels do, leaves the outermost pixels alone."""
    sums = 9 * F.avg_pool2d(x, 3, 1)  # (B,3,H−2,W−2)
    inner = x[:, :, 1:-1, 1:-1]
    return x + F.pad(_per_sample(amount) * (9 * inner - sums), (1, 1, 1, 1))


def equalize(x: Tensor) -> Tensor:
    """Exactly the real edit of the rounded picture; its gradient is the slope of each channel's table."""
    planes = x.detach().flatten(0, 1).flatten(1).mul(255).round().clamp(0, 255).long()  # (3B,HW)
    counts = torch.zeros(len(planes), 256, dtype=torch.long, device=x.device)
    counts.scatter_add_(1, planes, torch.ones_like(planes))
    table = torch.stack([_equalizing(row) for row in counts.cpu()]).to(x.device)  # (3B,256)
    ends = F.pad(table, (SLOPE_REACH, SLOPE_REACH), mode="replicate")
    slope = (ends[:, 2 * SLOPE_REACH :] - ends[:, : -2 * SLOPE_REACH]) / (2 * SLOPE_REACH)
    edited = table.gather(1, planes).view_as(x) / 255
    return replaced(x * slope.gather(1, planes).view_as(x), edited)


def lighten(x: Tensor, factor: Tensor) -> Tensor:
    """Differentiable through LAB; only the rounding of L, a and b to 8 bits is left out.

    Half a level is taken from L, because the real edit cuts it off.
    """
    f = _cube_root(_linear(x))
    y = 116 * f[:, 1] - 16  # L, (B,H,W), 0 … 100
    new = (y * factor.view(-1, 1, 1) - 0.5 / 2.55).clamp(0, 100)
    f = f + ((new - y) / 116)[:, None]
    xyz = torch.where(f > 0.206893, f**3, (f - 16 / 116) / 7.787)
    return _companded(_mixed(torch.from_numpy(edits.TO_XYZ).inverse(), xyz))


darken = lighten  # the same, with factors below 1


def noise(x: Tensor, generator: torch.Generator, sigma: Tensor) -> Tensor:
    drawn = torch.randn(x.shape, generator=generator).to(x.device)
    return x + _per_sample(sigma / 255) * drawn


def colour(x: Tensor, saturation: Tensor, red: Tensor, green: Tensor, blue: Tensor) -> Tensor:
    grey = _mixed(torch.from_numpy(edits.LUMA)[None], x)
    return (grey + _per_sample(saturation) * (x - grey)) * torch.stack([red, green, blue], 1)[
        :, :, None, None
    ]


def gamma(x: Tensor, exponent: Tensor) -> Tensor:
    """A straight line below level 1, where the power has no bounded slope."""
    power, least = _per_sample(exponent), 1 / 255
    return torch.where(x < least, x * least ** (power - 1), x.clamp(min=least) ** power)


def bilateral(x: Tensor, reach: Tensor, space: Tensor, tone: Tensor) -> Tensor:
    height, width = x.shape[2:]
    most = int(reach.max())
    padded = F.pad(x, (most,) * 4, mode="replicate")
    near, alike = -0.5 / _per_sample(space) ** 2, -0.5 / _per_sample(tone / 255) ** 2
    total, mass = x, torch.ones_like(x[:, :1])
    for dy in range(-most, most + 1):
        for dx in range(-most, most + 1):
            if not (dx or dy):
                continue  # the pixel itself, whose weight is 1
            other = padded[:, :, most + dy : most + dy + height, most + dx : most + dx + width]
            distance = (other - x).square().sum(1, keepdim=True)
            weight = torch.exp(distance * alike + (dx * dx + dy * dy) * near)
            weight = weight * _per_sample(reach >= max(abs(dx), abs(dy)))
            total, mass = total + weight * other, mass + weight
    return total / mass


def _per_sample(values: Tensor) -> Tensor:
    return values.view(-1, 1, 1, 1)


def _median(x: Tensor, size: int) -> Tensor:
    """(1,3,H,W) → the same."""
    _, _, height, width = x.shape
    edge = size // 2
    padded = F.pad(x, (edge,) * 4, mode="replicate")
    with torch.no_grad():
        shifted = [
            padded[:, :, dy : dy + height, dx : dx + width] for dy in range(size) for dx in range(size)
        ]
        found = _middle(shifted)
        place = torch.zeros_like(found, dtype=torch.long)
        for index, plane in enumerate(shifted):
            place.masked_fill_(plane == found, index)
        rows = torch.arange(height, device=x.device)[:, None] + place // size
        columns = torch.arange(width, device=x.device) + place % size
    flat = (rows * padded.shape[3] + columns).flatten(2)
    return padded.flatten(2).gather(2, flat).view_as(x)


def _middle(planes: Sequence[Tensor]) -> Tensor:
    """The median of an odd number of planes, many times faster than sorting each pixel's values.

    Of more than half of the values, neither the least nor the greatest is the median: both are
    forgotten, the next one is taken in, and so on until one is left.
    """
    held, waiting = list(planes[: len(planes) // 2 + 2]), list(planes[len(planes) // 2 + 2 :])
    while True:
        last = len(held) - 1
        for i in range(len(held) // 2):
            _order(held, i, last - i)
        for i in range(1, last // 2 + 1):  # the least is in the first half, the greatest in the last
            _order(held, 0, i)
            _order(held, last - i, last)
        held = held[1:-1] + waiting[:1]
        waiting = waiting[1:]
        if len(held) == 1:
            return held[0]


def _order(planes: list[Tensor], a: int, b: int) -> None:
    planes[a], planes[b] = torch.minimum(planes[a], planes[b]), torch.maximum(planes[a], planes[b])


def _equalizing(counts: Tensor) -> Tensor:
    """Pillow's table for one channel's histogram: (256,) → (256,), 0 … 255."""
    present = counts[counts > 0]
    step = int(present.sum() - present[-1]) // 255
    if len(present) < 2 or step == 0:
        return torch.arange(256.0)
    below = step // 2 + F.pad(counts.cumsum(0)[:-1], (1, 0))
    return (below // step).clamp(max=255).float()


def _mixed(matrix: Tensor, x: Tensor) -> Tensor:
    """Channels mixed by a matrix (out, 3)."""
    return F.conv2d(x, matrix.to(x)[:, :, None, None])


def _linear(x: Tensor) -> Tensor:
    """sRGB → XYZ, white (1,1,1)."""
    bent = ((x.clamp(min=0.04045) + 0.055) / 1.055) ** 2.4
    return _mixed(torch.from_numpy(edits.TO_XYZ), torch.where(x > 0.04045, bent, x / 12.92))


def _cube_root(xyz: Tensor) -> Tensor:
    """CIE's f: the cube root, a line near black."""
    return torch.where(xyz > 0.008856, xyz.clamp(min=0.008856) ** (1 / 3), 7.787 * xyz + 16 / 116)


def _companded(linear: Tensor) -> Tensor:
    bent = 1.055 * linear.clamp(min=0.0031308) ** (1 / 2.4) - 0.055
    return torch.where(linear > 0.0031308, bent, 12.92 * linear)
