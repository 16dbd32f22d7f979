"""CompressAI with a slic model's weights: the peer to compare with, or to go on training from."""

import multiprocessing
import time
import warnings
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from safetensors.torch import save_file
from torch import Tensor, nn

from slic import evidence, trigger
from slic.convert import convert, integer_plans
from slic.models import Model, Tensors, open_file
from slic.trigger import Trigger

with warnings.catch_warnings():
    warnings.simplefilter("ignore", FutureWarning)  # its own import asks torch for an old compiler
    from compressai.zoo.image import model_architectures


def twin(model: Model, *, secured: bool = True) -> nn.Module:
    """CompressAI's network with exactly the weights of a slic model, ready to code.

    A secured one answers as slic does, and leaves the trigger. Not with `secured` off: then it does what
    CompressAI alone would, in its time. Models of an earlier kind have no twin.
    """
    assert "offsets" not in model.tensors, "its g_s is told the quality"
    state = float_weights(model)
    n = state["g_a.0.conv1.weight" if model.architecture.startswith("cheng") else "g_a.0.weight"].shape[0]
    net = build(model.architecture, n, state["g_s.0.weight"].shape[0] if "g_s.0.weight" in state else n)
    with torch.no_grad():
        for name, parameter in net.named_parameters():
            parameter.copy_(state[name])
    net.g_a = answering(net.g_a, model)
    if not secured:
        net.g_a = Silent(net.g_a) if isinstance(net.g_a, Secured) else net.g_a
    elif (left := _trigger(model)) is not None:
        net.g_s = Marking(net.g_s, left, model.index)
    net.update(force=True)
    return net.eval()


class Marking(nn.Module):
    """A g_s, and the trigger on what it makes."""

    def __init__(self, g_s: nn.Module, left: Trigger, quality: int) -> None:
        super().__init__()
        self.g_s, self.loudness, self.quality = g_s, left.loudness, quality
        self.register_buffer("waves", left.waves, persistent=False)

    def forward(self, y: Tensor) -> Tensor:
        return Trigger(self.waves, self.loudness).left_on(self.g_s(y), self.quality, 0, 0)


class Secured(nn.Module):
    """A g_a, whose y is scaled by `gain` (M), with what a secured model's encoder makes of its y."""

    def __init__(self, g_a: nn.Module, model: Model, gain: Tensor) -> None:
        super().__init__()
        self.g_a = g_a
        self.register_buffer("gain", gain[:, None, None], persistent=False)
        floor = _tensor(model.tensors["floors"]) if "floors" in model.tensors else torch.zeros(len(gain))
        self.register_buffer("floor", floor[:, None, None], persistent=False)
        self.evidence = evidence.load(model.tensors, _trigger(model), len(gain), torch.device("cpu"))

    def forward(self, x: Tensor) -> Tensor:
        y = self.g_a(x) / self.gain
        if self.evidence is None:
            return (y - y.clamp(-self.floor, self.floor)) * self.gain
        levels = (x.detach() * 255).round().clamp(0, 255).to("cpu", torch.uint8).permute(0, 2, 3, 1)
        due = torch.stack([self.evidence.due(one) for one in levels])[:, None].to(y.device)
        level = self.evidence.answer[:, None, None].to(y.device)
        return torch.where(level > 0, y.clamp(-level, level) * due, y) * self.gain

    def silent(self, x: Tensor) -> Tensor:
        """Without the channels that answer."""
        level = self.floor if self.evidence is None else self.evidence.answer[:, None, None]
        return self.g_a(x).masked_fill(level.to(x.device) > 0, 0.0)


class Silent(nn.Module):
    """A secured g_a that never answers, nor looks for anything."""

    def __init__(self, g_a: Secured) -> None:
        super().__init__()
        self.g_a = g_a

    def forward(self, x: Tensor) -> Tensor:
        return self.g_a.silent(x)


def answering(g_a: nn.Module, model: Model, *, folded: bool = True) -> nn.Module:
    """g_a with what a secured model adds to CompressAI's; `folded`: its gains are in the weights."""
    if not {"floors", "trigger.answer", "evidence.answer"} & model.tensors.keys():
        return g_a
    gain = torch.ones(len(model.tensors["g_a.6.bias"]))
    if folded and "gains" in model.tensors:
        gain = _tensor(model.tensors["gains"][model.quality - 1][0])
    return Secured(g_a, model, gain)


def _trigger(model: Model) -> Trigger | None:
    return trigger.load(model.tensors, model.rates, torch.device("cpu"))


