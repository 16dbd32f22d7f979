"""slic models: which models there are, and how to get more."""

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any, TextIO

import click

from slic.cli import messages, options
from slic.errors import SlicError

if TYPE_CHECKING:
    from slic.models import Model

_ROW = "{:<16} {:>7}  {:<20} {:<7}  {:<8} {:>10}  {}"


@click.group()
def models() -> None:
    """List, install and make models.

    \b
    Examples:
      slic models list                        what is installed
      slic models add news-2.safetensors      install a model file
    """


@models.command("list")
@options.as_json
def list_models(as_json: bool) -> None:
    """List the installed models.

    \b
    Examples:
      slic models list              a table
      slic models list --json       one JSON object a model
    """
    from slic.models import damaged, installed

    for error in damaged():
        messages.warning(messages.describe(error))
    rows = [
        {
            "name": m.name,
            "quality": m.quality,
            "qualities": list(m.qualities),
            "architecture": m.architecture,
            "secured": m.secured,
            "identity": m.identity.hex()[:8],
            "size": m.path.stat().st_size,
            "path": click.format_filename(m.path),
        }
        for m in sorted(filter(_whole, installed()), key=lambda m: (m.quality, m.name))
    ]
    _print_json(rows) if as_json else _print_table(rows)


def _whole(model: "Model") -> bool:
    """Whether all of the file can be read; what is wrong otherwise has been said."""
    try:
        return bool(model.identity)
    except (SlicError, OSError):
        return False


def _print_json(rows: list[dict[str, Any]]) -> None:
    for row in rows:
        click.echo(json.dumps(row))


def _print_table(rows: list[dict[str, Any]]) -> None:
    click.echo(_ROW.format("name", "quality", "architecture", "secured", "identity", "size", "path"))
    for row in rows:
        first, *_, last = row["qualities"] * 2
        shown = {"quality": f"{first}-{last}" if last > first else str(first)}
        shown |= {"secured": "yes" if row["secured"] else "no"}
        click.echo(_ROW.format(*({k: v for k, v in row.items() if k != "qualities"} | shown).values()))


@models.command()
@click.argument("file", type=click.Path(path_type=Path))
@options.force
def add(file: Path, force: bool) -> None:
    """Install the model in FILE; print where it lies now.

    \b
    Examples:
      slic models add news-2.safetensors              for this user
      slic models add --force news-2.safetensors      in place of an older one
    """
    from slic.models import add as install

    click.echo(install(file, force=force).path)


@models.command()
@click.argument("name")
def path(name: str) -> None:
    """Print the path of the model NAME.

    \b
    Examples:
      slic models path slic                            where it lies
      cp "$(slic models path slic)" backup/            a copy
    """
    from slic.models import find

    click.echo(find(name).path)


@models.command()
@click.argument("checkpoint", type=click.Path(path_type=Path))
@click.argument("target", type=click.Path(path_type=Path))
@click.option("--name", required=True, help="What the model is called.")
@click.option("--quality", type=click.IntRange(1, 8), required=True, help="Its place among models.")
@click.option("--secured", is_flag=True, help="It was trained to destroy edited copies.")
@click.option("--bf16", is_flag=True, help="It was validated with bf16 transforms.")
@click.option("--card", type=click.File(encoding="utf-8"), help="JSON that tells how it was made.")
@options.force
def convert(
    checkpoint: Path,
    target: Path,
    *,
    name: str,
    quality: int,
    secured: bool,
    bf16: bool,
    card: TextIO | None,
    force: bool,
) -> None:
    """Make the model file TARGET from CHECKPOINT, weights with CompressAI's names.

    \b
    Examples:
      slic models convert base.pth base.safetensors --name base --quality 6
      slic models convert b.pth b.safetensors --name b --quality 6 --card b.json
    """
    from slic.convert import convert as make

    made = make(
        checkpoint,
        target,
        name=name,
        quality=quality,
        secured=secured,
        bf16=bf16,
        card=_read_card(card),
        force=force,
    )
    click.echo(f"{made.path}: {made.name} ({made.identity.hex()[:8]}), {made.architecture}")


def _read_card(file: TextIO | None) -> dict[str, Any]:
    if file is None:
        return {}
    try:
        card = json.load(file)
    except ValueError as error:  # UnicodeDecodeError is one
        raise click.BadParameter(f"{file.name} is no JSON", param_hint="--card") from error
    if not isinstance(card, dict):
        raise click.BadParameter(f"{file.name} holds no JSON object", param_hint="--card")
    return card
