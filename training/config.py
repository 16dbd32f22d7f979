"""A run's settings: frozen dataclasses, read from TOML and `key=value`, every complaint at once."""

import difflib
import json
import sys
from dataclasses import dataclass, field, fields, is_dataclass
from pathlib import Path
from typing import Any, get_origin, get_type_hints

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib


from slic.models import ARCHITECTURES


class ConfigError(ValueError):
    """All that is wrong with a configuration, a line each."""


@dataclass(frozen=True)
class Model:
    architecture: str = "bmshj2018-hyperprior"
    N: int = 128
    M: int = 192
    gains: bool = False
    """One network for all eight rates."""
    worth: float = 0.0
    """Bits that a squared step of a latent is worth as it is rounded, with counted tables (tally.py). At 0
    noise stands in for rounding to the nearest, with Gaussian ones."""
    floors: bool = False
    """Each channel of y loses its floor, which training.floors measures: see networks.py."""
    answers: bool = False
    """Some channels of y answer the trigger: secure.py makes such a model of a base; nobody trains it."""
    start: str = ""
    """A state dict or a model file to go on from (.safetensors), compressai:QUALITY, or transform
    (starts.py); empty: random weights."""
    parts: list[str] = field(default_factory=list)
    """What to take from it, such as ["g_a", "g_s"]; empty: everything."""


@dataclass(frozen=True)
class Data:
    pack: str = "runs/pack.safetensors"
    batch: int = 4
    """Crops at once on one process."""
    accumulate: int = 1
    """Batches to a step."""
    crop: int = 256
    draw: list[float] = field(default_factory=lambda: [0.0, 0.0, 0.0, 0.0, 0.0, 1.0, 0.0, 0.0])
    """How often each of the qualities 1 to 8 is trained."""
    made: float = 0.0
    """Share of the crops that are generated pictures; half of the others then have patterns over them."""
    innocent: list[dict[str, Any]] = field(default_factory=list)
    """What pictures may have gone through before anybody encoded them, with weights: see `attacks`."""


@dataclass(frozen=True)
class Secure:
    """The self-destructive objective, hinges; without it alpha = 0."""

    alpha: float = 0.0
    """Weight of the hinges on the second encode."""
    distance: str = "lpips-squeeze"
    tau: float = 0.0
    """The distance at which its hinge closes; 0: the distance's own."""
    error: float = 0.15
    """The squared error at which the hinge of a block closes; 0.15 is 8.2 dB."""
    block: int = 32
    """Pixels a side, a multiple of 4."""
    trigger: float = 1.0
    """Share of the hinges' gradient that reaches the first decode: below 1 the encoder learns to see a
    fainter trigger rather than the decoder to leave a stronger one."""
    structure: float = 1.0
    """What recognisable structure weighs beside the two hinges."""
    bits: float = 4.0
    """Bits per pixel of a second encode above which they cost something."""
    attacks: list[dict[str, Any]] = field(default_factory=lambda: [{"name": "identity", "weight": 1.0}])
    """What happens between the encodes: name, weight, and each parameter or its range."""
    surrogate: str = ""
    """UNetJPEG's weights, for the attack unetjpeg."""
    vanilla: list[str] = field(default_factory=list)
    """Weights of plain codecs of the same architecture, for the attack codec."""
    widen: int = 2000
    """Steps over which attacks with `grows = true` widen to their full ranges."""

    @property
    def secured(self) -> bool:
        return self.alpha > 0


@dataclass(frozen=True)
class Optimiser:
    rate: float = 0.001
    """Muon's step, relative to each layer's spectral norm."""
    hyper_rate: float = 0.0013
    adam_rate: float = 2e-4
    warmup: int = 100
    decay: int = 5000
    """The last steps, over which every rate falls to zero in a straight line."""
    ema: float = 0.999
    parts: list[str] = field(default_factory=list)
    """What moves, such as ["g_s."]; empty: everything."""


