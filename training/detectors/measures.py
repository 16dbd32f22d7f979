"""Scores of real and of generated pictures → how well a detector tells them apart, with intervals.

A score is higher for a picture that looks generated. Intervals are of 95%, by drawing the pictures of each
class anew; they say nothing of generators and sources that are not among them.
"""

import itertools
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Measure = Callable[[Floats, Floats], float]

DRAWS = 1000
FALSE_ALARMS = 0.01


def auc(real: Floats, fake: Floats) -> float:
    """The share of pairs in which the generated picture has the higher score; a tie counts half."""
    order = np.sort(real)
    below = np.searchsorted(order, fake, "left")
    up_to = np.searchsorted(order, fake, "right")
    return float((below + up_to).mean() / 2 / len(real))


def average_precision(real: Floats, fake: Floats) -> float:
    """The precision at each generated picture's score, on average; of equal scores all count at once."""
    above_real = len(real) - np.searchsorted(np.sort(real), fake, "left")
    above_fake = len(fake) - np.searchsorted(np.sort(fake), fake, "left")
    return float((above_fake / (above_fake + above_real)).mean())


def found_at(real: Floats, fake: Floats, false_alarms: float = FALSE_ALARMS) -> float:
    """The share of generated pictures above a threshold that so few real ones are above.

    With fewer than 100 real pictures, 1% of them is none.
    """
    allowed = int(false_alarms * len(real))
    threshold = np.sort(real)[-1 - allowed]
    return float((fake > threshold).mean())


def summary(real: Floats, fake: Floats, threshold: float = 0.5, draws: int = DRAWS) -> dict[str, Any]:
    """Everything, as a row; where a class is missing, nothing but counts."""
    row: dict[str, Any] = {"real": len(real), "fake": len(fake)}
    if not (len(real) and len(fake)):
        return row
    found, alarms = float((fake >= threshold).mean()), float((real >= threshold).mean())
    flagged = (fake >= threshold).sum() + (real >= threshold).sum()
    right = (fake >= threshold).sum() + (real < threshold).sum()
    return row | {
        "auc": auc(real, fake),
        "interval": interval(auc, real, fake, draws=draws),
        "ap": average_precision(real, fake),
        "at 1%": found_at(real, fake),
        "at 1% interval": interval(found_at, real, fake, draws=draws),
        "accuracy": float(right / (len(real) + len(fake))),
        "balanced": (found + 1 - alarms) / 2,
        "precision": float((fake >= threshold).sum() / flagged) if flagged else None,
        "recall": found,
        "false alarms": alarms,
    }


def interval(measure: Measure, real: Floats, fake: Floats, *, draws: int = DRAWS, seed: int = 0) -> str:
    """`0.81 to 0.93`"""
    random = np.random.default_rng(seed)
    values = [measure(random.choice(real, len(real)), random.choice(fake, len(fake))) for _ in range(draws)]
    low, high = np.quantile(values, (0.025, 0.975))
    return f"{low:.2f} to {high:.2f}"


def interval_of_one(values: Floats, *, draws: int = DRAWS, seed: int = 0) -> str:
    """Of the mean of one class's values."""
    random = np.random.default_rng(seed)
    low, high = np.quantile(random.choice(values, (draws, len(values))).mean(1), (0.025, 0.975))
    return f"{low:.2f} to {high:.2f}"


def interval_of_mean(
    measure: Measure, pairs: Sequence[tuple[Floats, Floats]], *, draws: int = DRAWS, seed: int = 0
) -> str:
    """Of the mean over (real, fake); the real pictures are the same in every pair, and drawn together."""
    random, values = np.random.default_rng(seed), []
    for _ in range(draws):
        drawn = random.integers(0, len(pairs[0][0]), len(pairs[0][0]))
        values.append(np.mean([measure(real[drawn], random.choice(fake, len(fake))) for real, fake in pairs]))
    low, high = np.quantile(values, (0.025, 0.975))
    return f"{low:.2f} to {high:.2f}"


def calibration(real: Floats, fake: Floats, bins: int = 5) -> list[dict[str, Any]]:
    """Of probabilities: what share of each bin is generated, with both classes weighing the same."""
    edges = np.linspace(0, 1, bins + 1)
    rows = []
    for low, high in itertools.pairwise(edges):
        within = [(s >= low) & ((s < high) | ((high == 1) & (s == 1))) for s in (real, fake)]
        shares = [float(w.mean()) for w in within]
        said = sum(float(s[w].sum()) / len(s) for s, w in zip((real, fake), within, strict=True))
        weight = sum(shares)
        rows.append(
            {
                "probability": f"{low:.1f} to {high:.1f}",
                "pictures": int(sum(w.sum() for w in within)),
                "said": said / weight if weight else None,
                "generated": shares[1] / weight if weight else None,
            }
        )
    return rows
