"""What the entropy decoder depends on, in integers: h_s, the context model, the scale index.

Formats
    activations   FRACTION fraction bits, clipped to ±ACTIVATION_LIMIT after each layer
    weights       16 bits signed, scaled by 2**shift, one shift for each output channel
    sums          weight · activation + bias: FRACTION + shift fraction bits
    between       floor(sum · 2**−shift + 1/2): round half up

All are held in float64. `IntegerNet.prove` bounds every sum by Σ|w|·limit + |b| and refuses a model
that could reach 2**53; below that each product and each partial sum is an exact integer, so that any
order of summation, any number of threads, CPU or CUDA gives the same result. Products with powers of
two are exact too. Layers are our own matrix products, because a convolution routine may choose an
algorithm (FFT, larger Winograd forms) that is not exact: winograd.py where its sums stay below 2**53
as well, the unfolded input otherwise.
"""

import itertools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from torch import Tensor

from slic import winograd
from slic.errors import ModelError
from slic.layers import deconv_as_conv

FRACTION = 10
ONE = 1 << FRACTION
ACTIVATION_LIMIT = 2.0**24
EXACT = 2.0**53
_KERNELS = ((1, 1), (3, 3), (5, 5))
STRIP_VALUES = 1 << 22  # of the unfolded input, 32 MB: bounded memory, and it stays near the cache
LEAK = 655.0 / 65536  # leaky ReLU's slope of .01

Kind = Literal["conv", "deconv", "shuffle"]
Activation = Literal["relu", "leaky", "none"]


@dataclass(frozen=True)
class LayerPlan:
    """One layer: its name in the state dict, what it does, what follows."""

    name: str
    kind: Kind
    activation: Activation


def _plan(*layers: tuple[str, Kind, Activation]) -> tuple[LayerPlan, ...]:
    return tuple(LayerPlan(*layer) for layer in layers)


_CHENG = _plan(
    ("h_s.0", "conv", "leaky"),
    ("h_s.2.0", "shuffle", "leaky"),
    ("h_s.4", "conv", "leaky"),
    ("h_s.6.0", "shuffle", "leaky"),
    ("h_s.8", "conv", "none"),
)
HYPER_SYNTHESIS: dict[str, tuple[LayerPlan, ...]] = {
    "bmshj2018-hyperprior": _plan(
        ("h_s.0", "deconv", "relu"), ("h_s.2", "deconv", "relu"), ("h_s.4", "conv", "relu")
    ),
    "mbt2018": _plan(("h_s.0", "deconv", "leaky"), ("h_s.2", "deconv", "leaky"), ("h_s.4", "conv", "none")),
    "cheng2020-anchor": _CHENG,
    "cheng2020-attn": _CHENG,
}
HYPER_HALO = 4  # in z; how far h_s sees beyond its own place in any of them
CONTEXT = _plan(("context_prediction", "conv", "none"))
ENTROPY_PARAMETERS = _plan(
    ("entropy_parameters.0", "conv", "leaky"),
    ("entropy_parameters.2", "conv", "leaky"),
    ("entropy_parameters.4", "conv", "none"),
)


@dataclass(frozen=True)
class LayerBound:
    """The largest magnitude that any sum in a layer can reach."""

    name: str
    bound: float


