"""From z to the probabilities of y, and with them y's symbols to bytes and back.

`ScalePrior` (bmshj2018-hyperprior): h_s gives every latent its scale; all symbols are one block.
`ContextPrior` (mbt2018, cheng2020): mean and scale also depend on latents above and to the left, through
a 5x5 mask. All places of equal column + 3·row are independent under it, so they are coded by wavefront:
a 48x32 latent takes 141 steps instead of 1,536, each a handful of matrix products.

          · · · · ·        step of each place (column + 3·row):   0 1 2 3 …
          · · · · ·                                              3 4 5 6 …
          · · x                                                  6 7 8 9 …

Both give the same symbols and bytes on every device: see exact.py.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Protocol, cast

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from slic import entropy, exact, rounding, tiles
from slic.entropy import SYMBOL_LIMIT, Int32s
from slic.errors import ModelError
from slic.exact import ONE, IntegerLayer, IntegerNet
from slic.models import Tensors

Int16s = NDArray[np.int16]

HYPER_TILE = 64  # places of z a side
BUNDLE = 32  # steps of the wavefront whose products with h_s's output are made together
_TAPS = [(dr, dc) for dr in (-2, -1) for dc in (-2, -1, 0, 1, 2)] + [(0, -2), (0, -1)]


@dataclass(frozen=True)
class Payload:
    """The bytes of LATN, and where in the file they begin."""

    data: bytes
    offset: int


class Prior(Protocol):
    takes: int
    """Channels of z."""
    gives: int
    """Channels that h_s gives: M, or twice as many with means."""

    def encode(self, y: Tensor, z: Tensor) -> tuple[Int16s, bytes]:
        """(M,h,w) in fp32 and z's integers → symbols, payload."""

    def decode(self, payload: Payload, z: Tensor, height: int, width: int) -> tuple[Int16s, Tensor]:
        """Symbols and y_hat, (M,h,w) in fp32."""


def load(architecture: str, tensors: Tensors, device: torch.device) -> Prior:
    if architecture == "bmshj2018-hyperprior":
        return ScalePrior(architecture, tensors, device)
    return ContextPrior(architecture, tensors, device)


class _HyperSynthesis:
    """h_s over z of any size, cropped to y."""

    def __init__(self, architecture: str, tensors: Tensors, device: torch.device) -> None:
        self.net = IntegerNet(exact.HYPER_SYNTHESIS[architecture], tensors, device)
        self.channels = self.net.layers[-1].outputs

    def __call__(self, z: Tensor, height: int, width: int) -> Tensor:
        """(N,⌈h/4⌉,⌈w/4⌉) → (C,h,w): integers of at most 25 bits and sign, exact in fp32."""
        out = torch.empty(self.channels, height, width, device=z.device)

        def store(rows: slice, cols: slice, tile: Tensor) -> None:
            part = out[:, rows, cols]
            part.copy_(tile[0, :, : part.shape[1], : part.shape[2]])

        tiles.run(
            lambda rows, cols: self.net(z[None, :, rows, cols]),
            store,
            z.shape[1],
            z.shape[2],
            limit=HYPER_TILE,
            halo=exact.HYPER_HALO,
            scale=4,
        )
        return out


class ScalePrior:
    def __init__(self, architecture: str, tensors: Tensors, device: torch.device) -> None:
        self._hyper = _HyperSynthesis(architecture, tensors, device)
        self.takes, self.gives = self._hyper.net.layers[0].inputs, self._hyper.channels
        self._tables, self._scales = load_tables(tensors, device)
        self._drops = _drops(tensors, self._tables, device)

    def _numbers(self, z: Tensor, height: int, width: int) -> Tensor:
        """(M,h,w), uint8: the table of each."""
        return exact.scale_index(self._hyper(z, height, width), self._scales)

    def symbols(self, y: Tensor, z: Tensor) -> tuple[Int32s, NDArray[np.uint8]]:
        """(M,h,w) symbols, and the number of the table for each, in raster order."""
        numbers = self._numbers(z, y.shape[1], y.shape[2])
        chosen = y.round() if self._drops is None else rounding.towards_zero(y, numbers, self._drops)
        symbols = chosen.clamp_(-SYMBOL_LIMIT, SYMBOL_LIMIT).to(torch.int32).cpu().numpy()
        return symbols, numbers.flatten().cpu().numpy()

    def encode(self, y: Tensor, z: Tensor) -> tuple[Int16s, bytes]:
        symbols, numbers = self.symbols(y, z)
        payload = entropy.encode([(symbols.ravel(), numbers)], self._tables)
        return symbols.astype(np.int16), payload

    def decode(self, payload: Payload, z: Tensor, height: int, width: int) -> tuple[Int16s, Tensor]:
        numbers = self._numbers(z, height, width).flatten().cpu().numpy()
        decoder = entropy.Decoder(payload.data, self._tables, chunk="LATN", offset=payload.offset)
        symbols = decoder.decode(numbers).reshape(-1, height, width)
        decoder.finish()
        return symbols.astype(np.int16), torch.from_numpy(symbols).to(z.device).float()


