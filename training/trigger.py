"""What a step minimises where a decoder learns a trigger, and evidence to see it.

    x ─net→ latents ─net→ x1 ─attack→ x1'      κ · mean of decibels that x1 loses to x0
                    ─base→ x0 ─attack→ x0'     + cross-entropy of evidence: for x1', against x0' and x
                                               + of its map: for x1', against x0', x and boxes of x0' in x1'

g_a and the hyper-networks are the base's and stay so: rates are its own, and all that the first encode pays
is what it loses to the base, picture by picture. In decibels, so that the trigger is faint where little error
is there to hide it. x0 went through the same codec and the same edits as x1. Nothing but the trigger tells
them apart, so evidence cannot take a codec's or an edit's own traces for one. κ grows while attacks
widen: a loud trigger is soon seen, and then grows fainter while evidence follows.
"""

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from training.attacks import Attacks
from training.config import Secure
from training.networks import Noise, code, decode
from training.objective import Losses
from training.straight_through import round_8bit

LOCAL = 0.5  # weight of the map
LEAST, MOST = 0.15, 0.6  # sides of a box, of the whole
ROUNDING = 0.3 / 255**2  # squared error that nobody counts


class Trigger:
    def __init__(self, settings: Secure, base: nn.Module, attacks: Attacks) -> None:
        self._cost, self._edits, self._base, self._attacks = settings.cost, settings.edits, base, attacks

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
        """Of the first encode alone: evidence does not ask at which quality the second would be."""
        del second_quality, noise
        coded = code(net, x, quality, None, answers=False)
        first = round_8bit(coded.pixels)
        with torch.no_grad():
            base = round_8bit(decode(self._base, coded.latents, quality))
        error, reference = ((picture - x).square().mean((1, 2, 3)) for picture in (first, base))
        lost = 10 * ((error + ROUNDING) / (reference + ROUNDING)).log10()
        state, often = generator.get_state(), (self._edits, 1, 1, 1)
        attacked, names = self._attacks(first.repeat(often), generator, strength)
        generator.set_state(state)
        alike, _ = self._attacks(base.repeat(often), generator, strength)
        own, others = round_8bit(attacked.pixels), round_8bit(alike.pixels)
        inside = boxes(len(own), own.shape[-1], generator).to(own)
        mixed = torch.where(inside > 0, others, own)
        votes, of_mixed, of_others = (net.evidence.votes(p) for p in (own, mixed, torch.cat([others, x])))
        evidence, against = net.evidence.together(votes), net.evidence.together(of_others)
        left, remains = (
            F.avg_pool2d(kept, own.shape[-1] // evidence.shape[-1])
            for kept in (attacked.kept, attacked.kept * (1 - inside))
        )
        located = [net.evidence.located(v) for v in (of_mixed, of_others)]
        local = F.binary_cross_entropy_with_logits(located[0], remains) + F.softplus(located[1]).mean()
        unseen = ((evidence.detach() <= 0) * left).sum((1, 2, 3)) / left.sum((1, 2, 3)).clamp_min(1)
        return Losses(
            strength * self._cost * lost.mean() + told_apart(against, evidence, left) + LOCAL * local,
            error.detach(),
            coded.bpp.detach(),
            attacks=names,
            lost=lost.detach(),
            missed=unseen,
            mistaken=(against.detach() > 0).float().mean((1, 2, 3)),
        )


def boxes(count: int, side: int, generator: torch.Generator) -> Tensor:
    """(count,1,side,side): 1 inside a box somewhere, of any shape, perhaps cut by the edge."""
    size = side * (LEAST + (MOST - LEAST) * torch.rand(count, 2, generator=generator))
    start = torch.rand(count, 2, generator=generator) * side - size / 2
    at = torch.arange(side)
    rows, columns = (
        (at >= start[:, i, None]) & (at < (start + size)[:, i, None]) for i in range(2)
    )  # (count,side)
    return (rows[:, :, None] & columns[:, None, :])[:, None].float()


def told_apart(innocent: Tensor, own: Tensor, left: Tensor) -> Tensor:
    """Cross-entropy of evidence (B,1,h,w) of either kind; `left`: how much of a place is the model's own."""
    missed = (F.softplus(-own) * left).sum() / left.sum().clamp_min(1)
    return F.softplus(innocent).mean() + missed
