"""A finished run becomes a model file: float16 transforms, integer networks, tables, identity, card.

    python -m training.export runs/base slic.safetensors --name slic --quality 6
    slic models add slic.safetensors

The integer networks are proved not to overflow as they are made; a model that could is refused. The card
tells data, steps, hardware and every figure of the last judgement; `--figures` adds measured ones.
"""

import hashlib
import json
from pathlib import Path
from typing import Any

import click

from slic.convert import convert
from slic.errors import SlicError
from slic.models import Model


def export(
    run: Path,
    target: Path,
    *,
    name: str,
    quality: int,
    best: bool = False,
    figures: dict[str, Any] | None = None,
    force: bool = False,
) -> Model:
    settings = json.loads((run / "config.json").read_text())
    rows = [json.loads(line) for line in (run / "log.jsonl").read_text().splitlines()]
    return convert(
        run / ("best.safetensors" if best else "weights.safetensors"),
        target,
        name=name,
        quality=quality,
        secured=settings["secure"]["alpha"] > 0 or settings["model"].get("answers", False),
        bf16=True,  # SPEC.md's symbols do not depend on it; benchmarks.file_size says what it costs
        card=card(settings, rows) | {"figures": figures or {}},
        force=force,
    )


def card(settings: dict[str, Any], rows: list[dict[str, Any]]) -> dict[str, Any]:
    """What made the model, and what it reached on held-out crops."""
    last = rows[-1]
    judged = next((row for row in reversed(rows) if "score" in row), {})
    pack = Path(settings["data"]["pack"])
    samples = settings["data"]["batch"] * settings["data"]["accumulate"] * settings["machine"]["processes"]
    return {
        "steps": last["step"],
        "hours": round(last["seconds"] / 3600, 2),
        "pixels": last["step"] * samples * settings["data"]["crop"] ** 2,
        "machine": settings["machine"],
        "data": {"pack": pack.name, "sha256": _sha256(pack) if pack.exists() else "not at hand"},
        "held_out": judged,
        "settings": {key: value for key, value in settings.items() if key != "machine"},
    }


def _sha256(file: Path) -> str:
    digest = hashlib.sha256()
    with file.open("rb") as stream:
        while block := stream.read(1 << 20):
            digest.update(block)
    return digest.hexdigest()


@click.command()
@click.argument("run", type=click.Path(exists=True, file_okay=False, path_type=Path))
@click.argument("target", type=click.Path(path_type=Path))
@click.option("--name", required=True, help="What the model is called.")
@click.option(
    "--quality", type=click.IntRange(1, 8), default=6, show_default=True, help="Where to encode by default."
)
@click.option("--best", is_flag=True, help="The weights that were judged best, not the last.")
@click.option("--figures", type=click.File(), help="JSON of measured figures, for the card.")
@click.option("--force", is_flag=True, help="Replace TARGET.")
def main(run: Path, target: Path, *, name: str, quality: int, best: bool, figures: Any, force: bool) -> None:
    """Make the model file TARGET from the run folder RUN."""
    measured = json.load(figures) if figures else None
    try:
        made = export(run, target, name=name, quality=quality, best=best, figures=measured, force=force)
    except SlicError as error:
        raise click.ClickException(str(error)) from error
    except OSError as error:
        raise click.ClickException(f"{error.filename}: {error.strerror}") from error
    click.echo(f"{made.path}: {made.name} ({made.identity.hex()[:8]}), qualities {made.range}")


if __name__ == "__main__":
    main()