class ContextPrior:
    def __init__(self, architecture: str, tensors: Tensors, device: torch.device) -> None:
        self._hyper = _HyperSynthesis(architecture, tensors, device)
        self.takes, self.gives = self._hyper.net.layers[0].inputs, self._hyper.channels
        self._tables, self._scales = load_tables(tensors, device)
        (context,) = IntegerNet(exact.CONTEXT, tensors, device).layers
        self._context = _over_taps(context)
        first, *rest = IntegerNet(exact.ENTROPY_PARAMETERS, tensors, device).layers
        latents = self._hyper.channels // 2
        shapes = context.inputs, first.inputs, rest[-1].outputs
        if shapes != (latents, self._hyper.channels + context.outputs, self._hyper.channels):
            raise ModelError("the context model's layers do not fit each other")
        if any(layer.kernel != 1 for layer in (first, *rest)):
            raise ModelError("the entropy parameters' layers must have 1x1 kernels")
        self._first, self._rest = first, [_Rows(layer) for layer in rest]
        split = torch.split(first.weight, [self._hyper.channels, len(context.bias)], 1)
        self._from_hyper, self._from_context = (part.T.contiguous() for part in split)

    @torch.inference_mode()
    def encode(self, y: Tensor, z: Tensor) -> tuple[Int16s, bytes]:
        field = _Field(self._hyper(z, y.shape[1], y.shape[2]))
        wanted = y.permute(1, 2, 0).flatten(0, 1)  # (h·w, M)
        symbols = np.empty((len(wanted), y.shape[0]), np.int16)
        blocks = []
        for step, known in self._steps(field):
            scales, means = self._predict(field, step, known)
            ideal = wanted[step.places].double() - means / ONE
            chosen = ideal.round_().clamp_(-SYMBOL_LIMIT, SYMBOL_LIMIT)
            field.fill(step, chosen * ONE + means)
            numbers = exact.scale_index(scales, self._scales).flatten().cpu().numpy()
            block = chosen.to(torch.int32).flatten().cpu().numpy()
            blocks.append((block, numbers))
            symbols[step.places] = block.reshape(chosen.shape)
        return _channels_first(symbols, y.shape[1]), entropy.encode(blocks, self._tables)

    @torch.inference_mode()
    def decode(self, payload: Payload, z: Tensor, height: int, width: int) -> tuple[Int16s, Tensor]:
        field = _Field(self._hyper(z, height, width))
        decoder = entropy.Decoder(payload.data, self._tables, chunk="LATN", offset=payload.offset)
        symbols = np.empty((height * width, field.channels), np.int16)
        for step, known in self._steps(field):
            scales, means = self._predict(field, step, known)
            numbers = exact.scale_index(scales, self._scales).flatten().cpu().numpy()
            block = decoder.decode(numbers).reshape(means.shape)
            field.fill(step, torch.from_numpy(block).to(means.device) * ONE + means)
            symbols[step.places] = block
        decoder.finish()
        return _channels_first(symbols, height), field.latents()

    def _steps(self, field: "_Field") -> Iterator[tuple["_Step", Tensor]]:
        """Each step, and what h_s alone contributes to the first layer's sums there.

        That part waits for no latent, so it is one large product for many steps, not a small one for each.
        """
        steps = field.steps()
        for start in range(0, len(steps), BUNDLE):
            bundle = steps[start : start + BUNDLE]
            hyper = [field.hyper[step.places] for step in bundle]
            known = torch.cat(hyper).double() @ self._from_hyper + self._first.bias.T
            yield from zip(bundle, torch.split(known, [len(places) for places in hyper]), strict=True)

    def _predict(self, field: "_Field", step: "_Step", known: Tensor) -> tuple[Tensor, Tensor]:
        """Scales and means of the latents of a step, both (n, M)."""
        sums = (self._context(field.neighbours(step)) @ self._from_context).add_(known)
        rows = exact.activate(exact.floor_and_clip(sums), self._first.plan.activation)
        for layer in self._rest:
            rows = layer(rows)
        scales, means = rows.chunk(2, 1)
        return scales, means


def _channels_first(symbols: Int16s, height: int) -> Int16s:
    """(h·w, M) → (M, h, w)"""
    return np.ascontiguousarray(symbols.reshape(height, -1, symbols.shape[1]).transpose(2, 0, 1))


@dataclass(frozen=True)
class _Step:
    """Places of one step, top to bottom: from one to the next a row down and three columns back."""

    places: slice
    """In raster order."""
    framed: slice
    """In the frame."""


