"""Small codecs of sub-bands: trained on those of one class, then asked what they make of any picture's.

    rd        rate and weighted error together, as in training
    bpp       bits per pixel of the band, by the codec's own likelihoods
    mse, psnr, ssim, ms-ssim    of the decoded band

They are slic's scale hyperprior, narrow; rounded, not coded.
"""

import hashlib
from dataclasses import dataclass, field

import numpy as np
import torch
from numpy.typing import NDArray
from pytorch_msssim import ms_ssim, ssim
from torch import Tensor, nn

from training import config, networks
from training.optim import Optimisers

Floats = NDArray[np.float64]

# SSIM's constants are shares of the range. That of the details is no bound but what they mostly keep within:
# with a range of 1 or more the constants outweigh them, and every picture has a similarity of 1.
RANGES = {"A": 2.0, "H": 0.25, "V": 0.25, "D": 0.25}
MEASURES = ("rd", "bpp", "mse", "psnr", "ssim", "ms-ssim")
LEAST = 1e-8  # squared error: 80 dB and more are one
AT_ONCE = 32


@dataclass(frozen=True)
class Settings:
    """The method's own are N = M = 192, 50,000 steps of 8 pictures, weight 1,000."""

    N: int = 16
    M: int = 96
    steps: int = 200
    batch: int = 8
    weight: float = 1000.0
    """Of the squared error beside the bits."""
    rate: float = 0.03
    """Muon's, relative to each layer's spectral norm; Adam's is a tenth."""
    seed: int = 0


@dataclass(frozen=True)
class Workshop:
    """Trains codecs, each but once: those of real pictures stay the same whichever generator is left out."""

    settings: Settings = field(default_factory=Settings)
    found: dict[tuple[int, bytes], Floats] = field(default_factory=dict, repr=False)
    """What was measured, by kind of codec and picture: several classifiers ask for the same."""
    _made: dict[bytes, nn.Module] = field(default_factory=dict, repr=False)

    def codec(self, bands: Tensor) -> nn.Module:
        key = hashlib.sha256(bands.numpy().tobytes()).digest()
        if key not in self._made:
            self._made[key] = train(bands, self.settings)
        return self._made[key]

    def measures(self, codec: nn.Module, bands: Tensor, name: str) -> tuple[Tensor, Floats]:
        """The decoded bands (n,3,s,s), and (n,6) of MEASURES."""
        parts = [_measured(codec, part, name, self.settings.weight) for part in torch.split(bands, AT_ONCE)]
        return torch.cat([decoded for decoded, _ in parts]), np.concatenate([found for _, found in parts])


def train(bands: Tensor, settings: Settings) -> nn.Module:
    """A codec of what (n,3,s,s) has in it."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(settings.seed)
        net = networks.build(config.Model(N=settings.N, M=settings.M))
    optimisers = Optimisers(net, settings.rate, settings.rate, settings.rate / 10)
    generator = torch.Generator().manual_seed(settings.seed)

    def noise(size: torch.Size) -> Tensor:
        return torch.rand(size, generator=generator) - 0.5

    for step in range(settings.steps):
        x = bands[torch.randint(len(bands), (settings.batch,), generator=generator)]
        optimisers.set_share(1 - step / settings.steps)
        optimisers.zero()
        coded = networks.code(net, x, _any_quality(x), noise)
        (coded.bpp + settings.weight * _error(coded.pixels, x)).mean().backward()
        net.aux_loss().backward()
        if optimisers.finite():
            optimisers.step()
    return net.eval().requires_grad_(False)


@torch.no_grad()
def _measured(codec: nn.Module, bands: Tensor, name: str, weight: float) -> tuple[Tensor, Floats]:
    coded = networks.code(codec, bands, _any_quality(bands), None)
    error = _error(coded.pixels, bands)
    columns = [coded.bpp + weight * error, coded.bpp, error, *similarities(coded.pixels, bands, RANGES[name])]
    return coded.pixels, torch.stack(columns, 1).double().numpy()


def similarities(a: Tensor, b: Tensor, extent: float) -> list[Tensor]:
    """PSNR, SSIM and MS-SSIM of (B,3,H,W) twice, each (B,); the window shrinks with the pictures."""
    window = min(11, (min(a.shape[2:]) - 1) // 16 // 2 * 2 + 1)  # MS-SSIM halves four times
    psnr = 10 * (extent**2 / _error(a, b).clamp_min(LEAST)).log10()
    alike = [f(a, b, data_range=extent, size_average=False, win_size=window) for f in (ssim, ms_ssim)]
    return [psnr, *alike]


def _error(a: Tensor, b: Tensor) -> Tensor:
    return (a - b).square().mean((1, 2, 3))


def _any_quality(x: Tensor) -> Tensor:
    return torch.ones(len(x), dtype=torch.long)  # a codec of one rate does not ask
