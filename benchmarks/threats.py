"""What can an attacker do, and what catches him?

    python -m benchmarks.threats --images DIR --base runs/base-model.safetensors --limit 3 [--json]

Four kinds of attack, a row each. THREATS.md says who the attacker is, and what the rows mean.

`intact`: a usable `.slic` file of an edited copy. It succeeds where the decoded file is above 21 dB, the
paper's "usable", against what the attacker wanted; `check` is asked about those. `highest_psnr` is his best,
`of` how he got it, `laundered_psnr` what he had paid before he encoded, `images_lost` counts the pictures of
which at least one attempt succeeds. A defence's share is of all attempts.
`innocent`: a picture of others that is destroyed when it is encoded, or passes for slic's own.
`genuine`: a file that `verify` calls valid though the key's owner has not made it, or not for this.
`exhaust`: a small file that costs its reader time and memory.

Gradient descent takes `--steps` steps, on the middle of a picture; the attacker's own encoder takes as many,
on the pictures of DIR that come after those attacked, or on these where there are no more.
"""

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

import click
import numpy as np

from benchmarks import file_threats
from benchmarks.data import Pixels, Row, middle, options, pictures, progress, show
from benchmarks.file_threats import Press
from benchmarks.launder import USABLE
from benchmarks.passes import bits_per_pixel, decibels
from benchmarks.picture_threats import FORGERIES, FRAMES, SIDE, Forge, Forged, Frame, Published, Scene
from slic import Codec, FormatError, MismatchError, SlicError, models
from slic.models import Model
from slic.trust import tamper
from slic.trust.tamper import Finding
from slic.trust.verdict import Status, verify

OWN = 4  # pictures that the attacker has himself
CHANGED = 500  # bytes of a signed file, one at a time
MEGAPIXELS = 4.0


def measure(
    model: Model,
    images: Sequence[tuple[str, Pixels]],
    own: Sequence[Pixels] = (),
    bases: Sequence[Model] = (),
    *,
    steps: int,
    megapixels: float = MEGAPIXELS,
    device: str = "auto",
) -> Iterator[Row]:
    others = tuple(own) or tuple(pixels for _, pixels in images)
    codec, *older = (Codec(one, device=device) for one in (model, *bases))
    scene = Scene(codec, tuple(older), others, steps)
    published = {name: scene.publish(pixels) for name, pixels in images}
    for attack, forge in progress(FORGERIES.items(), "forgeries"):
        yield from intact(scene, attack, forge, published)
    for attack, frame in FRAMES.items():
        yield innocent(scene, attack, frame, [pixels for _, pixels in images])
    small = middle(images[0][1], SIDE)
    yield from genuine(model, Press.founded(codec, small))
    yield from exhaust(model, file_threats.bombs(codec, small, megapixels), device)


def intact(scene: Scene, attack: str, forge: Forge, published: dict[str, Published]) -> Iterator[Row]:
    """A row, unless the attacker lacks what he needs."""
    tried = [
        judged(scene, forged) | {"image": name, "of": f"{forged.how}, {name}"}
        for name, victim in published.items()
        for forged in progress(forge(scene, victim), attack)
    ]
    if not tried:
        return
    seen = [row for row in tried if row["psnr"] is not None]
    best = max(seen, key=lambda row: row["psnr"], default={"psnr": None, "of": None})
    yield {
        "model": scene.codec.model.name,
        "goal": "intact",
        "attack": attack,
        "tried": len(tried),
        "succeeds": _mean([row["usable"] for row in tried]),
        "images": len(published),
        "images_lost": len({row["image"] for row in tried if row["usable"]}),
        "laundered_psnr": _mean([row["laundered_psnr"] for row in tried if row["laundered_psnr"]]),
        "psnr": _mean([row["psnr"] for row in seen]),
        "highest_psnr": best["psnr"],
        "of": best["of"],
        "bpp": _mean([row["bpp"] for row in tried]),
        "check": _shares([row["check"] for row in tried if row["check"]]),
        "verify": _shares([row["verify"] for row in tried]),
        "caught_by": _shares([name for row in tried for name in row["caught_by"]], len(tried)),
    }


