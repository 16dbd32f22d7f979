"""g_a, g_s and h_a: CompressAI's networks as lean modules, in CompressAI's own state-dict names.

              ┌───┐    y         ┌───┐  z   ┌───┐      ┌─────┐
        x ──►─┤g_a├──►─┬───►─────┤h_a├──►───┤ Q ├──►───┤ h_s │     h_s, and in the autoregressive models
              └───┘    │         └───┘      └───┘      └──┬──┘     the context model, are integers: exact.py
                     ┌─▼─┐                                │
                     │ Q │◄── scales (means) ─────────────┘
              ┌───┐  └─┬─┘
    x_hat ──◄─┤g_s├──◄─┘ y_hat
              └───┘

Pixels are in [0, 1]; y has a 16th of their resolution, z a 64th. Every network here is inference
only, its layers (layers.py) laid out once, channels last.
"""

from collections.abc import Mapping
from typing import Literal

import torch
from torch import Tensor, nn

from slic import bf16
from slic.bf16 import InLevels
from slic.errors import ModelError
from slic.layers import (
    GDN,
    AttentionBlock,
    ResidualBlock,
    ResidualBlockUpsample,
    ResidualBlockWithStride,
    ShuffledConv,
    Subpel,
    UnshuffledConv,
    conv3,
    conv5,
    deconv5,
)
from slic.models import ARCHITECTURES as ARCHITECTURES

Precision = Literal["auto", "fp32", "bf16"]

AUTOREGRESSIVE = ARCHITECTURES[1:]

# How far, in latents, a latent of g_a and a pixel of g_s see beyond their own place (tests measure it).
HALO = {
    "bmshj2018-hyperprior": (2, 2),
    "mbt2018": (2, 2),
    "cheng2020-anchor": (4, 7),
    "cheng2020-attn": (8, 11),
}

MAX_CHANNELS = 4096  # far above any published model


def _balle(n: int, m: int) -> tuple[nn.Sequential, nn.Sequential]:
    g_a = nn.Sequential(conv5(3, n), GDN(n), conv5(n, n), GDN(n), conv5(n, n), GDN(n), conv5(n, m))
    up = [deconv5(m, n), GDN(n, inverse=True), deconv5(n, n), GDN(n, inverse=True), deconv5(n, n)]
    return g_a, nn.Sequential(*up, GDN(n, inverse=True), deconv5(n, 3))


def _cheng(n: int, *, attention: bool) -> tuple[nn.Sequential, nn.Sequential]:
    attend = [AttentionBlock(n)] if attention else []
    down = [ResidualBlockWithStride(3, n), ResidualBlock(n), ResidualBlockWithStride(n, n), *attend]
    down += [ResidualBlock(n), ResidualBlockWithStride(n, n), ResidualBlock(n), conv3(n, n, 2)]
    attend_last = [AttentionBlock(n)] if attention else []
    attend_first = [AttentionBlock(n)] if attention else []
    attend_late = [AttentionBlock(n)] if attention else []
    up = [
        *attend_first,
        ResidualBlock(n),
        ResidualBlockUpsample(n),
        ResidualBlock(n),
        ResidualBlockUpsample(n),
    ]
    up += [*attend_late, ResidualBlock(n), ResidualBlockUpsample(n), ResidualBlock(n), Subpel(n, 3)]
    return nn.Sequential(*down, *attend_last), nn.Sequential(*up)


def _hyper_analysis(architecture: str, n: int, m: int) -> nn.Sequential:
    if architecture.startswith("cheng"):
        strides = (1, 1, 2, 1, 2)
        return nn.Sequential(*_interleave([conv3(n, n, s) for s in strides], nn.LeakyReLU()))
    activation = nn.ReLU() if architecture == "bmshj2018-hyperprior" else nn.LeakyReLU()
    return nn.Sequential(*_interleave([conv3(m, n), conv5(n, n), conv5(n, n)], activation))


def _interleave(layers: list[nn.Conv2d], activation: nn.Module) -> list[nn.Module]:
    out: list[nn.Module] = []
    for layer in layers:
        out += [layer, activation]
    return out[:-1]


def networks(architecture: str, n: int, m: int) -> dict[str, nn.Sequential]:
    """g_a, g_s and h_a with CompressAI's parameter names, not yet laid out."""
    cheng = architecture.startswith("cheng")
    g_a, g_s = _cheng(n, attention=architecture == "cheng2020-attn") if cheng else _balle(n, m)
    return {"g_a": g_a, "g_s": g_s, "h_a": _hyper_analysis(architecture, n, m)}


