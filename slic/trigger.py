"""The faint mark that a secured model's decoder leaves everywhere, and its encoder looks for.

    pixels + loudness · how busy it is here · waves      the same in every colour

A few waves of fixed lengths and directions, none of which the grids of other codecs have. They are as loud as
what is lost in coding anyway: in grass louder than in the sky, at a low quality louder than at a high one.
Every direction has its mirror image and its quarter turns among the others, so that a copy that was turned
or mirrored carries the same waves.
"""

import math
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor

from slic.errors import ModelError
from slic.models import Tensors

PERIOD = 112  # pixels after which all waves repeat; no other codec's grid has that
BLOCK, AROUND = 4, 5  # pixels a side of a block, blocks a side of what is around one
STILL = 0.3  # levels that even a flat field has
MOST_WAVES, LOUDEST = 256, 64.0

REACH = 2  # latents beyond its own whose pixels say how loud one's are


@dataclass(frozen=True)
class Trigger:
    waves: Tensor
    """(K,3) cycles down and right in PERIOD pixels, and the phase."""
    loudness: Tensor
    """(rates): levels, root mean square, where it is as busy as 1."""

    def left_on(self, pixels: Tensor, quality: int, top: int, left: int) -> Tensor:
        """(B,3,H,W) in [0,1], whose corner lies at (top, left) of the picture."""
        height, width = pixels.shape[2:]
        tile = self.tile().roll((-top, -left), (0, 1))
        over = tile.repeat(-(-height // PERIOD), -(-width // PERIOD))[:height, :width]
        loud = float(self.loudness[max(0, quality - 1)]) / 255
        out: Tensor = pixels + busy(pixels) * (over * loud)
        return out

    def tile(self) -> Tensor:
        """(PERIOD,PERIOD), 1 root mean square."""
        at = torch.arange(PERIOD, dtype=torch.float64)
        down, right, phase = self.waves.double().cpu().unbind(1)
        angles = 2 * math.pi / PERIOD * (down * at[:, None, None] + right * at[:, None]) + phase
        tile: Tensor = angles.cos().sum(2) * (2 / len(phase)) ** 0.5
        return tile.float().to(self.waves.device)


def busy(pixels: Tensor) -> Tensor:
    """(B,3,H,W) in [0,1] → (B,1,H,W): the mean root of how many levels pixels lie from the mean around."""
    grey = pixels.mean(1, keepdim=True) * 255
    return around((grey - around(grey)).abs_().add_(STILL).sqrt_())


def around(x: Tensor) -> Tensor:
    """(B,1,4h,4w): the mean about each pixel, of AROUND blocks a side, of those within the picture."""
    blocks = F.avg_pool2d(F.avg_pool2d(x, BLOCK), AROUND, 1, AROUND // 2, count_include_pad=False)
    return F.interpolate(blocks, scale_factor=BLOCK, mode="bilinear")


def load(tensors: Tensors, rates: int, device: torch.device) -> Trigger | None:
    """Of a model's tensors; None where it leaves none."""
    if not any(name.startswith("trigger.") for name in tensors):
        return None
    try:
        waves, loudness = (torch.from_numpy(tensors[f"trigger.{part}"]) for part in ("waves", "loudness"))
    except KeyError as error:
        raise ModelError("a trigger needs waves and a loudness") from error
    if waves.dtype != torch.float32 or waves.ndim != 2 or waves.shape[1] != 3:
        raise ModelError("the trigger's waves must be float32, three numbers each")
    if loudness.dtype != torch.float32 or loudness.shape != (max(1, rates),):
        raise ModelError("the trigger's loudness must be float32, one for each quality")
    if not 0 < len(waves) <= MOST_WAVES or not waves.isfinite().all() or waves.abs().max() > PERIOD:
        raise ModelError("the trigger's waves are no waves")
    if not (waves[:, :2] == waves[:, :2].round()).all():
        raise ModelError("the trigger's waves must repeat")
    if not ((loudness >= 0) & (loudness <= LOUDEST)).all():
        raise ModelError("the trigger's loudness is beyond reason")
    return Trigger(waves.to(device), loudness)
