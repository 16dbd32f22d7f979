"""FGSM does what its gradient says, within its bound; confusion counts what was found before."""

import numpy as np
import pytest
import torch
from torch import nn

from training.detectors import adversarial
from training.detectors.classifier import Network
from training.detectors.linear import Examples


class Bright(nn.Module):
    """Takes bright pictures for generated, by the mean of one colour."""

    def __init__(self, channel: int) -> None:
        super().__init__()
        self.channel = channel

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        mean = x[:, self.channel].mean((1, 2))
        return torch.stack([torch.full_like(mean, 0.5), mean], 1)


RED, GREEN = Network(Bright(0)), Network(Bright(1))
LEVELS = np.full((3, 8, 8, 3), 130, np.uint8)


def test_a_step_goes_against_the_gradient_and_no_farther() -> None:
    changed = adversarial.fgsm(RED, LEVELS, 0.02)
    assert (changed[..., 0] == 125).all()  # 130 − .02·255, rounded
    assert (changed[..., 1:] == 130).all()  # no gradient, no change


def test_levels_stay_levels() -> None:
    assert (adversarial.fgsm(RED, np.ones_like(LEVELS), 0.05)[..., 0] == 0).all()


def test_confusion_is_of_those_that_were_found() -> None:
    before, after = np.array([True, True, False, True]), np.array([True, False, True, False])
    assert adversarial.confusion(before, after) == pytest.approx(2 / 3)
    assert adversarial.confusion(~before | before, after) == 0.5
    assert adversarial.confusion(before & False, after) is None


def test_an_attack_fools_the_one_attacked_and_not_who_looks_elsewhere() -> None:
    rows = list(adversarial.transfer({"red": RED, "green": GREEN}, np.full_like(LEVELS, 100), LEVELS))
    assert rows[0] == {"before": "generated: found", "red": 1.0, "green": 1.0}
    assert rows[1] == {"before": "real: accused", "red": 0.0, "green": 0.0}
    assert rows[-2] == {"attacked": "red", "strength": 0.05, "red": 1.0, "green": 0.0}
    assert rows[-1] == {"attacked": "green", "strength": 0.05, "red": 0.0, "green": 1.0}


def test_a_defence_is_measured_on_what_was_attacked_and_what_was_not() -> None:
    dark = np.full_like(LEVELS, 100)
    brighter = lambda levels: (levels.astype(int) + 20).astype(np.uint8)  # noqa: E731
    plain, defended = adversarial.defence(RED, brighter, dark, LEVELS, 0.05)
    assert (plain["attacked: found"], plain["attacked: confusion"], plain["real: accused"]) == (0, 1, 0)
    assert (defended["attacked: found"], defended["attacked: confusion"]) == (1, 0)


def test_who_is_retrained_learns_from_all_pictures_and_attacks_on_the_generated_ones() -> None:
    source = np.array(["a", "a", "gan", "gan", "gan"])
    known = Examples(np.full((5, 8, 8, 3), 130, np.uint8), source == "gan", source, np.arange(5))
    seen: list[Examples] = []

    def learn(examples: Examples) -> Network:
        seen.append(examples)
        return GREEN

    assert adversarial.retrained(learn, RED, known) is GREEN  # type: ignore[arg-type]
    (examples,) = seen
    assert examples.fake.tolist() == [False, False, True, True, True, True, True, True]
    assert examples.fold.tolist() == [0, 1, 2, 3, 4, 2, 3, 4]  # an attack stays with its picture
    assert (examples.x[:5] == 130).all() and (examples.x[5:, ..., 0] < 130).all()


def test_the_hardened_are_attacked_by_the_first_and_by_themselves() -> None:
    before, *rows = adversarial.hardened(RED, GREEN, np.full_like(LEVELS, 100), LEVELS)
    assert before == {
        "hardened": "before",
        "first: found": 1,
        "first: accused": 0,
        "second: found": 1,
        "second: accused": 0,
    }
    assert [row["hardened"] for row in rows][:3] == ["strength 0.01", "strength 0.02", "strength 0.05"]
    assert rows[-1] == {
        "hardened": "strength 0.3",
        "first, attacked": 1,
        "second, by attacks on the first": 0,
        "second, attacked": 1,
    }
