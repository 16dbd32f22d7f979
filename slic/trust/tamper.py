"""Says of a picture whether it came out of a `.slic` file, and where it was changed since.

A secured model leaves a trigger in every region of what it decodes, and destroys what carries the trigger
when it encodes it again. Evidence (slic/evidence.py) says whether there is any, and how the copy lies; then
of each block, how much it speaks for the model, or against it:

    picture ── pose ── odds ── surest ── trace    what the model takes for its own
            └─ g_a, g_s ── again ── damage        how far one more pass is from the picture

In the sky one block tells, in grass it takes all that lie within 100 pixels. Edits smaller than about 64
pixels a side are lost among their neighbours. A model without evidence has only damage to show.
"""

import io
from dataclasses import dataclass, field
from enum import Enum
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from slic import models, opening, pixels
from slic.codec import Codec
from slic.models import Model
from slic.modes import Levels
from slic.pixels import MAX_PIXELS, Picture, Source
from slic.reading import read
from slic.transforms import Precision
from slic.trust import blocks, pose
from slic.trust.blocks import Bools, Box, Floats
from slic_formats import FILE_SIGNATURE, Header, parse

# Chosen on eighteen training pictures, most of them grass, walls and fur, and their copies and edits.
# benchmarks/splice.py and benchmarks/alarms.py say how they do with other pictures.
SURVIVES_DB = 20.0  # between what is destroyed (8, seldom 18) and what is not (32, seldom 18)
DB = 8.0  # so much less is as much as OWN, in a model without evidence
ENOUGH = 3.0  # logarithm of odds, of some blocks together, that is sure
NOTHING = -2.0  # the trace all over where no evidence was found
OWN = 1.0  # trace from which a block is surely the model's own
PROTECTED = 0.15  # share of such blocks below which nothing speaks for protection
ANSWERED = 0.2  # destroyed share beyond which nobody can say that a picture is encoded as any other is
LIKELY, CLEAR = 0.9, 0.3  # this share of the blocks outside edits is at least so sure
POOR = 0.6  # median of the trace below which no edit can be told from the rest
MOST = 0.75  # share of a picture beyond which edits leave too little to compare with
FOREIGN = -0.4  # trace below which a block belongs to an edit, ...
MASS = 45.0  # ... if its region sums to so much ...
PEAK = -1.0  # ... and one block is as low as this
EDGE = 2  # blocks at the picture's edge that are no edit by themselves: JPEG takes the trigger there
MIN_SIDE = 64  # pixels; a smaller picture shows too little


class Finding(Enum):
    UNTOUCHED = "protected and untouched"
    EDITED = "protected, edited here"
    UNPROTECTED = "not protected by this model"
    UNCLEAR = "cannot tell"


@dataclass(frozen=True)
class TamperReport:
    """What `check` says of a picture. `str` makes a line of it."""

    finding: Finding
    reason: str
    model: str
    width: int
    height: int
    edited: float
    """Share of the picture that is not the model's own output; 0 unless the finding is EDITED."""
    own: float
    """Share of the blocks that surely are."""
    scale: float
    """How many times as large it is as it was published, about; 1 where nothing tells of another size."""
    turned: int
    """By how many degrees it was turned since, against the clock."""
    mirrored: bool
    """Whether left and right were swapped, before it was turned."""
    boxes: tuple[Box, ...]
    """Around each edited region, the largest first."""
    damage: Floats = field(repr=False, compare=False)
    """(⌈H/16⌉,⌈W/16⌉) decibels between the picture and one more pass: low is destroyed."""
    trace: Floats = field(repr=False, compare=False)
    """(⌈H/16⌉,⌈W/16⌉) 1 and more where the model takes it for its own, negative where it does not."""
    blocks: Bools = field(repr=False, compare=False)
    """(⌈H/16⌉,⌈W/16⌉) which blocks are edited."""
    levels: Levels = field(repr=False, compare=False)
    """(H,W,3) the picture."""
    again: Levels = field(repr=False, compare=False)
    """(H,W,3) the picture after one more pass."""

    @property
    def untouched(self) -> bool:
        return self.finding is Finding.UNTOUCHED

    @property
    def mask(self) -> Bools:
        """(H,W) which pixels are edited."""
        return blocks.enlarge(self.blocks, self.height, self.width)

    def as_dict(self) -> dict[str, Any]:
        """For JSON."""
        return {
            "finding": self.finding.value,
            "reason": self.reason,
            "model": self.model,
            "edited": round(self.edited, 4),
            "own": round(self.own, 4),
            "scale": round(self.scale, 2),
            "turned": self.turned,
            "mirrored": self.mirrored,
            "boxes": [[b.left, b.top, b.right, b.bottom] for b in self.boxes],
        }

    def __str__(self) -> str:
        return f"{self.finding.value}: {self.reason}"

    def _repr_png_(self) -> bytes:
        """What a Jupyter notebook shows."""
        stream = io.BytesIO()
        overlay(self).save(stream, "PNG")
        return stream.getvalue()


