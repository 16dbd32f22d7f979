"""Does `slic check` find what was changed in a published picture, and leave alone what was not?

    python -m benchmarks.splice --images DIR [--model FILE] [--limit N] [--json]

Each picture is encoded and decoded; then regions of 1% to 36% of it, boxes and ellipses, sharp or feathered,
are pasted from another picture, moved within it, inpainted (with OpenCV, from the extra [bench]), blurred,
captioned (letters on a plate) or written over (letters alone), and the copy is saved as PNG or JPEG. First
come the false alarms: pictures that were never encoded, and copies of which nothing was edited. Then kinds of
edit by quartile of area, then the quartiles beside what a detector trained for such edits reached on faces,
then what a check costs, in encodes of the published picture, whose size a resized copy gets back: the median
of each kind of copy, of these the median, and the slowest. Moved parts and what shows between letters are
the model's own output: `replaced` leaves these two out.

precision, recall and iou compare pixels, over the pictures; precision over those where anything was found.
at50 is the share of edits that the map covers with an IoU of at least a half. ela and residual are what
error-level analysis and noise residuals reach in IoU with the best threshold of all, chosen by the truth.
"""

import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from io import BytesIO
from pathlib import Path
from typing import TypeVar

import click
import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFilter, ImageFont

from benchmarks.data import Pixels, Row, options, pictures, show
from benchmarks.passes import quality_option
from slic import Codec, attacks, models
from slic.trust import tamper
from slic.trust.tamper import Finding, TamperReport

T = TypeVar("T")
Mask = NDArray[np.bool_]
Scores = NDArray[np.float32]

QUARTILES = ((0.01, 0.08), (0.08, 0.16), (0.16, 0.25), (0.25, 0.36))
TRAINED = (0.24, 0.74, 0.90, 0.97)  # mAP50 of YOLOv8s-seg on ellipses inpainted by Stable Diffusion, FFHQ
FEATHERS = (0, 0, 4, 8)  # pixels
COPIES = ("identity", "jpeg(quality=90)", "jpeg(quality=75)")
UNPROTECTED = ("identity", "jpeg(quality=75)")
UNTOUCHED = (
    "identity",
    "jpeg(quality=90)",
    "jpeg(quality=75)",
    "crop(left=13, top=7)",
    "crop(left=5, top=22)+jpeg(quality=85)",
    "resize(factor=0.5)",
    "resize(factor=0.75)",
    "resize(factor=0.95)",
    "resize(factor=1.1)",
    "resize(factor=1.5)",
    "resize(factor=0.75)+jpeg(quality=90)",
)
BLOCK = 16


@dataclass(frozen=True)
class Edit:
    """What was done to a published picture, and where."""

    kind: str
    quartile: int
    pixels: Pixels
    truth: Mask


@dataclass(frozen=True)
class Found:
    """How one edit was found."""

    kind: str
    quartile: int
    found: Mask
    truth: Mask
    ela: Scores
    residual: Scores

    @property
    def iou(self) -> float:
        return iou(self.found, self.truth)


def measure(codec: Codec, named: Iterable[tuple[str, Pixels]]) -> Iterator[Row]:
    originals = [pixels for _, pixels in named]
    check = partial(tamper.check_levels, codec=codec)
    findings: dict[tuple[str, str], list[Finding]] = {}
    found: list[Found] = []
    seconds: dict[str, list[float]] = {}
    for i, original in enumerate(originals):
        timed = partial(_timed, seconds, original.size)
        published = timed("encode", codec.encode, original)
        decoded = np.asarray(codec.decode(published).convert("RGB"))
        for group, copies, pixels in (
            ("unprotected", UNPROTECTED, original),
            ("untouched", UNTOUCHED, decoded),
        ):
            for copy in copies:
                report = timed(f"{group} {copy}", check, attacks.parse(copy)(pixels))
                findings.setdefault((group, copy), []).append(report.finding)
        for edit in edits(decoded, originals[i - 1], np.random.default_rng(i)):
            found.append(_find(edit, timed("edited", check, edit.pixels)))
    yield from (_alarms(*about, those) for about, those in findings.items())
    yield from _table(found)
    encode = float(np.median(seconds.pop("encode")))
    checks = {name: float(np.median(taken)) / encode for name, taken in seconds.items()}
    slowest = max(checks, key=checks.__getitem__)
    row = {"pictures": len(originals), "encodes_a_check": float(np.median(list(checks.values())))}
    yield row | {"at_most": checks[slowest], "for": slowest}