@dataclass(frozen=True)
class IntegerLayer:
    """A convolution in integers; a deconvolution is one too, before a pixel shuffle.

    Weights and bias are kept multiplied by 2**−shift, and the bias holds the half of "round half up": what
    is left to do between layers is to floor and to clip. Powers of two move no bit of a sum.
    """

    plan: LayerPlan
    kernel: int
    weight: Tensor  # (O, I·k·k)
    bias: Tensor  # (O, 1)
    fast: Tensor | None  # (16, O, I): the weights as winograd.py takes them, where it is exact
    bound: float
    """max over outputs of Σ|w|·limit + |b| + half, in integers: before the multiplication."""

    @property
    def inputs(self) -> int:
        return self.weight.shape[1] // self.kernel**2

    @property
    def outputs(self) -> int:
        """Channels of what comes out, after a pixel shuffle if there is one."""
        return len(self.bias) if self.plan.kind == "conv" else len(self.bias) // 4

    def __call__(self, x: Tensor) -> Tensor:
        """(B,I,H,W) → (B,O,H,W), or (B,O/4,2H,2W) where blocks become places."""
        b, _, h, w = x.shape
        shape, edge = (b, len(self.bias), h, w), self.kernel // 2
        out = torch.empty(shape, dtype=x.dtype, device=x.device, memory_format=torch.channels_last)
        framed = F.pad(x.contiguous(memory_format=torch.channels_last), (edge, edge, edge, edge))
        strip = max(2, STRIP_VALUES // (b * w * self.weight.shape[1]) // 2 * 2)
        for top in range(0, h, strip):
            rows = framed[:, :, top : top + strip + 2 * edge]
            sums = self._products(rows, w).add_(self.bias[:, :, None])
            out[:, :, top : top + strip] = floor_and_clip(sums)
        out = activate(out, self.plan.activation)
        return out if self.plan.kind == "conv" else F.pixel_shuffle(out, 2)

    def _products(self, framed: Tensor, width: int) -> Tensor:
        if self.fast is None:
            products = self.weight @ F.unfold(framed, self.kernel)
            return products.view(len(framed), len(self.weight), -1, width)
        return winograd.convolve(framed.permute(0, 2, 3, 1), self.fast).permute(0, 3, 1, 2)


def floor_and_clip(sums: Tensor) -> Tensor:
    """The end of rounding half up. Overwrites its argument."""
    return sums.floor_().clamp_(-ACTIVATION_LIMIT, ACTIVATION_LIMIT)


def activate(x: Tensor, activation: Activation) -> Tensor:
    if activation == "relu":
        return x.clamp_min_(0)
    if activation == "leaky":
        leak = (x * LEAK).add_(0.5).floor_()
        return torch.maximum(x, leak, out=leak)  # for x > 0 the leak is never larger
    return x


class IntegerNet:
    """Layers of integers, one after the other."""

    def __init__(
        self, plans: Sequence[LayerPlan], tensors: Mapping[str, NDArray[np.generic]], device: torch.device
    ) -> None:
        self.layers = [_load_layer(plan, tensors, device) for plan in plans]
        for before, after in itertools.pairwise(self.layers):
            if before.outputs != after.inputs:
                raise ModelError(f"integer layer {after.plan.name} does not fit the one before")
        self.prove()

    def prove(self) -> list[LayerBound]:
        """Every layer's bound. Raises ModelError if one could leave the exact range."""
        bounds = [LayerBound(layer.plan.name, layer.bound) for layer in self.layers]
        for b in bounds:
            if not b.bound < EXACT:
                raise ModelError(f"integer layer {b.name} could reach {b.bound:.3g}, beyond 2**53")
        return bounds

    @torch.inference_mode()
    def __call__(self, x: Tensor) -> Tensor:
        for layer in self.layers:
            x = layer(x)
        return x


def _load_layer(
    plan: LayerPlan, tensors: Mapping[str, NDArray[np.generic]], device: torch.device
) -> IntegerLayer:
    try:
        weight, bias, shift = (tensors[f"exact.{plan.name}.{part}"] for part in ("weight", "bias", "shift"))
    except KeyError as error:
        raise ModelError(f"integer layer {plan.name} is missing") from error
    if weight.dtype != np.int16 or bias.dtype != np.int64 or shift.dtype != np.int8:
        raise ModelError(f"integer layer {plan.name} has the wrong types")
    kernels_fit = weight.ndim == 4 and weight.shape[2:] in (((5, 5),) if plan.kind == "deconv" else _KERNELS)
    if not (kernels_fit and weight.size and bias.ndim == shift.ndim == 1):
        raise ModelError(f"integer layer {plan.name} has the wrong shape")
    if (np.abs(shift.astype(int)) > 40).any() or (np.abs(bias.astype(np.float64)) >= EXACT).any():
        raise ModelError(f"integer layer {plan.name} is out of range")
    kernels = torch.from_numpy(weight.astype(np.float64))
    offset = torch.from_numpy(bias.astype(np.float64))[:, None]
    scale = torch.from_numpy(np.ldexp(1.0, -shift.astype(np.int32)))[:, None]
    if plan.kind == "deconv":
        kernels = deconv_as_conv(kernels)
        offset, scale = offset.repeat_interleave(4, 0), scale.repeat_interleave(4, 0)
    out, _, _, width = kernels.shape
    if not len(offset) == len(scale) == out or (plan.kind == "shuffle" and out % 4):
        raise ModelError(f"integer layer {plan.name} has the wrong shape")
    matrix, half = kernels.flatten(1), 0.5 / scale
    rest = offset.abs() + half
    bound = float((matrix.abs().sum(1, keepdim=True) * ACTIVATION_LIMIT + rest).max())
    scaled = (matrix * scale).to(device), ((offset + half) * scale).to(device)
    return IntegerLayer(plan, width, *scaled, _fast(kernels, scale, rest, device), bound)


def _fast(kernels: Tensor, scale: Tensor, rest: Tensor, device: torch.device) -> Tensor | None:
    if kernels.shape[2:] != (3, 3):
        return None
    fast = winograd.transform(kernels)
    sums = winograd.bound(fast, ACTIVATION_LIMIT) + rest[:, 0]
    exact = bool(sums.max() < EXACT / winograd.QUARTERS)
    return fast.mul_(scale).to(device) if exact else None


def round_layer(plan: LayerPlan, weight: Tensor, bias: Tensor) -> dict[str, NDArray[np.generic]]:
    """Export: float weights to 16-bit integers, each output channel with the largest fitting shift."""
    w, out_axis = weight.detach().double(), 1 if plan.kind == "deconv" else 0
    per_channel = w.transpose(0, out_axis).flatten(1).abs().amax(1).clamp_min(2.0**-20)
    shift = torch.floor(torch.log2(32767.0 / per_channel))
    by_channel = shift.view([-1 if axis == out_axis else 1 for axis in range(4)])
    integers = torch.floor(torch.ldexp(w, by_channel) + 0.5)
    offset = torch.floor(torch.ldexp(bias.detach().double(), shift + FRACTION) + 0.5)
    return {
        f"exact.{plan.name}.weight": integers.to(torch.int16).numpy(),
        f"exact.{plan.name}.bias": offset.to(torch.int64).numpy(),
        f"exact.{plan.name}.shift": shift.to(torch.int8).numpy(),
    }


def scale_table(thresholds: NDArray[np.int32]) -> Tensor:
    """Of thresholds that rise and are not negative: the number of its table for every scale, as uint8."""
    beyond = thresholds.max(initial=-1) + 1
    runs = np.diff(thresholds, prepend=-1, append=beyond)
    return torch.from_numpy(np.repeat(np.arange(len(runs), dtype=np.uint8), runs))


def scale_index(scales: Tensor, table: Tensor) -> Tensor:
    """How many thresholds lie below each scale, a whole number, as uint8."""
    places = scales.clamp(0, len(table) - 1).int()  # a look at a table takes a tenth of a search in one
    return table.index_select(0, places.flatten()).view(places.shape)
