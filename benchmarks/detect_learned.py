"""What do detectors find that learn from pixels, and whom do they accuse?

    python -m benchmarks.detect_learned --data DIR --learn NAME … [--last CODEC …] [--base FILE] [--limit N]
        [--scores FILE] [--json]

Protocol and columns are those of benchmarks.detect; what `as found` reaches there, format and size of the
files alone, is the yardstick here, too, though --limit makes it other pictures. All learn from the
development part, and first each method is measured as it has learnt, after each --last codec: with all
generators learnt from, and `left out`. Learning again takes as long again, so that --last is JPEG 90 alone
where nothing is said; of several the last one is meant in all that follows. Then pictures of the test part
after it, and after each codec or degradation in its place, by who learnt from all generators: AUC, then the
shares of real and of generated pictures taken for generated at even odds. `slic` and `base` are pictures that
came out of a learned codec. Then real pictures by source. Last the matrices: the AUC by generator, of who
learnt from one alone, and from all but one. --scores has each score of who learnt from all generators.
"""

import warnings
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import chain
from pathlib import Path

import click
import numpy as np
from numpy.typing import NDArray

from benchmarks.data import Row, progress, show
from benchmarks.detect import LASTS, SIDE, afters, label_of, measured, save_scores, scored
from slic import attacks, models
from slic.errors import SlicWarning
from slic.models import Model
from training.config import ConfigError
from training.detectors import baselines, matrices, measures
from training.detectors.learner import gather
from training.detectors.learners import LEARNERS
from training.detectors.linear import Examples
from training.detectors.protocol import Item, Treatment, items

Floats = NDArray[np.float64]


@dataclass(frozen=True, eq=False)  # arrays have no truth value to compare by
class Trial:
    """What is learnt from, and what is measured on, after one last codec."""

    last: str
    known: Examples
    fresh: Examples


@dataclass(frozen=True, eq=False)
class Outcome:
    """Scores that a method gives the pictures of the test part."""

    method: str
    known: dict[str, dict[str, Floats]]
    """By the last codec that it learnt after, then what happened to the pictures. It knows all generators."""
    without: dict[str, dict[str, Floats]]
    """By the last codec and the generator that was left out."""
    alone: dict[str, Floats]
    """By the one generator that was learnt from, after the last of the last codecs."""


def measure(
    found: Sequence[Item], names: Sequence[str], base: Model | None, lasts: Sequence[str] = LASTS[-1:]
) -> tuple[Iterator[Row], list[Row]]:
    """One table after the other, each with its rows of every method; and each score."""
    known = [item for item in found if item.part == "development"]
    large = Treatment(SIDE, "identity")
    tested = [item for item in found if item.part == "test" and large(item) is not None]
    trials = [
        Trial(last, *(gather(part, Treatment(SIDE, last)) for part in (known, tested))) for last in lasts
    ]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", SlicWarning)  # wreckage is what is looked for
        degraded = {label_of(after): gather(tested, Treatment(SIDE, after)) for after in afters(base)}
    outcomes = [_outcome(name, trials, degraded) for name in progress(names, "methods")]
    tables = zip(*(_tables(outcome, trials[-1].fresh) for outcome in outcomes), strict=True)
    scores = [line for outcome in outcomes for line in _scores(outcome, tested)]
    return chain.from_iterable(chain.from_iterable(tables)), scores


def _outcome(method: str, trials: Sequence[Trial], degraded: Mapping[str, Examples]) -> Outcome:
    learner, known, without = LEARNERS[method](), {}, {}
    *_, final = trials
    for trial in trials:
        score = learner(trial.known)
        shown = {trial.last: trial.fresh} | (dict(degraded) if trial is final else {})
        known[trial.last] = {what: score(examples.x) for what, examples in shown.items()}
        without[trial.last] = matrices.without(learner, trial.known, trial.fresh)
    return Outcome(method, known, without, matrices.alone(learner, final.known, final.fresh))


def _tables(of: Outcome, fresh: Examples) -> Iterator[list[Row]]:
    """`fresh` says what is known of the pictures, which are the same after every last codec."""
    label = f"{of.method} (trivial)" if of.method.replace("-", " ") in baselines.TRIVIAL else of.method
    for last, without in of.without.items():
        pairs = [(s[~fresh.fake], s[fresh.source == generator]) for generator, s in without.items()]
        yield [{"method": label, "last codec": last} | measured(of.known[last][last], fresh, pairs)]
    after = of.known[last]  # here and below the last of them is meant
    yield [
        {"auc after": label}
        | {what: measures.auc(s[~fresh.fake], s[fresh.fake]) for what, s in after.items()}
    ]
    for kind, chosen in (("real", ~fresh.fake), ("generated", fresh.fake)):
        yield [{f"{kind} accused after": label} | {what: accused(s[chosen]) for what, s in after.items()}]
    yield [{"real accused, by source": label} | _by_source(after[last], fresh)]
    for how, by in (("learnt from", of.alone), ("learnt from all but", without)):
        yield [
            {"method": label, how: generator} | matrices.by_generator(s, fresh) for generator, s in by.items()
        ]


def _scores(of: Outcome, tested: Sequence[Item]) -> Iterator[Row]:
    for last, after in of.known.items():
        for what, scores in after.items():
            for item, score in zip(tested, scores, strict=True):
                yield {"method": of.method, "learnt after": last} | scored(
                    item.source, item.file.stem, item.fake, what, score
                )


def accused(scores: Floats) -> float:
    return float((scores >= 0.5).mean())


def _by_source(scores: Floats, fresh: Examples) -> Row:
    return {
        source: accused(scores[fresh.source == source]) for source in sorted(set(fresh.source[~fresh.fake]))
    }


def _parsed(_context: click.Context, _parameter: click.Parameter, edits: tuple[str, ...]) -> tuple[str, ...]:
    try:
        for edit in edits:
            attacks.parse(edit)
    except ValueError as error:
        raise click.BadParameter(str(error)) from error
    return edits


@click.command()
@click.option("--data", type=click.Path(exists=True, file_okay=False, path_type=Path), required=True)
@click.option("--learn", multiple=True, type=click.Choice(list(LEARNERS)), default=list(LEARNERS))
@click.option(
    "--last",
    multiple=True,
    default=LASTS[-1:],
    show_default=True,
    callback=_parsed,
    help="Last codecs, each in turn.",
)
@click.option("--base", default=None, help="A model that is not secured, as another learned codec.")
@click.option("--limit", type=int, default=None, help="At most this many pictures of each source and part.")
@click.option("--scores", type=click.Path(dir_okay=False, path_type=Path), help="Write every score as CSV.")
@click.option("--json", "as_json", is_flag=True, help="One JSON object a row.")
def main(
    data: Path,
    learn: tuple[str, ...],
    last: tuple[str, ...],
    base: str | None,
    limit: int | None,
    scores: Path | None,
    as_json: bool,
) -> None:
    """What do detectors find that learn from pixels, and whom do they accuse?"""
    other = None if base is None else models.find(base)
    try:
        rows, lines = measure(items(data, limit=limit), learn, other, last)
    except ConfigError as error:  # a backbone that is not to be had, a collection of one generator
        raise click.ClickException(str(error)) from error
    show(rows, as_json=as_json)
    if scores is not None:
        save_scores(lines, scores)


if __name__ == "__main__":
    main()
