"""Where a picture is the model's own: the map that `slic check` draws, learnt from changed pictures.

    python -m training.locate runs/secure

Evidence as it was trained says of a whole picture whether it is the model's own; about one place its votes
are scattered. `Evidence.where` is a small network on votes that learns, from regions pasted, blurred, painted
out and written over, which places are. What is decoded stays bit for bit as it was. And evidence is made to
doubt a little more whether to answer: in training a third of what it sees is the model's own, of what people
encode next to nothing.

    crops ─net─► own ──┐                       ┌► what remains, place by place
    others, blurs, … ──┴─ by masks ─ saved ─►  votes ─where─►  the same, as evidence
"""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import click
import numpy as np
import torch
import torch.nn.functional as F
from PIL import Image, ImageDraw, ImageFilter
from safetensors.torch import save_file
from torch import Tensor, nn
from torch.optim import Adam
from tqdm import tqdm

from slic.evidence import STRIDE
from training import config, synthetic
from training.attacks import Attacks
from training.config import Config, ConfigError
from training.data import Crops
from training.loop import use_bf16
from training.networks import Vanilla, build, code
from training.straight_through import round_8bit

SEED = 6_000_011  # these crops are not those of a run
CROP, SPARE = 256, 16  # pixels a side, and by how many a crop may be cut
BATCH, RATE, WARMUP = 8, 2e-3, 50
WHOLE, FOREIGN = 0.15, 0.25  # shares of the pictures that are all the model's own, or not at all
SAVED = [
    {"name": "identity", "weight": 0.3},
    {"name": "jpeg", "weight": 0.4, "quality": [60, 95]},
    {"name": "webp", "weight": 0.08, "quality": [60, 95]},
    {"name": "rescale", "weight": 0.08, "factor": [0.5, 0.95]},
    {"name": "blur", "weight": 0.04, "radius": [0.3, 1.5]},
    {"name": "sharpen", "weight": 0.03, "amount": [0.3, 1]},
    {"name": "noise", "weight": 0.03, "sigma": [1, 5]},
    {"name": "gamma", "weight": 0.04, "exponent": [0.6, 1.6]},
]
Random = np.random.Generator


class Pool:
    """Crops, as the model decodes them and as they were; decoding is dear, so each serves often."""

    @torch.no_grad()
    def __init__(self, net: nn.Module, settings: Config, count: int) -> None:
        crops, side, shares = Crops(Path(settings.data.pack), seed=SEED), CROP + SPARE, settings.data
        base = Vanilla(settings.model, settings.secure.vanilla[0], 6, bf16=net.bf16).net
        pad = -side % 64
        self.own, self.others = [], []
        for i in tqdm(range(count), unit="crop", disable=None):
            (crop,) = crops.read(crops.draw(i, 1, side), side)
            x = round_8bit(synthetic.varied(crop, (SEED, i), shares.made))[None]
            random = torch.Generator().manual_seed(SEED + i)
            quality = torch.multinomial(torch.tensor(shares.draw), 1, generator=random) + 1
            padded = F.pad(x, (0, pad, 0, pad), mode="replicate")
            own, plain = (
                round_8bit(code(n, padded, quality, None, answers=False).pixels)[..., :side, :side]
                for n in (net, base)
            )
            self.own.append(own[0])
            self.others.append((x if i % 3 else plain)[0])

    def draw(self, random: Random) -> tuple[Tensor, Tensor]:
        """A picture (3,CROP,CROP) that was changed, and how much of each pixel is the model's own."""
        own, other = self.own[random.integers(len(self.own))], self.others[random.integers(len(self.others))]
        share = random.random()
        if share < WHOLE:
            kept = torch.ones_like(own[:1])
        elif share < WHOLE + FOREIGN:
            kept = torch.zeros_like(own[:1])
        else:
            kept = 1 - region(own.shape[-1], random)
        kind = int(random.choice(len(CHANGES), p=[0.55, 0.2, 0.1, 0.15]))
        changed = torch.lerp(CHANGES[kind](own, other, random), own, kept)
        top, left = random.integers(0, SPARE + 1, 2)
        cut = np.s_[:, top : top + CROP, left : left + CROP]
        return round_8bit(changed[cut]), kept[cut]