def judged(scene: Scene, forged: Forged) -> Row:
    """One file, as its reader sees it."""
    status = verify(forged.data, file_threats.KEY.public).status
    row: Row = {"psnr": None, "usable": False, "check": None, "verify": status.value}
    row |= {"bpp": bits_per_pixel(forged.data, forged.wanted), "laundered_psnr": forged.laundered_psnr}
    caught = []
    try:
        picture, model = scene.read(forged.data)
    except SlicError as error:
        caught.append(_layer(error))
    else:
        row["psnr"] = decibels(forged.wanted, picture)
        row["usable"] = row["psnr"] > USABLE
        if row["usable"]:
            finding = check(scene, picture)
            row["check"] = finding.value
            caught += ["check"] if finding is not Finding.UNTOUCHED else []
        else:
            caught.append("self-destruction")
        if model.identity != scene.codec.model.identity:
            caught.append("model's name")
    return row | {"caught_by": caught if status is Status.VALID else [*caught, "signature"]}


def innocent(scene: Scene, attack: str, frame: Frame, images: Sequence[Pixels]) -> Row:
    tried: list[Row] = []
    for pixels in images:
        for how, framed in frame(scene, pixels):
            again = scene.publish(framed).pixels
            passes = check(scene, framed) is Finding.UNTOUCHED
            psnr = decibels(framed, again)
            tried.append({"how": how, "cost": decibels(pixels, framed), "psnr": psnr, "passes": passes})
    lowest = min(tried, key=lambda row: row["psnr"])
    return {
        "model": scene.codec.model.name,
        "goal": "innocent",
        "attack": attack,
        "tried": len(tried),
        "framed_psnr": _mean([row["cost"] for row in tried]),
        "recompress_psnr": _mean([row["psnr"] for row in tried]),
        "lowest_psnr": lowest["psnr"],
        "of": lowest["how"],
        "destroyed": _mean([row["psnr"] <= USABLE for row in tried]),
        "passes_check": _mean([row["passes"] for row in tried]),
    }


def genuine(model: Model, press: Press) -> Iterator[Row]:
    """The press's own file is the first row, for comparison."""
    attempts = {name: [claim] for name, claim in file_threats.signature_attacks(press).items()}
    attempts["a byte changed, checksums mended"] = file_threats.changed_bytes(press, CHANGED)
    for name, claims in attempts.items():
        words = [file_threats.said(claim) for claim in claims]
        valid = [word == Status.VALID.value for word in words]
        yield {
            "model": model.name,
            "goal": "genuine",
            "attack": name,
            "tried": len(words),
            "succeeds": _mean(valid),
            "says": _shares(["refused" if len(words) > 1 and ":" in word else word for word in words]),
        }


def exhaust(model: Model, files: dict[str, bytes], device: str) -> Iterator[Row]:
    for row in file_threats.endure(model, files, device):
        yield {"model": model.name, "goal": "exhaust"} | row


def check(scene: Scene, pixels: Pixels) -> Finding:
    return tamper.check(pixels, model=scene.codec.model, device=str(scene.codec.device)).finding


def _layer(error: SlicError) -> str:
    """What refused a file."""
    if isinstance(error, FormatError):
        return "parser"
    return "digest of the symbols" if isinstance(error, MismatchError) else "reader"


def _mean(values: Sequence[float]) -> float | None:
    return float(np.mean(values)) if values else None


def _shares(words: Iterable[str], of: int | None = None) -> str:
    """`valid`, or `altered 98%, refused 2%`: the most frequent first; what happened is never 0%."""
    counts = Counter(words)
    total = of or sum(counts.values())
    percent = {word: min(max(round(100 * n / total), 1), 99) for word, n in counts.items() if n < total}
    return ", ".join(
        f"{word} {percent[word]}%" if word in percent else word for word, _ in counts.most_common()
    )


@click.command()
@options
@click.option("--base", "bases", multiple=True, help="An older, unsecured model; repeatable.")
@click.option("--steps", default=60, show_default=True, help="Of each gradient descent.")
@click.option("--megapixels", default=MEGAPIXELS, show_default=True, help="That a small file asks for.")
def main(
    images: Path,
    limit: int | None,
    model: str,
    as_json: bool,
    device: str,
    bases: tuple[str, ...],
    steps: int,
    megapixels: float,
) -> None:
    found = list(pictures(images, None if limit is None else limit + OWN))
    own = [pixels for _, pixels in found[limit:]] if limit else []
    older = [models.find(base) for base in bases]
    rows = measure(
        models.find(model), found[:limit], own, older, steps=steps, megapixels=megapixels, device=device
    )
    show(rows, as_json=as_json)


if __name__ == "__main__":
    main()
