"""Model files: where they lie, what they are called, what they are. Loads no torch.

A model file is a safetensors file. Its tensors are g_a, g_s and h_a in CompressAI's names (float16 or
float32), the integer networks `exact.*`, the probability tables `tables.*`, and for those who want to
go on training `training.*`, which is no part of the model's identity. Its metadata is the card.
"""

import contextlib
import hashlib
import json
import os
import re
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from functools import cached_property, lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from safetensors import SafetensorError, deserialize, safe_open

from slic.errors import ModelError

if TYPE_CHECKING:  # numpy takes longer to import than `slic info` has altogether
    import numpy as np
    from numpy.typing import NDArray

DEFAULT = "slic"
FORMAT = "slic-model-1"
ARCHITECTURES = ("bmshj2018-hyperprior", "mbt2018", "cheng2020-anchor", "cheng2020-attn")
IDENTITY_BYTES = 16
SUFFIX = ".safetensors"
_MAX_RATES = 255  # a header has a byte for the quality
_MAX_HEAD = 1 << 24  # ours take 10 kB
_EMBEDDED = Path(__file__).parent / "weights"

_DTYPES = {"F32": "float32", "F16": "float16"}
_DTYPES |= {"I64": "int64", "I32": "int32", "I16": "int16", "I8": "int8"}

Tensors = dict[str, "NDArray[np.generic]"]


@dataclass(frozen=True)
class Model:
    """A model file at one of its qualities, and what its card says."""

    path: Path
    name: str
    architecture: str
    quality: int
    """The one to encode with; a file names the one it was made with."""
    rates: int
    """How many qualities the model has, from 1 on, by gains; 0: `quality` alone."""
    secured: bool
    bf16: bool
    """Whether the model was validated with bf16 transforms."""
    card: Mapping[str, Any]

    @property
    def qualities(self) -> tuple[int, ...]:
        return tuple(range(1, self.rates + 1)) if self.rates else (self.quality,)

    @property
    def index(self) -> int:
        """What a file's header says of the quality."""
        return self.quality if self.rates else 0

    def at(self, quality: int) -> "Model":
        """The same model at another of its qualities."""
        if quality not in self.qualities:
            raise ModelError(f"model {self.name} has no quality {quality}", hint=f"it has {self.range}")
        return replace(self, quality=quality)

    @property
    def warning(self) -> str | None:
        """What must be said to whoever encodes or decodes with it."""
        if self.secured:
            return None
        return f"model {self.name} is not secured: re-encoding an edited copy will not destroy it"

    @property
    def range(self) -> str:
        """Its qualities, to be read."""
        return f"{self.qualities[0]} to {self.qualities[-1]}" if self.rates > 1 else f"{self.qualities[0]}"

    @cached_property
    def tensors(self) -> Tensors:
        try:
            with safe_open(self.path, framework="numpy") as file:
                return {name: file.get_tensor(name) for name in sorted(file.keys())}
        except SafetensorError as error:
            raise _damaged(self.path) from error

    @property
    def identity(self) -> bytes:
        """The first 16 bytes of SHA-256 over the architecture and every tensor that decoding may need."""
        state = self.path.stat()
        return _identity(self.path, self.architecture, state.st_mtime_ns, state.st_size)


@lru_cache(maxsize=256)  # many files may ask which of the installed models is theirs
def _identity(path: Path, architecture: str, *state: int) -> bytes:
    """SPEC.md, "The model's identity". A safetensors file holds what is hashed: little-endian, row by row."""
    digest = hashlib.sha256(f"{FORMAT}\n{architecture}\n".encode())
    try:
        for name, view in sorted(deserialize(path.read_bytes())):  # type: ignore[no-untyped-call]
            if not name.startswith("training."):
                shape = "x".join(map(str, view["shape"]))
                digest.update(f"{name} {_DTYPES[view['dtype']]} {shape}\n".encode())
                digest.update(view["data"])
    except (SafetensorError, KeyError) as error:
        raise _damaged(path) from error
    return digest.digest()[:IDENTITY_BYTES]


def open_file(path: Path) -> Model:
    """Read a model file's card. Nothing in it is trusted: names reach terminals and file systems."""
    metadata = _metadata(path)
    if metadata.get("format") != FORMAT:
        raise ModelError(
            f"{path.name} is not a slic model",
            hint="slic models convert makes one from a CompressAI checkpoint",
        )
    try:
        if metadata["architecture"] not in ARCHITECTURES:
            raise ValueError("unknown architecture")
        if not re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9._-]*", metadata["name"]):
            raise ValueError("a name must be fit for a file")
        card = json.loads(metadata.get("card", "{}"))
        quality, rates = int(metadata["quality"]), int(metadata.get("rates", "0"))
        if not 0 <= rates <= _MAX_RATES or (rates and not 1 <= quality <= rates):
            raise ValueError("a model's quality must be one of its own")
        return Model(
            path=path,
            name=metadata["name"],
            architecture=metadata["architecture"],
            quality=quality,
            rates=rates,
            secured=metadata["secured"] == "yes",
            bf16=metadata.get("bf16") == "yes",
            card=card,
        )
    except (KeyError, ValueError, RecursionError) as error:
        raise ModelError(f"{path.name} has a damaged card") from error


