"""A run's settings: frozen dataclasses, read from TOML and `key=value`, every complaint at once."""

import difflib
import sys
from dataclasses import dataclass, field, fields, is_dataclass
from pathlib import Path
from typing import Any, get_origin, get_type_hints

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib


class ConfigError(ValueError):
    """All that is wrong with a configuration, a line each."""


@dataclass(frozen=True)
class Model:
    architecture: str = "bmshj2018-hyperprior"
    N: int = 128
    M: int = 192
    gains: bool = False
    """One network for all eight rates."""
    start: str = ""
    """A safetensors state dict to go on from; empty: random weights."""


@dataclass(frozen=True)
class Data:
    pack: str = "runs/pack.safetensors"
    batch: int = 4
    crop: int = 256


@dataclass(frozen=True)
class Optimiser:
    rate: float = 0.003
    """Muon's step, relative to each layer's spectral norm."""
    hyper_rate: float = 0.004
    adam_rate: float = 5e-4
    warmup: int = 100
    decay: int = 5000
    """The last steps, over which every rate falls to zero in a straight line."""
    ema: float = 0.999


@dataclass(frozen=True)
class Config:
    name: str = "try"
    draw: list[float] = field(default_factory=lambda: [0.0, 0.0, 0.0, 0.0, 0.0, 1.0, 0.0, 0.0])
    """How often each quality is trained."""
    judge: list[int] = field(default_factory=lambda: [6])
    steps: int = 20_000
    seed: int = 0
    evaluate_every: int = 1000
    save_every: int = 500
    model: Model = field(default_factory=Model)
    data: Data = field(default_factory=Data)
    optimiser: Optimiser = field(default_factory=Optimiser)


def load(file: Path, overrides: tuple[str, ...] = ()) -> Config:
    """The settings of `file`, changed by overrides such as `steps=200` or `data.crop=192`."""
    values: dict[str, Any] = tomllib.loads(file.read_text())
    for item in overrides:
        key, _, text = item.partition("=")
        *path, last = key.split(".")
        place = values
        for part in path:
            place = place.setdefault(part, {})
        place[last] = _literal(text)
    complaints: list[str] = []
    config = _build(Config, values, "", complaints)
    if complaints:
        raise ConfigError("\n".join(complaints))
    assert isinstance(config, Config)
    return config


def _literal(text: str) -> Any:
    try:
        return tomllib.loads(f"x = {text}")["x"]
    except tomllib.TOMLDecodeError:
        return text


def _build(cls: type, values: dict[str, Any], prefix: str, complaints: list[str]) -> Any:
    known = {f.name for f in fields(cls)}
    hints = get_type_hints(cls)
    accepted: dict[str, Any] = {}
    for key, value in values.items():
        if key not in known:
            near = difflib.get_close_matches(key, known, 1)
            hint = f"; did you mean {prefix}{near[0]}?" if near else ""
            complaints.append(f"unknown setting {prefix}{key}{hint}")
        elif is_dataclass(hints[key]):
            accepted[key] = _build(hints[key], value, f"{prefix}{key}.", complaints)
        elif not isinstance(value, (int, float) if hints[key] is float else get_origin(hints[key]) or hints[key]):
            complaints.append(f"{prefix}{key} must be {hints[key].__name__}, not {value!r}")
        else:
            accepted[key] = value
    return cls(**accepted)
