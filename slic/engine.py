"""Pixels ↔ payloads: one model on one device. Containers, metadata and files are codec.py's."""

import hashlib
import itertools
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import NamedTuple

import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from torch import Tensor

from slic import entropy, evidence, exact, priors, tiles, transforms, trigger
from slic.entropy import SYMBOL_LIMIT, Int32s
from slic.errors import MismatchError, ModelError
from slic.evidence import Evidence
from slic.exact import ONE
from slic.models import Tensors
from slic.priors import Int16s, Payload
from slic_formats import HEADER_BYTES

Pixels = NDArray[np.uint8]  # (H,W,3), or (H,W) when grey

STRIDE = 16  # pixels a side for a latent; a place of z covers four latents a side
TILE = 128  # latents a side: 2048 pixels; the halo of a tile adds 6% to it
DIGEST_BYTES = 16
LOOK = 2  # latents a side of each place that `encode` looks at, one in each quarter of a picture
CELL = 4  # pixels whose mean is compared there: texture and noise, which a low rate drops, do not count


class Seen(NamedTuple):
    """How a place of a picture comes out."""

    decibels: float
    """On means of 4x4 pixels, of the worst square of LOOK latents there."""
    left: int
    top: int
    """In pixels."""


@dataclass(frozen=True)
class Coded:
    """A picture's symbols as payloads, and their digest."""

    hyper: bytes
    latent: bytes
    digest: bytes
    seen: tuple[Seen, ...] = ()
    """Places that were decoded, if anybody looked."""


@dataclass(frozen=True, eq=False)  # arrays have no truth value to compare by
class Symbols:
    """What would be coded of a picture at one quality, and by which tables."""

    y: Int32s
    """(M,h,w)"""
    numbers: NDArray[np.uint8]
    """(M,h,w) the table of each; in z a channel is its table."""
    z: Int32s
    """(N,⌈h/4⌉,⌈w/4⌉)"""


@dataclass(frozen=True, eq=False)
class Study:
    """A picture as the model sees it at several qualities."""

    latents: NDArray[np.float32]
    """(M,⌈H/16⌉,⌈W/16⌉), neither scaled nor rounded."""
    symbols: tuple[Symbols, ...]
    """One for each quality."""
    pixels: Pixels
    """(H,W,3) decoded at one of them."""


@dataclass(frozen=True)
class Span:
    """Along one side, in latents: what g_s is given, and how much at either end it does not show right."""

    start: int
    count: int
    before: int
    after: int

    @property
    def fed(self) -> slice:
        return slice(self.start, self.start + self.count)

    @property
    def shown(self) -> slice:
        """Of the pixels of what is fed."""
        return slice(self.before * STRIDE, (self.count - self.after) * STRIDE)


Place = tuple[Span, Span]  # rows, columns


