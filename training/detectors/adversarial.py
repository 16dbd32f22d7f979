"""FGSM: generated pictures changed by the least that makes a detector take them for real, and its defence.

    x' = x + ε · sign(gradient of the loss for "generated"), rounded to 8 bits as any picture that is sent

The confusion rate is the share of generated pictures that were found before and are not any more. Attacks on
a detector are tried on others: of another half of the pictures, of another network. `blurred` blurs whatever
comes before it looks; the attacker does not know, and who does would go through the blur.
"""

from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray

from slic.modes import Levels
from training.detectors import fitting
from training.detectors.classifier import Network
from training.detectors.fitting import AT_ONCE, Edit
from training.detectors.learner import Score

Row = dict[str, Any]
Found = NDArray[np.bool_]

STRENGTHS = (0.01, 0.02, 0.05)


def fgsm(attacked: Network, levels: Levels, strength: float) -> Levels:
    """(n,H,W,3) generated pictures → what it takes for real, if it can be had so; `strength` in [0,1]."""
    parts = torch.split(fitting.stacked(levels), AT_ONCE)
    changed = torch.cat([_step(attacked.net, fitting.unit(part), strength) for part in parts])
    out: Levels = changed.permute(0, 2, 3, 1).mul(255).round().byte().numpy()
    return out


def _step(net: torch.nn.Module, x: torch.Tensor, strength: float) -> torch.Tensor:
    net.eval()
    x = x.requires_grad_()
    loss = F.cross_entropy(net(x), torch.ones(len(x), dtype=torch.long), reduction="sum")
    (slope,) = torch.autograd.grad(loss, x)
    return (x.detach() + strength * slope.sign()).clamp(0, 1)


def found(score: Score, levels: Levels) -> Found:
    out: Found = score(levels) >= 0.5
    return out


def confusion(before: Found, after: Found) -> float | None:
    """None where nothing had been found."""
    return float(1 - after[before].mean()) if before.any() else None


def transfer(networks: Mapping[str, Network], generated: Levels) -> Iterator[Row]:
    """Each network attacked, each asked: the rows of every strength."""
    before = {name: found(network, generated) for name, network in networks.items()}
    yield {"asked": "before", "strength": 0.0} | {name: float(b.mean()) for name, b in before.items()}
    for strength in STRENGTHS:
        for attacked, network in networks.items():
            changed = fgsm(network, generated, strength)
            row: Row = {"attacked": attacked, "strength": strength}
            yield row | {n: confusion(before[n], found(asked, changed)) for n, asked in networks.items()}


def defence(network: Network, blur: Edit, real: Levels, generated: Levels, strength: float) -> Iterator[Row]:
    """With a blur before the detector and without, on what was attacked and what was not."""

    def blurred(levels: Levels) -> Levels:
        return np.stack([blur(picture) for picture in levels])

    changed, before = fgsm(network, generated, strength), found(network, generated)
    for name, look in (("as it comes", lambda x: x), ("blurred", blurred)):
        yield {
            "defence": name,
            "real: accused": float(found(network, look(real)).mean()),
            "generated: found": float(found(network, look(generated)).mean()),
            "attacked: found": float(found(network, look(changed)).mean()),
            "attacked: confusion": confusion(before, found(network, look(changed))),
        }