def _timed(
    seconds: dict[str, list[float]], size: int, name: str, do: Callable[[Pixels], T], pixels: Pixels
) -> T:
    """Seconds for each value of the published picture."""
    started = time.perf_counter()
    out = do(pixels)
    seconds.setdefault(name, []).append((time.perf_counter() - started) / size)
    return out


def _alarms(group: str, copy: str, findings: list[Finding]) -> Row:
    wanted = Finding.UNPROTECTED if group == "unprotected" else Finding.UNTOUCHED
    counts = {f.name.lower(): findings.count(f) for f in Finding}
    return {"pictures": group, "copy": copy, "false": len(findings) - findings.count(wanted)} | counts


def edits(published: Pixels, other: Pixels, random: np.random.Generator) -> Iterator[Edit]:
    """One of each kind and quartile, saved as one of COPIES."""
    kinds = {"paste": _paste, "copy-move": _move, "blur": _blur, "caption": _caption, "letters": _letters}
    kinds |= _inpainting()
    for kind, make in kinds.items():
        for quartile, (low, high) in enumerate(QUARTILES):
            truth = region(published.shape[:2], random.uniform(low, high), random)
            changed = make(published, truth, other, random)
            mixed = _feathered(published, changed, truth, int(random.choice(FEATHERS)))
            copy = attacks.parse(str(random.choice(COPIES)))
            yield Edit(kind, quartile, copy(mixed), truth)


def region(shape: Sequence[int], share: float, random: np.random.Generator) -> Mask:
    """A box or an ellipse of this share of the area, wholly inside."""
    height, width = shape
    round_ = random.random() < 0.5
    area = share * height * width * (4 / np.pi if round_ else 1)
    rows = int(
        np.clip((area * height / width) ** 0.5 * np.exp(random.uniform(-0.3, 0.3)), area / width + 1, height)
    )
    columns = min(width, round(area / rows))
    top, left = random.integers(0, (height - rows + 1, width - columns + 1))
    canvas = Image.new("1", (width, height))
    draw = ImageDraw.Draw(canvas)
    (draw.ellipse if round_ else draw.rectangle)((left, top, left + columns - 1, top + rows - 1), fill=1)
    return np.array(canvas)


def _paste(published: Pixels, truth: Mask, other: Pixels, random: np.random.Generator) -> Pixels:
    height, width = published.shape[:2]
    return np.asarray(Image.fromarray(other).resize((width, height)))


