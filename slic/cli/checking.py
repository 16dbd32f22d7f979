"""slic check: whether pictures came out of .slic files, and where they were changed since."""

import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from slic.cli import messages, options, verdicts
from slic.cli.plan import STREAM, plan, sources

if TYPE_CHECKING:
    from slic.trust.tamper import TamperReport


@click.command()
@options.pictures
@options.recursive
@click.option("--map", "map_", metavar="FILE|DIR", help="Write a PNG that shows in red where it was edited.")
@options.force
@click.option("-m", "--model", metavar="MODEL", help="A model's name or file; a .slic file names its own.")
@options.networks
@options.as_json
@click.pass_context
def check(
    ctx: click.Context,
    /,
    inputs: tuple[str, ...],
    recursive: bool,
    map_: str | None,
    force: bool,
    model: str | None,
    as_json: bool,
    **shared: Any,
) -> None:
    """Say of each of PICTURES whether it came out of a .slic file, and where it was changed since.

    The finding is: protected and untouched; protected, edited here; not protected by this model; cannot
    tell. Exit code 0 if all are untouched, 3 if one is anything else, 1 if one cannot be read.

    \b
    Examples:
      slic check photo.png                          one picture, PNG, JPEG or other
      slic check -r inbox/ --map maps/ --json       a folder, with a map for each that was edited
    """
    from slic.trust import tamper

    takes = takes_files() if recursive else None
    targets = {j.source: j.target for j in plan(inputs, map_, ".map.png", takes)} if map_ else {}
    if STREAM in targets.values():
        raise click.UsageError("--map names a file or a folder; standard output has the findings")
    verdicts.set_up(shared)
    chosen = verdicts.settings(shared)

    def judge(name: str) -> verdicts.Judged:
        source = sys.stdin.buffer.read() if name == STREAM else name
        report = tamper.check(source, model=model, **chosen)
        facts = report.as_dict()
        if report.boxes and name in targets:
            facts["map"] = _write_map(report, targets[name], force)
        return report.untouched, [str(report)], facts

    ctx.exit(verdicts.run(sources(inputs, takes), judge, as_json=as_json))


def takes_files() -> Any:
    """Whether a file in a folder is a picture or a .slic file, by its name."""
    from slic.cli.coding import readable

    pictures = readable()
    return lambda name: pictures(name) or name.lower().endswith(".slic")


def _write_map(report: "TamperReport", target: str, force: bool) -> str:
    from slic.trust.tamper import overlay

    os.makedirs(Path(target).parent, exist_ok=True)
    verdicts.write(overlay(report), Path(target), force=force)
    return messages.plain(target)
