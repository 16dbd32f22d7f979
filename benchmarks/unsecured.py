"""The base of a secured model: the same without trigger and answer, as every benchmark's BASE.

    python -m benchmarks.unsecured base.safetensors

A secured model is its base and more (training/secure.py), so its file holds the base's.
"""

from pathlib import Path

import click
import numpy as np

from benchmarks.variants import written
from slic import models
from slic.models import Model, Tensors

HYPER = dict.fromkeys((f"exact.h_s.4.{part}" for part in ("weight", "bias", "shift")), 0)
AXES = {"g_a.6.weight": 0, "g_a.6.bias": 0, "g_s.0.weight": 0, "h_a.0.weight": 1, "gains": 2} | HYPER
"""Which axis of a tensor counts the channels of y."""


def unsecured(secured: Model, target: Path, *, force: bool = False) -> Model:
    """Write the base of a hyperprior with a trigger to `target`."""
    kept = secured.tensors["trigger.answer"] == 0
    tensors: Tensors = {
        name: np.compress(kept, values, AXES[name]) if name in AXES else values
        for name, values in secured.tensors.items()
        if not name.startswith("trigger.")
    }
    return written(tensors, secured, target, name="base", secured=False, force=force)


@click.command()
@click.argument("target", type=click.Path(dir_okay=False, path_type=Path))
@click.option("--model", default="slic", show_default=True, help="The secured one.")
@click.option("--force", is_flag=True, help="Replace TARGET.")
def main(target: Path, model: str, *, force: bool) -> None:
    """Write the base of a secured model to TARGET."""
    made = unsecured(models.find(model), target, force=force)
    click.echo(f"{target}: {made.identity.hex()[:8]}")


if __name__ == "__main__":
    main()
