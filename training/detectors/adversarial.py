"""FGSM: generated pictures changed by the least that makes a detector take them for real, and its defence.

    x' = x + ε · sign(gradient of the loss for "generated"), rounded to 8 bits as any picture that is sent

The confusion rate is the share of generated pictures that were found before and are not any more. Attacks on
a detector are tried on others: of another half of the pictures, of another network. `blurred` blurs whatever
comes before it looks; the attacker does not know, and who does would go through the blur. `retrained` learns
from attacks on what learnt before it, and is then attacked by those and by attacks on itself.
"""

from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray

from slic.modes import Levels
from training.detectors import fitting
from training.detectors.classifier import Classifier, Network
from training.detectors.fitting import AT_ONCE, Edit
from training.detectors.learner import Score
from training.detectors.linear import Examples

Row = dict[str, Any]
Found = NDArray[np.bool_]

STRENGTHS = (0.01, 0.02, 0.05)
LEARNT = (0.05, 0.1, 0.15, 0.2, 0.25, 0.3)


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


def transfer(networks: Mapping[str, Network], real: Levels, generated: Levels) -> Iterator[Row]:
    """Each network attacked, each asked: the rows of every strength.

    First what they say before: nothing can be shown of one that finds little, or that accuses everything.
    """
    before = {name: found(network, generated) for name, network in networks.items()}
    yield {"before": "generated: found"} | {name: float(b.mean()) for name, b in before.items()}
    accused = {name: found(network, real) for name, network in networks.items()}
    yield {"before": "real: accused"} | {name: float(a.mean()) for name, a in accused.items()}
    for strength in STRENGTHS:
        for attacked, network in networks.items():
            changed = fgsm(network, generated, strength)
            row: Row = {"attacked": attacked, "strength": strength}
            yield row | {n: confusion(before[n], found(asked, changed)) for n, asked in networks.items()}


def retrained(classifier: Classifier, first: Network, known: Examples, seed: int = 0) -> Network:
    """Learns anew, its generated pictures also as attacks on `first`, each as strong as LEARNT has it."""
    generated = known[known.fake]
    drawn = np.random.default_rng(seed).choice(LEARNT, len(generated.x))
    changed = generated.x.copy()
    for strength in LEARNT:
        those = drawn == strength
        if those.any():
            changed[those] = fgsm(first, generated.x[those], strength)
    return classifier(
        Examples(
            np.concatenate([known.x, changed]),
            np.concatenate([known.fake, generated.fake]),
            np.concatenate([known.source, generated.source]),
            np.concatenate([known.fold, generated.fold]),
        )
    )


def hardened(first: Network, second: Network, real: Levels, generated: Levels) -> Iterator[Row]:
    """`second` was retrained on attacks on `first`; at strengths that it saw and others."""
    before = {"first": found(first, generated), "second": found(second, generated)}
    accused = {name: found(n, real).mean() for name, n in (("first", first), ("second", second))}
    yield {"hardened": "before"} | {
        f"{name}: {what}": float(value)
        for name in before
        for what, value in (("found", before[name].mean()), ("accused", accused[name]))
    }
    for strength in sorted({*STRENGTHS, *LEARNT}):
        on_first, on_second = (fgsm(network, generated, strength) for network in (first, second))
        yield {
            "hardened": f"strength {strength}",
            "first, attacked": confusion(before["first"], found(first, on_first)),
            "second, by attacks on the first": confusion(before["second"], found(second, on_first)),
            "second, attacked": confusion(before["second"], found(second, on_second)),
        }


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
