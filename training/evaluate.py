"""How good a model in training is: first encodes, and second ones after each real edit by itself.

Always the same crops of held-out pictures, with rounding to symbols and to 8 bits; edits are those of
`slic.attacks`, not their differentiable twins. A mean over edits would hide the one that fails.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from torch import Tensor, nn

from slic import attacks
from slic.attacks import Attack, Chain
from training import objective
from training.config import Config
from training.data import Crops
from training.networks import LAMBDAS, code

FIRST_BATCHES, SECOND_BATCHES = 12, 3  # of four crops
SIZE = 256
EDITS: tuple[Attack | Chain, ...] = (
    *attacks.PAPER,
    *attacks.LAUNDERING,
    attacks.CUT_AND_SAVED,
    *attacks.EVERYDAY,
    *attacks.ESCAPES,
)
BLOCK = 32  # pixels a side
USABLE = 10.0  # dB: what a second encode may reach

Pixels = NDArray[np.uint8]  # (B,H,W,3)


@dataclass(frozen=True)
class Second:
    """Crops, what came of them, and what became of that."""

    original: Pixels
    first: Pixels
    edited: dict[str, list[NDArray[np.uint8]]]
    again: dict[str, list[NDArray[np.uint8]]]
    bpp: float
    """Of the second encodes, in the mean."""

    def shown(self, edit: str) -> float:
        """How much of the structure can still be seen."""
        pairs = zip(self.edited[edit], self.again[edit], strict=True)
        return float(np.mean([_shown(a, b) for a, b in pairs]))

    def psnr(self, edit: str) -> float:
        return float(np.mean([psnr(a, b) for a, b in zip(self.edited[edit], self.again[edit], strict=True)]))


def psnr(a: NDArray[np.uint8], b: NDArray[np.uint8]) -> float:
    error = np.square(a.astype(np.float64) - b).mean()
    return float(10 * np.log10(255**2 / error)) if error else 100.0


@torch.no_grad()
def first(net: nn.Module, settings: Config) -> dict[str, float]:
    """Loss, PSNR and rate for each quality to judge, and `score`: lower is better."""
    net.eval()
    out, scores = {}, []
    device = next(net.parameters()).device
    for quality in sorted(set(settings.judge)):
        errors, rates = [], []
        for x in _crops(settings, FIRST_BATCHES):
            coded = code(net, x.to(device), torch.full((len(x),), quality, device=device), None)
            errors.append((coded.pixels.clamp(0, 1) - x.to(device)).square().mean((1, 2, 3)))
            rates.append(coded.bpp)
        error, bpp = torch.cat(errors), float(torch.cat(rates).mean())
        loss = LAMBDAS[quality] * 255**2 * float(error.mean()) + bpp
        out |= {f"loss{quality}": loss, f"bpp{quality}": bpp}
        out |= {f"psnr{quality}": float((-10 * error.log10()).mean())}
        scores.append(loss * (LAMBDAS[6] / LAMBDAS[quality]) ** 0.5)
    return out | {"score": float(np.mean(scores))}


@torch.no_grad()
def second(net: nn.Module, settings: Config) -> Second:
    """Encode, edit and encode again, at the quality that is drawn most; unedited at all that are judged."""
    net.eval()
    quality = int(np.argmax(settings.data.draw)) + 1
    device = next(net.parameters()).device
    original, decoded = [], []
    for x in _crops(settings, SECOND_BATCHES):
        original.append(_levels(x))
        decoded.append(_encode(net, _levels(x), quality, device)[0])
    first_pass = np.concatenate(decoded)
    edited, again, rates = {}, {}, []
    passes: dict[str, tuple[Attack | Chain | None, int]] = {"none": (None, quality)}
    passes |= {f"none at {q}": (None, q) for q in settings.judge if q != quality}
    passes |= {str(edit): (edit, quality) for edit in EDITS}
    for name, (edit, at) in passes.items():
        edited[name] = [edit(one) if edit else one for one in first_pass]
        coded = [_encode(net, one[None], at, device) for one in edited[name]]
        again[name] = [pixels[0] for pixels, _ in coded]
        rates += [bpp for _, bpp in coded]
    return Second(np.concatenate(original), first_pass, edited, again, float(np.mean(rates)))


@torch.no_grad()
def pictures(net: nn.Module, settings: Config) -> tuple[Pixels, Pixels]:
    """Crops and their first encodes, at the quality that is drawn most: something to look at."""
    net.eval()
    original = np.concatenate([_levels(x) for x in _crops(settings, 2)])
    quality = int(np.argmax(settings.data.draw)) + 1
    return original, _encode(net, original, quality, next(net.parameters()).device)[0]


def destruction(result: Second) -> dict[str, float]:
    """Re-encode PSNR of every edit, the worst of them, and what it adds to the score."""
    by_edit = {name: result.psnr(name) for name in result.edited}
    above = [max(0.0, value - USABLE) / 10 for value in by_edit.values()]
    return {
        **{f"again {name}": value for name, value in by_edit.items()},
        "again worst": max(by_edit.values()),
        "again bpp": result.bpp,
        "shown none": result.shown("none"),
        "above": float(np.mean(above) + max(above)) / 2,
    }


def _shown(a: NDArray[np.uint8], b: NDArray[np.uint8]) -> float:
    x, y = (torch.from_numpy(levels.copy()).permute(2, 0, 1)[None].float().div(255) for levels in (a, b))
    return float(objective.shown(x, y, torch.ones_like(x[:, :1]), BLOCK))


def _crops(settings: Config, batches: int) -> Iterator[Tensor]:
    crops = Crops(Path(settings.data.pack), "held-out", seed=1)
    for i in range(batches):
        yield crops.read(crops.draw(i, 4, SIZE), SIZE)


def _encode(net: nn.Module, pixels: Pixels, quality: int, device: torch.device) -> tuple[Pixels, float]:
    """(B,H,W,3) of any size → decoded, bits per pixel."""
    height, width = pixels.shape[1:3]
    x = torch.tensor(pixels, device=device).permute(0, 3, 1, 2).float().div(255)
    x = F.pad(x, (0, -width % 64, 0, -height % 64), mode="replicate")
    coded = code(net, x, torch.full((len(x),), quality, device=device), None)
    return _levels(coded.pixels[:, :, :height, :width]), float(coded.bpp.mean())


def _levels(x: Tensor) -> Pixels:
    levels = x.mul(255).round().clamp(0, 255).byte().permute(0, 2, 3, 1)
    return np.ascontiguousarray(levels.cpu().numpy())
