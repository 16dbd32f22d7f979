"""Networks in bf16 that show a flat field, such as a white sky, as fp32 shows it.

bf16 keeps eight bits of a number. In a busy picture what that costs averages out; in a flat field each
weight errs at every place alike, and what is left of it is a level or half of one. So

- layers that meet pixels see or give more than bf16 does (`InLevels`, `InFloat32`),
- a weight is rounded together with what rounding left of the tap before (`carried`), as all the taps of a
  convolution see the same number there,
- the last layer of g_s, which is in fp32, takes back what bf16 made of flat greys (`matched`).
"""

import copy
import itertools

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from slic import tiles
from slic.layers import ShuffledConv, UnshuffledConv

LEVELS = 255
PIECE = 384  # places a side: 75 MB of 128 channels in fp32
GREYS = range(15, LEVELS + 1, 30)
FIELD = 64  # pixels a side
FURTHEST = 0.01  # bf16 errs by half as much in a number

_Convolution = nn.Conv2d | nn.ConvTranspose2d | UnshuffledConv | ShuffledConv


class InLevels(nn.Module):
    """A first layer that takes pixels as what they are, whole levels from 0 to 255.

    bf16 holds these exactly, but not their 255ths. Weights, a 255th each, are sums of two of its numbers,
    more channels of one convolution.
    """

    def __init__(self, layer: UnshuffledConv) -> None:
        super().__init__()
        assert layer.bias is not None
        weight = layer.weight / LEVELS
        high = weight.bfloat16()
        parts = torch.cat([high, (weight - high).bfloat16()], 1)
        self.weight = nn.Parameter(parts.contiguous(memory_format=torch.channels_last))
        self.bias = nn.Parameter(layer.bias.bfloat16())

    def forward(self, x: Tensor) -> Tensor:
        """(B,3,2h,2w) in fp32, whole levels over 255 → (B,N,h,w) in bf16."""
        levels = F.pixel_unshuffle((x * LEVELS).bfloat16(), 2)
        return F.conv2d(torch.cat([levels, levels], 1), self.weight, self.bias, padding=1)


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


class PixelsInFloat32(InFloat32):
    """Piece by piece, so that no second picture of the widest layer is in memory, twice as large."""

    def forward(self, x: Tensor) -> Tensor:
        """(B,N,h,w) in bf16 → (B,3,2h,2w) in fp32."""
        b, _, h, w = x.shape
        out = torch.empty(b, 3, 2 * h, 2 * w, device=x.device)

        def store(rows: slice, cols: slice, tile: Tensor) -> None:
            out[:, :, rows, cols] = tile

        tiles.run(
            lambda rows, cols: self.layer(x[:, :, rows, cols].float()),
            store,
            h,
            w,
            limit=PIECE,
            halo=1,
            scale=2,
        )
        return out


def lowered(net: nn.Sequential, *, ends: bool) -> nn.Sequential:
    """A copy in bf16; `ends`: but for its first and last layer, which bf16 harms most."""
    net = copy.deepcopy(net)
    if ends and isinstance(net[0], UnshuffledConv):
        net[0] = InLevels(net[0])
    if ends and isinstance(net[-1], ShuffledConv):
        net[-1] = PixelsInFloat32(net[-1])
    elif ends and isinstance(net[-1], nn.Conv2d):
        net[-1] = InFloat32(net[-1])
    for layer in net:
        if isinstance(layer, InLevels | InFloat32):
            continue
        for module in layer.modules():
            if isinstance(module, _Convolution):
                module.weight.copy_(_carried_by_phase(module))
        layer.bfloat16()
    return net


def _carried_by_phase(layer: _Convolution) -> Tensor:
    """A transposed convolution of stride 2 shows every other tap at a place: four kernels in one."""
    if not isinstance(layer, nn.ConvTranspose2d):
        return carried(layer.weight)
    out = torch.empty_like(layer.weight)
    for row, col in itertools.product((0, 1), (0, 1)):
        out[..., row::2, col::2] = carried(layer.weight[..., row::2, col::2])
    return out


def carried(weight: Tensor) -> Tensor:
    """(…,k,l), each tap rounded to bf16 with what was left of those before, from the largest to the smallest.

    So the sum of a kernel errs by what is left of its smallest tap.
    """
    taps = weight.flatten(-2)
    out, left = torch.empty_like(taps), torch.zeros_like(taps[..., 0])
    for tap in taps.abs().flatten(0, -2).mean(0).argsort(descending=True).tolist():
        wanted = taps[..., tap] + left
        out[..., tap] = wanted.bfloat16()
        left = wanted - out[..., tap]
    return out.view(weight.shape)


def matched(rounded: nn.Sequential, exact: nn.Sequential, g_a: nn.Sequential) -> None:
    """Scale what the last layer takes, so that in flat greys it takes as much as in fp32."""
    last = rounded[-1]
    if not isinstance(last, PixelsInFloat32):
        return
    greys = torch.tensor(GREYS).float()[:, None, None, None].expand(-1, 3, FIELD, FIELD) / LEVELS
    y = g_a(greys.contiguous(memory_format=torch.channels_last))
    wanted, got = exact[:-1](y), rounded[:-1](y.bfloat16()).float()  # (greys,N,FIELD/2,FIELD/2)
    power = got.square().mean((0, 2, 3))
    silent = (1e-6 * power.mean()).clamp_min(1e-30)  # greys may be nothing to a model
    share = ((wanted * got).mean((0, 2, 3)) + silent) / (power + silent)
    weight = last.layer.weight
    assert isinstance(weight, Tensor)
    weight.mul_(share.clamp(1 - FURTHEST, 1 + FURTHEST)[:, None, None])
