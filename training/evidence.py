"""What tells a secure model's own pictures from others, learnt by itself.

    python -m training.evidence runs/quiet evidence.safetensors
    python -m training.train training/configs/secure.toml model.floors=true model.evidence=true \
        model.start=evidence.safetensors

The networks of the run stay as they are: y of crops that went through its innocent edits, and of what it
makes of them after its attacks, is computed once. The channels that have floors are to answer. Evidence then
learns from many crops at a time, a hundred times as many a minute as in training itself, whose few crops a
step leave it restless.
"""

from dataclasses import replace
from pathlib import Path
from typing import NamedTuple

import click
import numpy as np
import torch
from safetensors.torch import save_file
from torch import Tensor, nn
from tqdm import tqdm

from slic.evidence import Evidence
from training import config, synthetic
from training.attacks import Attacks
from training.config import Config, ConfigError
from training.data import Crops, Split
from training.loop import edits, use_bf16
from training.mine import overlaid
from training.networks import build, code
from training.objective import told_apart
from training.straight_through import round_8bit

BATCH = 6
MADE = 0.35  # of the crops: what evidence mistakes most are patterns, soft shapes and gradients
TOGETHER = 24  # of either kind in a step
LEVEL = 0.9  # of the magnitudes in its own pictures that the answer may reach; the rest is cut down to that
RATE, WARMUP, DECAY = 2e-3, 50, 1e-2
SEED = 2_000_003  # these crops are not those of the first steps


class Seen(NamedTuple):
    """(crops,M,h,w) each, as g_a gives it, in float16."""

    innocent: Tensor
    own: Tensor
    kept: Tensor
    """(crops,1,h,w): the share of each place that is still the model's own."""


