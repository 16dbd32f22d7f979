"""slic info: what files say of themselves."""

import json
import sys

import click

from slic.cli import messages, options
from slic.errors import SlicError


@click.command()
@options.inputs
@options.as_json
@click.pass_context
def info(ctx: click.Context, inputs: tuple[str, ...], as_json: bool) -> None:
    """Say what each of FILES holds, without decoding it.

    \b
    Examples:
      slic info photo.slic              size, model, metadata
      slic info --json *.slic           one JSON object a file
    """
    results = [_show(name, as_json) for name in inputs]
    ctx.exit(0 if all(results) else 1)


def _show(name: str, as_json: bool) -> bool:
    from slic.describe import info as read

    try:
        found = read(sys.stdin.buffer if name == "-" else name)
    except (SlicError, OSError) as error:
        messages.failure(error, name)
        if as_json:
            failed = {"input": name, "ok": False, "error": messages.describe(error, name)}
            click.echo(json.dumps(failed | {"hint": getattr(error, "hint", None)}))
        return False
    if as_json:
        click.echo(json.dumps({"input": name, "ok": True, **found.as_dict()}))
    else:
        click.echo(f"{click.format_filename(name)}\n{found}")
    return True