def check(
    source: Source,
    *,
    model: str | Path | Model | None = None,
    device: str = "auto",
    precision: Precision = "auto",
    max_pixels: int = MAX_PIXELS,
) -> TamperReport:
    """Pass the picture through the model once more, and say what that shows.

    Of a `.slic` file the decoded picture is checked, with the file's own model unless another is given.
    """
    machine: dict[str, Any] = {"device": device, "precision": precision, "max_pixels": max_pixels}
    return examine(source, model=model, **machine)[1]


def examine(
    source: Source,
    *,
    model: str | Path | Model | None = None,
    device: str = "auto",
    precision: Precision = "auto",
    max_pixels: int = MAX_PIXELS,
) -> tuple[Picture, TamperReport]:
    """`check`, and the picture that was checked."""
    picture, header = load(source, device=device, precision=precision, max_pixels=max_pixels)
    chosen = models.choose(model)
    if model is None and header is not None:
        chosen = models.find_identity(header.model)
        chosen = chosen.at(header.quality) if header.quality else chosen
    return picture, check_levels(picture.rgb, Codec(chosen, device=device, precision=precision))


def load(
    source: Source, *, device: str, precision: Precision, max_pixels: int
) -> tuple[Picture, Header | None]:
    """The picture, decoded if it is in a `.slic` file; and that file's header."""
    if isinstance(source, np.ndarray | Image.Image):
        return pixels.load(source, max_pixels=max_pixels), None
    with opening.stream(source) as stream:  # opened once: a pipe has its first bytes only once
        is_ours = stream.read(len(FILE_SIGNATURE)) == FILE_SIGNATURE
        stream.seek(0)
        if not is_ours:
            return pixels.load(stream, max_pixels=max_pixels), None
        container = parse(read(stream))
    codec = Codec(models.find_identity(container.header.model), device=device, precision=precision)
    return codec.decode_picture(container, max_pixels=max_pixels), container.header


def check_levels(levels: Levels, codec: Codec) -> TamperReport:
    """`check` of a picture (H,W,3) with a codec that is there already."""
    evidence = codec.evidence
    if evidence is None:
        return judge(levels, Look.without_evidence(levels, codec.again(levels)), codec.model)
    found = pose.find(levels, evidence)
    again = codec.again(levels)
    damage = blocks.decibels(levels, again)
    if found is None:
        return judge(levels, Look(damage, np.full_like(damage, NOTHING), again), codec.model)
    there = found.pose.places(levels.shape, found.undone.shape)
    traced = blocks.surest(evidence.odds(found.waves).cpu().numpy(), ENOUGH)[there]
    return judge(levels, Look(damage, traced, again), codec.model, found.pose)


@dataclass(frozen=True, eq=False)  # arrays have no truth value to compare by
class Look:
    """What is seen of a picture."""

    damage: Floats
    trace: Floats
    again: Levels

    @classmethod
    def without_evidence(cls, levels: Levels, again: Levels) -> "Look":
        """Of a model that gathers none, damage is all there is."""
        damage = blocks.decibels(levels, again)
        return cls(damage, (SURVIVES_DB - damage) / DB, again)


