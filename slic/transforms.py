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
only, laid out once: channels last, GDN's parameters made effective, and the layers that meet pixels
turned into 3x3 convolutions over 2x2 pixel blocks, which take half the time of the strided ones.
"""

from collections.abc import Mapping
from typing import Literal

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from slic.errors import ModelError
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
ROOTS_AT_ONCE = 2**18  # 1 MiB of fp32

_PEDESTAL = 2.0**-36  # CompressAI's reparametrisation of GDN: value = max(parameter, bound)² − pedestal


def deconv_as_conv(weight: Tensor) -> Tensor:
    """A 5x5 transposed convolution of stride 2 as a 3x3 one before a pixel shuffle: (I,O,5,5) → (4·O,I,3,3).

    Pixel p of block b takes tap p + 2 − 2d of the latent at b + d, for d in −1, 0, 1.
    """
    channels, out = weight.shape[:2]
    taps = F.pad(weight, (0, 1, 0, 1)).view(channels, out, 3, 2, 3, 2).flip(2, 4)  # flipped: d counts upwards
    return taps.permute(1, 3, 5, 0, 2, 4).reshape(out * 4, channels, 3, 3)


class GDN(nn.Module):
    """x / sqrt(β + γ·x²), or x · sqrt(β + γ·x²) when inverse."""

    def __init__(self, channels: int, *, inverse: bool = False) -> None:
        super().__init__()
        self.inverse = inverse
        self.beta = nn.Parameter(torch.empty(channels))
        self.gamma = nn.Parameter(torch.empty(channels, channels))

    def lay_out(self) -> None:
        """Turn the stored parameters into the effective ones, once."""
        beta = self.beta.clamp_min((1e-6 + _PEDESTAL) ** 0.5) ** 2 - _PEDESTAL
        gamma = self.gamma.clamp_min(_PEDESTAL**0.5) ** 2 - _PEDESTAL
        self.beta = nn.Parameter(beta)
        self.gamma = nn.Parameter(gamma[:, :, None, None])

    def forward(self, x: Tensor) -> Tensor:
        out = F.conv2d(x * x, self.gamma, self.beta)
        # The root in fp32 where the rest is bf16: rounded once more, it shifts flat fields (.1 dB of a white
        # sky). Some rows at a time, which the cache holds, so that it costs little.
        rows = max(1, ROOTS_AT_ONCE // (x.shape[0] * x.shape[1] * x.shape[3]))
        for part, values in zip(torch.split(out, rows, 2), torch.split(x, rows, 2), strict=True):
            root = part.float()
            part.copy_((root.sqrt_() if self.inverse else root.rsqrt_()).mul_(values))
        return out


class UnshuffledConv(nn.Module):
    """A 5x5 convolution of stride 2 as a 3x3 one over 2x2 blocks; equal for even sizes."""

    def __init__(self, conv: nn.Conv2d) -> None:
        super().__init__()
        out, channels = conv.weight.shape[:2]
        padded = F.pad(conv.weight, (0, 1, 0, 1)).view(
            out, channels, 3, 2, 3, 2
        )  # tap 2d+p: block d, pixel p
        self.weight = nn.Parameter(padded.permute(0, 1, 3, 5, 2, 4).reshape(out, channels * 4, 3, 3))
        self.bias = conv.bias

    def forward(self, x: Tensor) -> Tensor:
        return F.conv2d(F.pixel_unshuffle(x, 2), self.weight, self.bias, padding=1)


class InTwoParts(nn.Module):
    """A first layer in bf16 that sees more of its numbers: pixels and weights are sums of two of them.

    bf16 has no room for the 256 levels of a pixel. The parts are more channels of one convolution.
    """

    def __init__(self, layer: UnshuffledConv) -> None:
        super().__init__()
        assert layer.bias is not None
        high = layer.weight.bfloat16()
        low = (layer.weight - high).bfloat16()
        self.weight = nn.Parameter(
            torch.cat([high, high, low], 1).contiguous(memory_format=torch.channels_last)
        )
        self.bias = nn.Parameter(layer.bias.bfloat16())

    def forward(self, x: Tensor) -> Tensor:
        """(B,3,2h,2w) in fp32 → (B,N,h,w) in bf16."""
        x = F.pixel_unshuffle(x, 2)
        high = x.bfloat16()
        return F.conv2d(torch.cat([high, (x - high).bfloat16(), high], 1), self.weight, self.bias, padding=1)


class InFloat32(nn.Module):
    """A last layer, kept in fp32: what it gives is rounded next, and bf16 has rounded it already.

    For pixels bf16 has no room for 256 levels; for latents it is a fifth of what bf16 costs in all of g_a.
    """

    def __init__(self, layer: nn.Module) -> None:
        super().__init__()
        self.layer = layer

    def forward(self, x: Tensor) -> Tensor:
        out: Tensor = self.layer(x.float())
        return out


class Subpel(nn.Sequential):
    """A 3x3 convolution, then blocks to pixels: (B,I,h,w) → (B,O,2h,2w)."""

    def __init__(self, i: int, o: int) -> None:
        super().__init__(conv3(i, o * 4))

    def lay_out(self) -> None:
        """Order the outputs place by place, so that in channels last the shuffle moves whole pixels."""
        conv = self[0]
        assert isinstance(conv, nn.Conv2d) and conv.bias is not None
        conv.weight, conv.bias = (nn.Parameter(_by_place(p)) for p in (conv.weight, conv.bias))

    def forward(self, x: Tensor) -> Tensor:
        out = self[0](x).permute(0, 2, 3, 1)
        b, h, w, four = out.shape
        pixels: Tensor = out.view(b, h, w, 2, 2, four // 4).transpose(2, 3).reshape(b, 2 * h, 2 * w, -1)
        return pixels.permute(0, 3, 1, 2)


def _by_place(outputs: Tensor) -> Tensor:
    """(4·O, …), the four places of each channel together → the channels of each place together."""
    return outputs.view(-1, 4, *outputs.shape[1:]).transpose(0, 1).reshape(outputs.shape)


class ShuffledConv(nn.Module):
    """The layer that makes pixels: a 3x3 convolution, then blocks to pixels."""

    def __init__(self, weight: Tensor, bias: Tensor) -> None:
        super().__init__()
        self.weight, self.bias = nn.Parameter(weight), nn.Parameter(bias)

    @classmethod
    def of_deconv(cls, deconv: nn.ConvTranspose2d) -> "ShuffledConv":
        assert deconv.bias is not None
        return cls(deconv_as_conv(deconv.weight), deconv.bias.repeat_interleave(4))

    @classmethod
    def of_subpel(cls, subpel: Subpel) -> "ShuffledConv":
        conv = subpel[0]
        assert isinstance(conv, nn.Conv2d) and conv.bias is not None
        return cls(conv.weight, conv.bias)

    def forward(self, x: Tensor) -> Tensor:
        return F.pixel_shuffle(F.conv2d(x, self.weight, self.bias, padding=1), 2)


def conv5(i: int, o: int) -> nn.Conv2d:
    return nn.Conv2d(i, o, 5, 2, 2)


def deconv5(i: int, o: int) -> nn.ConvTranspose2d:
    return nn.ConvTranspose2d(i, o, 5, 2, 2, output_padding=1)


def conv3(i: int, o: int, stride: int = 1) -> nn.Conv2d:
    return nn.Conv2d(i, o, 3, stride, 1)


def conv1(i: int, o: int, stride: int = 1) -> nn.Conv2d:
    return nn.Conv2d(i, o, 1, stride)


class ResidualBlock(nn.Module):
    def __init__(self, n: int) -> None:
        super().__init__()
        self.conv1, self.conv2 = conv3(n, n), conv3(n, n)

    def forward(self, x: Tensor) -> Tensor:
        out = F.leaky_relu_(self.conv1(x))
        return F.leaky_relu_(self.conv2(out)).add_(x)


class ResidualBlockWithStride(nn.Module):
    def __init__(self, i: int, o: int) -> None:
        super().__init__()
        self.conv1, self.conv2, self.gdn, self.skip = conv3(i, o, 2), conv3(o, o), GDN(o), conv1(i, o, 2)

    def forward(self, x: Tensor) -> Tensor:
        out: Tensor = self.gdn(self.conv2(F.leaky_relu_(self.conv1(x))))
        return out.add_(self.skip(x))


class ResidualBlockUpsample(nn.Module):
    def __init__(self, n: int) -> None:
        super().__init__()
        self.subpel_conv, self.conv, self.igdn = Subpel(n, n), conv3(n, n), GDN(n, inverse=True)
        self.upsample = Subpel(n, n)

    def forward(self, x: Tensor) -> Tensor:
        out: Tensor = self.igdn(self.conv(F.leaky_relu_(self.subpel_conv(x))))
        return out.add_(self.upsample(x))


class ResidualUnit(nn.Module):
    def __init__(self, n: int) -> None:
        super().__init__()
        half = n // 2
        self.conv = nn.Sequential(conv1(n, half), nn.ReLU(), conv3(half, half), nn.ReLU(), conv1(half, n))

    def forward(self, x: Tensor) -> Tensor:
        out: Tensor = self.conv(x)
        return out.add_(x).relu_()


class AttentionBlock(nn.Module):
    def __init__(self, n: int) -> None:
        super().__init__()
        self.conv_a = nn.Sequential(*(ResidualUnit(n) for _ in range(3)))
        self.conv_b = nn.Sequential(*(ResidualUnit(n) for _ in range(3)), conv1(n, n))

    def forward(self, x: Tensor) -> Tensor:
        gate: Tensor = self.conv_b(x)
        return gate.sigmoid_().mul_(self.conv_a(x)).add_(x)


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
        self.g_a = _ready(nets["g_a"], "g_a.", state, device, precision)
        self.g_s = _ready(nets["g_s"], "g_s.", state, device, precision)
        self.h_a = _ready(nets["h_a"], "h_a.", state, device, precision)
        self.pixels = torch.float32 if isinstance(self.g_a[0], InTwoParts) else precision
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


def _ready(
    net: nn.Sequential, prefix: str, state: Mapping[str, Tensor], device: torch.device, precision: torch.dtype
) -> nn.Sequential:
    """The network with its weights, laid out for inference."""
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
    ends = precision == torch.bfloat16 and prefix != "h_a."  # layers that bf16 harms most
    if ends and isinstance(net[0], UnshuffledConv):
        net[0] = InTwoParts(net[0])
    if ends and isinstance(net[-1], nn.Conv2d | ShuffledConv):
        net[-1] = InFloat32(net[-1])
    for layer in net:
        kept = isinstance(layer, InTwoParts | InFloat32)
        layer.to(device, None if kept else precision, memory_format=torch.channels_last)  # type: ignore[call-overload]
    net.eval()
    return net.requires_grad_(False)


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