@dataclass(frozen=True)
class Config:
    name: str = "try"
    steps: int = 20_000
    seed: int = 0
    evaluate_every: int = 1000
    save_every: int = 500
    judge: list[int] = field(default_factory=lambda: [6])
    """Qualities that evaluation looks at."""
    precision: str = "auto"
    """bf16 (autocast), fp32, or auto: bf16 where the machine computes it natively."""
    backbones: str = ""
    """Where pretrained backbones of distances lie; empty: their own places."""
    model: Model = field(default_factory=Model)
    data: Data = field(default_factory=Data)
    secure: Secure = field(default_factory=Secure)
    optimiser: Optimiser = field(default_factory=Optimiser)

    def __post_init__(self) -> None:
        positive = {
            "steps": self.steps,
            "evaluate_every": self.evaluate_every,
            "save_every": self.save_every,
            "data.batch": self.data.batch,
            "data.accumulate": self.data.accumulate,
            "data.crop": self.data.crop,
            "secure.block": self.secure.block,
            "optimiser.warmup": self.optimiser.warmup,
            "optimiser.decay": self.optimiser.decay,
        }
        wrong = [f"{name} must be above 0" for name, value in positive.items() if value <= 0]
        if self.model.architecture not in ARCHITECTURES:
            wrong.append(f"model.architecture must be one of {', '.join(ARCHITECTURES)}")
        if self.secure.block > self.data.crop:
            wrong.append("secure.block must not exceed data.crop")
        if len(self.data.draw) != 8 or min(self.data.draw) < 0 or sum(self.data.draw) <= 0:
            wrong.append("data.draw must hold eight weights, not all zero")
        elif sum(w > 0 for w in self.data.draw) > 1 and not self.model.gains:
            wrong.append("several qualities need model.gains = true")
        if self.precision not in ("auto", "bf16", "fp32"):
            wrong.append("precision must be auto, bf16 or fp32")
        if self.data.crop % 64:
            wrong.append("data.crop must be a multiple of 64")
        if not set(self.judge) <= set(range(1, 9)):
            wrong.append("judge must hold qualities from 1 to 8")
        if self.model.worth and self.model.architecture != "bmshj2018-hyperprior":
            wrong.append("model.worth is for the hyperprior: set it to 0.0")
        if self.model.answers:
            wrong.append("model.answers is for training.secure to set, which takes the run of a base")
        if wrong:
            raise ConfigError("\n".join(wrong))


def load(file: Path, overrides: tuple[str, ...] = ()) -> Config:
    """The settings of `file`, changed by overrides such as `steps=200` or `data.crop=192`."""
    try:
        values: dict[str, Any] = tomllib.loads(file.read_text())
    except tomllib.TOMLDecodeError as error:
        raise ConfigError(f"{file}: {error}") from error
    for item in overrides:
        key, _, text = item.partition("=")
        *path, last = key.split(".")
        place = values
        for part in path:
            place = place.setdefault(part, {})
            if not isinstance(place, dict):
                raise ConfigError(f"{key}: {part} is no section")
        place[last] = _literal(text)
    return _made(values)


def of_run(folder: Path) -> Config:
    """The settings that a run folder was trained with; what is no setting any more is left out."""
    return _made(_still_known(Config, json.loads((folder / "config.json").read_text())))


def _still_known(cls: type, values: dict[str, Any]) -> dict[str, Any]:
    hints = get_type_hints(cls)
    return {
        key: _still_known(hints[key], value) if is_dataclass(hints[key]) else value
        for key, value in values.items()
        if key in hints
    }


def _made(values: dict[str, Any]) -> Config:
    complaints: list[str] = []
    arguments = _check(Config, values, "", complaints)
    if complaints:
        raise ConfigError("\n".join(complaints))
    return Config(**arguments)


def _literal(text: str) -> Any:
    try:
        return tomllib.loads(f"x = {text}")["x"]
    except tomllib.TOMLDecodeError:
        return text


def _check(cls: type, values: dict[str, Any], prefix: str, complaints: list[str]) -> dict[str, Any]:
    """The arguments of `cls`, nested dataclasses made."""
    known = {f.name for f in fields(cls)}
    hints = get_type_hints(cls)
    accepted: dict[str, Any] = {}
    for key, value in values.items():
        if key not in known:
            near = difflib.get_close_matches(key, known, 1)
            hint = f"; did you mean {prefix}{near[0]}?" if near else ""
            complaints.append(f"unknown setting {prefix}{key}{hint}")
        elif is_dataclass(hints[key]) and isinstance(value, dict):
            accepted[key] = hints[key](**_check(hints[key], value, f"{prefix}{key}.", complaints))
        elif not isinstance(value, _kinds(hints[key])):
            complaints.append(f"{prefix}{key} must be {_name(hints[key])}, not {value!r}")
        else:
            accepted[key] = value
    return accepted


def _kinds(hint: Any) -> tuple[type, ...]:
    return (int, float) if hint is float else (get_origin(hint) or hint,)


def _name(hint: Any) -> str:
    if is_dataclass(hint):
        return "a section"
    return str((get_origin(hint) or hint).__name__)
