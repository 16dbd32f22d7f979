"""slic detect: whether pictures look generated."""

import itertools
import sys
import time
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import click

from slic.cli import options, verdicts
from slic.cli.checking import takes_files
from slic.cli.plan import STREAM, sources

if TYPE_CHECKING:
    from slic.detection.detect import Examiner, Sample

BATCH = 16  # pictures that are read before they go through the networks together


@click.command()
@options.pictures
@options.recursive
@click.option("-m", "--model", metavar="MODEL", help="A model's name or file; the detector must be for it.")
@click.option("--detector", "fitted", metavar="FILE", help="A detector that was fitted to the model.")
@options.networks
@options.as_json
@click.pass_context
def detect(
    ctx: click.Context,
    /,
    inputs: tuple[str, ...],
    recursive: bool,
    model: str | None,
    fitted: str | None,
    as_json: bool,
    **shared: Any,
) -> None:
    """Say of each of PICTURES whether it looks real or generated, or why that is unsure.

    The probability is meant for as many real pictures as generated ones, and it is no proof: see how often it
    is wrong in benchmarks/RESULTS.md. Exit code 0 whatever is found, as this is no verdict; 1 if a picture
    cannot be read: the others are done.

    \b
    Examples:
      slic detect photo.jpg               one picture
      slic detect -r inbox/ --json        a folder, one JSON object a picture
    """
    from slic.detection.detect import Examiner

    names = list(sources(inputs, takes_files() if recursive else None))
    verdicts.set_up(shared)
    examiner = Examiner(model, fitted=fitted, **verdicts.settings(shared))

    def read(name: str) -> "Sample":
        return examiner.read(sys.stdin.buffer.read() if name == STREAM else name)

    def judged() -> Iterator[verdicts.Told]:
        rest = iter(names)
        while some := list(itertools.islice(rest, BATCH)):
            yield from _judge([(name, *verdicts.attempt(name, read)) for name in some], examiner)

    ctx.exit(verdicts.tell(judged(), len(names), as_json=as_json))


def _judge(
    loaded: "list[tuple[str, Sample | BaseException, float]]", examiner: "Examiner"
) -> Iterator[verdicts.Told]:
    """Those that could be read go through the networks together; each is told in its place."""
    started = time.perf_counter()
    samples = [sample for _, sample, _ in loaded if not isinstance(sample, BaseException)]
    found = iter(examiner(samples))
    shared = (time.perf_counter() - started) / max(1, len(samples))
    for name, sample, seconds in loaded:
        if isinstance(sample, BaseException):
            yield name, sample, seconds
        else:
            detection = next(found)
            yield name, (True, [str(detection)], detection.as_dict()), round(seconds + shared, 3)
