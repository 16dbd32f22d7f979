"""slic report: a page that explains a check to people."""

import sys
from pathlib import Path
from typing import Any

import click

from slic.cli import messages, options, verdicts
from slic.cli.plan import STREAM
from slic.errors import PictureError


@click.command()
@click.argument("source", metavar="FILE")
@click.option(
    "-o",
    "--output",
    required=True,
    type=click.Path(dir_okay=False, path_type=Path),
    metavar="HTML",
    help="The page.",
)
@options.force
@click.option(
    "--key", "keys", multiple=True, metavar="KEYS", help="Public key that is trusted, or folder of them."
)
@options.c2pa_anchors
@click.option("-m", "--model", metavar="MODEL", help="A model's name or file; a .slic file names its own.")
@options.networks
@click.pass_context
def report(
    ctx: click.Context,
    /,
    source: str,
    output: Path,
    force: bool,
    keys: tuple[str, ...],
    c2pa_anchors: str | None,
    model: str | None,
    **shared: Any,
) -> None:
    """Write a page that shows people what was found out about FILE, a picture or a .slic file.

    It has the verdict, the signature, C2PA manifests in the file and beside it, the picture beside what one
    more encode makes of it, the map of edits, whether it looks generated, and the numbers, in plain words
    and in one file that loads nothing from elsewhere.

    \b
    Examples:
      slic report photo.jpg -o report.html                    a copy of a picture
      slic report photo.slic -o report.html --key trusted/    a file, with its signature
    """
    from slic import files
    from slic.trust.c2pa import load_anchors
    from slic.trust.report import report as make

    if output.suffix.lower() not in (".html", ".htm"):
        raise click.BadParameter("must end in .html", param_hint="-o")
    if source != STREAM and files.same_file(source, output):
        raise PictureError("input and output are the same file", hint="-o writes elsewhere")
    if not force and output.exists():
        raise FileExistsError(17, "File exists", str(output))
    verdicts.set_up(shared)
    anchors = load_anchors(c2pa_anchors) if c2pa_anchors else None
    given = sys.stdin.buffer.read() if source == STREAM else source
    chosen = verdicts.settings(shared)
    html, found = make(given, keys=keys or None, anchors=anchors, model=model, **chosen)
    files.write(output, html.encode(), force=force)
    click.echo(f"{messages.name(output)}: {messages.plain(str(found))}")
