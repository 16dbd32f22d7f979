"""A network that learns real against generated from the pixels alone, from scratch or from weights."""

from collections.abc import Sequence
from copy import deepcopy
from dataclasses import dataclass, field

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from slic.modes import Levels
from training.detectors import fitting
from training.detectors.backbones import SMALL, Backbone
from training.detectors.fitting import Edit, Labelled, Schedule
from training.detectors.linear import FOLDS, Examples

Floats = NDArray[np.float64]

HELD = FOLDS - 1
"""The fold that chooses among epochs."""


@dataclass(frozen=True, eq=False)  # networks have no truth value to compare by
class Network:
    """A score that has gradients."""

    net: nn.Module
    """(B,3,H,W) in [0,1] → (B,2): real, generated."""

    def __call__(self, levels: Levels) -> Floats:
        out: Floats = fitting.shares(fitting.logits(self.net, fitting.stacked(levels)))[:, 1]
        return out


@dataclass(frozen=True)
class Classifier:
    backbone: str = SMALL
    pretrained: bool = False
    width: int = 8
    schedule: Schedule = field(default_factory=Schedule)
    edits: Sequence[Edit] = ()
    """What pictures may have gone through while it learns."""
    start: Network | None = None
    """A network that it goes on from, in place of one of its own."""

    def __call__(self, known: Examples) -> Network:
        chosen = known.fold != HELD
        learnt, held = (_labelled(known[part]) for part in (chosen, ~chosen))
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(self.schedule.seed)
            net = deepcopy(self.start.net) if self.start else self._fresh(learnt.x)
            weight = evened(learnt.label)
            fitting.fit(net, learnt, held, self.schedule, weight=weight, edits=self.edits)
        return Network(net)

    def _fresh(self, x: Tensor) -> nn.Module:
        body = Backbone(self.backbone, pretrained=self.pretrained, width=self.width)
        return nn.Sequential(body, nn.Linear(outputs(body, x), 2))


def outputs(body: nn.Module, x: Tensor) -> int:
    """How many features it makes of such pictures."""
    return fitting.logits(body, x[:1]).shape[1]


def evened(label: Tensor) -> Tensor:
    """Weights by which all classes weigh the same."""
    counts = torch.bincount(label)
    return len(label) / len(counts) / counts


def _labelled(examples: Examples) -> Labelled:
    return Labelled(fitting.stacked(examples.x), torch.from_numpy(examples.fake).long())
