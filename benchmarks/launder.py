"""What does it cost to get a picture past the codec that would destroy it?

    python -m benchmarks.launder --images DIR --base runs/base-model.safetensors [--json]

Each laundering attack, the unsecured codecs `--base` at some of their qualities among them, and pairs of
them one after the other; then the picture is encoded again. `laundered_psnr` is what the launderer has
left, against the original; `recompress_psnr` compares his picture with its encode, `final_psnr` that
encode with the original. An attack succeeds where `recompress_psnr` is above 21 dB, the paper's "usable".
Rows are means over the pictures: those that succeed anywhere first, of these the cheapest first.
"""

import itertools
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path

import click
import numpy as np

from benchmarks.data import Pixels, Row, options, pictures, progress, show
from benchmarks.passes import Pass, decibels, quality_option, slic
from slic import Codec, attacks, models
from slic.attacks import Attack, Chain
from slic.models import Model

USABLE = 21.0  # dB
PAIRS = ("kinds", "all", "none")

Attacks = Mapping[str, Attack | Chain]


def measure(
    model: Model, images: Iterable[tuple[str, Pixels]], laundering: Attacks, *, device: str = "auto"
) -> Iterator[Row]:
    code = slic(Codec(model, device=device))
    attempts: dict[str, list[Row]] = {name: [] for name in laundering}
    for image, pixels in images:
        first, _ = code(pixels)
        for name, attack in progress(laundering.items(), image):
            attempts[name].append({"image": image} | _attempt(code, pixels, attack(first)))
    rows = [{"model": model.name, "attack": name} | _summary(tried) for name, tried in attempts.items()]
    yield from sorted(rows, key=lambda row: (not row["succeeds"], -row["laundered_psnr"]))


def _attempt(code: Pass, original: Pixels, laundered: Pixels) -> Row:
    again, bpp = code(laundered)
    return {
        "laundered_psnr": decibels(original, laundered),
        "recompress_psnr": decibels(laundered, again),
        "final_psnr": decibels(original, again),
        "recompress_bpp": bpp,
    }


def _summary(tried: list[Row]) -> Row:
    """`succeeds` is the share of pictures."""
    best = max(tried, key=lambda row: row["recompress_psnr"])
    means = {key: float(np.mean([row[key] for row in tried])) for key in tried[0] if key != "image"}
    share = float(np.mean([row["recompress_psnr"] > USABLE for row in tried]))
    return {
        "images": len(tried),
        "succeeds": share,
        **means,
        "highest_psnr": best["recompress_psnr"],
        "of": best["image"],
    }


def single(bases: Sequence[Model] = ()) -> dict[str, Attack]:
    """Every laundering attack, and the codecs, by their files' names, at every third of their qualities."""
    out = {str(attack): attack for attack in attacks.LAUNDERING}
    for base in bases:
        for quality in base.qualities[::-3][::-1]:
            out[f"{base.path.stem} {quality}"] = Attack(
                "codec", {"model": str(base.path), "quality": quality}
            )
    return out


def paired(alone: Mapping[str, Attack], which: str) -> Attacks:
    """`alone` and then pairs in both orders: of all, or of one of each kind, the middle one."""
    kinds: dict[object, list[str]] = {}
    for name, attack in alone.items():
        kinds.setdefault((attack.name, attack.parameters.get("model")), []).append(name)
    middle = {"none": [], "kinds": [names[len(names) // 2] for names in kinds.values()], "all": list(alone)}
    pairs = itertools.permutations(middle[which], 2)
    return dict(alone) | {f"{a} + {b}": Chain((alone[a], alone[b])) for a, b in pairs}


@click.command()
@options
@quality_option
@click.option("--base", "bases", multiple=True, help="An unsecured model, to launder with; repeatable.")
@click.option("--pairs", type=click.Choice(PAIRS), default=PAIRS[0], show_default=True, help="Of two.")
def main(
    images: Path,
    limit: int | None,
    model: str,
    as_json: bool,
    device: str,
    quality: int | None,
    bases: tuple[str, ...],
    pairs: str,
) -> None:
    laundering = paired(single([models.find(base) for base in bases]), pairs)
    rows = measure(models.choose(model, quality), pictures(images, limit), laundering, device=device)
    show(rows, as_json=as_json)


if __name__ == "__main__":
    main()
