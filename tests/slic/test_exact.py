"""Integer networks: equal to the float ones up to rounding, and the same on every path."""

import numpy as np
import pytest
import tiny
import torch
import torch.nn.functional as F

from slic import exact, models
from slic.errors import ModelError
from slic.exact import ONE, IntegerNet
from slic.transforms import ARCHITECTURES

CPU = torch.device("cpu")


def hyper_input(seed: int = 0) -> torch.Tensor:
    random = torch.Generator().manual_seed(seed)
    return (torch.randn(2, tiny.N, 5, 7, generator=random) * 3 * ONE).round().double()


def float_hyper_synthesis(architecture: str, z: torch.Tensor) -> torch.Tensor:
    state, x = tiny.state(architecture), z / ONE
    for plan in exact.HYPER_SYNTHESIS[architecture]:
        w, b = state[f"{plan.name}.weight"].double(), state[f"{plan.name}.bias"].double()
        if plan.kind == "deconv":
            x = F.conv_transpose2d(x, w, b, stride=2, padding=2, output_padding=1)
        else:
            x = F.conv2d(x, w, b, padding=w.shape[-1] // 2)
            x = F.pixel_shuffle(x, 2) if plan.kind == "shuffle" else x
        x = {"relu": F.relu, "leaky": F.leaky_relu, "none": lambda v: v}[plan.activation](x)
    return x


@pytest.mark.parametrize("architecture", ARCHITECTURES)
def test_integers_follow_the_floats(architecture: str, tiny_models: dict[str, models.Model]) -> None:
    net = IntegerNet(exact.HYPER_SYNTHESIS[architecture], tiny_models[architecture].tensors, CPU)
    z = hyper_input()
    ideal = float_hyper_synthesis(architecture, z)
    error = (net(z) / ONE - ideal).abs() / ideal.abs().clamp_min(1)
    assert error.max() < 0.02


@pytest.mark.parametrize("architecture", ARCHITECTURES)
def test_any_order_of_summation_gives_the_same_integers(
    architecture: str, tiny_models: dict[str, models.Model]
) -> None:
    net = IntegerNet(exact.HYPER_SYNTHESIS[architecture], tiny_models[architecture].tensors, CPU)
    z, shuffled = hyper_input(), IntegerNet.__new__(IntegerNet)
    shuffled.layers = []
    for layer in net.layers:
        order = torch.randperm(layer.weight.shape[1], generator=torch.Generator().manual_seed(3))
        shuffled.layers.append(_Reordered(layer, order))  # type: ignore[arg-type]
    assert torch.equal(net(z), shuffled(z))


class _Reordered:
    """A layer that adds its products in another order."""

    def __init__(self, layer: exact.IntegerLayer, order: torch.Tensor) -> None:
        self.layer, self.order = layer, order

    def __call__(self, x: torch.Tensor) -> torch.Tensor:
        edge, (b, _, h, w) = self.layer.kernel // 2, x.shape
        columns = F.unfold(x, self.layer.kernel, padding=edge)[:, self.order]
        sums = (self.layer.weight[:, self.order] @ columns + self.layer.bias).view(b, -1, h, w)
        out = exact.activate(exact.floor_and_clip(sums), self.layer.plan.activation)
        return out if self.layer.plan.kind == "conv" else F.pixel_shuffle(out, 2)


def test_rounding_is_half_up_and_clips() -> None:
    plan = exact.LayerPlan("h_s.0", "conv", "none")
    tensors = {
        "exact.h_s.0.weight": np.array([[[[1]]]], np.int16),
        "exact.h_s.0.bias": np.array([0], np.int64),
        "exact.h_s.0.shift": np.array([1], np.int8),
    }
    x = torch.tensor([3.0, -3.0, 5.0, 2.0**40, -(2.0**40)], dtype=torch.float64).view(1, 1, 1, 5)
    assert IntegerNet((plan,), tensors, CPU)(x).flatten().tolist() == [2.0, -1.0, 3.0, 2.0**24, -(2.0**24)]


def test_leak_is_rounded() -> None:
    x = torch.tensor([100.0, 1.0, 0.0, -1.0, -100.0, -50.0], dtype=torch.float64)
    assert exact.activate(x, "leaky").tolist() == [100.0, 1.0, 0.0, 0.0, -1.0, 0.0]


def test_bound_counts_every_weight() -> None:
    plan = exact.LayerPlan("h_s.0", "conv", "none")
    tensors = exact.round_layer(plan, torch.full((1, 2, 3, 3), 0.5), torch.zeros(1))
    net = IntegerNet((plan,), tensors, CPU)
    assert net.prove()[0].bound == 18 * 16384 * 2.0**24 + 2**14


def test_a_model_that_could_overflow_is_refused() -> None:
    plan = exact.LayerPlan("h_s.0", "conv", "none")
    tensors = exact.round_layer(plan, torch.ones(1, 4000, 3, 3), torch.zeros(1))
    with pytest.raises(ModelError, match=r"could reach 9.\d+e\+15, beyond 2\*\*53"):
        IntegerNet((plan,), tensors, CPU)


def test_scale_index_counts_the_thresholds_below() -> None:
    table = exact.scale_table(np.array([10, 20, 30], np.int32))
    scales = torch.tensor([-5.0, 0.0, 10.0, 11.0, 20.0, 21.0, 31.0, 2.0**24])
    assert exact.scale_index(scales, table).tolist() == [0, 0, 0, 1, 1, 2, 3, 3]


@pytest.mark.parametrize("thresholds", [[], [0], [0, 1, 5], [112, 1000, 2**24]])
def test_scale_tables_are_a_search_among_thresholds(thresholds: list[int]) -> None:
    scales = torch.tensor([0.0, 1.0, 2.0, 5.0, 6.0, 112.0, 113.0, 1000.0, 1001.0, 2.0**24])
    found = exact.scale_index(scales, exact.scale_table(np.array(thresholds, np.int32)))
    assert torch.equal(found, torch.bucketize(scales, torch.tensor(thresholds).float()).to(torch.uint8))


def test_embedded_models_are_proven() -> None:
    from slic.convert import integer_plans

    found = list(models.installed())
    assert found
    for model in found:
        plans = integer_plans(model.architecture)
        bounds = [b for p in plans for b in IntegerNet((p,), model.tensors, CPU).prove()]
        assert all(b.bound < exact.EXACT for b in bounds) and len(bounds) == len(plans)


def test_threads_do_not_matter(tiny_model: models.Model) -> None:
    net = IntegerNet(exact.HYPER_SYNTHESIS[tiny_model.architecture], tiny_model.tensors, CPU)
    z, before = hyper_input(), torch.get_num_threads()
    results = []
    try:
        for threads in (1, 2, 4):
            torch.set_num_threads(threads)
            results.append(net(z))
    finally:
        torch.set_num_threads(before)
    assert all(np.array_equal(results[0], r) for r in results[1:])
