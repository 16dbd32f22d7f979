"""Model files: where they lie, what they are called, what they are. Loads no torch.

A model file is a safetensors file. Its tensors are g_a, g_s and h_a in CompressAI's names (float16 or
float32), the integer networks `exact.*`, the probability tables `tables.*`, and for those who want to
go on training `training.*`, which is no part of the model's identity. Its metadata is the card.
"""

import hashlib
import json
import os
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from safetensors import SafetensorError, safe_open

from slic import files
from slic.errors import ModelError

DEFAULT = "slic-q6"
FORMAT = "slic-model-1"
IDENTITY_BYTES = 16
SUFFIX = ".safetensors"
_EMBEDDED = Path(__file__).parent / "weights"

Tensors = dict[str, NDArray[np.generic]]


@dataclass(frozen=True)
class Model:
    """A model file and what its card says."""

    path: Path
    name: str
    architecture: str
    quality: int
    secured: bool
    bf16: bool
    """Whether the model was validated with bf16 transforms."""
    card: Mapping[str, Any]

    @cached_property
    def tensors(self) -> Tensors:
        with _opened(self.path) as file:
            return {name: file.get_tensor(name) for name in sorted(file.keys())}

    @cached_property
    def identity(self) -> bytes:
        """The first 16 bytes of SHA-256 over the architecture and every tensor that decoding may need."""
        return identify(self.architecture, self.tensors)


def identify(architecture: str, tensors: Tensors) -> bytes:
    """SPEC.md, "The model's identity"."""
    digest = hashlib.sha256(f"{FORMAT}\n{architecture}\n".encode())
    for name in sorted(tensors):
        if name.startswith("training."):
            continue
        array = np.ascontiguousarray(tensors[name])
        shape = "x".join(map(str, array.shape))
        digest.update(f"{name} {array.dtype.name} {shape}\n".encode())
        digest.update(array.astype(array.dtype.newbyteorder("<"), copy=False).tobytes())
    return digest.digest()[:IDENTITY_BYTES]


def open_file(path: Path) -> Model:
    """Read a model file's card."""
    with _opened(path) as file:
        metadata = file.metadata() or {}
    if metadata.get("format") != FORMAT:
        raise ModelError(
            f"{path.name} is not a slic model",
            hint="slic models convert makes one from a CompressAI checkpoint",
        )
    try:
        card = json.loads(metadata.get("card", "{}"))
        return Model(
            path=path,
            name=metadata["name"],
            architecture=metadata["architecture"],
            quality=int(metadata["quality"]),
            secured=metadata["secured"] == "yes",
            bf16=metadata.get("bf16") == "yes",
            card=card,
        )
    except (KeyError, ValueError) as error:
        raise ModelError(f"{path.name} has a damaged card") from error


def _opened(path: Path) -> Any:
    try:
        return safe_open(path, framework="numpy")
    except SafetensorError as error:
        raise ModelError(f"{path.name} is damaged or no safetensors file") from error


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
    """Every model that can be used; of two with one name, the first found."""
    seen: set[str] = set()
    for folder in folders():
        for path in sorted(folder.glob(f"*{SUFFIX}")):
            model = open_file(path)
            if model.name not in seen:
                seen.add(model.name)
                yield model


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
    """The installed model of this quality; a secured one before one that is not."""
    fitting = [m for m in installed() if m.quality == quality]
    if not fitting:
        known = sorted({m.quality for m in installed()})
        raise ModelError(
            f"no model of quality {quality} is installed",
            hint=f"installed qualities: {', '.join(map(str, known)) or 'none'}",
        )
    return next((m for m in fitting if m.secured), fitting[0])


def find_identity(identity: bytes) -> Model:
    """The installed model with which a file was made."""
    for model in installed():
        if model.identity == identity:
            return model
    raise ModelError(
        f"needs model {identity.hex()[:8]}, which is not installed",
        hint="slic models add FILE installs the model that its publisher offers",
    )


def add(path: Path, *, force: bool = False) -> Model:
    """Copy a model file to the user's folder, under the model's name."""
    model = open_file(path)
    model.identity  # noqa: B018  (reads every tensor, so that a damaged file is refused now)
    if not model.name.replace("-", "").replace("_", "").replace(".", "").isalnum():
        raise ModelError(f"{path.name} has a name that cannot be a file's")
    folder = user_folder()
    folder.mkdir(parents=True, exist_ok=True)
    target = folder / f"{model.name}{SUFFIX}"
    files.write(target, path.read_bytes(), force=force)
    return open_file(target)
