"""One twin: parameters drawn for each sample, pixels and mask together."""

import inspect
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from slic import attacks as edits
from slic.attacks.parameters import Limits, near
from training.attacks import compression, geometric, photographic

Range = float | Sequence[float]
"""A number, or [low, high]."""


@dataclass
class Attacked:
    pixels: Tensor  # (B,3,H,W), about [0,1]; neither rounded nor clamped unless the edit itself does
    kept: Tensor  # (B,1,H,W) in {0,1}: where the protected picture remains


class Twin:
    """A differentiable edit, called as `twin(x, generator, radius=[0.5, 2])`.

    Parameters that are not given have the defaults of `slic.attacks`. What is no parameter there
    (`rounding`, and what is handed in) is passed on as it is.
    """

    def __init__(self, function: Callable[..., Tensor], *, of: str = "", moves: bool = False) -> None:
        """`of` names the edit whose parameters these are; `moves`: the function takes the mask along."""
        self._function, self._moves = function, moves
        arguments = set(inspect.signature(function).parameters) - {"x", "generator"}
        known = edits.parameters(of or function.__name__)
        self.limits: dict[str, Limits] = {
            key: p.limits for key, p in known.items() if key in arguments and p.limits is not None
        }
        self._defaults = {key: known[key].default for key in self.limits}
        self.extras = arguments - set(self.limits)
        self._random = "generator" in inspect.signature(function).parameters

    def __call__(self, x: Tensor, generator: torch.Generator, **settings: Any) -> Attacked:
        return self.go_on(Attacked(x, torch.ones_like(x[:, :1])), generator, settings)

    def go_on(self, done: Attacked, generator: torch.Generator, settings: Mapping[str, Any]) -> Attacked:
        """After other edits: what they left is edited further."""
        x = done.pixels
        drawn = self._defaults | dict(settings)
        for key, limits in self.limits.items():
            drawn[key] = _draw(drawn[key], limits, len(x), generator).to(x.device)
        if self._random:
            drawn["generator"] = generator
        if not self._moves:
            return Attacked(self._function(x, **drawn), done.kept)
        moved = self._function(torch.cat([x, done.kept], 1), **drawn)
        # A pixel that is mixed with the black outside is no longer the picture's.
        return Attacked(moved[:, :3], (moved[:, 3:].detach() > 0.99).to(x))


def complaint(value: object, limits: Limits) -> str:
    """What is wrong with a number or range, or nothing."""
    if not isinstance(value, Sequence) or isinstance(value, str):
        return limits.complaint(value)
    if len(value) != 2:
        return f"must be a number or [low, high], not {value!r}"
    if said := limits.complaint(value[0]) or limits.complaint(value[1]):
        return said
    return "" if value[0] <= value[1] else f"has its low end above its high one: {value!r}"


def narrowed(value: Range, limits: Limits, strength: float) -> Range:
    """The range at a strength in (0, 1]: shrunk towards its most harmless value. A number stays."""
    if not isinstance(value, Sequence):
        return value
    low, high = value
    calm = min(max(limits.harmless, low), high)
    low, high = (calm + (end - calm) * strength for end in (low, high))
    if not limits.step:
        return low, high
    return tuple(limits.low + limits.step * round((end - limits.low) / limits.step) for end in (low, high))


def unknown(name: str) -> str:
    return f"unknown attack {name}{near(name, TABLE)}"


def _draw(value: Range, limits: Limits, count: int, generator: torch.Generator) -> Tensor:
    """(count,) float32, on the CPU."""
    low, high = value if isinstance(value, Sequence) else (value, value)
    if limits.step:
        choices = int((high - low) // limits.step) + 1
        return low + limits.step * torch.randint(choices, (count,), generator=generator).float()
    return low + (high - low) * torch.rand(count, generator=generator)


TABLE: dict[str, Twin] = {
    "identity": Twin(photographic.identity),
    "blur": Twin(photographic.blur),
    "median": Twin(photographic.median),
    "sharpen": Twin(photographic.sharpen),
    "equalize": Twin(photographic.equalize),
    "lighten": Twin(photographic.lighten),
    "darken": Twin(photographic.darken, of="darken"),
    "noise": Twin(photographic.noise),
    "colour": Twin(photographic.colour),
    "gamma": Twin(photographic.gamma),
    "bilateral": Twin(photographic.bilateral),
    "affine": Twin(geometric.affine, moves=True),
    "rescale": Twin(geometric.rescale, moves=True),
    "crop": Twin(geometric.crop, moves=True),
    "shift": Twin(geometric.shift, moves=True),
    "turn": Twin(geometric.turn, moves=True),
    "mirror": Twin(geometric.mirror, moves=True),
    "frame": Twin(geometric.frame, moves=True),
    "paste": Twin(geometric.paste, moves=True),
    "jpeg": Twin(compression.jpeg),
    "jpeg_dct": Twin(compression.jpeg_dct, of="jpeg"),
    "unetjpeg": Twin(compression.unetjpeg, of="jpeg"),
    "webp": Twin(compression.webp),
    "avif": Twin(compression.avif),
    "codec": Twin(compression.codec),
}
