"""DeepFeatureX Net: a network for each kind of picture, over-specialised on it, and one that weighs them.

    picture ─┬─ base model of real ──────► F features ─┐
             ├─ base model of GANs ──────► F features ─┼─ (kinds, F) ─1-D convolutions─► kind of picture
             └─ base model of diffusion ─► F features ─┘

A base model learns its kind against all others, of which it is shown few on purpose. Then the base models
are frozen, batch-norm statistics included, and the head learns which kind their features show. Base models
and head learn from different folds, and a third chooses among epochs.

The convolutions slide over features, whose order means nothing; `head="linear"` is the control.
"""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Literal

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from slic.modes import Levels
from training.detectors import fitting
from training.detectors.backbones import SMALL, Backbone
from training.detectors.classifier import HELD, outputs
from training.detectors.fitting import Labelled, Schedule
from training.detectors.learner import Score
from training.detectors.linear import Examples
from training.detectors.protocol import REAL, family

Floats = NDArray[np.float64]

BASES = (0, 1)
"""The folds that base models learn from; the rest but HELD is the head's."""


@dataclass(frozen=True)
class DeepFeatureX:
    backbone: str = SMALL
    pretrained: bool = False
    width: int = 8
    """Of the small backbone."""
    others: float = 0.1
    """Share of other kinds among what a base model learns from."""
    head: Literal["1d", "linear"] = "1d"
    head_width: int = 4
    """Channels of its first convolution; the published head has 16."""
    base: Schedule = field(default_factory=lambda: Schedule(epochs=6, rate=1e-4, decay=1e-3))
    fusion: Schedule = field(default_factory=lambda: Schedule(epochs=30, decay=1e-3))
    made: dict[bytes, list[nn.Module]] = field(default_factory=dict, repr=False)
    """Base models by what they learnt from: heads that share this share them."""

    def __call__(self, known: Examples) -> Score:
        kinds = np.array(
            [family(source, bool(fake)) for source, fake in zip(known.source, known.fake, strict=True)]
        )
        names = [REAL, *sorted(set(kinds) - {REAL})]
        of_bases, held = np.isin(known.fold, BASES), known.fold == HELD
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(self.base.seed)
            key = hashlib.sha256(known.x.tobytes()).digest()
            if key not in self.made:
                self.made[key] = [self._body(known, kinds == name, of_bases, held) for name in names]
            bodies = self.made[key]
            torch.manual_seed(self.fusion.seed)  # the same head, whether base models were there or not
            label = torch.tensor([names.index(kind) for kind in kinds])
            parts = [Labelled(features(bodies, known.x[p]), label[p]) for p in (~of_bases & ~held, held)]
            net = (_conv_head if self.head == "1d" else _linear_head)(parts[0].x, len(names), self.head_width)
            rare = 1 - torch.bincount(parts[0].label, minlength=len(names)) / len(parts[0].label)
            fitting.fit(net, parts[0], parts[1], self.fusion, weight=rare)

        def score(levels: Levels) -> Floats:
            out: Floats = 1 - fitting.shares(fitting.logits(net, features(bodies, levels)))[:, 0]
            return out

        return score

    def _body(
        self, known: Examples, main: NDArray[np.bool_], of_bases: NDArray[np.bool_], held: NDArray[np.bool_]
    ) -> nn.Module:
        """A backbone that has learnt one kind against the others, frozen."""
        x, label = fitting.stacked(known.x), torch.from_numpy(main).long()
        chosen = unbalanced(main & of_bases, ~main & of_bases, known.source, self.others, self.base.seed)
        body = Backbone(self.backbone, pretrained=self.pretrained, width=self.width)
        net = nn.Sequential(body, nn.Linear(outputs(body, x), 2))
        parts = [Labelled(x[p], label[p]) for p in (torch.from_numpy(chosen), torch.from_numpy(held))]
        fitting.fit(net, parts[0], parts[1], self.base)
        return body.requires_grad_(False).eval()


def unbalanced(
    main: NDArray[np.bool_],
    others: NDArray[np.bool_],
    source: NDArray[np.str_],
    share: float,
    seed: int,
) -> NDArray[np.bool_]:
    """All of `main`, and of every source of the others as many that they make up `share`, one at least."""
    random, chosen = np.random.default_rng(seed), main.copy()
    wanted = main.sum() * share / (1 - share) / max(1, others.sum())  # of each source
    for name in sorted(set(source[others])):
        rows = np.flatnonzero(others & (source == name))
        chosen[random.choice(rows, min(len(rows), max(1, round(wanted * len(rows)))), replace=False)] = True
    return chosen


def features(bodies: Sequence[nn.Module], levels: Levels) -> Tensor:
    """(n,H,W,3) → (n,kinds,F)"""
    x = fitting.stacked(levels)
    return torch.stack([fitting.logits(body, x) for body in bodies], 1)


def _conv_head(x: Tensor, kinds: int, width: int) -> nn.Module:
    """For features (n,K,F)."""
    sizes = [(x.shape[1], width, 7, 2), (width, 4 * width, 5, 2), (4 * width, 16 * width, 3, 1)]
    sizes += [(16 * width, 32 * width, 3, 1), (32 * width, 64 * width, 3, 1)]
    layers: list[nn.Module] = []
    for inputs, channels, kernel, stride in sizes:
        convolution = nn.Conv1d(inputs, channels, kernel, stride, padding=1)
        layers += [convolution, nn.ReLU(), nn.BatchNorm1d(channels)]
    # After the last convolution there is no norm.
    return nn.Sequential(*layers[:-1], nn.AdaptiveAvgPool1d(1), nn.Flatten(), nn.Linear(64 * width, kinds))


def _linear_head(x: Tensor, kinds: int, width: int) -> nn.Module:
    return nn.Sequential(nn.Flatten(), nn.Linear(x[0].numel(), kinds))
