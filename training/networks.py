"""CompressAI's models as slic trains them: one network for several rates, entropy models in float32.

A gain per channel multiplies y before rounding and another one divides it after, chosen by quality.
h_a sees y as it is rounded, so the scales that h_s predicts fit without knowing the quality: the
integer networks are the same for every rate.

A secure encoder that learnt its trigger from hinges needs a floor per channel to decide: each value of y
loses so much of its magnitude, down to nothing. Convolutions and GDN cannot do that; what sees the trigger
answers any other picture a little, too, which costs bits everywhere and spoils what looks like the trigger.
Channels that answer (secure.py) need none: the encoder looks for the trigger by itself. Here they are silent.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

import torch
from compressai.entropy_models import EntropyBottleneck, GaussianConditional
from compressai.zoo.image import model_architectures
from safetensors.torch import load_file
from torch import Tensor, nn

from slic import transforms
from slic.convert import integer_plans
from slic.entropy import TOTAL
from slic.exact import FRACTION
from training.config import ConfigError, Model
from training.straight_through import replaced
from training.tally import REACH, Tally

LAMBDAS = {1: 0.0018, 2: 0.0035, 3: 0.0067, 4: 0.0130, 5: 0.0250, 6: 0.0483, 7: 0.0932, 8: 0.1800}
"""By quality, for squared error on 255: CompressAI's."""

TRANSFORM = "transform"
"""As `model.start`: set by starts.py, which sees pictures."""

Noise = Callable[[torch.Size], Tensor]
"""Uniform in ±½, standing in for rounding: of the shape of the samples at hand."""


def build(model: Model, *, bf16: bool = False) -> nn.Module:
    """The network of a configuration, with its start weights if it names any; `bf16`: under autocast."""
    cls = model_architectures[model.architecture]
    net = cls(model.N) if model.architecture.startswith("cheng") else cls(model.N, model.M)
    if model.gains:
        start = torch.tensor(list(LAMBDAS.values())).div(LAMBDAS[6]).sqrt().log()
        for name, rows in (("gain", start), ("inverse_gain", -start)):  # (quality, channel), logarithms
            setattr(net, name, nn.Parameter(rows[:, None].repeat(1, net.M)))
    if model.floors:
        net.floor = nn.Parameter(torch.zeros(net.M), requires_grad=False)
    if model.answers:
        net.answer = nn.Parameter(torch.zeros(net.M), requires_grad=False)
    if model.worth:
        net.tally = Tally(model.worth)
    if model.start and model.start != TRANSFORM:
        _start_from(net, _start_weights(model), tuple(model.parts))
    net.entropy_bottleneck.__class__ = Bottleneck32
    net.gaussian_conditional.__class__ = Gaussian32
    net.bf16 = bf16
    return net.to(memory_format=torch.channels_last)


def _start_weights(model: Model) -> dict[str, Tensor]:
    if model.start.startswith("compressai:"):
        return _published(model)
    file = Path(model.start)
    if not file.is_file():
        raise ConfigError(f"model.start: there is no {file}")
    state = load_file(file)
    return _of_model_file(state, model.architecture) if "tables.y.counts" in state else state


def _of_model_file(tensors: dict[str, Tensor], architecture: str) -> dict[str, Tensor]:
    """What `slic.convert` made of a state dict, back as one: integers as the numbers that they stand for."""
    state = {name.removeprefix("training."): value for name, value in tensors.items()}
    for plan in integer_plans(architecture):
        try:
            weight, bias, shift = (state[f"exact.{plan.name}.{part}"] for part in ("weight", "bias", "shift"))
        except KeyError as error:
            raise ConfigError(f"model.start does not fit: it has no {plan.name}") from error
        shift = shift.double()
        outputs = [1, -1, 1, 1] if plan.kind == "deconv" else [-1, 1, 1, 1]
        state[f"{plan.name}.weight"] = torch.ldexp(weight.double(), -shift.view(outputs))
        state[f"{plan.name}.bias"] = torch.ldexp(bias.double(), -shift - FRACTION)
    if "gains" in state:
        state["gain"], state["inverse_gain"] = state["gains"].log().unbind(1)
    if "floors" in state:
        state["floor"] = state["floors"]
    if "tables.y.worth" in state:
        state["tally.counts"] = _counts(state)
    return state


def _counts(tensors: dict[str, Tensor]) -> Tensor:
    """(T,K) as a tally has them, of a model file's tables: as many as make what is expected count little."""
    lengths, first = tensors["tables.y.lengths"].tolist(), tensors["tables.y.first"].tolist()
    counts = torch.zeros(len(lengths), REACH)
    for row, shares, start in zip(counts, tensors["tables.y.counts"].split(lengths), first, strict=True):
        half = shares[-start:-1].double() / TOTAL
        row[0], row[1 : len(half)] = half[0], 2 * half[1:]
    return counts * 1e7


def _published(model: Model) -> dict[str, Tensor]:
    """CompressAI's own weights: "compressai:6" downloads those of quality 6."""
    from compressai.zoo import image_models

    try:
        quality = int(model.start.removeprefix("compressai:"))
        state: dict[str, Tensor] = image_models[model.architecture](quality, pretrained=True).state_dict()
    except ValueError as error:
        raise ConfigError(f"model.start: {model.start} is none that CompressAI has") from error
    except OSError as error:  # URLError is one
        raise ConfigError(f"model.start: {model.start} could not be downloaded: {error}") from error
    return state


