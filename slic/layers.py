"""The layers that g_a, g_s and h_a are made of, in CompressAI's own parameter names.

Inference only, laid out once: GDN's parameters made effective, and what meets pixels turned into 3x3
convolutions over 2x2 pixel blocks, which take half the time of the strided ones.
"""

import torch
import torch.nn.functional as F
from torch import Tensor, nn

AT_ONCE = 2**19  # values that GDN takes at a time: the cache holds them, and memory no second picture of them

_PEDESTAL = 2.0**-36  # CompressAI's reparametrisation of GDN: value = max(parameter, bound)² − pedestal


def deconv_as_conv(weight: Tensor) -> Tensor:
    """A 5x5 transposed convolution of stride 2 as a 3x3 one before a pixel shuffle: (I,O,5,5) → (4·O,I,3,3).

    Pixel p of block b takes tap p + 2 − 2d of the latent at b + d, for d in −1, 0, 1.
    """
    channels, out = weight.shape[:2]
    taps = F.pad(weight, (0, 1, 0, 1)).view(channels, out, 3, 2, 3, 2).flip(2, 4)  # flipped: d counts upwards
    return taps.permute(1, 3, 5, 0, 2, 4).reshape(out * 4, channels, 3, 3)


class GDN(nn.Module):
    """x / sqrt(β + γ·x²), or x · sqrt(β + γ·x²) when inverse. Overwrites its argument."""

    def __init__(self, channels: int, *, inverse: bool = False) -> None:
        super().__init__()
        self.inverse = inverse
        self.beta = nn.Parameter(torch.empty(channels))
        self.gamma = nn.Parameter(torch.empty(channels, channels))

    def lay_out(self) -> None:
        """Turn the stored parameters into the effective ones, once."""
        self.beta = nn.Parameter(self.beta.clamp_min((1e-6 + _PEDESTAL) ** 0.5) ** 2 - _PEDESTAL)
        self.gamma = nn.Parameter(self.gamma.clamp_min(_PEDESTAL**0.5) ** 2 - _PEDESTAL)

    def forward(self, x: Tensor) -> Tensor:
        x = x.contiguous(memory_format=torch.channels_last)
        places = x.permute(0, 2, 3, 1).view(-1, x.shape[1])
        at_once = len(places) if x.is_cuda else max(1, AT_ONCE // x.shape[1])
        for part in torch.split(places, at_once):
            # The root in fp32 where the rest is bf16: rounded once more, it shifts flat fields (.1 dB of a
            # white sky).
            root = F.linear(part * part, self.gamma, self.beta).float()
            part.copy_((root.sqrt_() if self.inverse else root.rsqrt_()).mul_(part))
        return x


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