def judge(levels: Levels, look: Look, model: Model, as_: pose.Pose = pose.AS_IT_WAS) -> TamperReport:
    """What follows from a picture (H,W,3) and one look at it."""
    height, width = levels.shape[:2]
    own = float((look.trace >= OWN).mean())
    edits, mask = _edits(look) if own >= PROTECTED else ([], np.zeros(look.trace.shape, bool))
    edited = float(blocks.enlarge(mask, height, width).mean())
    clear = edited <= MOST and float((look.trace[~mask] > LIKELY).mean()) >= CLEAR
    clear = clear and not (edits and np.median(look.trace) < POOR)
    destroyed = float((look.damage < SURVIVES_DB).mean())
    finding, reason = _find(min(height, width), model, own, destroyed, clear, edited, len(edits))
    if finding in (Finding.UNTOUCHED, Finding.EDITED):
        reason += _moved(as_)
    if finding is not Finding.EDITED:
        edited, edits, mask = 0.0, [], np.zeros_like(mask)
    return TamperReport(
        finding=finding,
        reason=reason,
        model=model.name,
        width=width,
        height=height,
        edited=edited,
        own=own,
        scale=as_.scale,
        turned=as_.degrees,
        mirrored=as_.mirrored,
        boxes=tuple(blocks.box(r, height, width) for r in sorted(edits, key=len, reverse=True)),
        damage=look.damage,
        trace=look.trace,
        blocks=mask,
        levels=levels,
        again=look.again,
    )


def _edits(look: Look) -> tuple[list[blocks.Region], Bools]:
    """Regions without the trigger, and all their blocks."""
    values, mask, within = look.trace, np.zeros(look.trace.shape, bool), np.zeros(look.trace.shape, bool)
    within[EDGE:-EDGE, EDGE:-EDGE] = True
    found = []
    for region in blocks.regions(values < FOREIGN):
        whole = tuple(np.transpose(region))
        inside = values[whole][within[whole]]
        if inside.size and inside.min() < PEAK and -values[whole].clip(-4).sum() > MASS:
            mask[whole] = True
            found.append(region)
    return found, mask


def _find(
    side: int, model: Model, own: float, destroyed: float, clear: bool, edited: float, edits: int
) -> tuple[Finding, str]:
    if side < MIN_SIDE:
        return Finding.UNCLEAR, f"a side of {side} pixels shows too little; {MIN_SIDE} are needed"
    if not model.secured:
        return Finding.UNCLEAR, f"model {model.name} is not secured: nothing tells its pictures from others"
    if own < PROTECTED and destroyed > ANSWERED:
        return (
            Finding.UNCLEAR,
            f"{model.name} destroys {destroyed:.0%} of it, but little else shows that it is its own: it may "
            "have been resized, cut or filtered and then saved as JPEG, or only look alike",
        )
    if own < PROTECTED:
        return Finding.UNPROTECTED, f"{model.name} encodes it as it does any picture"
    if not clear:
        return (
            Finding.UNCLEAR,
            f"{own:.0%} of it surely came out of {model.name}, too much of the rest shows weak traces: it "
            "may have been resized, filtered or saved at a low quality",
        )
    if not edits:
        return Finding.UNTOUCHED, f"all of it came out of {model.name}"
    place = "one region" if edits == 1 else f"{edits} regions"
    return Finding.EDITED, f"{edited:.1%} of it, in {place}, did not come out of {model.name}"


def _moved(as_: pose.Pose) -> str:
    resized = f"; it was resized to about {as_.scale:.0%}" if as_.scale != 1 else ""
    turned = f"; it was turned by {as_.degrees}°" if as_.degrees else ""
    return ("; it was mirrored" if as_.mirrored else "") + turned + resized


def overlay(report: TamperReport) -> Image.Image:
    """The picture, grey where it is the model's own, red where it was edited, with boxes around that."""
    levels, mask, red = report.levels, report.mask, np.array([230.0, 40.0, 40.0])
    out = np.empty_like(levels)
    for top in range(0, report.height, 256):  # in strips, so that memory stays small
        part = slice(top, top + 256)
        grey = levels[part].mean(2, keepdims=True)
        shown = np.where(
            mask[part, :, None], 0.5 * levels[part] + 0.5 * red, 0.75 * grey + 0.25 * levels[part]
        )
        out[part] = shown.round()
    line = max(1, round(min(report.height, report.width) / 300))
    for b in report.boxes:
        inner = np.s_[b.top + line : b.bottom - line, b.left + line : b.right - line]
        kept = out[inner].copy()
        out[b.top : b.bottom, b.left : b.right] = red
        out[inner] = kept
    return Image.fromarray(out)
