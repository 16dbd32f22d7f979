"""At which sizes and angles a picture's power spectrum has known waves.

Power does not ask where waves begin. So one flat spectrum, of all windows together, is looked up at the
places where the waves would lie, for each of some 70,000 sizes and angles.
"""

import math
from functools import lru_cache
from typing import NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor

WINDOW = 256  # pixels a side of a power spectrum
POWER = 4.0  # times what is usual, which a window's wave may count at most
NEAR = 9  # frequencies a side that say what is usual, but for 3 in the middle
CAP = 4.0  # standard deviations that one wave may count at most
SIZES = math.log(0.42), math.log(2.1)
FINE = 0.006  # of sizes, by logarithm, and of angles, in radians
LOW, HIGH = 0.035, 0.47  # cycles per pixel between which a wave can be seen
BY_POWER = 6.0  # standard deviations beyond which a size and an angle are worth a try
APART = 0.03  # by which those that are tried differ
ALIKE = 0.9  # of the best score, which is as good


class Fit(NamedTuple):
    """How waves lie in a copy: so many times as large as published, and turned by so many radians."""

    size: float = 1.0
    angle: float = 0.0
    """Against the clock, below a quarter of a turn."""

    def of(self, vectors: Tensor) -> Tensor:
        """(K,2) cycles per pixel down and right, as published → as in such a copy."""
        down, right = vectors.unbind(1)
        cosine, sine = math.cos(self.angle), math.sin(self.angle)
        return torch.stack([cosine * down - sine * right, sine * down + cosine * right], 1) / self.size


def likeliest(detailed: Tensor, vectors: Tensor, tries: int) -> list[Fit]:
    """Of (H,W) and waves (K,2), in cycles per pixel: sizes and angles at which they stand out, best first."""
    windows = _windows(detailed)
    power = torch.fft.rfft2(windows).abs().square()
    seen = _beyond_usual(power).clamp_max(POWER)
    mean = 1 - math.exp(-POWER)
    spread = (1 - 2 * POWER * math.exp(-POWER) - math.exp(-2 * POWER)) ** 0.5
    seen = (seen.mean(0) - mean) * (len(windows) ** 0.5 / spread)
    index, share, poses = _poses(tuple(map(tuple, vectors.tolist())), detailed.device)
    capped = seen.flatten().clamp_max_(CAP)
    scores = capped.index_select(0, index.flatten()).view_as(share).mul_(share).sum(1)  # (poses)
    uncut = power.mean(0).clamp_min_(1e-4).log_().flatten()
    found: list[Fit] = []
    while len(found) < tries and float(scores.max()) > BY_POWER:
        # Of clear waves all are cut, at many sizes and angles alike. Their power itself says which is best.
        alike = (scores > ALIKE * scores.max()).nonzero()[:, 0]
        loud = (uncut[index[alike]] * share[alike].square()).sum(1)
        fit = poses[alike[loud.argmax()]]
        found.append(Fit(*fit.tolist()))
        turned = (poses[:, 1] - fit[1]).abs()
        turned = torch.minimum(turned, math.pi / 2 - turned)
        scores[((poses[:, 0] / fit[0]).log().abs() < APART) & (turned < APART)] = 0
    return found


def starts(side: int, size: int, hop: int) -> list[int]:
    """Evenly, so that all is covered."""
    count = math.ceil(max(0, side - size) / hop)
    return [round(i * (side - size) / count) for i in range(count + 1)] if count else [0]


def _windows(detailed: Tensor) -> Tensor:
    """(H,W) → (n,WINDOW,WINDOW), faded at their rims."""
    height, width = detailed.shape
    tall, wide = min(WINDOW, height), min(WINDOW, width)
    fade = _fade(tall, detailed.device)[:, None] * _fade(wide, detailed.device)
    out = [
        F.pad(detailed[y : y + tall, x : x + wide] * fade, (0, WINDOW - wide, 0, WINDOW - tall))
        for y in starts(height, WINDOW, WINDOW // 2)
        for x in starts(width, WINDOW, WINDOW // 2)
    ]
    return torch.stack(out)


def _fade(side: int, device: torch.device) -> Tensor:
    return torch.hann_window(side, periodic=True, device=device)


def _beyond_usual(power: Tensor) -> Tensor:
    """(n,W,W/2+1) → as many times what frequencies around have: 1 in the mean, of noise."""
    logs = power.clamp_min(1e-4).log()
    reach = NEAR // 2
    left, right = (
        part.flip(-1).flip(-2).roll(1, -2) for part in (logs[..., 1 : reach + 1], logs[..., -reach - 1 : -1])
    )
    logs = torch.cat([left, logs, right], -1)
    logs = torch.cat([logs[:, -reach:], logs, logs[:, :reach]], 1)
    inner = reach - 1
    wide, near = _sums(logs, NEAR), _sums(logs, 3)[:, inner:-inner, inner:-inner]
    usual = ((wide - near) / (NEAR**2 - 9)).exp()
    return power / (usual * math.exp(0.5772156649))  # noise's logarithm is so much less than its mean's


def _sums(values: Tensor, side: int) -> Tensor:
    """(n,h,w) → (n,h−side+1,w−side+1): of `side` a side each, in a sixth of a pooling's time."""
    for axis in (1, 2):
        sums = F.pad(values.cumsum(axis), (1, 0) if axis == 2 else (0, 0, 1, 0))
        count = sums.shape[axis] - side
        values = sums.narrow(axis, side, count) - sums.narrow(axis, 0, count)
    return values


@lru_cache(maxsize=4)
def _poses(vectors: tuple[tuple[float, ...], ...], device: torch.device) -> tuple[Tensor, Tensor, Tensor]:
    """(poses,K) where in a flat spectrum each wave lies; (poses,K) its share, 1/√n of n that can be seen and
    0 of others; and (poses,2)."""
    sizes = torch.arange(*SIZES, FINE, dtype=torch.float64).exp()
    angles = torch.arange(0, math.pi / 2, FINE, dtype=torch.float64)
    poses = torch.cartesian_prod(sizes, angles)
    size, cosine, sine = poses[:, :1], poses[:, 1:].cos(), poses[:, 1:].sin()
    down, right = torch.tensor(vectors, dtype=torch.float64).unbind(1)
    y, x = (cosine * down - sine * right) / size, (sine * down + cosine * right) / size
    backwards = x < 0
    y, x = torch.where(backwards, -y, y), x.abs()
    visible = (x < HIGH) & (y.abs() < HIGH) & (x.square() + y.square() > LOW**2)
    row, col = (y * WINDOW).round().long() % WINDOW, (x * WINDOW).round().long().clamp_max(WINDOW // 2)
    index = row * (WINDOW // 2 + 1) + col
    share = visible / visible.sum(1, keepdim=True).clamp_min(1).sqrt()
    return index.int().to(device), share.float().to(device), poses.float()
