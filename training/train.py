"""Train a codec: configuration in, run folder out (log, curve, checkpoint, weights).

    python -m training.train training/configs/base-q6.toml data.pack=runs/pack.safetensors
    python -m training.train training/configs/base-q6.toml steps=9000      # resumes and ends sooner

A run stops cleanly on SIGINT or SIGTERM and goes on, bit for bit, when started again. Rates are
constant until the last `optimiser.decay` steps, so a run may be shortened or prolonged at any time.
"""

import copy
import json
import signal
import time
from dataclasses import asdict
from pathlib import Path

import click
import torch
from safetensors.torch import save_file
from torch import Tensor, nn
from tqdm import tqdm

from slic.allocator import keep_freed_memory
from training import checkpoint, config
from training.config import Config, ConfigError
from training.data import Crops
from training.networks import LAMBDAS, build, code
from training.optim import Optimisers

HELD_OUT_BATCHES = 12


def rate_distortion(net: nn.Module, x: Tensor, quality: Tensor) -> tuple[Tensor, Tensor]:
    """Squared error on [0, 1] and bits per pixel, (B,) each."""
    with torch.autocast(x.device.type, torch.bfloat16):
        x_hat, bpp = code(net, x, quality if hasattr(net, "gain") else None)
    return (x_hat - x).square().mean((1, 2, 3)), bpp


@torch.no_grad()
def evaluate(net: nn.Module, settings: Config) -> dict[str, float]:
    """Loss, PSNR and rate with rounding, on the same crops of held-out pictures every time."""
    net.eval()
    out = {}
    for quality in sorted(set(settings.judge)):
        crops = Crops(Path(settings.data.pack), "held-out", seed=1)
        which = torch.full((4,), quality)
        pairs = [rate_distortion(net, crops.batch(4, 256), which) for _ in range(HELD_OUT_BATCHES)]
        mse, bpp = (float(torch.stack(v).mean()) for v in zip(*pairs, strict=True))
        psnr = float(torch.stack([-10 * m.mean().log10() for m, _ in pairs]).mean())
        out |= {f"loss{quality}": LAMBDAS[quality] * 255**2 * mse + bpp}
        out |= {f"psnr{quality}": psnr, f"bpp{quality}": bpp}
    return out


def share(step: int, settings: Config) -> float:
    """The part of the full rates to use at `step`."""
    o = settings.optimiser
    return min(1.0, (step + 1) / o.warmup, (settings.steps - step) / o.decay)


class Run:
    """A model in training with all that a checkpoint must hold."""

    def __init__(self, settings: Config, folder: Path) -> None:
        torch.manual_seed(settings.seed)
        self.settings, self.folder = settings, folder
        self.net = build(settings.model)
        self.ema = copy.deepcopy(self.net)
        o = settings.optimiser
        self.optimisers = Optimisers(self.net, o.rate, o.hyper_rate, o.adam_rate)
        self.crops = Crops(Path(settings.data.pack), seed=settings.seed)
        self.step, self.seconds = 0, 0.0
        if (folder / "checkpoint.pt").exists():
            self._restore(checkpoint.load(folder / "checkpoint.pt"))

    def train_step(self) -> tuple[float, float]:
        self.net.train()
        self.optimisers.set_share(share(self.step, self.settings))
        self.optimisers.zero()
        x = self.crops.batch(self.settings.data.batch, self.settings.data.crop)
        quality = torch.multinomial(torch.tensor(self.settings.draw), len(x), replacement=True) + 1
        mse, bpp = rate_distortion(self.net, x, quality)
        lmbda = torch.tensor(list(LAMBDAS.values()))[quality - 1]
        weight = (LAMBDAS[6] / lmbda).sqrt()  # rates grow about so: a percent counts alike at each quality
        (weight * (lmbda * 255**2 * mse + bpp)).mean().backward()
        nn.utils.clip_grad_norm_(self.optimisers.rest, 1.0)
        self.optimisers.muon.step()
        self.optimisers.adam.step()
        self.net.aux_loss().backward()
        self.optimisers.aux.step()
        keep = min(self.settings.optimiser.ema, (self.step + 1) / (self.step + 50))
        with torch.no_grad():
            for average, value in zip(self.ema.parameters(), self.net.parameters(), strict=True):
                average.lerp_(value, 1 - keep)
        self.step += 1
        return mse.mean().item(), bpp.mean().item()

    def save(self) -> None:
        checkpoint.save(
            self.folder / "checkpoint.pt",
            {
                "net": self.net.state_dict(),
                "ema": self.ema.state_dict(),
                "optimisers": self.optimisers.state(),
                "crops": json.dumps(self.crops.state()),
                "random": torch.get_rng_state(),
                "step": self.step,
                "seconds": self.seconds,
            },
        )
        weights = {k: v.detach().clone().contiguous() for k, v in self.ema.state_dict().items()}
        save_file(weights, self.folder / "weights.safetensors")

    def _restore(self, state: dict) -> None:
        self.net.load_state_dict(state["net"])
        self.ema.load_state_dict(state["ema"])
        self.optimisers.restore(state["optimisers"])
        self.crops.restore(json.loads(state["crops"]))
        torch.set_rng_state(state["random"])
        self.step, self.seconds = state["step"], state["seconds"]


def train(settings: Config, folder: Path) -> None:
    keep_freed_memory()
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "config.json").write_text(json.dumps(asdict(settings), indent=1))
    run = Run(settings, folder)
    stop: list[int] = []
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda s, _: stop.append(s))
    print(
        f"cpu, {torch.get_num_threads()} threads, bf16 autocast; step {run.step} of {settings.steps}",
        flush=True,
    )
    bar = tqdm(total=settings.steps, initial=run.step, disable=None)
    with (folder / "log.jsonl").open("a") as log:
        while run.step < settings.steps and not stop:
            began = time.monotonic()
            mse, bpp = run.train_step()
            run.seconds += time.monotonic() - began
            bar.update()
            row: dict[str, float] = {}
            if run.step % 50 == 0:
                row |= {"mse": mse, "train_bpp": bpp}
            if run.step % settings.evaluate_every == 0 or run.step == settings.steps:
                row |= evaluate(run.ema, settings)
            if row:
                log.write(json.dumps({"step": run.step, "seconds": round(run.seconds, 1)} | row) + "\n")
                log.flush()
            if run.step % settings.save_every == 0:
                run.save()
    run.save()


@click.command()
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.argument("overrides", nargs=-1, metavar="[KEY=VALUE]...")
@click.option("--runs", default=Path("runs"), type=click.Path(path_type=Path), help="Where run folders lie.")
def main(file: Path, overrides: tuple[str, ...], runs: Path) -> None:
    """Train as FILE says, into a folder named after the run."""
    try:
        settings = config.load(file, overrides)
    except ConfigError as error:
        raise click.UsageError(str(error)) from error
    train(settings, runs / settings.name)


if __name__ == "__main__":
    main()