@torch.no_grad()
def _start_from(net: nn.Module, state: dict[str, Tensor], parts: tuple[str, ...]) -> None:
    """Parameters and counts: bounds such as 1e-9 are buffers, too, and a float16 file holds them as zero."""
    wrong = []
    for name, parameter in net.named_parameters():
        if parts and not name.startswith(parts):
            continue
        if name in state and state[name].shape == parameter.shape:
            parameter.copy_(state[name].float())
        elif not name.endswith(("gain", "floor")):  # not in every start
            wrong.append(name)
    if hasattr(net, "tally") and "tally.counts" in state:
        net.tally.counts.copy_(state["tally.counts"])
    if wrong:
        raise ConfigError(f"model.start does not fit: {len(wrong)} weights missing, {wrong[0]} the first")


class Bottleneck32(EntropyBottleneck):
    """Outside autocast: its tails need more digits than bf16 has."""

    def likelihood(self, z: Tensor) -> Tensor:
        """(B,N,h,w), rounded or noisy → probabilities of the same shape."""
        with torch.autocast(z.device.type, enabled=False):
            by_channel = z.float().transpose(0, 1)  # (N,B,h,w)
            likelihood, _, _ = self._likelihood(by_channel.reshape(len(by_channel), 1, -1))
            bounded = self.likelihood_lower_bound(likelihood)
            return bounded.view(by_channel.shape).transpose(0, 1)

    def medians(self) -> Tensor:
        return self.quantiles[:, 0, 1].detach()[:, None, None]  # (N,1,1)


class Gaussian32(GaussianConditional):
    """Outside autocast, like the bottleneck."""

    def likelihood(self, y: Tensor, scales: Tensor, means: Tensor | None) -> Tensor:
        with torch.autocast(y.device.type, enabled=False):
            means = None if means is None else means.float()
            likelihood = self._likelihood(y.float(), scales.float(), means)
            return self.likelihood_lower_bound(likelihood)


@dataclass(frozen=True)
class Coded:
    pixels: Tensor
    """(B,3,H,W) in about [0,1], float32."""
    bpp: Tensor
    """(B,) bits per pixel."""


def code(net: nn.Module, x: Tensor, quality: Tensor, noise: Noise | None) -> Coded:
    """Encode and decode (B,3,H,W), H and W multiples of 64; without `noise` with rounding, as files do it.

    Channels that answer are silent, and no trigger is left: so is an innocent picture coded.
    """
    with torch.autocast(x.device.type, torch.bfloat16, enabled=net.bf16):
        gains = hasattr(net, "gain")
        y = net.g_a(x)  # (B,M,H/16,W/16)
        if hasattr(net, "answer"):
            y = torch.where(net.answer[:, None, None] > 0, 0, y)
        elif hasattr(net, "floor"):
            y = above(y, net.floor[:, None, None])
        y = y * net.gain[quality - 1].exp()[:, :, None, None] if gains else y
        y_hat, of_y, of_z = symbols(net, y, noise)
        bits = of_y.sum((1, 2, 3)) + of_z.sum((1, 2, 3))
        y_hat = y_hat * net.inverse_gain[quality - 1].exp()[:, :, None, None] if gains else y_hat
        pixels = net.g_s(y_hat).float()
    return Coded(pixels, bits / (x.shape[2] * x.shape[3]))


def symbols(net: nn.Module, y: Tensor, noise: Noise | None) -> tuple[Tensor, Tensor, Tensor]:
    """y (B,M,h,w), scaled → y as it is coded, and the bits of each of its values and of z's."""
    joint = hasattr(net, "context_prediction")
    z = net.h_a(y if joint else y.abs()).float()  # (B,N,h/4,w/4)
    y, medians = y.float(), net.entropy_bottleneck.medians()
    z_hat = z + noise(z.shape) if noise else _rounded(z, medians)
    of_z = -net.entropy_bottleneck.likelihood(z_hat).log2()
    if hasattr(net, "tally"):
        return *net.tally(y, net.h_s(_rounded(z, medians)).float()), of_z
    y_hat, means = y + noise(y.shape) if noise else _rounded(y), None
    if joint:
        around = torch.cat((net.h_s(z_hat), net.context_prediction(y_hat)), 1)
        scales, means = net.entropy_parameters(around).chunk(2, 1)
        y_hat = y_hat if noise else _rounded(y, means)
    else:
        scales = net.h_s(z_hat)
    return y_hat, -net.gaussian_conditional.likelihood(y_hat, scales, means).log2(), of_z


def above(y: Tensor, floor: Tensor) -> Tensor:
    """What of y lies beyond ±floor. What does not has a share of the gradient: a trigger just missed must
    learn."""
    near = (y.detach().abs() / floor.clamp_min(1e-6)).clamp_max(1)
    return replaced(y * near, y - y.clamp(-floor, floor))


def _rounded(x: Tensor, about: Tensor | float = 0.0) -> Tensor:
    """To whole steps from `about`; the gradient passes, for a frozen codec is also an attack."""
    return replaced(x, (x - about).round() + about)


class Vanilla(nn.Module):
    """A frozen plain codec, the weights `start` of the kind of `model`, as an attack at one quality."""

    def __init__(self, model: Model, start: str, quality: int, *, bf16: bool) -> None:
        super().__init__()
        plain = replace(model, start=start, parts=[], floors=False)
        n, m = transforms.sizes(model.architecture, _start_weights(plain))  # its own, not those of `model`
        self.net = build(replace(plain, N=n, M=m), bf16=bf16).eval().requires_grad_(False)
        self.quality = quality

    def forward(self, x: Tensor) -> Tensor:
        """(B,3,H,W) of any size."""
        height, width = x.shape[2:]
        padded = nn.functional.pad(x, (0, -width % 64, 0, -height % 64), mode="replicate")
        quality = torch.full((len(x),), self.quality, device=x.device)
        return code(self.net, padded, quality, None).pixels[:, :, :height, :width]
