"""What a step minimises where a decoder learns a trigger, and evidence to see it.

    x ─net→ latents ─net→ x1 ─attack→ x1'      κ · mean of decibels that x1 loses to x0
                    ─base→ x0 ─attack→ x0'     + cross-entropy of evidence: for x1', against x0' and x

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
        own, others = round_8bit(attacked.pixels), torch.cat([round_8bit(alike.pixels), x])
        evidence = net.evidence(own)
        left = F.avg_pool2d(attacked.kept, own.shape[-1] // evidence.shape[-1])
        of_others = net.evidence(others)
        unseen = ((evidence.detach() <= 0) * left).sum((1, 2, 3)) / left.sum((1, 2, 3)).clamp_min(1)
        return Losses(
            strength * self._cost * lost.mean() + told_apart(of_others, evidence, left),
            error.detach(),
            coded.bpp.detach(),
            attacks=names,
            lost=lost.detach(),
            missed=unseen,
            mistaken=(of_others.detach() > 0).float().mean((1, 2, 3)),
        )


def told_apart(innocent: Tensor, own: Tensor, left: Tensor) -> Tensor:
    """Cross-entropy of evidence (B,1,h,w) of either kind; `left`: how much of a place is the model's own."""
    missed = (F.softplus(-own) * left).sum() / left.sum().clamp_min(1)
    return F.softplus(innocent).mean() + missed
