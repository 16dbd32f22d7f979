"""What do detectors find that learn from pixels, and whom do they accuse?

    python -m benchmarks.detect_learned --data DIR --learn NAME … [--base FILE] [--limit N] [--json]

Protocol and columns are those of benchmarks.detect; what `as found` reaches there, format and size of the
files alone, is the yardstick here, too, though --limit makes it other pictures. All learn from the
development part after JPEG 90. First each method: with all generators learnt from, and `left out`. Then
pictures of the test part after each codec or degradation, by who learnt from all generators: AUC, then the
shares of real and of generated pictures taken for generated at even odds. `slic` and `base` are pictures that
came out of a learned codec. Then real pictures by source. Last the matrices: the AUC by generator, of who
learnt from one alone, and from all but one.
"""

import warnings
from collections.abc import Iterator, Mapping, Sequence
from itertools import chain
from pathlib import Path

import click
import numpy as np
from numpy.typing import NDArray

from benchmarks.data import Row, progress, show
from benchmarks.detect import SIDE, afters, label_of, measured
from slic import models
from slic.errors import SlicWarning
from slic.models import Model
from training.config import ConfigError
from training.detectors import baselines, matrices, measures
from training.detectors.learner import gather
from training.detectors.learners import LEARNERS
from training.detectors.linear import Examples
from training.detectors.protocol import Item, Treatment, items

Floats = NDArray[np.float64]

LAST = "jpeg(quality=90)"


def measure(found: Sequence[Item], names: Sequence[str], base: Model | None) -> Iterator[Row]:
    """One table after the other, each with its rows of every method."""
    known, tested = ([item for item in found if item.part == part] for part in ("development", "test"))
    learnt, fresh = (gather(part, Treatment(SIDE, LAST)) for part in (known, tested))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", SlicWarning)  # wreckage is what is looked for
        degraded = {label_of(after): gather(tested, Treatment(SIDE, after)) for after in afters(base)}
    of_each = [_tables(name, learnt, fresh, degraded) for name in progress(names, "methods")]
    return chain.from_iterable(chain.from_iterable(zip(*of_each, strict=True)))


def _tables(name: str, known: Examples, fresh: Examples, degraded: Mapping[str, Examples]) -> list[list[Row]]:
    learner, label = LEARNERS[name](), _label(name)
    score = learner(known)
    scores = score(fresh.x)
    without, alone = (of(learner, known, fresh) for of in (matrices.without, matrices.alone))
    pairs = [(s[~fresh.fake], s[fresh.source == generator]) for generator, s in without.items()]
    after = {what: score(examples.x) for what, examples in degraded.items()}
    return [
        [{"method": label, "last codec": LAST} | measured(scores, fresh, pairs)],
        [{"auc after": label} | {what: measures.auc(*_classes(s, fresh)) for what, s in after.items()}],
        *(
            [{f"{kind} accused after": label} | {what: accused(s[chosen]) for what, s in after.items()}]
            for kind, chosen in (("real", ~fresh.fake), ("generated", fresh.fake))
        ),
        [{"real accused, by source": label} | _by_source(scores, fresh)],
        *(
            [
                {"method": label, how: generator} | matrices.by_generator(s, fresh)
                for generator, s in of.items()
            ]
            for how, of in (("learnt from", alone), ("learnt from all but", without))
        ),
    ]


def _label(name: str) -> str:
    return f"{name} (trivial)" if name.replace("-", " ") in baselines.TRIVIAL else name


def _classes(scores: Floats, fresh: Examples) -> tuple[Floats, Floats]:
    return scores[~fresh.fake], scores[fresh.fake]


def accused(scores: Floats) -> float:
    return float((scores >= 0.5).mean())


def _by_source(scores: Floats, fresh: Examples) -> Row:
    return {
        source: accused(scores[fresh.source == source]) for source in sorted(set(fresh.source[~fresh.fake]))
    }


@click.command()
@click.option("--data", type=click.Path(exists=True, file_okay=False, path_type=Path), required=True)
@click.option("--learn", multiple=True, type=click.Choice(list(LEARNERS)), default=list(LEARNERS))
@click.option("--base", default=None, help="A model that is not secured, as another learned codec.")
@click.option("--limit", type=int, default=None, help="At most this many pictures of each source and part.")
@click.option("--json", "as_json", is_flag=True, help="One JSON object a row.")
def main(data: Path, learn: tuple[str, ...], base: str | None, limit: int | None, as_json: bool) -> None:
    """What do detectors find that learn from pixels, and whom do they accuse?"""
    other = None if base is None else models.find(base)
    try:
        show(measure(items(data, limit=limit), learn, other), as_json=as_json)
    except ConfigError as error:  # a backbone that is not to be had, a collection of one generator
        raise click.ClickException(str(error)) from error


if __name__ == "__main__":
    main()
