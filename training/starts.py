"""A start from a transform that already works, not from noise: worth half an hour of two cores.

    python -m training.train training/configs/base.toml model.start=transform

Layer by layer g_a becomes the KLT of training crops: of the 2x2 blocks of the signals so far, the strongest
first; g_s is its transpose. GDN is near the identity where signals are small, so the first layer shrinks
them. The hyper-networks begin with each latent's own strength. For bmshj2018-hyperprior and mbt2018, whose
layers are all convolutions of 5x5 and stride 2. Lapped filters in place of blocks learn worse
(EXPERIMENTS.md).
"""

import math
from pathlib import Path

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from training.config import ConfigError
from training.data import Crops

SMALL = 0.25
"""Of the signal within GDN."""
REST = 0.02
"""What is left of the random weights that the transform does not set."""
LOUD = 2.0
"""Root mean square of a latent as h_a sees it."""
CROPS, SIZE = 48, 192
SEED = 77_003  # not the crops of the first steps


def transform(net: nn.Module, pack: Path, weight: float) -> None:
    """Set the weights of `net`; `weight` is the λ whose steps between latents are best."""
    if not all(isinstance(layer, nn.Conv2d) for layer in net.g_a[::2]):
        raise ConfigError("model.start: transform is for bmshj2018-hyperprior and mbt2018")
    crops = Crops(pack, seed=SEED)
    x = torch.cat([crops.read(crops.draw(i, 1, SIZE), SIZE) for i in range(CROPS)]).contiguous()
    with torch.no_grad():
        _transforms(net, x, weight)
        _hyper(net, x)


def _transforms(net: nn.Module, x: Tensor, weight: float) -> None:
    """(B,3,H,W) in [0,1]"""
    # Of fine steps Δ: where λ·255²·Δ²/12 and −log2 Δ for each of a pixel's three values balance.
    step = math.sqrt(36 / (weight * 255**2 * 2 * math.log(2)))
    mean = x.mean((0, 2, 3))
    signal = (x - mean[:, None, None]) * SMALL
    layers = list(zip(net.g_a[::2], reversed(net.g_s[::2]), strict=True))
    for number, (analysis, synthesis) in enumerate(layers):
        used, last = signal.shape[1], number == len(layers) - 1
        blocks = F.pixel_unshuffle(signal, 2)  # (B, 4·used, H/2, W/2)
        values = blocks.transpose(0, 1).flatten(1)
        _, vectors = torch.linalg.eigh(values @ values.T / values.shape[1])
        rotation = vectors.flip(1)[:, : len(analysis.weight)].T  # (outputs, 4·used)
        kernels = F.pad(rotation.reshape(len(rotation), used, 2, 2), (2, 1, 2, 1))  # taps 2 and 3 of five
        gain = 1 / (step * SMALL) if last else 1.0
        _set(analysis, synthesis, kernels, gain)
        if number == 0:
            analysis.weight.mul_(SMALL)
            synthesis.weight.div_(SMALL)
            analysis.bias.copy_(-(analysis.weight.sum((2, 3)) @ mean))
            synthesis.bias.copy_(mean)
        signal = torch.einsum("of,bfhw->bohw", rotation, blocks)


def _set(analysis: nn.Module, synthesis: nn.Module, kernels: Tensor, gain: float) -> None:
    """A layer and its transpose; `kernels` (O,I,5,5) may fill only the first outputs and inputs."""
    outputs, inputs = kernels.shape[:2]
    for layer, scale in ((analysis, gain), (synthesis, 1 / gain)):
        layer.weight.mul_(REST * scale)
        layer.bias.zero_()
        layer.weight[:outputs, :inputs] += kernels * scale


def _hyper(net: nn.Module, x: Tensor) -> None:
    strength = net.g_a(x).square().mean((0, 2, 3)).sqrt().clamp_min(0.11)  # (M)
    first, last = net.h_a[0], [layer for layer in net.h_s if hasattr(layer, "weight")][-1]
    first.weight.mul_((LOUD / strength)[None, :, None, None])
    scales = slice(0, len(strength))  # before the means, where there are any
    last.weight[scales] *= strength[:, None, None, None]
    last.bias[scales] = 0.7 * strength
