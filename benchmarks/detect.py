"""Does `slic detect` tell real pictures from generated ones, and whom does it accuse?

    python -m benchmarks.detect --data DIR [--images DIR] [--base FILE] [--limit N] [--scores FILE] [--json]

DIR has real/SOURCE/ and fake/GENERATOR/. All pictures are cropped to one size and saved in the same way.
Methods learn from the development part and are measured on the test part, whose pictures share nothing with
it (training/detectors/protocol.py). First each method, after two last codecs: with all generators learnt
from, and `left out`, the mean where the one that is tested was not. Trivial methods show what the
collection gives away by itself. Detectors that learn from pixels have benchmarks.detect_learned. Then by
generator, for the embedded method: `alone` learnt from it only; `matched` against real pictures of the same
content and history. Then the very file that slic embeds, at 256 pixels where there are so many: after each
codec and degradation, by source, and its calibration. --images are real pictures of a source that nobody
learnt from; `base` is a learned codec that leaves no trigger. Last, time.

Intervals are of 95% and by pictures; they say nothing of generators that are not here.
"""

import csv
import time
import warnings
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import click
import numpy as np
from numpy.typing import NDArray

from benchmarks.data import Pixels, Row, options, pictures, progress, show
from slic import Codec, attacks, models
from slic.detection.detect import Examiner, Sample, features_of
from slic.detection.detector import Answer, Finding
from slic.detection.features import Extractor, Named
from slic.errors import SlicWarning
from slic.models import Model
from training.detectors import baselines, fit, linear, measures
from training.detectors.linear import Examples
from training.detectors.protocol import MATCHED, Item, Treatment, crop, items

Floats = NDArray[np.float64]
Photos = list[tuple[str, Pixels]]

LIMIT = 12  # of each source and part, where nothing else is said
SIDE, LARGE = 128, 256
LASTS = ("identity", "jpeg(quality=90)")
EMBEDDED = "embedded (spectrum)"
FAMILIES = ("rate", "surprise", "error", "latent")
AFTER = (
    "identity",
    "jpeg(quality=95)",
    "jpeg(quality=75)",
    "jpeg(quality=50)",
    "webp(quality=80)",
    "avif(quality=60)",
    "blur(radius=1)",
    "noise(sigma=5)",
    "rescale(factor=0.5)",
    "codec",
)


@dataclass(frozen=True, eq=False)  # arrays have no truth value to compare by
class Case:
    """One picture after one treatment, as every method sees it."""

    item: Item
    vectors: dict[str, Floats]


@dataclass(frozen=True)
class Judged:
    """What the embedded detector said of one picture."""

    source: str
    name: str
    fake: bool
    after: str
    finding: Finding
    score: float
    """The probability, also where the detector would not give it."""


def measure(
    found: list[Item], photos: Photos, codec: Codec, base: Model | None
) -> tuple[Iterator[Row], list[Judged]]:
    """Rows, and what was said of each picture, complete once the rows are."""
    judged: list[Judged] = []
    return _rows(found, photos, codec, base, judged), judged


def _rows(
    found: list[Item],
    photos: Photos,
    codec: Codec,
    base: Model | None,
    judged: list[Judged],
) -> Iterator[Row]:
    examiner, extract = Examiner(codec.model, device=str(codec.device)), Extractor(codec)
    for last in LASTS:
        cases = [_case(item, Treatment(SIDE, last), codec, extract) for item in progress(found, last)]
        yield from _methods(cases, last)
        if last == LASTS[-1]:
            yield from _generators(cases)
    tested = [item for item in found if item.part == "test"]
    for after in afters(base):
        judged += _judge(tested, photos, after, examiner, codec)
    yield from _after(judged)
    yield from _sources(judged)
    yield from _calibration(judged)
    yield from _times([pixels for _, pixels in photos], codec, examiner)


def afters(base: Model | None) -> list[str]:
    """What may have happened to a picture; the unsecured codec among it, if there is one."""
    return [*AFTER, *([f"codec(model={base.path})"] if base else [])]


def _case(item: Item, treatment: Treatment, codec: Codec, extract: Extractor) -> Case:
    levels = treatment(item)
    assert levels is not None, f"{item.file} is smaller than {treatment.side} pixels"
    (features,) = features_of([Sample.take(levels)], extract)
    vectors = {"as found": baselines.as_found(item)}
    vectors |= {name: method(levels) for name, method in baselines.PIXELS.items() if name != "spectrum"}
    vectors["rigid"] = baselines.rigid(codec)(levels)
    vectors |= {f"codec, {family} only": _values(features, family) for family in FAMILIES}
    vectors["codec"] = baselines.of_codec(features)
    vectors[EMBEDDED] = np.array([features[name] for name in fit.deciding(features)])
    return Case(item, vectors)


