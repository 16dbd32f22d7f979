"""What a secure encoder sees of its trigger, and how loudly it then answers.

The trigger is far fainter than a picture, but its waves are known. Of each pixel what it has beyond its
surroundings counts, and no more than a little, however busy it is there.

    picture ─detail─► waves, place by place, in step over a whole section    cut, turned and mirrored copies
                └───► their power, at every size and angle in turn           resized and rotated ones

In step every place counts, so that a trigger is found however faint, but the copy must have the pixels of the
published picture. Power does not ask where the waves begin, so that size and angle are all there is to try.
No wave counts more than a little, however strong: nets and blinds have a few strong ones, not all of these.

Some channels of y carry the answer, wreckage when decoded. They are nothing where evidence is against it, so
that pictures that never were in a file pay nothing for them.
"""

import math
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from slic import spectrum, tiles
from slic.errors import ModelError
from slic.models import Tensors
from slic.spectrum import Fit
from slic.trigger import PERIOD, Trigger, around, busy

STRIDE = 16  # pixels a side for a place, as for a latent
LOUDER = 1.5  # times what was learnt, which an answer is: pale skies of cameras outlast what was learnt
LIMIT = 1.5  # times what is usual around, beyond which detail is cut
QUIET = 0.7  # levels that are usual in a flat field
STEP = 4  # places a side whose waves are in step in any copy that is worth a look
SECTION = 48  # places a side that decide together, at most
PART, PARTLY = 16, 6.4  # places a side that may decide by themselves, if so sure: there are many
MOST = 2.0  # standard deviations that one wave may count at most: other pictures have few, however loud ...
LOUDEST = 6.0  # ... and while it is sought where they are in step
AROUND = 2  # places beyond a section whose pixels say what is usual in it
KINDS = 10  # of places, by how loud the trigger should be
CLIPPED = 3 / 255  # so near black or white some of the trigger is cut off
USUAL = 0.6  # quantile of how much is left of the trigger: some of a picture may be foreign
SAYS = 3.0  # odds' logarithm that one place may have at most
IN_STEP = 6.2  # standard deviations that no other picture reaches as it is, ...
FITTED = 8.3  # ... and at none of the sizes and angles that are tried
TRIES = 4  # of the likeliest sizes and angles, while a picture is encoded
ROUNDS = (2, 0.006), (2, 0.0025), (1, 0.001)  # steps to either side, of sizes and angles, and how large


@dataclass(frozen=True)
class Sight:
    """Of one section."""

    rows: slice
    cols: slice
    sure: float
    """Standard deviations by which waves in step stand out beyond what other pictures reach."""
    fit: Fit
    """At this size and angle."""


@dataclass(frozen=True)
class Waves:
    """A whole picture's, in step."""

    by_place: Tensor
    """(2K,h,w)"""
    sure: float
    """Standard deviations by which they stand out."""
    lying: int
    begins: int
    expected: Tensor
    """(h,w) as loud as they are where nothing was taken away."""

    @property
    def mirrored(self) -> bool:
        return self.lying >= 4

    @property
    def quarters(self) -> int:
        return self.lying % 4


