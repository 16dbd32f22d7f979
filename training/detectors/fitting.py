"""The one loop that trains every classifier here: some epochs of Adam, and the best of them is kept."""

from collections.abc import Callable, Sequence
from copy import deepcopy
from dataclasses import dataclass

import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from torch import Tensor, nn

from slic.modes import Levels

Edit = Callable[[Levels], Levels]

AT_ONCE = 32


@dataclass(frozen=True)
class Schedule:
    epochs: int = 15
    batch: int = 16
    rate: float = 1e-3
    """Adam's at its highest; half a cosine leads down to zero."""
    decay: float = 1e-4
    seed: int = 0


@dataclass(frozen=True, eq=False)  # arrays have no truth value to compare by
class Labelled:
    x: Tensor
    """(n,…): pictures as `stacked` makes them, or features."""
    label: Tensor
    """(n,) numbers of classes, or (n,H,W) those of each pixel."""


def stacked(levels: Levels) -> Tensor:
    """(n,H,W,3) → (n,3,H,W), still of 8 bits: a tenth of the memory that batches of numbers would take."""
    return torch.from_numpy(np.ascontiguousarray(levels)).permute(0, 3, 1, 2)


def unit(x: Tensor) -> Tensor:
    """Pictures in [0,1]; features as they are."""
    return x.float() / 255 if x.dtype == torch.uint8 else x


def fit(
    net: nn.Module,
    known: Labelled,
    held: Labelled,
    schedule: Schedule,
    *,
    weight: Tensor | None = None,
    edits: Sequence[Edit] = (),
) -> None:
    """`net` maps x to logits of the classes, which weigh as `weight` says.

    Pictures are mirrored by chance, and go through one of the edits or none, all as likely. The epoch after
    which the loss on `held` is least is kept; it never sees that loss's gradient.
    """
    generator = torch.Generator().manual_seed(schedule.seed)
    adam = torch.optim.Adam(net.parameters(), lr=schedule.rate, weight_decay=schedule.decay)
    steps = max(1, len(known.x) // schedule.batch) * schedule.epochs
    falling = torch.optim.lr_scheduler.CosineAnnealingLR(adam, steps)
    least, best = float("inf"), deepcopy(net.state_dict())
    for _ in range(schedule.epochs):
        net.train()
        order = torch.randperm(len(known.x), generator=generator)
        for chosen in _batches(order, schedule.batch):
            x, label = _mirrored(known.x[chosen], known.label[chosen], generator)
            x = _edited(x, edits, generator)
            adam.zero_grad(set_to_none=True)
            F.cross_entropy(net(unit(x)), label, weight).backward()
            adam.step()
            falling.step()
        loss = float(F.cross_entropy(logits(net, held.x), held.label, weight))
        if loss < least:
            least, best = loss, deepcopy(net.state_dict())
    net.load_state_dict(best)
    net.eval()


def _batches(order: Tensor, size: int) -> tuple[Tensor, ...]:
    """Whole ones: batch norm cannot do with a single sample that is left over."""
    whole = max(1, len(order) // size) * size
    return torch.split(order[:whole], size)


def _mirrored(x: Tensor, label: Tensor, generator: torch.Generator) -> tuple[Tensor, Tensor]:
    """Half of the pictures, and their labels where each pixel has one."""
    if x.dtype != torch.uint8:
        return x, label
    chosen = torch.rand(len(x), generator=generator) < 0.5
    x = torch.where(chosen[:, None, None, None], x.flip(3), x)
    return x, torch.where(chosen[:, None, None], label.flip(2), label) if label.dim() > 1 else label


def _edited(x: Tensor, edits: Sequence[Edit], generator: torch.Generator) -> Tensor:
    if x.dtype != torch.uint8 or not edits:
        return x
    drawn = torch.randint(len(edits) + 1, (len(x),), generator=generator).tolist()
    pictures = x.permute(0, 2, 3, 1).numpy()
    edited = [edits[i](p) if i < len(edits) else p for i, p in zip(drawn, pictures, strict=True)]
    return stacked(np.stack(edited))


@torch.no_grad()
def logits(net: nn.Module, x: Tensor) -> Tensor:
    """(n,C) or (n,C,H,W), with dropout and batch norm at rest."""
    net.eval()
    return torch.cat([net(unit(part)) for part in torch.split(x, AT_ONCE)])


def shares(logits: Tensor) -> NDArray[np.float64]:
    """(n,C,…) → probabilities."""
    out: NDArray[np.float64] = logits.double().softmax(1).numpy()
    return out