def _values(features: Named, family: str) -> Floats:
    return np.array([value for name, value in features.items() if name.startswith(family)])


def _methods(cases: list[Case], last: str) -> Iterator[Row]:
    for method in cases[0].vectors:
        known, fresh = (_examples(cases, method, part) for part in ("development", "test"))
        scores = linear.probability(linear.fit(known)(fresh.x))
        pairs = [_left_out(known, fresh, generator) for generator in known.generators]
        name = f"{method} (trivial)" if method in baselines.TRIVIAL else method
        yield {"method": name, "last codec": last} | measured(scores, fresh, pairs)


def measured(scores: Floats, fresh: Examples, pairs: Sequence[tuple[Floats, Floats]]) -> Row:
    """Of who learnt from all generators; `pairs`: scores of real pictures and of a generator's, left out."""
    out = measures.summary(scores[~fresh.fake], scores[fresh.fake])
    out |= {"left out: auc": float(np.mean([measures.auc(*pair) for pair in pairs]))}
    out |= {"left out: interval": measures.interval_of_mean(measures.auc, pairs)}
    return out | {"left out: at 1%": float(np.mean([measures.found_at(*pair) for pair in pairs]))}


def _examples(cases: Sequence[Case], method: str, part: str) -> Examples:
    those = [case for case in cases if case.item.part == part]
    return Examples(
        np.stack([case.vectors[method] for case in those]),
        np.array([case.item.fake for case in those]),
        np.array([case.item.source for case in those]),
        np.array([case.item.fold(linear.FOLDS) for case in those]),
    )


def _left_out(known: Examples, fresh: Examples, generator: str) -> tuple[Floats, Floats]:
    """Scores of real pictures and of a generator's by who has not learnt from that."""
    scores = linear.fit_plain(known[known.source != generator])(fresh.x)
    return scores[~fresh.fake], scores[fresh.source == generator]


def _generators(cases: list[Case]) -> Iterator[Row]:
    known, fresh = (_examples(cases, EMBEDDED, part) for part in ("development", "test"))
    plain, plain_fresh = (_examples(cases, "colour", part) for part in ("development", "test"))
    everything = linear.fit_plain(known)(fresh.x)
    for generator in known.generators:
        alone = linear.fit_plain(known[~known.fake | (known.source == generator)])(fresh.x)
        real, fake = _left_out(known, fresh, generator)
        those, twins = fresh.source == generator, fresh.source == MATCHED.get(generator)
        yield {
            "generator": generator,
            "pictures": int(those.sum()),
            "alone": measures.auc(alone[~fresh.fake], alone[those]),
            "known": measures.auc(everything[~fresh.fake], everything[those]),
            "known, matched": measures.auc(everything[twins], everything[those]) if twins.any() else None,
            "left out": measures.auc(real, fake),
            "interval": measures.interval(measures.auc, real, fake),
            "left out, colour alone": measures.auc(*_left_out(plain, plain_fresh, generator)),
        }


def _judge(
    tested: list[Item], photos: Photos, after: str, examiner: Examiner, codec: Codec
) -> Iterator[Judged]:
    attack, extract = attacks.parse(after), Extractor(codec)
    label = label_of(after)
    for source, name, fake, levels in progress([*_crops(tested), *_photos(photos)], label):
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", SlicWarning)  # wreckage is what is looked for
            treated = attack(levels)
        (features,) = features_of([Sample.take(treated)], extract)
        fitted = examiner.detector
        score = float(linear.probability(fitted.logit(fitted.standardise(features))))
        yield Judged(source, name, fake, label, fitted.judge(features, min(treated.shape[:2])), score)


def label_of(after: str) -> str:
    return "base" if after.startswith("codec(model") else "slic" if after == "codec" else after


def _crops(tested: list[Item]) -> Iterator[tuple[str, str, bool, Pixels]]:
    for item in tested:
        for side in (LARGE, SIDE):
            levels = Treatment(side, "identity")(item)
            if levels is not None:
                yield item.source, item.file.stem, item.fake, levels
                break


def _photos(photos: Photos) -> Iterator[tuple[str, str, bool, Pixels]]:
    for name, pixels in photos:
        if min(pixels.shape[:2]) >= LARGE:
            yield "photos", name, False, crop(pixels, LARGE)