def region(side: int, random: Random) -> Tensor:
    """(1,side,side): 1 inside a box, an ellipse or a polygon of 1% to 40% of it, its rim sharp or soft."""
    image = Image.new("L", (side, side))
    area, aspect = float(np.exp(random.uniform(np.log(0.01), np.log(0.4)))), np.exp(random.normal(0, 0.4))
    w, h = (min(side - 1, side * (area * a) ** 0.5) for a in (aspect, 1 / aspect))
    left, top = random.uniform(-0.1 * w, side - 0.9 * w), random.uniform(-0.1 * h, side - 0.9 * h)
    box, draw = (left, top, left + w, top + h), ImageDraw.Draw(image)
    kind = random.integers(3)
    if kind == 2:
        angles = np.sort(random.uniform(0, 2 * np.pi, random.integers(4, 9)))
        reach = random.uniform(0.6, 1.4, len(angles))
        x, y = left + w / 2 * (1 + reach * np.cos(angles)), top + h / 2 * (1 + reach * np.sin(angles))
        draw.polygon(np.stack([x, y], 1).ravel().tolist(), fill=255)
    else:
        (draw.rectangle, draw.ellipse)[kind](box, fill=255)
    soft = image.filter(ImageFilter.GaussianBlur(float(random.choice([0, 0, 3, 6]))))
    return torch.from_numpy(np.asarray(soft) / np.float32(255))[None]


def pasted(own: Tensor, other: Tensor, random: Random) -> Tensor:
    return other


def blurred(own: Tensor, other: Tensor, random: Random) -> Tensor:
    return _filtered(own, random.uniform(1.5, 6))


def painted_out(own: Tensor, other: Tensor, random: Random) -> Tensor:
    """What is around, spread inwards, with some grain."""
    smooth = _filtered(own, random.uniform(10, 25))
    return smooth + torch.from_numpy(random.normal(0, random.uniform(0, 0.02), smooth.shape)).float()


def written_over(own: Tensor, other: Tensor, random: Random) -> Tensor:
    """A plate with words, or a screen."""
    kinds = (synthetic.text, synthetic.screen, synthetic.sign, synthetic.flat)
    made = np.asarray(kinds[random.integers(len(kinds))](random).convert("RGB"))
    side = own.shape[-1]
    return torch.from_numpy(made[:side, :side].transpose(2, 0, 1) / np.float32(255))


CHANGES: tuple[Callable[[Tensor, Tensor, Random], Tensor], ...] = (
    pasted, blurred, painted_out, written_over,
)  # fmt: skip


def _filtered(picture: Tensor, radius: float) -> Tensor:
    image = Image.fromarray((picture.permute(1, 2, 0).numpy() * 255).round().astype(np.uint8))
    filtered = np.asarray(image.filter(ImageFilter.GaussianBlur(radius)))
    return torch.from_numpy(filtered.transpose(2, 0, 1) / np.float32(255))


def fit(net: nn.Module, pool: Pool, steps: int) -> float:
    """Train `net.evidence.where` in place; the mean loss of the last tenth."""
    where, saved, losses = net.evidence.where.requires_grad_(True), Attacks(SAVED), []
    optimiser = Adam(where.parameters(), RATE)
    for step in (bar := tqdm(range(steps), unit="step", disable=None)):
        optimiser.param_groups[0]["lr"] = RATE * min(1, (step + 1) / WARMUP, 1.5 * (1 - step / steps))
        drawn = [pool.draw(np.random.default_rng((SEED, step, i))) for i in range(BATCH)]
        x, kept = (torch.stack(part) for part in zip(*drawn, strict=True))
        with torch.no_grad():
            attacked, _ = saved(x, torch.Generator().manual_seed(SEED + step))
            votes = net.evidence.votes(round_8bit(attacked.pixels))
        loss = F.binary_cross_entropy_with_logits(net.evidence.located(votes), F.avg_pool2d(kept, STRIDE))
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
        losses.append(float(loss.detach()))
        bar.set_postfix(loss=f"{np.mean(losses[-50:]):.3f}")
    where.requires_grad_(False)
    return float(np.mean(losses[-max(1, steps // 10) :]))


@click.command()
@click.argument("run", type=click.Path(exists=True, file_okay=False, path_type=Path))
@click.option("--crops", default=500, show_default=True, help="How many to decode beforehand.")
@click.option("--steps", default=1200, show_default=True, help=f"Of {BATCH} pictures each.")
@click.option("--doubt", default=1.0, show_default=True, help="Taken off evidence, each time.")
def main(run: Path, crops: int, steps: int, doubt: float) -> None:
    """Fit the map of the secured run folder RUN, in its weights.safetensors, and have evidence doubt."""
    file = run / "weights.safetensors"
    try:
        settings = config.of_run(run)
        if not settings.model.evidence or not settings.secure.vanilla:
            raise ConfigError(f"{run} gathers no evidence, or names no base in secure.vanilla")
        torch.manual_seed(SEED)
        start = replace(settings.model, start=str(file), parts=[])
        net = build(start, bf16=use_bf16(settings.precision, torch.device("cpu"))).requires_grad_(False)
        loss = fit(net, Pool(net, settings, crops), steps)
        net.evidence.decide.bias -= doubt
    except ConfigError as error:
        raise click.UsageError(str(error)) from error
    save_file({k: v.detach().contiguous() for k, v in net.state_dict().items()}, file)
    click.echo(f"{file}: where {loss:.3f}")


if __name__ == "__main__":
    main()
