"""slic fleet: whole folders, on many machines."""

import json
import sys
from collections.abc import Callable
from contextlib import redirect_stdout
from typing import Any

import click

from slic.cli import messages, options, work
from slic.errors import ExtraError

_SHOWN = 20  # failures, and warnings, of one run

_source = click.argument("source", metavar="SOURCE")
_target = click.argument("target", metavar="TARGET")


@click.group()
def fleet() -> None:
    """Go through a folder with Ray, on one machine or many; a second run does what is left.

    SOURCE and TARGET are folders, or addresses such as s3://bucket/folder that fsspec reaches.

    \b
    Examples:
      slic fleet encode shoot/ out/                               all cores of this machine
      slic fleet encode s3://a/in s3://a/out --address auto       all machines of a Ray cluster
    """


def _cluster(command: Callable[..., Any]) -> Callable[..., Any]:
    """Options that say where the work is done, and how it is told."""
    for option in (
        options.as_json,
        options.networks,
        click.option(
            "--batch", type=click.IntRange(min=1), default=16, help="Files that a worker is given at a time."
        ),
        click.option(
            "--gpus", type=click.FloatRange(min=0), default=0, help="GPUs for each worker, such as 1 or 0.5."
        ),
        click.option(
            "--workers", type=click.IntRange(min=1), metavar="N", help="Else one for each GPU or core."
        ),
        click.option("--address", metavar="RAY", help="Of a Ray cluster, or auto; else this machine alone."),
    ):
        command = option(command)
    return command


@fleet.command()
@_source
@_target
@click.option("-q", "--quality", type=click.IntRange(1, 8), help="1 is smallest, 8 is best.")
@click.option("-m", "--model", metavar="MODEL", help="A model's name or file, there on all machines.")
@click.option("--strip", is_flag=True, help="Drop EXIF and XMP; the colour profile stays.")
@_cluster
@click.pass_context
def encode(ctx: click.Context, /, source: str, target: str, **chosen: Any) -> None:
    """Write the pictures of SOURCE as .slic files in TARGET.

    \b
    Examples:
      slic fleet encode shoot/ out/ -q 4
      slic fleet encode gs://archive/2024 gs://archive/slic --address auto --gpus 1
    """
    from slic.models import choose

    if said := choose(chosen["model"], chosen["quality"]).warning:
        messages.warning(said)
    ctx.exit(_run("encode", source, target, chosen))


@fleet.command()
@_source
@_target
@_cluster
@click.pass_context
def decode(ctx: click.Context, /, source: str, target: str, **chosen: Any) -> None:
    """Write the .slic files of SOURCE as PNG files in TARGET.

    \b
    Examples:
      slic fleet decode out/ seen/
      slic fleet decode s3://a/out seen/ --workers 4
    """
    ctx.exit(_run("decode", source, target, chosen))


@fleet.command()
@_source
@_target
@click.option("-m", "--model", metavar="MODEL", help="A model's name or file; a .slic file names its own.")
@_cluster
@click.pass_context
def check(ctx: click.Context, /, source: str, target: str, **chosen: Any) -> None:
    """Say of the pictures of SOURCE, in NAME.json files in TARGET, what slic check says.

    \b
    Examples:
      slic fleet check inbox/ findings/
      slic fleet check s3://a/inbox s3://a/findings --address auto
    """
    ctx.exit(_run("check", source, target, chosen))


@fleet.command()
@_source
@_target
@click.option("-m", "--model", metavar="MODEL", help="A model's name or file; the detector must be its own.")
@_cluster
@click.pass_context
def detect(ctx: click.Context, /, source: str, target: str, **chosen: Any) -> None:
    """Say of the pictures of SOURCE, in NAME.json files in TARGET, what slic detect says.

    \b
    Examples:
      slic fleet detect inbox/ findings/
      slic fleet detect s3://a/inbox s3://a/findings --address auto
    """
    ctx.exit(_run("detect", source, target, chosen))


@fleet.command()
@_source
@_target
@click.option(
    "--key", "keys", multiple=True, required=True, metavar="KEYS", help="Public key, or folder of them."
)
@_cluster
@click.pass_context
def verify(ctx: click.Context, /, source: str, target: str, **chosen: Any) -> None:
    """Say of the .slic files of SOURCE, in NAME.json files in TARGET, what slic verify says.

    \b
    Examples:
      slic fleet verify out/ verdicts/ --key press.pub
      slic fleet verify s3://a/out verdicts/ --key trusted/ --json
    """
    ctx.exit(_run("verify", source, target, chosen))


def _run(name: str, source: str, target: str, chosen: dict[str, Any]) -> int:
    try:
        from slic.fleet import job
    except ModuleNotFoundError as error:
        if (error.name or "").startswith("slic"):
            raise
        raise ExtraError("slic fleet needs more packages", hint="pip install 'slic[ray]'") from None
    from slic.fleet.ledger import FAILURES, RECORDS
    from slic.fleet.tasks import TASKS, Options
    from slic.trust.keys import trusted

    as_json, _ = chosen.pop("as_json"), chosen.pop("threads")  # Ray shares the cores among the workers
    where = {option: chosen.pop(option) for option in ("address", "workers", "gpus", "batch")}
    keys = trusted(chosen.pop("keys", ()))
    given = {option: value for option, value in chosen.items() if value is not None}
    with redirect_stdout(sys.stderr):  # Ray prints what it thinks of a machine's memory
        summary = job.run(TASKS[name], source, target, Options(keys=keys, **given), job.Cluster(**where))
    click.echo(json.dumps(summary.as_dict()) if as_json else f"{messages.name(target)}: {summary}")
    for failure in summary.failures[:_SHOWN]:
        messages.line(f"{messages.name(failure['input'])}: {failure['reason']}")
    if summary.failed:
        messages.hint(f"{FAILURES} in the target has all that failed; a second run tries them again")
    for said in summary.warnings[:_SHOWN]:
        messages.warning(f"{messages.name(said['input'])}: {said['reason']}")
    if len(summary.warnings) > _SHOWN:
        messages.hint(f"{RECORDS} in the target has all warnings")
    return work.NEGATIVE if summary.negative else int(summary.failed > 0)
