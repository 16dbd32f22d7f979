"""Where in a real picture a generated region was blended in: a small U-Net, measured by area.

    picture ─convs─┬──────────────────────── skip ─┐
                   ½─convs─┬───────── skip ─┐      │
                           ½─convs─ … ─×2─convs─×2─convs─► real or generated, by pixel

A region is found if what is marked and what it is overlap by more than half of both together (IoU). `ap50`
ranks pictures by how sure their marks are, those with nothing blended in among them; a mark on these is
wrong. `middle` is the yardstick: it marks, without a look, the pixels where regions of what is learnt were
most often.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from torch import Tensor, nn

from slic.modes import Levels
from training.detectors import blends, fitting, measures
from training.detectors.blends import QUARTILES, Blends, Region
from training.detectors.classifier import HELD, evened
from training.detectors.fitting import Edit, Labelled, Schedule
from training.detectors.linear import Examples

Floats = NDArray[np.float64]
Row = dict[str, Any]

FOUND = 0.5  # of IoU


def schedule(epochs: int = 10) -> Schedule:
    return Schedule(epochs, batch=8, rate=3e-3)


@dataclass(frozen=True)
class Localiser:
    width: int = 8
    depth: int = 4
    """How many sizes, each half the one before."""
    each: int = 120
    """Blends of every quartile that it learns from; a quarter as many choose among epochs."""
    schedule: Schedule = field(default_factory=schedule)

    def __call__(self, known: Examples, last: Edit) -> tuple[nn.Module, Region]:
        """The network, and the mark that `middle` makes. `known` is not yet saved by the last codec."""
        held, seed = known.fold == HELD, self.schedule.seed
        learnt = _of_class(known[~held], True, self.each, last, seed)
        chosen_by = _of_class(known[held], True, max(1, self.each // 4), last, seed + 1)
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(seed)
            net = UNet(self.width, self.depth)
            part = _labelled(learnt)
            weight = evened(part.label.flatten())
            fitting.fit(net, part, _labelled(chosen_by), self.schedule, weight=weight)
        return net, middle(learnt.region)


class UNet(nn.Module):
    def __init__(self, width: int, depth: int) -> None:
        super().__init__()
        widths = [width << level for level in range(depth)]
        self.down = nn.ModuleList(_convs(a, b) for a, b in pairwise([3, *widths]))
        self.up = nn.ModuleList(_convs(a + b, a) for a, b in reversed([*pairwise(widths)]))
        self.last = nn.Conv2d(width, 2, 1)

    def forward(self, x: Tensor) -> Tensor:
        """(B,3,H,W) in [0,1] → (B,2,H,W)"""
        sizes = [self.down[0](x - 0.5)]
        for convs in self.down[1:]:
            sizes.append(convs(F.avg_pool2d(sizes[-1], 2, ceil_mode=True)))
        x = sizes.pop()
        for convs, skip in zip(self.up, reversed(sizes), strict=True):
            x = convs(torch.cat([F.interpolate(x, skip.shape[2:]), skip], 1))
        logits: Tensor = self.last(x)
        return logits


def _convs(inputs: int, outputs: int) -> nn.Module:
    layers: list[nn.Module] = []
    for a in (inputs, outputs):
        layers += [nn.Conv2d(a, outputs, 3, padding=1, bias=False), nn.BatchNorm2d(outputs), nn.ReLU()]
    return nn.Sequential(*layers)


def _of_class(examples: Examples, fake: bool, each: int, last: Edit, seed: int) -> Blends:
    return blends.make(examples.x[~examples.fake], examples.x[examples.fake == fake], each, last, seed)


def _labelled(made: Blends) -> Labelled:
    return Labelled(fitting.stacked(made.x), torch.from_numpy(made.region).long())


def middle(regions: Region) -> Region:
    """As many pixels as they have on average, those that they share most."""
    often = regions.mean(0)
    out: Region = often >= np.sort(often, axis=None)[-round(regions[0].size * regions.mean())]
    return out


def marks(net: nn.Module, levels: Levels) -> Floats:
    """(n,S,S) probabilities that a pixel is of a generated region, both classes weighing the same."""
    return fitting.shares(fitting.logits(net, fitting.stacked(levels)))[:, 1]


def rows(net: nn.Module, constant: Region, fresh: Examples, each: int, last: Edit) -> Iterator[Row]:
    """Regions of generated pictures, and of real ones; then real pictures with nothing blended in."""
    untouched = marks(net, np.stack([last(picture) for picture in fresh.x[~fresh.fake]]))
    alarms = sureness(untouched)
    for fake in (True, False):
        made = _of_class(fresh, fake, each, last, seed=0)
        found = marks(net, made.x)
        for quartile, bounds in [*enumerate(QUARTILES), (None, (QUARTILES[0][0], QUARTILES[-1][1]))]:
            those = np.full(len(made.x), True) if quartile is None else made.quartile == quartile
            iou, sure = overlap(found[those] >= 0.5, made.region[those]), sureness(found[those])
            blind = overlap(np.broadcast_to(constant, made.region[those].shape), made.region[those])
            yield {
                "regions": "generated" if fake else "real (control)",
                "area": "{} to {}".format(*bounds),
                "pictures": int(those.sum()),
                "iou": float(iou.mean()),
                "interval": measures.interval_of_one(iou),
                "iou over .5": float((iou > FOUND).mean()),
                "ap50": ap50(iou, sure, alarms),
                "middle: iou": float(blind.mean()),
                "middle: over .5": float((blind > FOUND).mean()),
            }
    yield {
        "nothing blended in": "real",
        "pictures": len(untouched),
        "of it marked": float((untouched >= 0.5).mean()),
        "with a mark of over 1%": float(((untouched >= 0.5).mean((1, 2)) > QUARTILES[0][0]).mean()),
    }


def overlap(marked: Region, region: Region) -> Floats:
    """(n,) IoU."""
    both, either = ((f(marked, region)).sum((1, 2)) for f in (np.logical_and, np.logical_or))
    out: Floats = both / either
    return out


def sureness(probability: Floats) -> Floats:
    """(n,) mean probability of what is marked; 0 where nothing is."""
    marked = probability >= 0.5
    out: Floats = (probability * marked).sum((1, 2)) / marked.sum((1, 2)).clip(1)
    return out


def ap50(iou: Floats, sure: Floats, alarms: Floats) -> float:
    """The precision at each region that is found, on average over all regions; 0 for one that is not."""
    right = iou > FOUND
    if not right.any():
        return 0.0
    wrong = np.concatenate([sure[~right], alarms])
    return measures.average_precision(wrong[wrong > 0], sure[right]) * float(right.mean())