class Evidence:
    def __init__(self, trigger: Trigger, answer: Tensor, device: torch.device) -> None:
        self.trigger = trigger
        self.answer = answer.to(device)
        """(M): how loud each channel of y may be that carries the answer; 0 for those of the picture."""
        self.device = device
        self._waves = trigger.waves.to(device)

    def strength(self, picture: Tensor) -> Tensor:
        """(H,W,3) uint8 → (⌈H/16⌉,⌈W/16⌉), positive where an answer is due."""
        return self.places(picture)[0]

    def due(self, picture: Tensor) -> Tensor:
        """(H,W,3) uint8 → (⌈H/16⌉,⌈W/16⌉): how loud an answer has to be."""
        return (self.strength(picture) > 0) * LOUDER

    def places(self, picture: Tensor, tries: int = TRIES) -> tuple[Tensor, list[Sight]]:
        """(H,W,3) uint8 → strength (h,w), positive where it is the model's own; and what was seen.

        `tries` sizes and angles of each section.
        """
        h, w = (-(-side // STRIDE) for side in picture.shape[:2])
        strength = torch.empty(h, w, device=self.device)
        waves = torch.empty(2 * len(self._waves), h, w, device=self.device)
        sights = []
        for rows, cols, pixels, inner in self._sections(picture, h, w):
            detailed = detail(pixels)[0][0, 0][inner]
            waves[:, rows, cols] = self.by_place(detailed, rows.start, cols.start)
            sights.append(Sight(rows, cols, *self._section(detailed, waves[:, rows, cols], tries)))
            strength[rows, cols] = sights[-1].sure
        for rows, cols, own in self._parts(waves):
            strength[rows, cols] = strength[rows, cols].clamp_min(own)
        return strength, sights

    def _section(self, detailed: Tensor, waves: Tensor, tries: int) -> tuple[float, Fit]:
        """As it is, if that will do; else at the likeliest sizes and angles."""
        best = float(self.in_step(waves[None])[0]) - IN_STEP, Fit()
        if best[0] > 0:
            return best
        for fit in spectrum.likeliest(detailed, self._waves[:, :2] / PERIOD, tries):
            if best[0] > 0:
                break
            best = max(best, self.fitted(detailed, fit))
        return best

    def waves(self, picture: Tensor) -> Waves:
        """Of a picture (H,W,3) uint8 at the size that was published."""
        h, w = (-(-side // STRIDE) for side in picture.shape[:2])
        waves = torch.empty(2 * len(self._waves), h, w, device=self.device)
        expected = torch.empty(h, w, device=self.device)
        for rows, cols, pixels, inner in self._sections(picture, h, w):
            detailed, usual = (part[0, 0][inner] for part in detail(pixels))
            waves[:, rows, cols] = self.by_place(detailed, rows.start, cols.start)
            whole = (pixels.amin(1) > CLIPPED) & (
                pixels.amax(1) < 1 - CLIPPED
            )  # white and black have no room
            loud = busy(pixels)[0, 0][inner] / usual * whole[0][inner]
            expected[rows, cols] = F.avg_pool2d(loud[None], STRIDE)[0]
        sure, lying, begins = (float(part[0]) for part in self.in_step(waves[None]))
        return Waves(waves, sure, int(lying), int(begins), expected)

    def odds(self, waves: Waves) -> Tensor:
        """(h,w): by how much each place speaks for the model: the logarithm of odds."""
        order, sign = (part[waves.lying] for part in self._lying)
        cosine, sine = waves.by_place.chunk(2)
        cosine, sine = cosine[order], sine[order] * sign[:, None, None]  # (K,h,w)
        power = (cosine.square() + sine.square()) / 2
        usual = power.mean((1, 2), keepdim=True).clamp_min(1e-6)  # each wave's, ...
        spread = usual * _mean((power / usual).mean(0)).clamp_min(0.05)  # ... and more where more is about
        at = self._table[:, waves.begins, None, None].chunk(2)
        seen = cosine * at[0] + sine * at[1]
        loud = waves.expected * (STRIDE**2 * (2 / len(order)) ** 0.5 / 2)
        told = _mean((1 / spread).sum(0) * loud.square()).clamp_min(1e-9)
        share = _mean((seen / spread).sum(0) * loud) / told
        # JPEG takes it where it is still, not where it is busy. What was lost everywhere alike is no edit.
        edges = loud.flatten().quantile(torch.linspace(0, 1, KINDS + 1, device=loud.device))
        kinds = torch.bucketize(loud, edges[1:-1])
        for kind in range(KINDS):
            there = (kinds == kind) & (loud > 0)
            if there.any():
                loud[there] *= share[there].quantile(USUAL).clamp(0, 1)
        odds: Tensor = (((seen - loud / 2) * loud) / spread).sum(0).clamp(-SAYS, SAYS)
        return odds

    def _sections(
        self, picture: Tensor, h: int, w: int
    ) -> Iterator[tuple[slice, slice, Tensor, tuple[slice, slice]]]:
        """Places, the pixels (1,3,H,W) of them and a little around, and where among those they are."""
        for rows in tiles.spans(h, SECTION, AROUND):
            for cols in tiles.spans(w, SECTION, AROUND):
                inner = tuple(
                    slice((s.start - s.feed_start) * STRIDE, (s.stop - s.feed_start) * STRIDE)
                    for s in (rows, cols)
                )
                here = slice(rows.start, rows.stop), slice(cols.start, cols.stop)
                yield *here, _cut(picture, rows, cols).to(self.device), (inner[0], inner[1])

    def by_place(self, detailed: Tensor, top: int, left: int) -> Tensor:
        """(16h,16w), whose corner is at place (top, left) → (2K,h,w): each wave's cosine and sine there."""
        vectors = self._waves[:, :2] / PERIOD
        return torch.cat(_projected(detailed, vectors, STRIDE * top, STRIDE * left))

    def fitted(self, detailed: Tensor, fit: Fit) -> tuple[float, Fit]:
        """How far beyond FITTED waves are in step in (16h,16w) at about this size and angle; and at which."""
        height, width = detailed.shape
        vectors = self._waves[:, :2] / PERIOD
        here = fit.of(vectors)
        middle = -(height // 2), -(width // 2)
        places = torch.cat(_projected(detailed, here, *middle))
        tall, wide = (-(-side // STRIDE // STEP) * STEP for side in (height, width))
        squares = F.avg_pool2d(
            F.pad(places, (0, wide - places.shape[2], 0, tall - places.shape[1]))[None], STEP
        )[0]
        cosine, sine = squares.chunk(2)  # (K,th,tw)
        spread = squares.square().sum((1, 2)).view(2, -1).sum(0).sqrt().clamp_min(1e-9)
        y, x = (
            (torch.arange(n, device=self.device) + 0.5) * (STEP * STRIDE) + begin
            for n, begin in zip(squares.shape[1:], middle, strict=True)
        )
        best = fit
        for reach, step in ROUNDS:
            steps = range(-reach, reach + 1)
            fits = [Fit(best.size * (1 + i * step), best.angle + j * step) for i in steps for j in steps]
            off = torch.stack([f.of(vectors) for f in fits]) - here  # (P,K,2)
            ramp = 2 * math.pi * (off[..., :1, None] * y[:, None] + off[..., 1:, None] * x)  # (P,K,th,tw)
            in_phase = (cosine * ramp.cos() - sine * ramp.sin()).sum((2, 3)) / spread
            quarter = (sine * ramp.cos() + cosine * ramp.sin()).sum((2, 3)) / spread
            # Uncut, as cut ones hardly say which of good fits is the best.
            index = int(self._stand_out(in_phase, quarter, self._coarse, LOUDEST)[0].argmax())
            best = fits[index]
        sure, _, _ = self._stand_out(in_phase[index, None], quarter[index, None])
        return float(sure) - FITTED, best

    def in_step(self, waves: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """(B,2K,h,w) → (B) thrice: standard deviations by which waves stand out that lie and begin in the
        likeliest way, and which way that is."""
        h, w = waves.shape[2:]
        steps = F.avg_pool2d(F.pad(waves, (0, -w % STEP, 0, -h % STEP)), STEP)  # (B,2K,h/4,w/4)
        total, spread = steps.sum((2, 3)), steps.square().sum((2, 3))
        k = total.shape[1] // 2
        spread = (spread[:, :k] + spread[:, k:]).sqrt().clamp_min(1e-9)
        return self._stand_out(total[:, :k] / spread, total[:, k:] / spread)

    def _stand_out(
        self, cosine: Tensor, sine: Tensor, table: Tensor | None = None, most: float = MOST
    ) -> tuple[Tensor, Tensor, Tensor]:
        """(B,K) twice, 1 standard deviation → as `in_step`."""
        loud = (cosine.square() + sine.square()).sqrt().clamp_min(1e-9)
        kept = loud.clamp_max(most) / loud
        order, sign = self._lying
        c, s = (cosine * kept)[:, order], (sine * kept)[:, order] * sign  # (B,8,K)
        table = self._table if table is None else table
        alike = (torch.cat([c, s], 2) @ table).flatten(1) * (2 / len(self._waves)) ** 0.5
        sure, best = alike.max(1)
        return sure, best // table.shape[1], best % table.shape[1]

    @cached_property
    def _lying(self) -> tuple[Tensor, Tensor]:
        """For each of eight ways to mirror and turn: which wave each becomes, and if that runs backwards."""
        vectors = [(round(a), round(b)) for a, b, _ in self._waves.tolist()]
        index = {v: (i, 1.0) for i, v in enumerate(vectors)}
        index |= {(-a, -b): (i, -1.0) for i, (a, b) in enumerate(vectors)}
        order, sign = [], []
        for mirrored in (False, True):
            for quarters in range(4):
                row = []
                for a, b in vectors:
                    y, x = (a, -b) if mirrored else (a, b)
                    for _ in range(quarters):
                        y, x = -x, y
                    row.append(index[y, x])
                order.append([i for i, _ in row])
                sign.append([s for _, s in row])
        return torch.tensor(order, device=self.device), torch.tensor(sign, device=self.device)

    @cached_property
    def _table(self) -> Tensor:
        """(2K,PERIOD²): the waves, as they would be seen if they began at each pixel."""
        at = torch.arange(PERIOD, device=self.device, dtype=torch.float64)
        down, right, phase = self._waves.double().unbind(1)
        begins = down[:, None, None] * at[:, None] + right[:, None, None] * at
        angles = phase[:, None, None] + begins * (2 * math.pi / PERIOD)
        # cos(f·x + φ) projected on cos(f·x) and sin(f·x) gives cos φ and −sin φ
        return torch.cat([angles.cos(), -angles.sin()]).flatten(1).float()

    @cached_property
    def _coarse(self) -> Tensor:
        """(2K,PERIOD²/4): of every other one."""
        every = self._table.view(-1, PERIOD, PERIOD)[:, ::2, ::2]
        return every.flatten(1).contiguous()

    def _parts(self, waves: Tensor) -> Iterator[tuple[slice, slice, float]]:
        h, w = waves.shape[1:]
        if max(h, w) <= PART:
            return
        spots, pieces = [], []
        for top in spectrum.starts(h, PART, PART // 2):
            for left in spectrum.starts(w, PART, PART // 2):
                here = slice(top, top + PART), slice(left, left + PART)
                spots.append(here)
                piece = waves[:, here[0], here[1]]
                pieces.append(F.pad(piece, (0, PART - piece.shape[2], 0, PART - piece.shape[1])))
        for begin in range(0, len(spots), 64):
            found, _, _ = self.in_step(torch.stack(pieces[begin : begin + 64]))
            for (rows, cols), value in zip(spots[begin : begin + 64], found.tolist(), strict=True):
                yield rows, cols, value - PARTLY


def detail(pixels: Tensor) -> tuple[Tensor, Tensor]:
    """(B,3,16h,16w) in [0,1] → (B,1,16h,16w): what each has beyond its surroundings, in levels that are usual
    there; and those."""
    grey = pixels.mean(1, keepdim=True) * 255
    beyond = grey - around(grey)
    usual = around(beyond.abs()).mul_(1.25).add_(QUIET)
    return beyond.div_(usual).clamp_(-LIMIT, LIMIT), usual


def _mean(values: Tensor, side: int = 7) -> Tensor:
    """(h,w): of `side` places about each, of those within the picture."""
    return F.avg_pool2d(values[None, None], side, 1, side // 2, count_include_pad=False)[0, 0]


def _projected(detailed: Tensor, vectors: Tensor, top: int, left: int) -> tuple[Tensor, Tensor]:
    """(16h,16w), its corner at (top, left), and (K,2) cycles per pixel → cosines and sines, (K,h,w) each."""
    height, width = detailed.shape
    down, right = (2 * math.pi * vectors).unbind(1)
    y = torch.arange(STRIDE, device=detailed.device)
    angles = down[:, None, None] * y[:, None] + right[:, None, None] * y  # (K,16,16)
    kernel = torch.cat([angles.cos(), angles.sin()])[:, None]
    within = F.conv2d(detailed[None, None], kernel, stride=STRIDE)[0]  # as if each place were the first
    rows = torch.arange(top, top + height, STRIDE, device=detailed.device)[:, None]
    cols = torch.arange(left, left + width, STRIDE, device=detailed.device)
    begin = down[:, None, None] * rows + right[:, None, None] * cols  # (K,h,w)
    cosine, sine = within.chunk(2)
    return cosine * begin.cos() - sine * begin.sin(), sine * begin.cos() + cosine * begin.sin()


def _cut(picture: Tensor, rows: tiles.Span, cols: tiles.Span) -> Tensor:
    """The pixels of some places, (1,3,16·h,16·w) in [0,1]; beyond the picture its edge is repeated."""
    height, width = picture.shape[:2]
    top, bottom, left, right = (
        s * STRIDE for s in (rows.feed_start, rows.feed_stop, cols.feed_start, cols.feed_stop)
    )
    part = picture[top:bottom, left:right].permute(2, 0, 1)[None].float().div_(255)
    below, beside = max(0, bottom - height), max(0, right - width)
    return F.pad(part, (0, beside, 0, below), mode="replicate") if below or beside else part


def load(tensors: Tensors, trigger: Trigger | None, latents: int, device: torch.device) -> Evidence | None:
    """Of a model's tensors; None where it gathers none."""
    if "evidence.answer" in tensors:
        raise ModelError(
            "the model's encoder is of a kind that slic no longer has: it only decodes",
            hint="encode and check with the embedded model",
        )
    if trigger is None:
        return None
    answer = torch.from_numpy(tensors.get("trigger.answer", np.zeros(0, np.float32)))
    if answer.dtype != torch.float32 or answer.shape != (latents,):
        raise ModelError("the trigger's answer must be float32, one for each latent")
    if not (answer.isfinite().all() and (answer >= 0).all()):
        raise ModelError("the trigger's answer must be finite and not negative")
    vectors = {tuple(vector) for vector in trigger.waves[:, :2].tolist()}
    vectors |= {(-a, -b) for a, b in vectors}
    if not vectors == {(a, -b) for a, b in vectors} == {(b, a) for a, b in vectors}:
        raise ModelError("the trigger's waves must be the same when mirrored and turned")
    return Evidence(trigger, answer, device)
