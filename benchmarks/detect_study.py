"""What do detectors of generated pictures need, bear and see? One experiment a command.

    python -m benchmarks.detect_study curves --data DIR           how many pictures of a new generator
    python -m benchmarks.detect_study degradations --data DIR     blur, JPEG, patches, downsizing
    python -m benchmarks.detect_study fgsm --data DIR             attacks between networks, and defences
    python -m benchmarks.detect_study localise --data DIR         a generated region in a real picture

All learn from the development part and are measured on the test part, after the same crop and last codec.
"""

import functools
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import click
import numpy as np

from benchmarks.data import Row, show
from slic import attacks
from training.config import ConfigError
from training.detectors import adversarial, curves, degradations, localise
from training.detectors.backbones import SMALL
from training.detectors.classifier import Classifier
from training.detectors.fitting import Schedule
from training.detectors.learner import gather
from training.detectors.linear import Examples
from training.detectors.localise import Localiser
from training.detectors.protocol import Item, Treatment, items


@dataclass(frozen=True)
class Collection:
    items: list[Item]
    side: int
    last: str

    def parts(self, last: str | None = None) -> tuple[Examples, Examples]:
        """What is learnt from, and what is measured on."""
        treatment = Treatment(self.side, last or self.last)
        known, fresh = ([i for i in self.items if i.part == part] for part in ("development", "test"))
        return gather(known, treatment), gather(fresh, treatment)


def shared(command: Callable[..., Iterable[Row]]) -> Callable[..., None]:
    """--data, --generator, --limit, --side, --last: a collection for the command; --json: shows its rows."""

    @functools.wraps(command)
    def shown(
        *,
        data: Path,
        generator: tuple[str, ...],
        limit: int | None,
        side: int,
        last: str,
        as_json: bool,
        **others: Any,
    ) -> None:
        found = items(data, limit=limit)
        chosen = [i for i in found if not (i.fake and generator) or i.source in generator]
        try:
            show(command(Collection(chosen, side, last), **others), as_json=as_json)
        except ConfigError as error:
            raise click.ClickException(str(error)) from error

    wrapped: Callable[..., None] = shown
    for option in (
        click.option("--json", "as_json", is_flag=True, help="One JSON object a row."),
        click.option("--last", default="jpeg(quality=90)", show_default=True, help="The last codec of all."),
        click.option("--side", default=128, show_default=True, help="Pixels a side of every crop."),
        click.option("--limit", type=int, default=None, help="At most this many of each source and part."),
        click.option("--generator", multiple=True, help="Generated pictures of this one alone."),
        click.option("--data", type=click.Path(exists=True, file_okay=False, path_type=Path), required=True),
    ):
        wrapped = option(wrapped)
    return wrapped


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


@click.group()
def main() -> None:
    """Experiments with detectors of generated pictures."""


@main.command("curves")
@network
@shared
@click.option("--new", multiple=True, help="Only this one as the new generator.")
def _curves(collection: Collection, classifier: Classifier, new: tuple[str, ...]) -> Iterator[Row]:
    """Go on from all but one generator with a few pictures of that one."""
    known, fresh = collection.parts()
    for generator in known.generators:
        if not new or generator in new:
            yield from curves.curves(classifier, known, fresh, generator)


@main.command("degradations")
@network
@shared
@click.option("--runs", default=3, show_default=True, help="Trainings of each classifier.")
@click.option("--only", type=click.Choice(list(degradations.DEGRADATIONS)), multiple=True)
def _degradations(
    collection: Collection, classifier: Classifier, runs: int, only: tuple[str, ...]
) -> Iterator[Row]:
    """Degrade what is measured on, and see whether learning with it helps."""
    studied = {name: edits for name, edits in degradations.DEGRADATIONS.items() if not only or name in only}
    return degradations.degradations(classifier, *collection.parts(), runs, studied)


@main.command("fgsm")
@network
@shared
@click.option("--blur", default="blur(radius=2)", show_default=True, help="What the defence does.")
def _fgsm(collection: Collection, classifier: Classifier, blur: str) -> Iterator[Row]:
    """Attack a classifier, one that learnt from other pictures and a small one, by each other.

    `half 1` and `half 2` learn from no picture in common; `other` from all.
    """
    known, fresh = collection.parts()
    small = Classifier(width=2 * classifier.width, schedule=Schedule(classifier.schedule.epochs))
    half = np.random.default_rng(0).permutation(len(known.fake)) % 2 == 0
    networks = {"half 1": classifier(known[half]), "half 2": classifier(known[~half]), "other": small(known)}
    real, generated = fresh.x[~fresh.fake], fresh.x[fresh.fake]
    yield from adversarial.transfer(networks, real, generated)
    attacked, strength = networks["half 1"], adversarial.STRENGTHS[-1]
    yield from adversarial.defence(attacked, attacks.parse(blur), real, generated, strength)
    second = adversarial.retrained(classifier, attacked, known[half])
    yield from adversarial.hardened(attacked, second, real, generated)


@main.command("localise")
@shared
@click.option("--width", default=Localiser.width, show_default=True, help="Of the network.")
@click.option(
    "--each", default=Localiser.each, show_default=True, help="Blends of a quartile, to learn from."
)
@click.option("--tested", default=60, show_default=True, help="Blends of a quartile, to measure on.")
@click.option("--epochs", default=10, show_default=True)
def _localise(collection: Collection, width: int, each: int, tested: int, epochs: int) -> Iterator[Row]:
    """Find the region of a real picture into which a generated one was blended."""
    known, fresh = collection.parts(last="identity")  # a blend is saved as a whole
    last = attacks.parse(collection.last)
    net, constant = Localiser(width, each=each, schedule=localise.schedule(epochs))(known, last)
    yield from localise.rows(net, constant, fresh, tested, last)


if __name__ == "__main__":
    main()
