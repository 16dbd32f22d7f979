"""How fast is a step of training, and how much of what the machine can multiply does it use?

    python -m benchmarks.training_speed --config training/configs/base.toml [--json] [KEY=VALUE]...

A plain step and a secure one (of the configuration's attacks, at full strength), whole and in parts:
`forward_s` with the loss, `backward_s`, `rest_s` for crops, optimisers and averages. `gmac_per_step` are
the multiply-adds of all convolutions, forward and backward, those of the distance among them. The peak is
the best of several large products and convolutions in the precision of the run, made in this process with
the same threads. Crops are of noise, as speed does not depend on what they show.
"""

import itertools
import statistics
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, nullcontext
from dataclasses import replace
from pathlib import Path

import click
import numpy as np
import torch
from PIL import Image
from torch import nn
from torch.utils.flop_counter import FlopCounterMode

from benchmarks.data import Row, show
from slic.allocator import keep_freed_memory
from training import config, data, parallel
from training.config import Config
from training.loop import Run
from training.objective import Losses
from training.parallel import Team

CONFIG = Path(__file__).parents[1] / "training" / "configs" / "base.toml"
PEAK_SIDE = {"cpu": 3072, "cuda": 8192}
"""Of the product that looks for the peak."""


def measure(settings: Config, team: Team, steps: int, side: int | None = None) -> Iterator[Row]:
    """A row for each kind of step; `side` is that of the product that looks for the peak."""
    keep_freed_memory()
    dtype = torch.float32
    for name, alpha in (("plain", 0.0), ("secure", settings.secure.alpha or 1.0)):
        run = Run(_of(settings, alpha), Path(), team)
        dtype = torch.bfloat16 if run.bf16 else torch.float32
        macs = multiply_adds(run)
        taken = _times(run, steps)
        rate = macs / taken["step_s"]
        best = peak(team.device, dtype, side or PEAK_SIDE[team.device.type])
        yield {
            "step": name,
            "device": team.device.type,
            "precision": "bf16" if run.bf16 else "fp32",
            "crops": settings.data.batch * settings.data.accumulate,
            "size": settings.data.crop,
            "steps_per_s": 1 / taken["step_s"],
            "crops_per_s": settings.data.batch * settings.data.accumulate / taken["step_s"],
            **taken,
            "gmac_per_step": macs / 1e9,
            "gmac_per_s": rate / 1e9,
            "peak_gmac_per_s": best / 1e9,
            "share": rate / best,
        }


def _of(settings: Config, alpha: float) -> Config:
    return replace(settings, secure=replace(settings.secure, alpha=alpha, widen=1))


def multiply_adds(run: Run) -> int:
    """Of every convolution of one step, forward and backward."""
    eager: AbstractContextManager[object] = nullcontext()
    if run.team.device.type == "cuda":
        eager = torch.compiler.set_stance("force_eager")  # compiled graphs hide their convolutions
    with eager, FlopCounterMode(display=False) as counter:
        run.train_step()
    counts = counter.get_flop_counts()["Global"]
    return sum(count for operation, count in counts.items() if "convolution" in str(operation)) // 2


def _times(run: Run, steps: int) -> dict[str, float]:
    """Medians over `steps`, whole steps and parts in turn; one round does not count."""
    rounds = [(_timed(run.train_step, run.team), *_parts(run)) for _ in range(steps + 1)][1:]
    step, forward, backward = (statistics.median(column) for column in zip(*rounds, strict=True))
    return {"step_s": step, "forward_s": forward, "backward_s": backward, "rest_s": step - forward - backward}


def _parts(run: Run) -> tuple[float, float]:
    """Seconds of the forward and of the backward passes of one step."""
    s = run.settings.data
    total = s.batch * s.accumulate
    x = run.crops.read(run.crops.draw(run.step, s.batch, s.crop), s.crop).to(run.team.device)
    losses: list[Losses] = []
    forward = backward = 0.0
    for _ in range(s.accumulate):
        forward += _timed(lambda: losses.append(run._losses(x, total, slice(0, s.batch))), run.team)
        backward += _timed(losses.pop().total.backward, run.team)
    run.optimisers.zero()
    return forward, backward


def peak(device: torch.device, dtype: torch.dtype, side: int, tries: int = 4) -> float:
    """Multiply-adds a second: the best of a product and a convolution of the same size."""
    with torch.inference_mode():
        a, b = (torch.randn(side, side, device=device).to(dtype) for _ in "ab")
        layer = nn.Conv2d(128, 128, 5, padding=2, bias=False).to(
            device, dtype, memory_format=torch.channels_last
        )
        pixels = max(1, side**3 // (128 * 128 * 25 * 128 * 128))  # pictures of 128 pixels
        x = torch.randn(pixels, 128, 128, 128, device=device).to(dtype, memory_format=torch.channels_last)
        works = (
            (side**3, lambda: torch.mm(a, b)),
            (pixels * 128**2 * 128 * 128 * 25, lambda: layer(x)),
        )
        team = Team(0, 1, device)
        return max(macs / _timed(work, team) for (macs, work), _ in itertools.product(works, range(tries)))


def _timed(work: Callable[[], object], team: Team) -> float:
    _wait(team.device)
    began = time.perf_counter()
    work()
    _wait(team.device)
    return time.perf_counter() - began


def _wait(device: torch.device) -> None:
    if device.type == "cuda":
        torch.cuda.synchronize(device)


def noise(folder: Path, side: int) -> Path:
    """A pack of two pictures: the first one is held out."""
    random = np.random.default_rng(0)
    for name in "ab":
        pixels = random.integers(0, 256, (side, side, 3)).astype(np.uint8)
        Image.fromarray(pixels).save(folder / f"{name}.png")
    data.pack(folder.glob("*.png"), folder / "pack.safetensors", 900, {})
    return folder / "pack.safetensors"


@click.command()
@click.option("--config", "file", default=CONFIG, show_default="base.toml",
              type=click.Path(exists=True, dir_okay=False, path_type=Path))  # fmt: skip
@click.option("--steps", default=5, show_default=True, help="Steps of each kind to take the median of.")
@click.option("--threads", default=2, show_default=True)
@click.option("--peak-side", type=int, help="Side of the product that looks for the peak.")
@click.option("--json", "as_json", is_flag=True, help="One JSON object a row.")
@click.argument("overrides", nargs=-1, metavar="[KEY=VALUE]...")
def main(
    file: Path, steps: int, threads: int, peak_side: int | None, as_json: bool, overrides: tuple[str, ...]
) -> None:
    torch.set_num_threads(threads)
    settings = config.load(file, overrides)
    with tempfile.TemporaryDirectory() as folder:
        pack = noise(Path(folder), settings.data.crop + 64)
        settings = replace(settings, data=replace(settings.data, pack=str(pack)))
        show(measure(settings, parallel.alone(), steps, peak_side), as_json=as_json)


if __name__ == "__main__":
    main()