def _move(published: Pixels, truth: Mask, other: Pixels, random: np.random.Generator) -> Pixels:
    """From elsewhere in the picture: it has the trigger, on another grid."""
    down, right = (int(random.integers(side // 4, 3 * side // 4)) for side in truth.shape)
    return np.roll(published, (down, right), (0, 1))


def _blur(published: Pixels, truth: Mask, other: Pixels, random: np.random.Generator) -> Pixels:
    return np.asarray(Image.fromarray(published).filter(ImageFilter.GaussianBlur(random.uniform(3, 8))))


def _caption(published: Pixels, truth: Mask, other: Pixels, random: np.random.Generator) -> Pixels:
    """Writing on a plate of one colour, which hides what was there."""
    plate = np.full_like(published, random.integers(0, 256, 3))
    return _letters(plate, truth, other, random)


def _letters(published: Pixels, truth: Mask, other: Pixels, random: np.random.Generator) -> Pixels:
    """Lines of writing over what was there, which shows between the letters."""
    image = Image.fromarray(published)
    draw, size = ImageDraw.Draw(image), int(random.integers(14, 29))
    font = ImageFont.load_default(size)
    ink = (255, 255, 255) if published.mean() < 128 else (0, 0, 0)
    alphabet = np.array(list("abcdefghijklmnopqrstuvwxyz     "))
    for y in range(0, image.height, size):
        draw.text((0, y), "".join(random.choice(alphabet, image.width // size * 3)), ink, font)
    return np.asarray(image)


def _inpainting() -> dict[str, Callable[..., Pixels]]:
    try:
        import cv2
    except ImportError:
        return {}

    def inpaint(published: Pixels, truth: Mask, other: Pixels, random: np.random.Generator) -> Pixels:
        return np.asarray(cv2.inpaint(published, truth.astype(np.uint8), 3, cv2.INPAINT_TELEA))

    return {"inpaint": inpaint}


def _feathered(published: Pixels, changed: Pixels, truth: Mask, pixels: int) -> Pixels:
    mask = Image.fromarray(truth.astype(np.uint8) * 255).filter(ImageFilter.GaussianBlur(pixels))
    share = np.asarray(mask)[..., None] / 255
    return (share * changed + (1 - share) * published).round().astype(np.uint8)


def _find(edit: Edit, report: TamperReport) -> Found:
    return Found(
        edit.kind, edit.quartile, report.mask, edit.truth, error_level(edit.pixels), residual(edit.pixels)
    )


def error_level(pixels: Pixels) -> Scores:
    """(H,W,3) → (⌊H/16⌋,⌊W/16⌋): how far each block's loss in one more JPEG is from the usual."""
    stream = BytesIO()
    Image.fromarray(pixels).save(stream, "JPEG", quality=90)
    with Image.open(stream) as again:
        return _unusual(np.abs(pixels.astype(np.float32) - np.asarray(again)).mean(2))


def residual(pixels: Pixels) -> Scores:
    """(H,W,3) → (⌊H/16⌋,⌊W/16⌋): how far each block's noise, what a median takes away, is from the usual."""
    grey = Image.fromarray(pixels).convert("L")
    noise = np.asarray(grey, np.float32) - np.asarray(grey.filter(ImageFilter.MedianFilter(3)))
    return _unusual(np.square(noise))


def _unusual(values: Scores) -> Scores:
    """Of each block's mean, in robust standard deviations."""
    height, width = (side // BLOCK for side in values.shape)
    blocks = values[: height * BLOCK, : width * BLOCK].reshape(height, BLOCK, width, BLOCK).mean((1, 3))
    off = np.abs(blocks - np.median(blocks))
    out: Scores = (off / max(float(np.median(off)), 1e-3)).astype(np.float32)
    return out


def _table(found: list[Found]) -> Iterator[Row]:
    best = {name: _threshold(found, name) for name in ("ela", "residual")}
    for kind in sorted({f.kind for f in found}):
        for quartile in range(len(QUARTILES)):
            those = [f for f in found if (f.kind, f.quartile) == (kind, quartile)]
            yield {"edit": kind, "area": _area(quartile)} | _summary(those, best)
    for quartile, trained in enumerate(TRAINED):
        those = [f for f in found if f.quartile == quartile and f.kind not in ("copy-move", "letters")]
        yield {"replaced": _area(quartile)} | _summary(those, best) | {"trained": trained}


def _area(quartile: int) -> str:
    low, high = QUARTILES[quartile]
    return f"{low:.0%} to {high:.0%}"


def _summary(found: list[Found], best: dict[str, float]) -> Row:
    hits = [(f.found & f.truth).sum() for f in found]
    precise = [h / f.found.sum() for h, f in zip(hits, found, strict=True) if f.found.any()]
    row: Row = {
        "edits": len(found),
        "precision": float(np.mean(precise)) if precise else None,
        "recall": float(np.mean([h / f.truth.sum() for h, f in zip(hits, found, strict=True)])),
        "iou": float(np.mean([f.iou for f in found])),
        "at50": float(np.mean([f.iou >= 0.5 for f in found])),
    }
    return row | {name: float(np.mean(_ious(found, name, t))) for name, t in best.items()}


def _threshold(found: list[Found], name: str) -> float:
    return max(np.geomspace(1, 30, 15), key=lambda t: np.mean(_ious(found, name, t)))


def _ious(found: list[Found], name: str, threshold: float) -> list[float]:
    return [iou(getattr(f, name) > threshold, _shrunk(f.truth)) for f in found]


def _shrunk(truth: Mask) -> Mask:
    height, width = (side // BLOCK for side in truth.shape)
    whole = truth[: height * BLOCK, : width * BLOCK].reshape(height, BLOCK, width, BLOCK)
    return np.asarray(whole.mean((1, 3)) > 0.5)


def iou(found: Mask, truth: Mask) -> float:
    either = float((found | truth).sum())
    return float((found & truth).sum()) / either if either else 0.0


@click.command()
@options
@quality_option
def main(
    images: Path, limit: int | None, model: str, as_json: bool, device: str, quality: int | None
) -> None:
    """Does slic check find what was changed?"""
    codec = Codec(models.choose(model, quality), device=device)
    show(measure(codec, pictures(images, limit)), as_json=as_json)


if __name__ == "__main__":
    main()
