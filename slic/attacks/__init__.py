"""What happens to pictures on their way: the one definition of every edit, by name.

    from slic import attacks

    edited = attacks.parse("affine(degrees=5)+jpeg(quality=85)")(pixels)     # uint8 (H,W,3) → the same
    for attack in attacks.PAPER:
        print(attack, attack(pixels).shape)

`training.attacks` has differentiable twins of the same names, parameters and strength.
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from slic.attacks import compression, geometric, photographic
from slic.attacks.parameters import Parameter, Value, check, near
from slic.attacks.parameters import parameters as _parameters
from slic.modes import Levels

TABLE: Mapping[str, Callable[..., Levels]] = {
    f.__name__: f
    for f in (
        photographic.identity,
        photographic.blur,
        photographic.median,
        photographic.sharpen,
        photographic.equalize,
        photographic.lighten,
        photographic.darken,
        photographic.noise,
        photographic.colour,
        photographic.gamma,
        photographic.bilateral,
        geometric.affine,
        geometric.resize,
        geometric.rescale,
        geometric.crop,
        geometric.shift,
        geometric.turn,
        geometric.mirror,
        geometric.frame,
        geometric.paste,
        compression.jpeg,
        compression.webp,
        compression.avif,
        compression.codec,
    )
}

_STEP = re.compile(r"(\w+)\s*(?:\((.*)\))?")
_PLUS = re.compile(r"\+(?![^(]*\))")  # not the one in 1e+2


@dataclass(frozen=True)
class Attack:
    """One edit; parameters that are not given have their defaults."""

    name: str
    parameters: Mapping[str, Value] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if self.name not in TABLE:
            raise ValueError(f"unknown edit {self.name}{near(self.name, TABLE)}")
        check(TABLE[self.name], self.parameters)
        defaults = {key: known.default for key, known in parameters(self.name).items()}
        object.__setattr__(self, "parameters", defaults | dict(self.parameters))

    def __call__(self, pixels: Levels) -> Levels:
        return TABLE[self.name](pixels, **self.parameters)

    def __str__(self) -> str:
        """As `parse` reads it, every parameter named."""
        values = ", ".join(f"{key}={_text(value)}" for key, value in self.parameters.items())
        return f"{self.name}({values})" if values else self.name

    def __hash__(self) -> int:
        return hash(str(self))


@dataclass(frozen=True)
class Chain:
    """Several edits, one after the other."""

    steps: tuple[Attack, ...]

    @property
    def name(self) -> str:
        return "+".join(step.name for step in self.steps)

    def __call__(self, pixels: Levels) -> Levels:
        for step in self.steps:
            pixels = step(pixels)
        return pixels

    def __str__(self) -> str:
        return "+".join(map(str, self.steps))


def parse(text: str) -> Attack | Chain:
    """`blur`, `blur(radius=2)`, `affine(degrees=10, scale=0.95)+jpeg(quality=85)`.

    Raises ValueError, in one line that says what is known.
    """
    steps = tuple(_step(part.strip()) for part in _PLUS.split(text))
    return steps[0] if len(steps) == 1 else Chain(steps)


def parameters(name: str) -> Mapping[str, Parameter]:
    """What the edit `name` can be told, with defaults and limits."""
    return _parameters(TABLE[name])


def _step(text: str) -> Attack:
    match = _STEP.fullmatch(text)
    if match is None:
        raise ValueError(f"cannot read {text!r} as an edit such as jpeg or jpeg(quality=85)")
    name, inside = match.groups()
    values: dict[str, Value] = {}
    for item in filter(None, (part.strip() for part in (inside or "").split(","))):
        key, equals, value = (part.strip() for part in item.partition("="))
        if not (key and equals) or key in values:
            raise ValueError(f"cannot read {item!r} in {text!r}: write each parameter once, as name=value")
        values[key] = _value(value)
    return Attack(name, values)


def _value(text: str) -> Value:
    for kind in (int, float):
        try:
            return kind(text)
        except ValueError:
            pass
    return text


def _text(value: Value) -> str:
    return str(value).removesuffix(".0")


PAPER: tuple[Attack, ...] = (
    Attack("affine", {"degrees": 10.0, "scale": 0.95, "left": 10}),
    Attack("jpeg", {"quality": 85}),
    Attack("equalize"),
    Attack("blur", {"radius": 2.0}),
    Attack("median", {"size": 5}),
    Attack("sharpen", {"amount": 1.0}),
    Attack("lighten", {"factor": 1.5}),
    Attack("darken", {"factor": 0.5}),
    Attack("frame", {"share": 0.1}),
)
"""The nine edits of the paper that this codec follows, exactly as its tool makes them."""

LAUNDERING: tuple[Attack, ...] = (
    *(Attack("jpeg", {"quality": quality}) for quality in (50, 60, 70, 80, 90, 95)),
    Attack("webp", {"quality": 80}),
    Attack("avif", {"quality": 60}),
    Attack("rescale", {"factor": 0.5}),
    Attack("noise", {"sigma": 5.0}),
    Attack("bilateral"),
)
"""What somebody may try who wants the protection gone and the picture intact."""

CUT_AND_SAVED = Chain((Attack("crop", {"left": 5, "top": 22}), Attack("jpeg", {"quality": 85})))
"""JPEG's blocks lie elsewhere on the trigger then: a model may survive either of the two and not both."""

EVERYDAY: tuple[Attack | Chain, ...] = (
    Attack("mirror"),
    Attack("turn", {"quarters": 1}),
    Chain((Attack("turn", {"quarters": 1}), Attack("jpeg", {"quality": 85}))),
    Attack("colour", {"saturation": 0.0}),
    *(Attack("resize", {"factor": factor}) for factor in (0.5, 0.75, 1.5)),
)
"""What people do to pictures besides: a trigger may lie in one direction, in colours, or have one size."""

ESCAPES: tuple[Attack | Chain, ...] = (
    Attack("affine", {"degrees": 20.0, "scale": 1.0}),
    Attack("blur", {"radius": 3.0}),
    Chain((Attack("colour", {"saturation": 0.0}), Attack("jpeg", {"quality": 85}))),
)
"""Edits that no secured model answered before evidence decided (slic/evidence.py)."""

CROPS: tuple[Attack, ...] = (
    *(
        Attack("crop", {"left": left, "top": top})
        for left, top in ((1, 0), (0, 1), (8, 8), (13, 7), (16, 48), (31, 33), (32, 32), (63, 63))
    ),
    Attack("crop", {"left": 0, "top": 0, "right": 1, "bottom": 1}),
    Attack("crop", {"left": 5, "top": 3, "right": 18, "bottom": 44}),
    *(Attack("shift", {"dx": dx, "dy": dy}) for dx, dy in ((1, 1), (-20, 11), (32, 0))),
)
"""True crops, to odd sizes among others, and moves within the same size: other places on the codec's grid."""

OFFSETS: tuple[Attack, ...] = tuple(Attack("crop", {"left": n, "top": 37 * n % 64}) for n in range(64))
"""Each column and each row of the codec's grid of 64 pixels, as the upper left corner of a crop, once."""
