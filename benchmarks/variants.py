"""Model files that are another one but for some of its tensors."""

import json
from pathlib import Path

import numpy as np
from safetensors import safe_open
from safetensors.numpy import save

from slic import convert, files, models
from slic.models import Model, Tensors


def written(
    tensors: Tensors, of: Model, target: Path, *, name: str, secured: bool, force: bool = False
) -> Model:
    """Write `tensors` to `target`, with the card of the model that they are taken from."""
    with safe_open(of.path, framework="numpy") as file:
        metadata = file.metadata()
    card = json.loads(metadata["card"]) | {"of": of.identity.hex()}
    metadata |= {
        "name": name,
        "secured": "yes" if secured else "no",
        "card": json.dumps(card, sort_keys=True),
    }
    files.write(target, save({k: np.ascontiguousarray(v) for k, v in tensors.items()}, metadata), force=force)
    return models.open_file(target)


def as_converted(model: Model, target: Path) -> Model:
    """With the tables and the rounding that CompressAI has: what `slic models convert` makes of its twin."""
    tensors = {k: v for k, v in model.tensors.items() if k != "tables.y.worth"} | convert.latent_tables()
    return written(tensors, model, target, name="converted", secured=model.secured)