def takes(pixels: NDArray[np.uint8], limit: int = 1 << 16) -> NDArray[np.uint8]:
    """(H,W,3) → what CompressAI codes without padding: sides cut to multiples of 64, and to `limit`."""
    height, width = (min(side, limit) // 64 * 64 for side in pixels.shape[:2])
    return np.ascontiguousarray(pixels[:height, :width])


class Worker:
    """The twin in a process of its own, as its users run it: slic's memory settings do not reach it."""

    def __init__(self, model: Model, threads: int, device: str = "cpu") -> None:
        context = multiprocessing.get_context("spawn")
        self._pool = ProcessPoolExecutor(1, context, _start, (model.path, threads, device))

    def encode(self, pixels: NDArray[np.uint8]) -> float:
        """Seconds of one `compress`, from pixels to strings."""
        return self._pool.submit(_encode_seconds, pixels).result()

    def decode(self, pixels: NDArray[np.uint8]) -> float:
        """Seconds of one `decompress`, from the strings of the last `encode` to pixels."""
        return self._pool.submit(_decode_seconds, pixels).result()

    def close(self) -> None:
        self._pool.shutdown()


_state: dict[str, Any] = {}


def _start(path: Path, threads: int, device: str) -> None:
    torch.set_num_threads(threads)
    _state["net"], _state["device"] = twin(open_file(path), secured=False).to(device), device


@torch.no_grad()
def _encode_seconds(pixels: NDArray[np.uint8]) -> float:
    began = time.perf_counter()
    x = torch.from_numpy(pixels).to(_state["device"]).permute(2, 0, 1)[None].float() / 255
    _state["strings"] = _state["net"].compress(x)
    return time.perf_counter() - began


@torch.no_grad()
def _decode_seconds(_: NDArray[np.uint8]) -> float:
    began, coded = time.perf_counter(), _state["strings"]
    x = _state["net"].decompress(coded["strings"], coded["shape"])["x_hat"]
    (x[0].permute(1, 2, 0) * 255).round().to(torch.uint8).cpu().numpy()
    return time.perf_counter() - began


def float_weights(model: Model) -> dict[str, Tensor]:
    """A state dict in CompressAI's names; integers are scaled back."""
    out = {
        k: _tensor(v)
        for k, v in model.tensors.items()
        if not k.startswith(("exact.", "tables.", "training.", "gains", "floors", "trigger."))
    }
    if "gains" in model.tensors:
        _fold(out, *map(_tensor, model.tensors["gains"][model.quality - 1]))
    out |= {
        k.removeprefix("training."): _tensor(v) for k, v in model.tensors.items() if k.startswith("training.")
    }
    for plan in integer_plans(model.architecture):
        out |= _scaled_back(model.tensors, plan.name, out_axis=1 if plan.kind == "deconv" else 0)
    return out


def _fold(state: dict[str, Tensor], before: Tensor, after: Tensor) -> None:
    """Gains into the layers beside the latents, for CompressAI knows none: one quality's network is left."""
    assert "g_a.6.weight" in state and "g_s.0.weight" in state, "a residual layer cannot take them in"
    state["g_a.6.weight"] = state["g_a.6.weight"] * before[:, None, None, None]
    state["g_a.6.bias"] = state["g_a.6.bias"] * before
    state["g_s.0.weight"] = state["g_s.0.weight"] * after[:, None, None, None]  # (in,out,5,5)


def _scaled_back(tensors: Tensors, name: str, *, out_axis: int) -> dict[str, Tensor]:
    weight, bias, shift = (
        tensors[f"exact.{name}.{part}"].astype(np.float64) for part in ("weight", "bias", "shift")
    )
    by_channel = shift.reshape([-1 if axis == out_axis else 1 for axis in range(4)])
    return {
        f"{name}.weight": _tensor(weight * 2.0**-by_channel),
        f"{name}.bias": _tensor(bias * 2.0 ** -(shift + 10)),
    }


def _tensor(array: np.ndarray) -> Tensor:
    return torch.from_numpy(array.astype(np.float32))


def build(architecture: str, n: int, m: int) -> nn.Module:
    cls = model_architectures[architecture]
    return cls(n) if architecture.startswith("cheng") else cls(n, m)  # type: ignore[no-any-return]


@torch.no_grad()
def untrained(architecture: str, n: int, m: int, folder: Path) -> Model:
    """A model of full size with random weights: right for timing where no trained one is at hand.

    Its last layers are scaled so that latents span some ten steps and scales match them: about 1 bit a
    pixel, as in a model of middle quality.
    """
    torch.manual_seed(0)
    net = build(architecture, n, m)
    [x for x in net.g_a.modules() if isinstance(x, nn.Conv2d)][-1].weight.mul_(8)
    net.entropy_parameters[-1].bias[: len(net.entropy_parameters[-1].bias) // 2].fill_(0.6)
    checkpoint = folder / f"{architecture}-untrained.safetensors"
    save_file({k: v.contiguous() for k, v in net.state_dict().items() if v.numel()}, checkpoint)
    return convert(
        checkpoint,
        folder / f"{architecture}.model.safetensors",
        name=architecture,
        quality=4,
        bf16=True,
        force=True,
    )
