"""The loop keeps its best epoch, varies pictures, and is the same every time."""

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from training.detectors import fitting
from training.detectors.fitting import Labelled, Schedule


def points(seed: int, rows: int = 64) -> Labelled:
    x = torch.randn(rows, 2, generator=torch.Generator().manual_seed(seed))
    return Labelled(x, (x[:, 0] > 0).long())


def line(seed: int = 0) -> nn.Module:
    torch.manual_seed(seed)
    return nn.Linear(2, 2)


def right(net: nn.Module, data: Labelled) -> float:
    return float((fitting.logits(net, data.x).argmax(1) == data.label).float().mean())


def test_it_learns() -> None:
    net = line()
    fitting.fit(net, points(0), points(1), Schedule(epochs=20, rate=0.05))
    assert right(net, points(2)) > 0.9


def test_it_is_the_same_every_time() -> None:
    nets = [line(), line()]
    for net in nets:
        fitting.fit(net, points(0), points(1), Schedule(epochs=2))
    assert torch.equal(nets[0].weight, nets[1].weight)


def test_the_best_epoch_is_kept_and_not_the_last() -> None:
    """Where the held-out classes are the other way round, every epoch makes it worse."""
    turned = Labelled(points(1).x, 1 - points(1).label)
    losses = []
    for held in (turned, points(1)):
        net = line()
        fitting.fit(net, points(0), held, Schedule(epochs=10, rate=0.05))
        losses.append(float(nn.functional.cross_entropy(fitting.logits(net, turned.x), turned.label)))
    assert losses[0] < 0.7 * losses[1]


def test_pictures_are_mirrored_and_edited_and_features_are_not() -> None:
    generator = torch.Generator().manual_seed(0)
    levels = np.zeros((400, 4, 4, 3), np.uint8)
    levels[:, :, 0] = 100
    label = torch.zeros(400)
    mirrored, kept = fitting._mirrored(fitting.stacked(levels), label, generator)
    varied = fitting._edited(mirrored, [lambda x: x // 2], generator)
    assert kept is label
    left, right = varied[:, 0, 0, 0], varied[:, 0, 0, 3]
    assert float((right > 0).float().mean()) == pytest.approx(0.5, abs=0.1)
    assert float(((left + right) == 50).float().mean()) == pytest.approx(0.5, abs=0.1)
    features = torch.rand(3, 5)
    assert fitting._mirrored(features, label, generator)[0] is features
    assert fitting._edited(features, [lambda x: x // 2], generator) is features


def test_a_class_that_weighs_more_is_found_more() -> None:
    data = Labelled(torch.zeros(100, 2), (torch.arange(100) < 10).long())
    odds: list[Tensor] = []
    for weight in (None, torch.tensor([1.0, 9.0])):
        net = line()
        fitting.fit(net, data, data, Schedule(epochs=60, rate=0.05), weight=weight)
        odds.append(fitting.shares(fitting.logits(net, data.x[:1]))[0, 1])
    assert odds == pytest.approx([0.1, 0.5], abs=0.06)


def test_labels_of_pixels_are_mirrored_with_their_picture() -> None:
    x = torch.randint(256, (16, 3, 4, 6), dtype=torch.uint8, generator=torch.Generator().manual_seed(0))
    mirrored, label = fitting._mirrored(x, x[:, 0], torch.Generator().manual_seed(0))
    assert torch.equal(mirrored[:, 0], label)
    assert 0 < sum(torch.equal(a, b) for a, b in zip(mirrored, x, strict=True)) < 16
