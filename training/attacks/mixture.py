"""Which attack meets which sample."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from slic.attacks.parameters import near
from training.attacks.compression import ROUNDINGS
from training.attacks.drawing import TABLE, Attacked, complaint, narrowed, unknown

HANDED = {"surrogate": "unetjpeg", "networks": "codec"}  # arguments of Attacks, and who needs them
OPTIONS = {"rounding": ROUNDINGS}  # settings that are words


@dataclass(frozen=True)
class Entry:
    """A kind of attack: one twin, or several in a row."""

    name: str
    weight: float
    steps: tuple[tuple[str, Mapping[str, Any]], ...]  # name of each twin, and its settings
    grows: bool = False


class Attacks:
    """From settings such as `{name = "affine", weight = 0.4, degrees = [-12, 12]}`.

    `name` may join several with +; a parameter goes to every one of them that has it. The weight is
    1 unless given. `grows = true`: its ranges are narrow as long as the strength is small. Raises
    ValueError with a line for each complaint.
    """

    def __init__(
        self,
        settings: Sequence[Mapping[str, Any]],
        *,
        surrogate: Callable[[Tensor, Tensor], Tensor] | None = None,
        networks: Sequence[Callable[[Tensor], Tensor]] = (),
    ) -> None:
        """`surrogate` (pixels, quality 1 … 100) serves `unetjpeg`; `networks` (pixels) serve `codec`."""
        self._handed = {"surrogate": surrogate, "networks": networks}
        complaints: list[str] = []
        self.entries = [self._entry(s, complaints) for s in settings]
        if not complaints and sum(e.weight for e in self.entries) <= 0:
            complaints.append("attacks need at least one of weight above 0")
        if complaints:
            raise ValueError("\n".join(complaints))
        self._weights = torch.tensor([e.weight for e in self.entries])

    def __call__(
        self, x: Tensor, generator: torch.Generator, strength: float = 1.0
    ) -> tuple[Attacked, list[str]]:
        """An attack for each sample, and their names. `strength` in (0, 1] narrows ranges that grow."""
        drawn = torch.multinomial(self._weights, len(x), replacement=True, generator=generator)
        foreign = x.detach().roll(1, 0) if len(x) > 1 else None  # what `paste` takes for a sample
        order, pixels, kept = [], [], []
        for index in drawn.unique().tolist():
            rows = (drawn == index).nonzero().flatten()
            order.append(rows)
            rows = rows.to(x.device)
            given = self._handed | {"foreign": None if foreign is None else foreign[rows]}
            entry = self.entries[index]
            done = _run(entry, x[rows], generator, strength if entry.grows else 1.0, given)
            pixels.append(done.pixels)
            kept.append(done.kept)
        back = torch.cat(order).argsort().to(x.device)
        attacked = Attacked(torch.cat(pixels)[back], torch.cat(kept)[back])
        return attacked, [self.entries[i].name for i in drawn.tolist()]

    def _entry(self, settings: Mapping[str, Any], complaints: list[str]) -> Entry:
        rest = dict(settings)
        name, weight = str(rest.pop("name", "")), rest.pop("weight", 1.0)
        grows = rest.pop("grows", False)
        parts = [part.strip() for part in name.split("+")]
        missing = [part for part in parts if part not in TABLE]
        complaints += [unknown(part) for part in missing]
        if isinstance(weight, bool) or not isinstance(weight, int | float) or weight < 0:
            complaints.append(f"{name}: weight must be a number from 0, not {weight!r}")
            weight = 0.0
        if not isinstance(grows, bool):
            complaints.append(f"{name}: grows must be true or false, not {grows!r}")
        if missing:
            return Entry(name, weight, ())
        complaints += [
            f"{name}: needs {what} handed in"
            for what, who in HANDED.items()
            if who in parts and not self._handed[what]
        ]
        complaints += [
            f"{name}: {said}" for key, value in rest.items() if (said := _fault(parts, key, value))
        ]
        steps = tuple((p, {k: v for k, v in rest.items() if _takes(p, k)}) for p in parts)
        return Entry(name, weight, steps, grows is True)


def _run(
    entry: Entry, x: Tensor, generator: torch.Generator, strength: float, given: Mapping[str, Any]
) -> Attacked:
    done = Attacked(x, torch.ones_like(x[:, :1]))
    for name, settings in entry.steps:
        twin = TABLE[name]
        ready = {k: v for k, v in given.items() if k in twin.extras}
        for key, value in settings.items():
            ready[key] = narrowed(value, twin.limits[key], strength) if key in twin.limits else value
        done = twin.go_on(done, generator, ready)
    return done


def _takes(part: str, key: str) -> bool:
    return key in TABLE[part].limits or (key in OPTIONS and key in TABLE[part].extras)


def _fault(parts: Sequence[str], key: str, value: object) -> str:
    """What is wrong with a setting of these attacks, or nothing."""
    takers = [TABLE[part] for part in parts if _takes(part, key)]
    if not takers:
        known = {k for part in parts for k in (*TABLE[part].limits, *OPTIONS) if _takes(part, k)}
        return f"has no parameter {key}{near(key, known)}"
    if key in OPTIONS:
        return (
            "" if value in OPTIONS[key] else f"{key} must be one of {', '.join(OPTIONS[key])}, not {value!r}"
        )
    said = [complaint(value, twin.limits[key]) for twin in takers]
    return next((f"{key} {fault}" for fault in said if fault), "")
