"""What a step minimises: rate and distortion of the first encode, and hinges on the second.

    x ─net→ x1 ─attack→ x1' ─net→ x2        w·[ rate(x) + λ·255²·mse(x, x1) ]
                                            + α·[ relu(1 − d(x1', x2)/τ)
                                                  + mean over blocks of relu(decibels(x1', x2) above ε's)
                                                  + mean over blocks of what x2 shows of x1' ]

λ and the weight w follow the quality of the sample. A distortion far beyond any codec's is an innocent
picture taken for a protected one: past BOUND it counts by its logarithm, or that one sample's gradient
would outweigh all others and unlearn the trigger. "No edit" is one of the attacks. Between passes
pixels are rounded to 8 bits, because a file holds 8-bit pixels. The perceptual distance breaks the
symmetry (where x2 = x1 squared error has no slope), the squared error finishes: in decibels, so that
what is still intact is pulled hardest and the edit that fails does not hide behind those that hold; and
block by block, so that one part of a picture cannot pay for another. Wrong colours alone satisfy both and
leave a picture that anyone recognises, and may colour back: the last term is the square of the
correlation between the brightness of x1' and each channel of x2, at a quarter of the resolution.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from training.attacks import Attacks
from training.config import Secure
from training.distances import Distance
from training.networks import LAMBDAS, Coded, Noise, code
from training.straight_through import round_8bit

SHRUNK = 4  # pixels a side that count as one for what is recognised
INTACT = 0.002  # squared error (27 dB) below which a block counts as whole
BOUND = 8.0  # of λ·255²·mse: ten times what a trained codec has at any quality
FAINT = 1e-8  # of variances, multiplied: structure of 2.5 levels in both


@dataclass(frozen=True)
class Losses:
    total: Tensor
    """To go backward from."""
    first_error: Tensor
    """(B,) squared error of the first encode, on [0,1]."""
    bpp: Tensor
    """(B,)"""
    second_error: Tensor | None = None
    """(B,) squared error between the attacked picture and its encode, where the picture was left."""
    second_bpp: Tensor | None = None
    attacks: Sequence[str] = ()
    """(B) names of what each sample went through."""


def lambdas(quality: Tensor) -> Tensor:
    return torch.tensor(list(LAMBDAS.values()), device=quality.device)[quality - 1]


def weights(quality: Tensor) -> Tensor:
    """Rates grow about with the root of λ: so a percent of rate counts alike at each quality."""
    return (LAMBDAS[6] / lambdas(quality)).sqrt()


def plain(net: nn.Module, x: Tensor, quality: Tensor, noise: Noise | None) -> tuple[Losses, Coded]:
    """Rate and distortion alone, and what was coded."""
    coded = code(net, x, quality, noise)
    error = (coded.pixels - x).square().mean((1, 2, 3))
    distortion = lambdas(quality) * 255**2 * error
    distortion = torch.where(
        distortion > BOUND, BOUND * (1 + (distortion.clamp_min(BOUND) / BOUND).log()), distortion
    )
    loss = weights(quality) * (distortion + coded.bpp)
    return Losses(loss.mean(), error, coded.bpp), coded


class SelfDestruction:
    """The hinges on the second encode."""

    def __init__(self, settings: Secure, distance: Distance, attacks: Attacks) -> None:
        self._settings, self._distance, self._attacks = settings, distance, attacks
        self._tau = settings.tau or distance.tau

    def __call__(
        self,
        net: nn.Module,
        x: Tensor,
        quality: Tensor,
        second_quality: Tensor,
        noise: Noise | None,
        generator: torch.Generator,
        strength: float,
    ) -> Losses:
        """`second_quality`: an attacker re-encodes at whichever rate suits him."""
        s = self._settings
        first, coded = plain(net, x, quality, noise)
        faint = coded.pixels.detach().lerp(coded.pixels, s.trigger)  # itself, with a share of the gradient
        attacked, names = self._attacks(round_8bit(faint), generator, strength)
        published = round_8bit(attacked.pixels)
        again = code(net, published, second_quality, noise)
        second = round_8bit(again.pixels)
        kept = attacked.kept
        share = kept.mean((1, 2, 3)).clamp_min(0.05)  # (B,)
        away = self._distance(published, second * kept + published * (1 - kept)) / share
        squared = (published - second).square().mean(1, keepdim=True)  # (B,1,H,W)
        hinges = F.relu(1 - away / self._tau) + self._by_block(squared, kept)
        hinges = hinges + s.structure * shown(published, second, kept, s.block)
        hinges = hinges + 0.1 * F.relu(again.bpp - s.bits)
        return Losses(
            first.total + s.alpha * hinges.mean(),
            first.first_error,
            first.bpp,
            (squared * kept).mean((1, 2, 3)).detach() / share,
            again.bpp.detach(),
            names,
        )

    def _by_block(self, squared: Tensor, kept: Tensor) -> Tensor:
        """(B,1,H,W) twice → (B,): blocks without anything kept count nothing."""
        size = self._settings.block
        left = F.avg_pool2d(kept, size)
        error = F.avg_pool2d(squared * kept, size) / left.clamp_min(1e-3)
        whole = math.log(self._settings.error / INTACT)
        open_ = F.relu((self._settings.error / (error + INTACT)).log() / whole) * left
        return open_.sum((1, 2, 3)) / left.sum((1, 2, 3)).clamp_min(1e-3)


def shown(a: Tensor, b: Tensor, kept: Tensor, block: int) -> Tensor:
    """(B,): how much of the brightness of `a` the channels of `b` show, 0 to 1, in the mean over blocks.

    Flat blocks have no structure to show and count little.
    """
    bright, again, left = (F.avg_pool2d(x, SHRUNK) for x in (a.mean(1, keepdim=True), b, kept))
    size = block // SHRUNK
    mean_a, mean_b = F.avg_pool2d(bright, size), F.avg_pool2d(again, size)
    var_a = F.avg_pool2d(bright.square(), size) - mean_a.square()
    var_b = F.avg_pool2d(again.square(), size) - mean_b.square()
    covariance = F.avg_pool2d(bright * again, size) - mean_a * mean_b  # (B,3,h,w)
    alike = covariance.square() / (var_a * var_b + FAINT).clamp_min(FAINT)
    weight = F.avg_pool2d(left, size) * var_a.detach() / (var_a.detach() + FAINT**0.5)
    return (alike.mean(1, keepdim=True) * weight).sum((1, 2, 3)) / weight.sum((1, 2, 3)).clamp_min(1e-3)