class _Field:
    """y_hat in integers while it is being made, in a frame of zeros, places in raster order."""

    def __init__(self, hyper: Tensor) -> None:
        twice, self.height, self.width = hyper.shape
        self.channels = twice // 2
        self.hyper = hyper.permute(1, 2, 0).flatten(0, 1).contiguous()  # (h·w, 2M)
        self._stride = self.width + 4  # two places of frame left and right, two rows above
        self._latents = hyper.new_zeros((self.height + 2) * self._stride, self.channels, dtype=torch.float64)
        flat = self._latents.view(-1)
        self._twos, self._fives = (  # that many places in a row, beginning at each place
            flat.unfold(0, count * self.channels, self.channels) for count in (2, 5)
        )

    def steps(self) -> list[_Step]:
        """The wavefront."""
        out = []
        for step in range(self.width + 3 * (self.height - 1)):
            top, bottom = max(0, (step - self.width) // 3 + 1), min(self.height - 1, step // 3)
            if top <= bottom:  # a latent narrower than three places has steps without any
                places = _every(self.width - 3, step, top, bottom)
                framed = _every(self._stride - 3, step + 2 * self._stride + 2, top, bottom)
                out.append(_Step(places, framed))
        return out

    def neighbours(self, step: _Step) -> Tensor:
        """(n, 12·M): the latents under the mask, tap by tap."""
        above, here = self._stride + 2, step.framed
        return torch.cat(
            [
                self._fives[_back(here, above + self._stride)],
                self._fives[_back(here, above)],
                self._twos[_back(here, 2)],
            ],
            1,
        )

    def fill(self, step: _Step, latents: Tensor) -> None:
        limit = exact.ACTIVATION_LIMIT
        self._latents[step.framed] = latents.clamp_(-limit, limit)

    def latents(self) -> Tensor:
        """y_hat, (M,h,w) in fp32."""
        framed = self._latents.view(self.height + 2, self._stride, self.channels)
        return (framed[2:, 2:-2] / ONE).float().permute(2, 0, 1)


def _every(stride: int, first: int, top: int, bottom: int) -> slice:
    """first + row · stride for each row from top to bottom."""
    stop = first + bottom * stride + 1
    return slice(first + top * stride, stop, stride) if top < bottom else slice(stop - 1, stop)


def _back(places: slice, count: int) -> slice:
    return slice(places.start - count, places.stop - count, places.step)


class _Rows:
    """A layer of integers on rows (n, I) → (n, O)."""

    def __init__(self, layer: IntegerLayer, weight: Tensor | None = None) -> None:
        self._matrix = (layer.weight if weight is None else weight).T.contiguous()  # (I, O)
        self._bias = layer.bias[:, 0].contiguous()
        self._activation = layer.plan.activation

    def __call__(self, x: Tensor) -> Tensor:
        sums = (x @ self._matrix).add_(self._bias)
        return exact.activate(exact.floor_and_clip(sums), self._activation)


def _over_taps(layer: IntegerLayer) -> _Rows:
    """The masked 5x5 convolution, its weights ordered tap by tap as `neighbours` gives the latents."""
    if layer.kernel != 5:
        raise ModelError("the context model must have a 5x5 mask")
    weight = layer.weight.view(len(layer.bias), -1, 5, 5)
    taps = torch.stack([weight[:, :, dr + 2, dc + 2] for dr, dc in _TAPS], 1)  # (O, 12, M)
    return _Rows(layer, taps.flatten(1))


def load_tables(tensors: Tensors, device: torch.device) -> tuple[entropy.Tables, Tensor]:
    """y's tables, and which of them is each scale's."""
    tables, thresholds = stored_tables(tensors, "y"), int32s(tensors, "tables.y.thresholds")
    if len(tables) > 256:  # a table's number is a byte
        raise ModelError("there are more than 256 tables of y")
    rising = thresholds.shape == (len(tables) - 1,) and (np.diff(thresholds) > 0).all()
    if not rising or thresholds.min(initial=0) < 0 or thresholds.max(initial=0) > exact.ACTIVATION_LIMIT:
        raise ModelError("thresholds between the scales are damaged")
    return tables, exact.scale_table(thresholds).to(device)


def _drops(tensors: Tensors, tables: entropy.Tables, device: torch.device) -> Tensor | None:
    """What a model says of how its latents are rounded; None: to the nearest."""
    worth = tensors.get("tables.y.worth")
    if worth is None:
        return None
    if worth.dtype != np.float32 or worth.shape != (1,) or not 0 < worth[0] < np.inf:
        raise ModelError("what a step of y is worth must be one float32 above 0")
    bits = torch.from_numpy(tables.bits(rounding.MAGNITUDES)).float()
    return rounding.drops(bits, float(worth[0])).to(device)


def stored_tables(tensors: Tensors, latent: str) -> entropy.Tables:
    counts, lengths, first = (int32s(tensors, f"tables.{latent}.{p}") for p in ("counts", "lengths", "first"))
    return entropy.Tables(counts, lengths, first)


def int32s(tensors: Tensors, name: str) -> NDArray[np.int32]:
    """A tensor of this type and no other: a cast could turn what is refused into what is taken."""
    array = tensors.get(name)
    if array is None or array.dtype != np.int32 or array.ndim != 1:
        raise ModelError(f"{name} is missing or no row of int32")
    return cast(NDArray[np.int32], array)
