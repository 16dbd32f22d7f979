"""slic info: what files say of themselves."""

import json
import sys
from typing import TYPE_CHECKING

import click

from slic.cli import messages, options, verdicts
from slic.cli.plan import STREAM, files_of_slic, sources

if TYPE_CHECKING:
    from slic.describe import Info


@click.command()
@options.inputs
@options.recursive
@options.as_json
@click.pass_context
def info(ctx: click.Context, inputs: tuple[str, ...], recursive: bool, as_json: bool) -> None:
    """Say what each of FILES holds, without decoding it.

    \b
    Examples:
      slic info photo.slic              size, model, metadata
      slic info -r out/ --json          a folder, one JSON object a file
    """
    names = sources(inputs, files_of_slic(recursive))
    ctx.exit(max((_show(name, as_json) for name in names), default=0))


def _show(name: str, as_json: bool) -> int:
    found, _ = verdicts.attempt(name, _read)
    if isinstance(found, BaseException):
        return verdicts.failed(name, found, as_json=as_json)
    if as_json:
        click.echo(json.dumps({"input": name, "ok": True, **found.as_dict()}))
    else:
        click.echo(f"{messages.name(name)}\n{found}")
    return 0


def _read(name: str) -> "Info":
    from slic.describe import info as read

    return read(sys.stdin.buffer if name == STREAM else name)
