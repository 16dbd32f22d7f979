"""What an edit's parameters may be: declared once in its signature, checked at every call.

@edit
def blur(pixels: Levels, radius: Annotated[float, Limits(0, 64, harmless=0)] = 2.0) -> Levels:
"""

import difflib
import inspect
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from functools import cache, wraps
from typing import Annotated, ParamSpec, get_args, get_origin, get_type_hints

import numpy as np

from slic.modes import Levels

P = ParamSpec("P")
Value = float | str


@dataclass(frozen=True)
class Limits:
    """Least and greatest value of a number, and the value at which the edit changes nothing, or least."""

    low: float
    high: float
    harmless: float = 0
    step: int = 0
    """0: any number; 1: whole numbers; 2: every second one from `low`."""

    def complaint(self, value: object) -> str:
        """What is wrong with `value`, or nothing."""
        if isinstance(value, bool) or not isinstance(value, int | float):
            return f"must be a number, not {value!r}"
        fits = self.low <= value <= self.high and (not self.step or (value - self.low) % self.step == 0)
        kind = ("", "a whole number ", "an odd number " if self.low % 2 else "an even number ")[self.step]
        return "" if fits else f"must be {kind}from {self.low:g} to {self.high:g}, not {value:g}"


Seed = Annotated[int, Limits(0, 2**32 - 1, step=1)]
Quality = Annotated[int, Limits(1, 100, harmless=100, step=1)]


@dataclass(frozen=True)
class Parameter:
    default: Value
    limits: Limits | None
    """None: text."""

    def complaint(self, value: object) -> str:
        if self.limits is not None:
            return self.limits.complaint(value)
        return "" if isinstance(value, str) else f"must be text, not {value!r}"


@cache
def parameters(function: Callable[..., Levels]) -> Mapping[str, Parameter]:
    """The parameters that a specification may set, by name."""
    hints = get_type_hints(function, include_extras=True)
    found = {}
    for name, argument in inspect.signature(function).parameters.items():
        limits = get_args(hints[name])[1] if get_origin(hints[name]) is Annotated else None
        if limits is not None or hints[name] is str:
            found[name] = Parameter(argument.default, limits)
    return found


def check(function: Callable[..., Levels], values: Mapping[str, object]) -> None:
    """Raise ValueError, in one line, unless `values` suit the edit."""
    name, known = function.__name__, parameters(function)
    for key, value in values.items():
        if key not in known:
            raise ValueError(f"{name} has no parameter {key}{near(key, known)}")
        if said := known[key].complaint(value):
            raise ValueError(f"{name}: {key} {said}")


def near(name: str, known: Iterable[str]) -> str:
    """`; did you mean blur?`, where something known is near."""
    found = difflib.get_close_matches(name, list(known), 1)
    return f"; did you mean {found[0]}?" if found else ""


def edit(function: Callable[P, Levels]) -> Callable[P, Levels]:
    """The function with its picture and its parameters checked."""
    signature = inspect.signature(function)

    @wraps(function)
    def checked(*args: P.args, **kwargs: P.kwargs) -> Levels:
        given = signature.bind(*args, **kwargs).arguments
        pixels = given["pixels"]
        if pixels.dtype != np.uint8 or pixels.ndim != 3 or pixels.shape[2] != 3 or not pixels.size:
            raise ValueError(f"edits take uint8 of shape (H,W,3), not {pixels.dtype} of {pixels.shape}")
        check(checked, {k: v for k, v in given.items() if k in parameters(checked)})
        return function(*args, **kwargs)

    return checked
