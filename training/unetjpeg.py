"""UNetJPEG: a UNet that imitates JPEG, so that gradients pass; and its training.

    python -m training.unetjpeg runs/pack.safetensors runs/unetjpeg-16 --width 16 --steps 20000

Five levels of two 3x3 convolutions each, `width` channels in the first and double in each next, skips
concatenated, the quality as a fourth input plane. Width 64 is the published one (31 million weights);
a CPU can train 16. The published network makes the picture anew; ours makes the difference to its
input, in which a network of zeros is already the identity, so that all steps go into JPEG's own doing
and bf16 rounds a small number. A run goes on, bit for bit, when started again.
"""

import json
import math
import time
from dataclasses import dataclass
from io import BytesIO
from itertools import pairwise
from pathlib import Path

import click
import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from PIL import Image
from safetensors import safe_open
from safetensors.torch import load_file, save_file
from torch import Tensor, nn
from tqdm import tqdm

from training import checkpoint
from training.data import Crops

LEVELS = 5
WARMUP = 50
EVALUATED = 16
"""Held-out crops that judge, at each of QUALITIES."""
QUALITIES = (30, 50, 75, 90)


class UNetJPEG(nn.Module):
    def __init__(self, width: int = 64) -> None:
        super().__init__()
        self.width = width
        widths = [width << level for level in range(LEVELS)]
        self.down = nn.ModuleList(_block(a, b) for a, b in pairwise([4, *widths]))
        self.up = nn.ModuleList(_block(a + b, a) for a, b in pairwise(widths))
        self.out = nn.Conv2d(width, 3, 1)
        nn.init.zeros_(self.out.weight)
        nn.init.zeros_(self.out.bias)
        self.to(memory_format=torch.channels_last)

    def forward(self, pixels: Tensor, quality: Tensor) -> Tensor:
        """(B,3,H,W) in [0,1] and (B,) in 1 … 100 → (B,3,H,W), not clamped."""
        height, width = pixels.shape[2:]
        x = F.pad(pixels, (0, -width % 16, 0, -height % 16), mode="replicate")
        plane = (quality.to(x) / 100).view(-1, 1, 1, 1).expand(-1, 1, *x.shape[2:])
        y = torch.cat([x, plane], 1).contiguous(memory_format=torch.channels_last)
        skips = []
        for level, block in enumerate(self.down):
            y = block(F.max_pool2d(y, 2) if level else y)
            skips.append(y)
        for block, skip in zip(reversed(self.up), reversed(skips[:-1]), strict=True):
            y = block(torch.cat([F.interpolate(y, scale_factor=2.0), skip], 1))
        difference: Tensor = self.out(y)
        return pixels + difference[:, :, :height, :width]


def _block(inputs: int, outputs: int) -> nn.Sequential:
    layers: list[nn.Module] = []
    for channels in (inputs, outputs):
        layers += [nn.Conv2d(channels, outputs, 3, padding=1), nn.ReLU(inplace=True)]
        nn.init.kaiming_normal_(layers[-2].weight, nonlinearity="relu")
    return nn.Sequential(*layers)


def load(file: Path) -> UNetJPEG:
    """The network of a file of weights, frozen, in float32."""
    with safe_open(file, "pt") as opened:
        width = int((opened.metadata() or {})["width"])
    net = UNetJPEG(width)
    net.load_state_dict(load_file(file))
    return net.requires_grad_(False).eval()


def jpeg(pixels: NDArray[np.uint8], quality: int) -> NDArray[np.uint8]:
    """(H,W,3) through Pillow's JPEG, 4:2:0."""
    file = BytesIO()
    Image.fromarray(pixels).save(file, "JPEG", quality=quality, subsampling="4:2:0")
    return np.asarray(Image.open(file))


def real(x: Tensor, quality: Tensor) -> Tensor:
    """The batch, of 8-bit pictures in [0,1], through `jpeg`, each sample at its own quality."""
    pictures = x.mul(255).round().byte().permute(0, 2, 3, 1).contiguous().numpy()
    coded = [jpeg(p, int(q)) for p, q in zip(pictures, quality.tolist(), strict=True)]
    return torch.from_numpy(np.stack(coded)).permute(0, 3, 1, 2).float().div(255)


@dataclass(frozen=True)
class Settings:
    pack: Path
    width: int = 64
    steps: int = 20_000
    batch: int = 8
    crop: int = 128
    lowest: int = 10
    highest: int = 99
    rate: float = 1e-3
    seed: int = 0


