"""Experiments with detectors that learn from pixels, one JSON object a row.

    python -m training.detectors.study matrices --data DIR --learner quality-mlp
    python -m training.detectors.study curves --data DIR --generator stylegan3
    python -m training.detectors.study degradations --data DIR --runs 3
    python -m training.detectors.study fgsm --data DIR

All learn from the development part and are measured on the test part, after the same crop and last codec.
"""

import functools
import json
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any

import click
import numpy as np

from slic import attacks
from training.config import ConfigError
from training.detectors import adversarial, curves, degradations, matrices
from training.detectors.backbones import SMALL
from training.detectors.classifier import Classifier
from training.detectors.fitting import Schedule
from training.detectors.learner import gather
from training.detectors.learners import LEARNERS
from training.detectors.linear import Examples
from training.detectors.protocol import Treatment, items

Row = dict[str, Any]


def shared(command: Callable[..., None]) -> Callable[..., None]:
    """--data, --limit, --side, --last."""
    for option in (
        click.option("--last", default="jpeg(quality=90)", show_default=True, help="The last codec of all."),
        click.option("--side", default=128, show_default=True, help="Pixels a side of every crop."),
        click.option("--limit", type=int, default=None, help="At most this many of each source and part."),
        click.option("--data", type=click.Path(exists=True, file_okay=False, path_type=Path), required=True),
    ):
        command = option(command)
    return command


def network(command: Callable[..., None]) -> Callable[..., None]:
    """--backbone, --pretrained, --width, --epochs, --rate: `classifier` for the command."""

    @functools.wraps(command)
    def made(*, backbone: str, pretrained: bool, width: int, epochs: int, rate: float, **others: Any) -> None:
        command(classifier=Classifier(backbone, pretrained, width, Schedule(epochs, rate=rate)), **others)

    wrapped: Callable[..., None] = made
    for option in (
        click.option("--rate", default=Schedule.rate, show_default=True, help="1e-4 suits a pretrained one."),
        click.option("--epochs", default=Schedule.epochs, show_default=True),
        click.option("--width", default=Classifier.width, show_default=True, help="Of the small backbone."),
        click.option("--pretrained", is_flag=True, help="Start from ImageNet's weights."),
        click.option("--backbone", default=SMALL, show_default=True, help="One of torchvision's, or small."),
    ):
        wrapped = option(wrapped)
    return wrapped


def parts(data: Path, side: int, last: str, limit: int | None) -> tuple[Examples, Examples]:
    """What is learnt from, and what is measured on."""
    found, treatment = items(data, limit=limit), Treatment(side, last)
    known, fresh = ([i for i in found if i.part == part] for part in ("development", "test"))
    return gather(known, treatment), gather(fresh, treatment)


def show(rows: Iterable[Row]) -> None:
    try:
        for row in rows:
            click.echo(json.dumps(row))
    except ConfigError as error:
        raise click.ClickException(str(error)) from error


@click.group()
def main() -> None:
    """Experiments with detectors of generated pictures."""


@main.command("matrices")
@shared
@click.option("--learner", type=click.Choice(list(LEARNERS)), default="scratch", show_default=True)
def _matrices(learner: str, **chosen: Any) -> None:
    """Learn from each generator alone, and from all but each."""
    known, fresh = parts(**chosen)
    show(matrices.single(LEARNERS[learner](), known, fresh))
    show(matrices.leave_one_out(LEARNERS[learner](), known, fresh))


@main.command("curves")
@shared
@network
@click.option("--generator", default=None, help="Only this one as the new one.")
def _curves(classifier: Classifier, generator: str | None, **chosen: Any) -> None:
    """Go on from all but one generator with a few pictures of that one."""
    known, fresh = parts(**chosen)
    for new in known.generators:
        if generator in (None, new):
            show(curves.curves(classifier, known, fresh, new))


@main.command("degradations")
@shared
@network
@click.option("--runs", default=3, show_default=True, help="Trainings of each classifier.")
@click.option("--only", type=click.Choice(list(degradations.DEGRADATIONS)), multiple=True)
def _degradations(classifier: Classifier, runs: int, only: tuple[str, ...], **chosen: Any) -> None:
    """Degrade what is measured on, and see whether learning with it helps."""
    studied = {name: edits for name, edits in degradations.DEGRADATIONS.items() if not only or name in only}
    show(degradations.degradations(classifier, *parts(**chosen), runs, studied))


@main.command("fgsm")
@shared
@network
@click.option("--blur", default="blur(radius=2)", show_default=True, help="What the defence does.")
def _fgsm(classifier: Classifier, blur: str, **chosen: Any) -> None:
    """Attack a classifier, one that learnt from other pictures and a small one, by each other."""
    known, fresh = parts(**chosen)
    small = Classifier(width=2 * classifier.width, schedule=Schedule(classifier.schedule.epochs))
    show(_attacks(classifier, small, blur, known, fresh))


def _attacks(
    first: Classifier, other: Classifier, blur: str, known: Examples, fresh: Examples
) -> Iterator[Row]:
    """`half 1` and `half 2` learn from no picture in common; `other` from all."""
    half = np.random.default_rng(0).permutation(len(known.fake)) % 2 == 0
    networks = {"half 1": first(known[half]), "half 2": first(known[~half]), "other": other(known)}
    real, generated = fresh.x[~fresh.fake], fresh.x[fresh.fake]
    yield from adversarial.transfer(networks, real, generated)
    attacked = networks["half 1"]
    strength = adversarial.STRENGTHS[-1]
    yield from adversarial.defence(attacked, attacks.parse(blur), real, generated, strength)
    second = adversarial.retrained(first, attacked, known[half])
    yield from adversarial.hardened(attacked, second, real, generated)


if __name__ == "__main__":
    main()