def _after(judged: list[Judged]) -> Iterator[Row]:
    for after in dict.fromkeys(j.after for j in judged):
        those = [j for j in judged if j.after == after and j.source != "photos"]
        real, fake = (np.array([j.score for j in those if j.fake == kind]) for kind in (False, True))
        row: Row = {"embedded, after": after, "auc": measures.auc(real, fake)}
        row |= {
            "interval": measures.interval(measures.auc, real, fake),
            "at 1%": measures.found_at(real, fake),
        }
        for kind, label in ((False, "real"), (True, "generated")):
            row |= {f"{label}: {k}": v for k, v in _answers([j for j in those if j.fake == kind]).items()}
        yield row


def _answers(those: Sequence[Judged]) -> Row:
    """Shares; `no odds` are those of which it says nothing at all, all of them among `unsure`."""
    shares = {
        f"said {answer.value}": float(np.mean([j.finding.answer is answer for j in those]))
        for answer in Answer
    }
    return shares | {"no odds": float(np.mean([j.finding.probability is None for j in those]))}


def _sources(judged: list[Judged]) -> Iterator[Row]:
    """How often real pictures are accused, by source: over all that may have happened to them, and worst."""
    for source in sorted({j.source for j in judged if not j.fake}):
        by_after = {
            after: _answers([j for j in judged if (j.source, j.after) == (source, after)])
            for after in dict.fromkeys(j.after for j in judged)
        }
        worst = max(by_after, key=lambda after: by_after[after]["said generated"])
        those = [j for j in judged if j.source == source]
        yield {
            "real source": source,
            "pictures": sum(j.after == "identity" for j in those),
            "accused as it is": by_after["identity"]["said generated"],
            "accused after all": _answers(those)["said generated"],
            "worst": by_after[worst]["said generated"],
            "after": worst,
            "odds above even": float(np.mean([j.score > 0.5 for j in those if j.after == "identity"])),
        }


def _calibration(judged: list[Judged]) -> Iterator[Row]:
    told = [j for j in judged if j.finding.probability is not None and j.source != "photos"]
    real, fake = (np.array([j.score for j in told if j.fake == kind]) for kind in (False, True))
    if len(real) and len(fake):
        yield from ({"calibration": row.pop("probability")} | row for row in measures.calibration(real, fake))


def _times(photos: list[Pixels], codec: Codec, examiner: Examiner) -> Iterator[Row]:
    """On one picture, as it is and cut to the sizes of the protocol."""
    photo = photos[0]
    for levels in [crop(photo, side) for side in (SIDE, LARGE) if min(photo.shape[:2]) >= side] + [photo]:
        encode = _fastest(lambda: codec.encode(levels))  # noqa: B023  (called at once)
        detect = _fastest(lambda: examiner([Sample.take(levels)]))  # noqa: B023
        size = f"{levels.shape[1]}x{levels.shape[0]}"
        yield {"size": size, "encode s": encode, "detect s": detect, "encodes a detect": detect / encode}


def _fastest(do: Callable[[], object], runs: int = 5) -> float:
    def seconds() -> float:
        started = time.process_time()
        do()
        return time.process_time() - started

    return min(seconds() for _ in range(runs))


def scored(source: str, name: str, fake: bool, after: str, score: float) -> Row:
    """A picture's line in the file of scores."""
    return {"source": source, "name": name, "generated": int(fake), "after": after, "score": f"{score:.4f}"}


def save_scores(lines: Sequence[Row], file: Path) -> None:
    """Of each picture after each treatment, for who wants other measures."""
    with file.open("w", newline="") as stream:
        table = csv.DictWriter(stream, list(lines[0]), lineterminator="\n")
        table.writeheader()
        table.writerows(lines)


@click.command()
@options
@click.option("--data", type=click.Path(exists=True, file_okay=False, path_type=Path), required=True)
@click.option("--base", default=None, help="A model that is not secured, as another learned codec.")
@click.option("--scores", type=click.Path(dir_okay=False, path_type=Path), help="Write every score as CSV.")
def main(
    images: Path,
    limit: int | None,
    model: str,
    as_json: bool,
    data: Path,
    base: str | None,
    scores: Path | None,
    device: str,
) -> None:
    """Does slic detect tell real pictures from generated ones?"""
    other = None if base is None else models.find(base)
    codec = Codec(model, device=device)
    rows, judged = measure(items(data, limit=limit or LIMIT), list(pictures(images)), codec, other)
    show(rows, as_json=as_json)
    if scores is not None:
        lines = [
            scored(j.source, j.name, j.fake, j.after, j.score) | {"answer": j.finding.answer.value}
            for j in judged
        ]
        save_scores(lines, scores)


if __name__ == "__main__":
    main()