class Run:
    """Crops and qualities depend on the seed and the step alone, so a resumed run sees the same."""

    def __init__(self, settings: Settings, folder: Path, device: torch.device) -> None:
        torch.manual_seed(settings.seed)
        self.settings, self.folder, self.device = settings, folder, device
        self.net = UNetJPEG(settings.width).to(device)
        self.adam = torch.optim.Adam(self.net.parameters(), lr=settings.rate)
        self.crops = Crops(settings.pack, seed=settings.seed)
        self.step, self.seconds = 0, 0.0
        if (folder / "checkpoint.pt").exists():
            self._restore(checkpoint.load(folder / "checkpoint.pt"))

    def train_step(self) -> float:
        """Its mean squared error."""
        s = self.settings
        self.adam.param_groups[0]["lr"] = s.rate * share(self.step, s.steps)
        x = self.crops.read(self.crops.draw(self.step, s.batch, s.crop), s.crop)
        random = np.random.default_rng((s.seed, self.step))
        quality = torch.from_numpy(random.integers(s.lowest, s.highest, s.batch, endpoint=True))
        error = (self._imitated(x, quality) - real(x, quality).to(self.device)).square().mean()
        self.adam.zero_grad(set_to_none=True)
        error.backward()
        self.adam.step()
        self.step += 1
        return error.item()

    def _imitated(self, x: Tensor, quality: Tensor) -> Tensor:
        with torch.autocast(self.device.type, torch.bfloat16):
            y: Tensor = self.net(x.to(self.device), quality.to(self.device))
        return y.float()

    @torch.no_grad()
    def evaluate(self) -> dict[str, float]:
        """Mean PSNR with real JPEG, of the network and of doing nothing, on the same crops every time."""
        crops = Crops(self.settings.pack, "held-out", seed=1)
        out = {}
        for q in QUALITIES:
            x = crops.read(crops.draw(0, EVALUATED, 128), 128)
            quality = torch.full((EVALUATED,), q)
            target = real(x, quality)
            out[f"psnr{q}"] = _psnr(self._imitated(x, quality).cpu(), target)
            out[f"identity{q}"] = _psnr(x, target)
        return out

    def save(self) -> None:
        state = {"net": self.net.state_dict(), "adam": self.adam.state_dict()}
        state |= {"step": self.step, "seconds": self.seconds}
        checkpoint.save(self.folder / "checkpoint.pt", state)
        halves = {k: v.detach().cpu().half().contiguous() for k, v in self.net.state_dict().items()}
        save_file(halves, self.folder / "weights.safetensors", {"width": str(self.settings.width)})

    def _restore(self, state: dict) -> None:
        self.net.load_state_dict(state["net"])
        self.adam.load_state_dict(state["adam"])
        self.step, self.seconds = state["step"], state["seconds"]


def share(step: int, steps: int) -> float:
    """Of the full rate: a short rise, then half a cosine down to zero."""
    return min(1.0, (step + 1) / WARMUP) * (1 + math.cos(math.pi * step / steps)) / 2


def _psnr(a: Tensor, b: Tensor) -> float:
    error = (a.clamp(0, 1) - b).square().mean((1, 2, 3))
    return float((-10 * error.clamp(min=1e-10).log10()).mean())


def train(settings: Settings, folder: Path, device: torch.device, every: int) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    run = Run(settings, folder, device)
    bar = tqdm(total=settings.steps, initial=run.step, disable=None)
    errors = []
    with bar, (folder / "log.jsonl").open("a") as log:
        while run.step < settings.steps:
            began = time.monotonic()
            errors.append(run.train_step())
            run.seconds += time.monotonic() - began
            bar.update()
            if run.step % every == 0 or run.step == settings.steps:
                row = {"step": run.step, "seconds": round(run.seconds, 1), "mse": float(np.mean(errors))}
                log.write(json.dumps(row | run.evaluate()) + "\n")
                log.flush()
                errors.clear()
                run.save()


@click.command()
@click.argument("pack", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.argument("folder", type=click.Path(file_okay=False, path_type=Path))
@click.option("--width", default=64, show_default=True, help="Channels of the first level.")
@click.option("--steps", default=20_000, show_default=True)
@click.option("--batch", default=8, show_default=True)
@click.option("--crop", default=128, show_default=True, help="Side of the crops, a multiple of 16.")
@click.option("--lowest", default=10, show_default=True, help="The least quality drawn.")
@click.option("--highest", default=99, show_default=True, help="The highest; 100 is allowed.")
@click.option("--rate", default=1e-3, show_default=True, help="Adam's.")
@click.option("--seed", default=0, show_default=True)
@click.option("--every", default=500, show_default=True, help="Steps between evaluations, each then saved.")
def main(folder: Path, every: int, **settings: object) -> None:
    """Train on the pictures of PACK; FOLDER gets log, checkpoint and weights."""
    device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
    train(Settings(**settings), folder, device, every)  # type: ignore[arg-type]


if __name__ == "__main__":
    main()
