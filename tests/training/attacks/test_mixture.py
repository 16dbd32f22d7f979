"""Attacks for a batch: who meets what, how strongly, and what is refused."""

import pytest
import torch

from training.attacks import TABLE, Attacks
from training.attacks.drawing import narrowed

X = torch.rand(6, 3, 32, 32, generator=torch.Generator().manual_seed(3))
MIX = [
    {"name": "identity", "weight": 0.5},
    {"name": "affine", "weight": 1, "degrees": [-10, 10], "scale": [0.9, 1.1], "shift_x": [-0.1, 0.1]},
    {"name": "blur+jpeg_dct", "weight": 1, "radius": [0.1, 2], "quality": [50, 95]},
    {"name": "paste", "share": [0.1, 0.5]},
    {"name": "frame+crop", "share": 0.125, "left": [1, 4], "top": 0},
]


def generator(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def test_a_seed_draws_alike() -> None:
    attacks = Attacks(MIX)
    first, names = attacks(X, generator(1))
    again, same = attacks(X, generator(1))
    assert names == same
    assert torch.equal(first.pixels, again.pixels)
    assert torch.equal(first.kept, again.kept)
    other, _ = attacks(X, generator(2))
    assert not torch.equal(first.pixels, other.pixels)


def test_the_global_seed_is_left_alone() -> None:
    before = torch.get_rng_state()
    Attacks(MIX)(X, generator())
    assert torch.equal(before, torch.get_rng_state())


def test_results_return_to_their_places() -> None:
    attacked, names = Attacks(MIX)(X, generator(4))
    assert attacked.pixels.shape == X.shape
    assert attacked.kept.shape == (6, 1, 32, 32)
    assert len(set(names)) > 2
    for name, x, pixels, kept in zip(names, X, attacked.pixels, attacked.kept, strict=True):
        if name in ("identity", "paste"):
            assert torch.equal(x * kept, pixels * kept)
        assert (name == "identity") == torch.equal(x, pixels)


def test_weights_are_frequencies() -> None:
    attacks = Attacks([{"name": "identity", "weight": 3}, {"name": "frame"}, {"name": "shift", "weight": 0}])
    _, names = attacks(torch.zeros(4000, 3, 2, 2), generator())
    assert names.count("identity") == pytest.approx(3000, abs=120)
    assert names.count("shift") == 0


def test_every_sample_has_its_own_parameters() -> None:
    attacked, _ = Attacks([{"name": "frame", "share": [0, 0.4]}])(X, generator())
    assert len(set(attacked.kept.sum((1, 2, 3)).tolist())) > 3


def test_a_chain_moves_what_it_blackened() -> None:
    attacked, _ = Attacks([{"name": "frame+shift", "share": 0.125, "dx": 2, "dy": 0}])(X, generator())
    assert attacked.kept[:, 0, 16].nonzero()[:, 1].unique().tolist() == list(range(6, 30))


@pytest.mark.parametrize(
    ("name", "key", "value", "strength", "range_"),
    [
        ("affine", "degrees", [-10, 10], 0.05, [-0.5, 0.5]),
        ("affine", "scale", [0.8, 1.2], 0.5, [0.9, 1.1]),
        ("jpeg", "quality", [50, 90], 0.25, [80, 90]),
        ("blur", "radius", [0.5, 2.5], 0.5, [0.5, 1.5]),
        ("median", "size", [3, 7], 0.5, [3, 5]),
        ("darken", "factor", [0.4, 0.8], 0.5, [0.6, 0.8]),
        ("blur", "radius", 2.0, 0.1, 2.0),
        ("affine", "degrees", [-10, 10], 1.0, [-10, 10]),
    ],
)
def test_strength_narrows_towards_the_harmless_end(
    name: str, key: str, value: object, strength: float, range_: object
) -> None:
    assert narrowed(value, TABLE[name].limits[key], strength) == pytest.approx(range_)


@pytest.mark.parametrize("grows", [True, False])
def test_an_attack_that_grows_changes_less_while_strength_is_small(grows: bool) -> None:
    attacks = Attacks([{"name": "gamma", "exponent": [0.5, 2], "grows": grows}])
    change = [float((attacks(X, generator(), s)[0].pixels - X).square().mean()) for s in (0.1, 0.5, 1.0)]
    assert (change[0] < change[1] < change[2]) if grows else (change[0] == change[1] == change[2])


def test_gradients_pass_a_mixture() -> None:
    x = X.clone().requires_grad_()
    Attacks(MIX)(x, generator())[0].pixels.square().sum().backward()
    assert x.grad is not None
    assert all(sample.abs().sum() > 0 for sample in x.grad)


def test_networks_are_handed_in() -> None:
    attacks = Attacks(
        [{"name": "codec"}, {"name": "unetjpeg", "quality": [50, 60]}],
        surrogate=lambda x, quality: x + quality.view(-1, 1, 1, 1),
        networks=[lambda x: x - 1],
    )
    attacked, names = attacks(X, generator(2))
    for name, x, pixels in zip(names, X, attacked.pixels, strict=True):
        added = (pixels - x).mean().item()
        assert added == pytest.approx(-1, abs=1e-4) if name == "codec" else 49 < added < 61


def test_every_complaint_at_once() -> None:
    with pytest.raises(ValueError) as refused:
        Attacks(
            [
                {"name": "blurr"},
                {"name": "blur", "radus": 2},
                {"name": "blur+jpeg", "radius": [2, 1], "quality": [50, 101]},
                {"name": "affine", "weight": -1, "degrees": "ten", "scale": [1, 2, 3]},
                {"name": "unetjpeg"},
                {"name": "jpeg_dct", "rounding": "up"},
                {"name": "paste", "foreign": 1},
                {"name": "crop", "grows": "yes"},
            ]
        )
    assert str(refused.value).splitlines() == [
        "unknown attack blurr; did you mean blur?",
        "blur: has no parameter radus; did you mean radius?",
        "blur+jpeg: radius has its low end above its high one: [2, 1]",
        "blur+jpeg: quality must be a whole number from 1 to 100, not 101",
        "affine: weight must be a number from 0, not -1",
        "affine: degrees must be a number, not 'ten'",
        "affine: scale must be a number or [low, high], not [1, 2, 3]",
        "unetjpeg: needs surrogate handed in",
        "jpeg_dct: rounding must be one of straight-through, cubic, surviving, not 'up'",
        "paste: has no parameter foreign",
        "crop: grows must be true or false, not 'yes'",
    ]
    with pytest.raises(ValueError, match="attacks need at least one of weight above 0"):
        Attacks([])
