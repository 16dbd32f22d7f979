"""How far a step goes, and that one odd sample does not decide where to."""

import pytest
import torch
from torch import nn

from training.optim import OUTLIER, Muon, Optimisers, orthogonalise


def test_orthogonalised_singular_values_are_near_one() -> None:
    made = orthogonalise(torch.randn(24, 60, generator=torch.Generator().manual_seed(0)), steps=6)
    values = torch.linalg.svdvals(made)
    assert values.min() > 0.6 and values.max() < 1.3


def muon(weight: nn.Parameter) -> Muon:
    return Muon([{"params": [weight], "lr": 0.1}])


def test_a_gradient_far_beyond_the_usual_moves_momentum_as_an_outlier_may() -> None:
    weight = nn.Parameter(torch.zeros(4, 4))
    made, odd = muon(weight), torch.diag(torch.tensor([0.0, 0.0, 0.0, 1000.0]))
    for _ in range(10):
        weight.grad = torch.diag(torch.tensor([1.0, 0.0, 0.0, 0.0]))
        made.step()
    before = made.state[weight]["momentum"].clone()
    weight.grad = odd
    made.step()
    moved = made.state[weight]["momentum"] - 0.95 * before
    assert float(moved.norm()) == pytest.approx(0.05 * OUTLIER, rel=1e-3)
    assert weight.grad is odd and float(odd.max()) == 1000.0  # what others read stays


def test_steps_follow_the_layers_own_spectral_norm() -> None:
    net = nn.Sequential(nn.Conv2d(8, 8, 3))
    net.register_parameter("quantiles", nn.Parameter(torch.zeros(1)))  # as every codec has
    with torch.no_grad():
        net[0].weight.mul_(7)
    before = net[0].weight.detach().clone()
    norm = torch.linalg.matrix_norm(before.reshape(8, -1), 2)
    made = Optimisers(net, rate=0.01, hyper_rate=0.0, adam_rate=0.0)
    made.set_share(1.0)
    net[0].weight.grad = torch.randn(before.shape, generator=torch.Generator().manual_seed(1))
    made.muon.step()
    step = torch.linalg.matrix_norm((net[0].weight.detach() - before).reshape(8, -1), 2)
    assert 0.006 * norm < step < 0.014 * norm


def test_a_resumed_run_goes_on_at_the_rates_that_it_is_given_now() -> None:
    net = nn.Sequential(nn.Conv2d(8, 8, 3))
    net.register_parameter("quantiles", nn.Parameter(torch.zeros(1)))
    before = Optimisers(net, rate=0.01, hyper_rate=0.0, adam_rate=0.02)
    after = Optimisers(net, rate=0.005, hyper_rate=0.0, adam_rate=0.01)
    after.restore(before.state())
    for made in (before, after):
        made.set_share(1.0)
    for ours, theirs in ((after.muon, before.muon), (after.adam, before.adam)):
        assert ours.param_groups[0]["lr"] == theirs.param_groups[0]["lr"] / 2
