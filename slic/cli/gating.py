"""slic gate: whether files may go on, by an organisation's policy."""

import sys
from pathlib import Path
from typing import Any

import click

from slic.cli import options, verdicts
from slic.cli.plan import STREAM, sources


@click.command()
@options.inputs
@options.recursive
@click.option(
    "--policy",
    required=True,
    type=click.Path(dir_okay=False, path_type=Path),
    metavar="TOML",
    help="What becomes of which finding; examples/policies/ has some.",
)
@options.networks
@options.as_json
@click.pass_context
def gate(
    ctx: click.Context,
    /,
    inputs: tuple[str, ...],
    recursive: bool,
    policy: Path,
    as_json: bool,
    **shared: Any,
) -> None:
    """Say of each of FILES whether it may go on: pass, hold or reject.

    The policy says what becomes of each finding on the container, the signature, C2PA manifests, the tamper
    map and the detector; the gravest counts, and every rule that led to it is named. Exit code 0 if all pass,
    3 if one is held or rejected, 1 if one is not there.

    \b
    Examples:
      slic gate inbox/*.slic --policy newsroom.toml           a line for each
      slic gate -r inbox/ --policy newsroom.toml --json       a Trust Report for each
    """
    from slic.trust.gate import Gate
    from slic.trust.policy import load

    chosen = load(policy)
    if {"tamper", "detector"} & set(chosen.rules):  # else no torch is needed
        verdicts.set_up(shared)
    ready = Gate(chosen, **verdicts.settings(shared))

    def judge(name: str) -> verdicts.Judged:
        report = ready.judge(sys.stdin.buffer.read()) if name == STREAM else ready.judge_file(Path(name))
        return report.passed, [str(report)], report.as_dict()

    ctx.exit(
        verdicts.run(sources(inputs, (lambda name: True) if recursive else None), judge, as_json=as_json)
    )