@torch.no_grad()
def collect(
    net: nn.Module,
    settings: Config,
    innocent: Attacks | None,
    attacks: Attacks,
    count: int,
    split: Split = "train",
) -> Seen:
    """Of `net` without its answer, so that all come out whole."""
    crops, batches = Crops(Path(settings.data.pack), split, seed=SEED), []
    draw = torch.tensor(settings.data.draw)
    for step in tqdm(range(-(-count // BATCH)), unit="batch", disable=None):
        random = torch.Generator().manual_seed(step)
        x = crops.read(crops.draw(step, BATCH, settings.data.crop), settings.data.crop)
        x = torch.stack([varied(crop, (step, i)) for i, crop in enumerate(x)])
        x = round_8bit(innocent(x, random)[0].pixels if innocent else x)
        quality = torch.multinomial(draw, BATCH, replacement=True, generator=random) + 1
        edited, _ = attacks(round_8bit(code(net, x, quality, None).pixels), random)
        with torch.autocast("cpu", torch.bfloat16, enabled=net.bf16):
            theirs, ours = net.g_a(x), net.g_a(round_8bit(edited.pixels))
        kept = nn.functional.avg_pool2d(edited.kept, x.shape[-1] // ours.shape[-1])
        batches.append((theirs.half(), ours.half(), kept))
    return Seen(*(torch.cat(parts) for parts in zip(*batches, strict=True)))


def varied(crop: Tensor, seed: tuple[int, int]) -> Tensor:
    """A crop (3,H,W), half of them with patterns over them, or in its place a part of a generated picture."""
    random, side = np.random.default_rng((SEED, *seed)), crop.shape[-1]
    if random.random() >= MADE:
        return overlaid(crop, seed)
    kind = synthetic.KINDS[int(random.integers(len(synthetic.KINDS)))]
    top, left = (int(at) for at in random.integers(synthetic.SIZE - side + 1, size=2))
    levels = np.asarray(kind(random).convert("RGB"))[top : top + side, left : left + side]
    return torch.from_numpy(levels.transpose(2, 0, 1) / np.float32(255))


def levels(own: Tensor, answering: Tensor) -> Tensor:
    """(crops,M,h,w) → (M): of the channels that answer, the magnitude that LEVEL of them stay below."""
    magnitudes = own.transpose(0, 1).flatten(1)[answering].abs().float()
    out = torch.zeros(own.shape[1])
    out[answering] = magnitudes.kthvalue(int(LEVEL * magnitudes.shape[1]) + 1, 1).values
    return out


def fit(evidence: Evidence, seen: Seen, steps: int, seed: int = 0) -> None:
    """Train it in place."""
    random = torch.Generator().manual_seed(seed)
    optimiser = torch.optim.AdamW(evidence.parameters(), RATE, weight_decay=DECAY)
    for step in tqdm(range(steps), unit="step", disable=None):
        optimiser.param_groups[0]["lr"] = RATE * min(1, (step + 1) / WARMUP) * (1 - step / steps)
        theirs, ours = torch.randint(len(seen.own), (2, TOGETHER), generator=random)
        loss = told_apart(
            evidence(seen.innocent[theirs].float()), evidence(seen.own[ours].float()), seen.kept[ours]
        )
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()


@torch.no_grad()
def mistakes(evidence: Evidence, seen: Seen) -> tuple[float, float]:
    """The share of innocent places that are answered, and of its own places that are not."""
    innocent, own = (
        torch.cat([evidence(y.float()) for y in part.split(TOGETHER)]) for part in (seen.innocent, seen.own)
    )
    missed = ((own <= 0) * seen.kept).sum() / seen.kept.sum()
    return float((innocent > 0).float().mean()), float(missed)


@click.command()
@click.argument("run", type=click.Path(exists=True, file_okay=False, path_type=Path))
@click.argument("target", type=click.Path(dir_okay=False, path_type=Path))
@click.option("--crops", default=8400, show_default=True, help="Pairs to learn from; 0.1 MB of memory each.")
@click.option("--steps", default=3500, show_default=True)
@click.option(
    "--doubt", default=4.0, show_default=True, help="Evidence that is wanted beyond an even chance."
)
def main(run: Path, target: Path, crops: int, steps: int, doubt: float) -> None:
    """Write the weights of the run folder RUN, with evidence, to TARGET."""
    try:
        settings = config.of_run(run)
        bf16 = use_bf16(settings.precision, torch.device("cpu"))
        innocent, attacks = edits(settings, torch.device("cpu"), bf16)
        if attacks is None or not settings.model.floors:
            raise ConfigError(f"{run} is no secure run with floors")
        start = replace(settings.model, start=str(run / "weights.safetensors"), parts=[], evidence=True)
        net = build(start, bf16=bf16).eval().requires_grad_(False)
        learnt, net.evidence = net.evidence.requires_grad_(True), Shut(net.floor > 0)
        seen = collect(net, settings, innocent, attacks, crops)
        learnt.answer = nn.Parameter(levels(seen.own, net.floor > 0), requires_grad=False)
        fit(learnt, seen, steps)
        with torch.no_grad():
            learnt.decide.bias -= doubt
        wrong = mistakes(learnt, collect(net, settings, innocent, attacks, max(1, crops // 10), "held-out"))
    except ConfigError as error:
        raise click.UsageError(str(error)) from error
    net.evidence = learnt
    save_file({k: v.contiguous() for k, v in net.state_dict().items()}, target)
    shares = f"{wrong[0]:.2%} of innocent pictures are answered, {wrong[1]:.2%} of its own are not"
    click.echo(f"{target}: of held-out places {shares}")


class Shut(nn.Module):
    """Evidence for nothing, so that the answering channels (M) are silent."""

    def __init__(self, answering: Tensor) -> None:
        super().__init__()
        self.register_buffer("answering", answering)

    def forward(self, y: Tensor) -> Tensor:
        """(B,M,h,w) → (B,1,h,w)"""
        return y.new_full((len(y), 1, *y.shape[2:]), -1.0)

    def answered(self, y: Tensor, evidence: Tensor) -> Tensor:
        return y.masked_fill(self.answering[:, None, None], 0.0)


if __name__ == "__main__":
    main()