def _metadata(path: Path) -> dict[str, str]:
    """What the head of a safetensors file says: its length, then JSON. `tensors` checks all the rest."""
    with path.open("rb") as file:
        length = int.from_bytes(file.read(8), "little")
        if length > _MAX_HEAD:
            raise _damaged(path)
        try:
            metadata: dict[str, str] = json.loads(file.read(length)).get("__metadata__", {})
        except (ValueError, AttributeError, RecursionError) as error:
            raise _damaged(path) from error
    if not isinstance(metadata, dict) or not all(isinstance(v, str) for v in metadata.values()):
        raise _damaged(path)
    return metadata


def _damaged(path: Path) -> ModelError:
    return ModelError(f"{path.name} is damaged or no safetensors file")


def folders() -> list[Path]:
    """Where models are looked for: SLIC_MODELS, the user's own, the embedded ones."""
    extra = [Path(p) for p in os.environ.get("SLIC_MODELS", "").split(os.pathsep) if p]
    return [*extra, user_folder(), _EMBEDDED]


def user_folder() -> Path:
    """Where `slic models add` puts a model."""
    if sys.platform == "win32":
        return Path(os.environ.get("LOCALAPPDATA", Path.home())) / "slic" / "models"
    return Path(os.environ.get("XDG_DATA_HOME", Path.home() / ".local" / "share")) / "slic" / "models"


def installed() -> Iterator[Model]:
    """Every model that can be named; of two with one name, the first found."""
    seen: set[str] = set()
    for model in _all():
        if model.name not in seen:
            seen.add(model.name)
            yield model


def _all() -> Iterator[Model]:
    """Every model file that can be read. One that cannot must not stand in the way of the others."""
    for folder in folders():
        for path in _files(folder):
            with contextlib.suppress(ModelError, OSError):
                yield open_file(path)


def _files(folder: Path) -> list[Path]:
    """No folders, no pipes: a pipe would have every command wait for it."""
    return sorted(path for path in folder.glob(f"*{SUFFIX}") if path.is_file())


def damaged() -> Iterator[ModelError | OSError]:
    """What is wrong with files that lie among the models but cannot be used."""
    for folder in folders():
        for path in _files(folder):
            try:
                open_file(path).identity  # noqa: B018  (reads all of it)
            except (ModelError, OSError) as error:
                yield error


def find(name: str | Path) -> Model:
    """The model of this name, or in this file."""
    if isinstance(name, Path) or name.endswith(SUFFIX):
        return open_file(Path(name))
    known = []
    for model in installed():
        if model.name == name:
            return model
        known.append(model.name)
    raise ModelError(f"model {name} is not installed", hint=f"installed: {', '.join(known) or 'none'}")


def find_quality(quality: int) -> Model:
    """An installed model at this quality; a secured one before one that is not."""
    fitting = [m.at(quality) for m in installed() if quality in m.qualities]
    if not fitting:
        known = sorted({q for m in installed() for q in m.qualities})
        raise ModelError(
            f"no model of quality {quality} is installed",
            hint=f"installed qualities: {', '.join(map(str, known)) or 'none'}",
        )
    return next((m for m in fitting if m.secured), fitting[0])


def choose(model: "str | Path | Model | None" = None, quality: int | None = None) -> Model:
    """What a user asked for: a model, a quality, one at the other, or neither."""
    if model is None:
        return find(DEFAULT) if quality is None else find_quality(quality)
    found = model if isinstance(model, Model) else find(model)
    return found if quality is None else found.at(quality)


def find_identity(identity: bytes) -> Model:
    """The installed model with which a file was made."""
    for model in _all():  # those with another's name too: the file knows no names
        with contextlib.suppress(ModelError, OSError):
            if model.identity == identity:
                return model
    raise ModelError(
        f"needs model {identity.hex()[:8]}, which is not installed",
        hint="slic models add FILE installs the model that its publisher offers",
    )


def add(path: Path, *, force: bool = False) -> Model:
    """Copy a model file to the user's folder, under the model's name."""
    from slic import files

    model = open_file(path)
    model.identity  # noqa: B018  (reads every tensor, so that a damaged file is refused now)
    folder = user_folder()
    folder.mkdir(parents=True, exist_ok=True)
    target = folder / f"{model.name}{SUFFIX}"
    files.write(target, path.read_bytes(), force=force)
    return open_file(target)
