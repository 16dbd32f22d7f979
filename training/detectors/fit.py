"""Fits the detector that slic embeds, on the features of the embedded model.

    python -m training.detectors.fit --data DIR --out slic/weights/detector.json

DIR has real/SOURCE/ and fake/GENERATOR/ with pictures; of these the development part is used, so that
`benchmarks.detect` can measure the very file on the rest. It has to be fitted anew whenever the model
changes: some minutes on one core for 650 pictures.
"""

import warnings
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import click
import numpy as np
from tqdm import tqdm

from slic import models
from slic.codec import Codec
from slic.detection.detect import Sample, features_of
from slic.detection.detector import Detector
from slic.detection.features import Extractor, Named
from slic.detection.windows import SMALLEST
from slic.errors import SlicWarning
from training.detectors import linear, measures
from training.detectors.linear import FOLDS, Examples
from training.detectors.protocol import Item, Treatment, items

TREATMENTS = (
    *(
        Treatment(128, last)
        for last in ("identity", "jpeg(quality=90)", "jpeg(quality=75)", "webp(quality=80)")
    ),
    *(Treatment(256, last) for last in ("identity", "jpeg(quality=85)")),
    # Blur and up-sampling leave the same mark. A detector that has never seen a real picture with it takes
    # each for generated: 4 to 15% of those, as EXPERIMENTS.md has it.
    Treatment(128, "blur(radius=1)"),
    Treatment(256, "rescale(factor=0.5)"),
)
"""What a user's picture may have gone through; the same for both classes."""

# What decides: on the folds of the development part the spectrum alone found generators that were left out
# better (mean AUC .67) than the codec's features (.57) and than both together (.60 to .64), which tell rather
# what is in a picture. Those say whether a picture is like those that the detector was fitted on, and so
# whether it may say anything: weight 0.
DECIDES = "spectrum."
# Blocks tell that a picture was a JPEG, which here all real ones are and most generated ones are not.
UNUSED = ("blocks", "latent.")
KNOWN = 0.99  # share of the development part that lies within the limits


def examine(
    chosen: Sequence[Item], extract: Extractor, treatments: Sequence[Treatment]
) -> list[tuple[Item, Named]]:
    """Features of each picture after each treatment; a picture that is too small for one has it not."""
    out = []
    for item in tqdm(chosen, desc="features", disable=None, leave=False):
        samples = [Sample.take(x) for t in treatments if (x := t(item)) is not None]
        out += [(item, features) for features in (features_of(samples, extract) if samples else [])]
    return out


def examples(examined: Sequence[tuple[Item, Named]], names: Sequence[str]) -> Examples:
    chosen = [item for item, _ in examined]
    return Examples(
        np.array([[features[name] for name in names] for _, features in examined]),
        np.array([item.fake for item in chosen]),
        np.array([item.source for item in chosen]),
        np.array([item.fold(FOLDS) for item in chosen]),
    )


def deciding(features: Named) -> list[str]:
    return [name for name in features if name.startswith(DECIDES)]


def make(examined: Sequence[tuple[Item, Named]], identity: str, made: dict[str, Any]) -> Detector:
    features = examined[0][1]
    names = [name for name in features if not name.startswith(UNUSED)]
    rows = examples(examined, names).x
    mean, spread = rows.mean(0), rows.std(0) + 1e-6
    fitted = linear.fit(examples(examined, deciding(features)))
    weights = dict(zip(deciding(features), fitted.weights, strict=True))
    return Detector(
        model=identity,
        names=tuple(names),
        mean=mean,
        spread=spread,
        weights=np.array([weights.get(name, 0.0) for name in names]),
        bias=fitted.bias,
        distance=float(np.quantile(np.sqrt(np.square((rows - mean) / spread).mean(1)), KNOWN)),
        blocks=float(np.quantile([features["blocks"] for _, features in examined], KNOWN)),
        smallest=SMALLEST,
        made=made,
    )


@click.command()
@click.option("--data", type=click.Path(exists=True, file_okay=False, path_type=Path), required=True)
@click.option("--out", type=click.Path(dir_okay=False, path_type=Path), required=True, help="The JSON file.")
@click.option("--model", default="slic", show_default=True, help="A model's name or file.")
@click.option("--limit", type=int, default=None, help="At most this many pictures of each source.")
def main(data: Path, out: Path, model: str, limit: int | None) -> None:
    """Fit the detector of generated pictures to a model."""
    chosen = [item for item in items(data, limit=limit) if item.part == "development"]
    codec = Codec(models.find(model))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", SlicWarning)
        examined = examine(chosen, Extractor(codec), TREATMENTS)
    scores, fake = linear.left_out(examples(examined, deciding(examined[0][1])))
    auc = measures.auc(scores[~fake], scores[fake])
    made = {
        "pictures": {"real": sum(not i.fake for i in chosen), "generated": sum(i.fake for i in chosen)},
        "sources": sorted({i.source for i in chosen}),
        "treatments": [str(treatment) for treatment in TREATMENTS],
        "auc on generators left out, while fitting": round(auc, 3),
    }
    out.write_text(make(examined, codec.model.identity.hex(), made).as_json())
    click.echo(f"{out}: {len(chosen)} pictures, AUC {auc:.3f} on generators left out")


if __name__ == "__main__":
    main()