class Transforms:
    """g_a, g_s and h_a of one model on one device, ready to run. Safe to share between threads."""

    @torch.no_grad()
    def __init__(
        self, architecture: str, state: Mapping[str, Tensor], device: torch.device, precision: torch.dtype
    ) -> None:
        self.device, self.precision = device, precision
        self.hyper_latents, self.latents = sizes(architecture, state)
        self.analysis_halo, self.synthesis_halo = HALO[architecture]
        # Only the plain hyperprior sees magnitudes alone
        self._magnitudes = architecture == "bmshj2018-hyperprior"
        with torch.device("meta"):  # no memory until every shape is known to fit
            nets = networks(architecture, self.hyper_latents, self.latents)
        ready = {name: _ready(net, f"{name}.", state) for name, net in nets.items()}
        if precision == torch.bfloat16:
            exact, ready = ready, {name: bf16.lowered(net, ends=name != "h_a") for name, net in ready.items()}
            bf16.matched(ready["g_s"], exact["g_s"], exact["g_a"])
        else:
            ready = {name: net.to(precision) for name, net in ready.items()}
        self.g_a, self.g_s, self.h_a = (ready[name].to(device) for name in ("g_a", "g_s", "h_a"))
        self.pixels = torch.float32 if isinstance(self.g_a[0], InLevels) else precision
        """In which g_a takes them."""

    @torch.inference_mode()
    def analyse(self, x: Tensor) -> Tensor:
        """(B,3,16h,16w) in [0,1] → y, (B,M,h,w) in fp32."""
        y: Tensor = self.g_a(x.to(self.device, self.pixels, memory_format=torch.channels_last))
        return y.float()

    @torch.inference_mode()
    def analyse_hyper(self, y: Tensor) -> Tensor:
        """(B,M,h,w) → z, (B,N,⌈h/4⌉,⌈w/4⌉)."""
        y = (y.abs() if self._magnitudes else y).to(self.precision, memory_format=torch.channels_last)
        z: Tensor = self.h_a(y)
        return z.float()

    @torch.inference_mode()
    def synthesise(self, y_hat: Tensor) -> Tensor:
        """(B,M,h,w) → (B,3,16h,16w) in fp32, about [0,1]."""
        x: Tensor = self.g_s(y_hat.to(self.device, self.precision, memory_format=torch.channels_last))
        return x


def _ready(net: nn.Sequential, prefix: str, state: Mapping[str, Tensor]) -> nn.Sequential:
    """The network with its weights in fp32, laid out for inference."""
    for name, parameter in net.named_parameters():
        value = state.get(prefix + name)
        if value is None or value.shape != parameter.shape:
            raise ModelError(f"weights {prefix}{name} are missing or of another shape")
        if value.dtype not in (torch.float16, torch.float32) or not value.isfinite().all():
            raise ModelError(f"weights {prefix}{name} are no finite float16 or float32")
    net.load_state_dict(
        {name: state[prefix + name].float() for name, _ in net.named_parameters()}, assign=True
    )
    net.requires_grad_(False)
    _lay_out_pixels(net)
    for module in net.modules():
        if isinstance(module, GDN | Subpel):
            module.lay_out()
    net.to(memory_format=torch.channels_last)
    return net.eval().requires_grad_(False)


def _lay_out_pixels(net: nn.Sequential) -> None:
    """Swap the layers that meet pixels for their faster equals."""
    first, last = net[0], net[-1]
    if isinstance(first, nn.Conv2d) and first.in_channels == 3:
        net[0] = UnshuffledConv(first)
    if isinstance(last, nn.ConvTranspose2d):
        net[-1] = ShuffledConv.of_deconv(last)
    elif isinstance(last, Subpel):
        net[-1] = ShuffledConv.of_subpel(last)


def sizes(architecture: str, state: Mapping[str, Tensor]) -> tuple[int, int]:
    """N and M, read from the weights."""
    if architecture not in ARCHITECTURES:
        raise ModelError(f"architecture {architecture} is unknown", hint=f"known: {', '.join(ARCHITECTURES)}")
    cheng = architecture.startswith("cheng")
    first, last = ("g_a.0.conv1.weight",) * 2 if cheng else ("g_a.0.weight", "g_a.6.weight")
    try:
        n, m = state[first].shape[0], state[last].shape[0]
    except (KeyError, IndexError) as error:
        raise ModelError(f"weights of {architecture} are missing") from error
    if not 1 <= min(n, m) <= max(n, m) <= MAX_CHANNELS:
        raise ModelError(f"{n} and {m} channels: slic takes 1 to {MAX_CHANNELS}")
    return n, m


def choose_precision(precision: Precision, device: torch.device, *, validated: bool) -> torch.dtype:
    """bf16 where the machine computes it natively and the model was validated with it, else fp32."""
    if precision == "bf16" or (precision == "auto" and validated and _native_bf16(device)):
        return torch.bfloat16
    return torch.float32


def _native_bf16(device: torch.device) -> bool:
    if device.type == "cuda":
        return torch.cuda.get_device_capability(device) >= (8, 0)
    native = getattr(torch.cpu, "_is_avx512_bf16_supported", None)  # AMX machines have it too
    return bool(native and native())