class Engine:
    """Immutable once made; threads may share it."""

    def __init__(
        self, architecture: str, tensors: Tensors, device: torch.device, precision: torch.dtype
    ) -> None:
        self.device = device
        state = {k: torch.from_numpy(v) for k, v in tensors.items() if k.startswith(("g_a.", "g_s.", "h_a."))}
        self._transforms = transforms.Transforms(architecture, state, device, precision)
        self._gains = _gains(tensors, self._transforms.latents, device)
        self._floors = _floors(tensors, self._transforms.latents, device)
        self._trigger = trigger.load(tensors, len(self._gains), device)
        self._tensors = tensors
        self._prior = priors.load(architecture, tensors, device)
        self._tables = priors.stored_tables(tensors, "z")
        self._check_fit(2 if architecture in transforms.AUTOREGRESSIVE else 1)
        medians = priors.int32s(tensors, "tables.z.medians")
        if len(medians) != len(self._tables):
            raise ModelError("there must be a median for each table of z")
        self._medians = torch.from_numpy(medians.astype(np.float64)).view(-1, 1, 1).to(device)

    @cached_property
    def evidence(self) -> Evidence | None:
        """What looks for the trigger. Loaded when an encoder asks: any model can be decoded with."""
        return evidence.load(self._tensors, self._trigger, self._transforms.latents, self.device)

    def _check_fit(self, parameters: int) -> None:
        """h_s must take what there are tables of z for, and give `parameters` values for each latent."""
        z = len(self._tables)
        if (self._transforms.hyper_latents, self._prior.takes) != (z, z):
            raise ModelError("tables of z and the hyper-networks do not fit each other")
        if self._prior.gives != parameters * self._transforms.latents:
            raise ModelError("h_s and g_s do not fit each other")

    def encode(self, pictures: list[Pixels], quality: int = 0, *, look: bool = False) -> list[Coded]:
        """Pictures of one size, each (H,W,3); together they are one batch for the transforms.

        `look` decodes four places of each to see how they come out, a tenth of a small picture; none of one
        that is certain to come out as it should, because nothing in it is answered.
        """
        levels = _tensor(pictures)
        y = self._analyse(levels)
        places = [self._suspects(one) for one in y] if look else []
        if (gain := self._gain(quality)) is not None:
            y *= gain[0]
        z = self._transforms.analyse_hyper(y)
        coded = [self._encode_latents(y_one, z_one) for y_one, z_one in zip(y, z, strict=True)]
        if not look:
            return coded
        seen = self._look(y, places, gain, levels)
        return [replace(one, seen=those) for one, those in zip(coded, seen, strict=True)]

    def _suspects(self, y: Tensor) -> list[Place]:
        """(M,h,w) → in each quarter the place where a secured model's answer to its own trigger is loudest.

        None where there could be an answer and is none; of a model without, one place is as good as another.
        """
        loud, level = y.new_zeros(y.shape[1:]), self._floors
        if self.evidence is not None:
            level = self.evidence.answer[:, None, None]
        if level is not None:
            answering = level[:, 0, 0] > 0
            loud = (y[answering].abs() / level[answering]).sum(0)
        if self.evidence is not None and not loud.any():
            return []
        around = F.avg_pool2d(loud[None], LOOK, 1, LOOK // 2)[0]  # (h + 1, w + 1): sums about each corner
        rows, cols = ([0, side // 2, side] for side in loud.shape)
        found = []
        for top, bottom in itertools.pairwise(rows):
            for left, right in itertools.pairwise(cols):
                part = around[top : bottom + 1, left : right + 1]
                row, col = divmod(int(part.argmax()), part.shape[1])
                found.append((self._fed(top + row, y.shape[1]), self._fed(left + col, y.shape[2])))
        return list(dict.fromkeys(found))  # a small picture is one place

    def _fed(self, corner: int, side: int) -> Span:
        """Along one side of y what g_s has to be given to show LOOK latents about a corner of theirs."""
        halo = self._transforms.synthesis_halo
        count = min(side, LOOK + 2 * halo)
        start = min(max(0, corner - LOOK // 2 - halo), side - count)
        # At an edge of the picture there is nothing beyond, and what is seen is right up to there.
        return Span(start, count, halo if start else 0, halo if start + count < side else 0)

    def _look(
        self, y: Tensor, places: list[list[Place]], gain: Tensor | None, levels: Tensor
    ) -> list[tuple[Seen, ...]]:
        """y (B,M,h,w), levels (B,H,W,3) → what is seen of each picture at its places."""
        parts = [
            one[:, rows.fed, cols.fed] for one, those in zip(y, places, strict=True) for rows, cols in those
        ]
        if not parts:
            return [()] * len(places)
        symbols = torch.stack(parts).round()  # one batch: small ones take twice the time
        shown = self._transforms.synthesise(_scaled_back(symbols, gain)).cpu()
        by_picture = torch.split(shown, [len(those) for those in places])
        return [
            tuple(_seen(picture, *place, one) for place, one in zip(those, ones, strict=True))
            for picture, those, ones in zip(levels, places, by_picture, strict=True)
        ]

    def decode(
        self, coded: list[Coded], height: int, width: int, quality: int = 0, *, grey: bool = False
    ) -> list[Pixels]:
        """Raises FormatError or MismatchError; a wrong picture never comes back."""
        gain = self._gain(quality)  # refuses what the model does not have before anything is decoded
        h, w = -(-height // STRIDE), -(-width // STRIDE)
        y_hat = torch.stack([self._decode_latents(one, h, w) for one in coded])
        shown = self._synthesise(_scaled_back(y_hat, gain), height, width, quality, grey=grey)
        return list(shown.numpy())

    def latents(self, picture: Pixels) -> NDArray[np.float32]:
        """(H,W,3) → (M,⌈H/16⌉,⌈W/16⌉), as the first network gives them: neither scaled nor rounded."""
        return self._transformed(_tensor([picture]))[0].float().cpu().numpy()

    def again(self, picture: Pixels, quality: int = 0) -> Pixels:
        """What encoding and decoding make of it; with a context model, but for how latents are rounded about
        their means.

        Nothing is entropy-coded: for who wants to see what a pass does to a picture, not to keep it.
        """
        y = self._analyse(_tensor([picture]))
        if isinstance(self._prior, priors.ScalePrior):
            symbols = _stacked(self._symbols(y, quality))
        else:
            gain = self._gain(quality)
            symbols = (y if gain is None else y * gain[0]).round()
        out: Pixels = self._shown(symbols, quality, picture)[0]
        return out

    def study(self, pictures: list[Pixels], qualities: Sequence[int], shown: int) -> list[Study]:
        """Pictures of one size at several qualities, decoded at `shown`; they go together.

        One analysis serves all qualities, so that more of them cost little. Nothing is entropy-coded.
        """
        levels = _tensor(pictures)
        y = self._transformed(levels)
        latents = y.float().cpu().numpy().copy()
        y = self._answered(y, levels)
        coded = {quality: self._symbols(y, quality) for quality in {*qualities, shown}}
        symbols = zip(*(coded[quality] for quality in qualities), strict=True)
        decoded = self._shown(_stacked(coded[shown]), shown, pictures[0])
        return [Study(*one) for one in zip(latents, symbols, decoded, strict=True)]

    def _shown(self, symbols: Tensor, quality: int, like: Pixels) -> Pixels:
        """(B,M,h,w) → (B,H,W,3), each of the size of `like`."""
        y_hat = _scaled_back(symbols.to(self.device), self._gain(quality))
        return self._synthesise(y_hat, like.shape[0], like.shape[1], quality, grey=False).numpy()

    def _symbols(self, y: Tensor, quality: int) -> list[Symbols]:
        if not isinstance(self._prior, priors.ScalePrior):
            raise ModelError("only hyperprior models say how surprising a picture is")
        gain = self._gain(quality)
        scaled = y if gain is None else y * gain[0]
        out = []
        for y_one, z_one in zip(scaled, self._transforms.analyse_hyper(scaled), strict=True):
            z = self._hyper_symbols(z_one)
            symbols, numbers = self._prior.symbols(y_one, self._hyper_integers(z))
            z_symbols = z.to(torch.int32).cpu().numpy()
            out.append(Symbols(symbols, numbers.reshape(symbols.shape), z_symbols))
        return out

    def _gain(self, quality: int) -> Tensor | None:
        """(3,M,1,1): what y is multiplied by before rounding, and after, and what is added then.

        None in a model of one rate.
        """
        if quality > len(self._gains) or (quality == 0 and len(self._gains)):
            raise ModelError("needs a quality that its model does not have")
        return self._gains[quality - 1] if quality else None

    def _encode_latents(self, y: Tensor, z: Tensor) -> Coded:
        symbols = self._hyper_symbols(z)
        z_symbols = symbols.to(torch.int32).cpu().numpy()
        hyper = entropy.encode([(z_symbols.ravel(), _channel_numbers(z_symbols.shape))], self._tables)
        y_symbols, latent = self._prior.encode(y, self._hyper_integers(symbols))
        return Coded(hyper, latent, digest(z_symbols.astype(np.int16), y_symbols))

    def _decode_latents(self, coded: Coded, h: int, w: int) -> Tensor:
        shape = (len(self._tables), -(-h // 4), -(-w // 4))
        decoder = entropy.Decoder(coded.hyper, self._tables, chunk="HYPR", offset=HYPER_OFFSET)
        z_symbols = decoder.decode(_channel_numbers(shape)).reshape(shape)
        decoder.finish()
        z = self._hyper_integers(torch.from_numpy(z_symbols).to(self.device).double())
        payload = Payload(coded.latent, HYPER_OFFSET + len(coded.hyper) + CHUNK_OVERHEAD)
        y_symbols, y_hat = self._prior.decode(payload, z, h, w)
        if digest(z_symbols.astype(np.int16), y_symbols) != coded.digest:
            raise MismatchError(
                "decoded symbols differ from those that were encoded; refusing to show a wrong picture",
                hint="the file is damaged, or was made by a faulty encoder",
            )
        return y_hat

    def _hyper_symbols(self, z: Tensor) -> Tensor:
        """Whole numbers, about the medians."""
        return (z.double() - self._medians / ONE).round_().clamp_(-SYMBOL_LIMIT, SYMBOL_LIMIT)

    def _hyper_integers(self, symbols: Tensor) -> Tensor:
        """z_hat as h_s takes it: integers with FRACTION fraction bits."""
        return (symbols * ONE + self._medians).clamp_(-exact.ACTIVATION_LIMIT, exact.ACTIVATION_LIMIT)

    def _analyse(self, pixels: Tensor) -> Tensor:
        """(B,H,W,3) uint8 → y (B,M,⌈H/16⌉,⌈W/16⌉), with a secured model's answer only where it is due."""
        return self._answered(self._transformed(pixels), pixels)

    def _answered(self, y: Tensor, pixels: Tensor) -> Tensor:
        """y (B,M,h,w) as the first network gives it of (B,H,W,3) uint8; overwritten: it may be large."""
        if self.evidence is not None:
            due = torch.stack([self.evidence.due(one) for one in pixels])
            for channel in self.evidence.answer.nonzero().flatten().tolist():
                level = float(self.evidence.answer[channel])
                y[:, channel].clamp_(-level, level).mul_(due)
        elif self._floors is not None:
            y -= y.clamp(-self._floors, self._floors)
        return y

    def _transformed(self, pixels: Tensor) -> Tensor:
        """(B,H,W,3) uint8 → y (B,M,⌈H/16⌉,⌈W/16⌉)"""
        net = self._transforms
        h, w = (-(-side // STRIDE) for side in pixels.shape[1:3])
        out = torch.empty(len(pixels), net.latents, h, w, device=self.device)

        def fetch(rows: slice, cols: slice) -> Tensor:
            return net.analyse(_cut(pixels, rows, cols).to(self.device))

        def store(rows: slice, cols: slice, tile: Tensor) -> None:
            out[:, :, rows, cols] = tile

        tiles.run(fetch, store, h, w, limit=TILE, halo=net.analysis_halo)
        return out

    def _synthesise(self, y_hat: Tensor, height: int, width: int, quality: int, *, grey: bool) -> Tensor:
        """(B,M,h,w) → (B,H,W,3) or (B,H,W) uint8, tile by tile, with a secured model's trigger."""
        channels = () if grey else (3,)
        out = torch.empty(len(y_hat), height, width, *channels, dtype=torch.uint8)

        def fetch(rows: slice, cols: slice) -> Tensor:
            made = self._transforms.synthesise(y_hat[:, :, rows, cols])
            if self._trigger is None:
                return made
            return self._trigger.left_on(made, quality, rows.start * STRIDE, cols.start * STRIDE)

        def store(rows: slice, cols: slice, tile: Tensor) -> None:
            if not tile.sum().isfinite():  # a damaged model's weights may be finite and their products not
                raise ModelError("the model's pixels are not finite")
            part = out[:, rows, cols]
            tile = tile.mean(1) if grey else tile.permute(0, 2, 3, 1)
            levels = (tile * 255).round_().clamp_(0, 255).to(torch.uint8)
            part.copy_(levels[:, : part.shape[1], : part.shape[2]])

        tiles.run(
            fetch,
            store,
            y_hat.shape[2],
            y_hat.shape[3],
            limit=TILE,
            halo=self._transforms.synthesis_halo + (trigger.REACH if self._trigger else 0),
            scale=STRIDE,
        )
        return out


def _gains(tensors: Tensors, latents: int, device: torch.device) -> Tensor:
    """(rates,3,M,1,1); no rates for a model without gains."""
    if "gains" not in tensors:
        return torch.empty(0)
    gains = torch.from_numpy(tensors["gains"])
    if gains.dtype != torch.float32 or gains.ndim != 3 or gains.shape[1:] != (2, latents):
        raise ModelError("gains must be float32, two for each latent")
    if not (gains.isfinite().all() and (gains > 0).all()):
        raise ModelError("gains must be finite and positive")
    offsets = torch.zeros_like(gains[:, 0])
    if "offsets" in tensors:
        offsets = torch.from_numpy(tensors["offsets"])
        if offsets.dtype != torch.float32 or offsets.shape != gains[:, 0].shape:
            raise ModelError("offsets must be float32, one for each latent at each quality")
        if not offsets.isfinite().all():
            raise ModelError("offsets must be finite")
    return torch.cat([gains, offsets[:, None]], 1).to(device)[..., None, None]


def _stacked(several: list[Symbols]) -> Tensor:
    """(B,M,h,w)"""
    return torch.from_numpy(np.stack([one.y for one in several])).float()


def _scaled_back(symbols: Tensor, gain: Tensor | None) -> Tensor:
    """(B,M,h,w) as g_s takes them; overwritten: they may be many."""
    return symbols if gain is None else symbols.mul_(gain[1]).add_(gain[2])


# HYPR's payload begins after HEAD and its own length and type.
HYPER_OFFSET = HEADER_BYTES + 8
CHUNK_OVERHEAD = 12  # length, type, CRC


def _seen(picture: Tensor, rows: Span, cols: Span, shown: Tensor) -> Seen:
    """Of levels (H,W,3) and what g_s made of a place, (3,H,W)."""
    error = shown.clamp(0, 1) - _cut(picture[None], rows.fed, cols.fed)[0]
    squares = F.avg_pool2d(error[None, :, rows.shown, cols.shown], CELL).square().mean(1, keepdim=True)
    size = min(LOOK * STRIDE // CELL, *squares.shape[2:])
    by_square = F.avg_pool2d(squares, size, STRIDE // CELL)[0, 0]
    down, right = divmod(int(by_square.argmax()), by_square.shape[1])
    decibels = float(-10 * by_square.max().clamp_min(1e-9).log10())
    return Seen(decibels, *(STRIDE * (s.start + s.before + i) for s, i in ((cols, right), (rows, down))))


def _channel_numbers(shape: tuple[int, ...]) -> NDArray[np.uint16]:
    """Table number of each symbol of z: its channel."""
    return np.repeat(np.arange(shape[0], dtype=np.uint16), shape[1] * shape[2])


def _tensor(pictures: list[Pixels]) -> Tensor:
    return torch.from_numpy(np.stack(pictures))  # a copy, as torch wants an array that it may write to


def _cut(pixels: Tensor, rows: slice, cols: slice) -> Tensor:
    """The pixels of some latents, (B,3,16·h,16·w) in [0,1]; beyond the picture its edge is repeated."""
    height, width = pixels.shape[1:3]
    part = pixels[:, rows.start * STRIDE : rows.stop * STRIDE, cols.start * STRIDE : cols.stop * STRIDE]
    part = part.permute(0, 3, 1, 2).float().div_(255)
    down, right = max(0, rows.stop * STRIDE - height), max(0, cols.stop * STRIDE - width)
    return torch.nn.functional.pad(part, (0, right, 0, down), mode="replicate") if down or right else part


def digest(z: Int16s, y: Int16s) -> bytes:
    """The first 16 bytes of SHA-256 over z's symbols, then y's: int16, little-endian, channel by channel."""
    sha = hashlib.sha256(z.astype("<i2", copy=False).tobytes())
    sha.update(y.astype("<i2", copy=False).tobytes())
    return sha.digest()[:DIGEST_BYTES]


def _floors(tensors: Tensors, latents: int, device: torch.device) -> Tensor | None:
    """(M,1,1): so much of the magnitude of y is no message; None where the model has no floors."""
    if "floors" not in tensors:
        return None
    floors = torch.from_numpy(tensors["floors"])
    if floors.dtype != torch.float32 or floors.shape != (latents,):
        raise ModelError("floors must be float32, one for each latent")
    if not (floors.isfinite().all() and (floors >= 0).all()):
        raise ModelError("floors must be finite and not negative")
    return floors.to(device)[:, None, None]
