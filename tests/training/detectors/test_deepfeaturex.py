"""DeepFeatureX Net: base models that see few others, frozen, and a head of either form."""

import numpy as np
import pytest
import torch

from training.detectors import deepfeaturex, measures
from training.detectors.backbones import Backbone
from training.detectors.deepfeaturex import DeepFeatureX, unbalanced
from training.detectors.fitting import Labelled, Schedule, fit
from training.detectors.protocol import REAL, family

BASE, FUSION = Schedule(epochs=20, batch=8, rate=3e-3), Schedule(epochs=20, batch=8, rate=3e-3)


@pytest.mark.parametrize("head", ["1d", "linear"])
def test_it_tells_smooth_pictures_from_others(head, pixels) -> None:  # type: ignore[no-untyped-def]
    net = DeepFeatureX(width=4, others=0.3, head=head, head_width=2, base=BASE, fusion=FUSION)
    score, fresh = net(pixels(40, 32)), pixels(8, 32, seed=1)
    scores = score(fresh.x)
    assert measures.auc(scores[~fresh.fake], scores[fresh.fake]) > 0.9


def test_a_base_model_sees_all_of_its_kind_and_few_of_each_other() -> None:
    source = np.repeat(["real", "gan", "flow"], [180, 60, 40])
    main = source == "real"
    chosen = unbalanced(main, ~main, source, 0.1, seed=0)
    assert {name: int(chosen[source == name].sum()) for name in ("real", "gan", "flow")} == {
        "real": 180,
        "gan": 12,
        "flow": 8,
    }
    assert np.array_equal(chosen, unbalanced(main, ~main, source, 0.1, seed=0))
    few = unbalanced(source == "flow", source != "flow", source, 0.01, seed=0)
    assert few[source == "gan"].sum() == few[source == "real"].sum() == 1  # never none


def test_the_head_changes_nothing_in_the_base_models(picture) -> None:  # type: ignore[no-untyped-def]
    body = Backbone(width=4).requires_grad_(False)
    before = {name: value.clone() for name, value in body.state_dict().items()}
    x = deepfeaturex.features([body, body], np.stack([picture(32, 32, seed) for seed in range(8)]))
    assert x.shape == (8, 2, 32)
    head = deepfeaturex._conv_head(x, 2, 2)
    data = Labelled(x, torch.arange(8) % 2)
    fit(head, data, data, Schedule(epochs=1, batch=4))
    assert all(torch.equal(value, before[name]) for name, value in body.state_dict().items())


def test_the_published_head_has_its_sizes() -> None:
    head = deepfeaturex._conv_head(torch.zeros(1, 3, 512), 3, 16)
    shapes = [tuple(m.weight.shape) for m in head if isinstance(m, torch.nn.Conv1d)]
    assert shapes == [(16, 3, 7), (64, 16, 5), (256, 64, 3), (512, 256, 3), (1024, 512, 3)]
    assert head(torch.zeros(2, 3, 512)).shape == (2, 3)


def test_kinds() -> None:
    assert family("stylegan3", True) == family("cyclegan", True) == "gan"
    assert family("stable_diffusion", True) == "diffusion"
    assert (family("mine", True), family("mine", False)) == ("mine", REAL)
