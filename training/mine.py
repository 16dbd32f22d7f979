"""Crops that a codec of hinges.toml takes for its own: found, and packed to be drawn more often.

    python -m training.mine runs/hinges runs/mined.safetensors --count 3000
    python -m training.train training/configs/hinges.toml data.pack=runs/mined.safetensors

A false destruction is rare, so random crops hardly ever teach against it. Candidates are crops of the
run's own pack, half of them with a band, disc or blot of some pattern laid over (straps, blinds and
fences are what is mistaken for a trigger of stripes), all through the run's innocent edits. Those with
a block that the codec breaks and its base does not join the pack as pictures of their own.
"""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import NamedTuple

import click
import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from safetensors.numpy import load_file, save_file
from torch import Tensor
from tqdm import tqdm

from training import config, synthetic
from training.attacks import Attacks
from training.config import Config, ConfigError
from training.data import Crops
from training.loop import use_bf16
from training.networks import Vanilla, build, code
from training.straight_through import round_8bit

SIZE = 256
BLOCK = 32  # pixels a side
BROKEN = 0.004  # squared error (24 dB) of a block beyond the base's
SEED = 1_000_003  # candidates are not the crops of the first steps


Pass = Callable[[Tensor], Tensor]
"""(B,3,H,W) → what a codec makes of it."""


class Found(NamedTuple):
    pixels: NDArray[np.uint8]  # (SIZE, SIZE, 3)
    excess: float
    """Squared error of its worst block beyond the base's."""


@torch.no_grad()
def mine(settings: Config, secured: Pass, base: Pass, count: int, batch: int = 4) -> list[Found]:
    """Those of `count` candidates that `secured` breaks; both are (B,3,H,W) → decoded pictures."""
    crops = Crops(Path(settings.data.pack), seed=SEED)
    networks = [base] if any("codec" in str(edit["name"]) for edit in settings.data.innocent) else []
    innocent = Attacks(settings.data.innocent, networks=networks) if settings.data.innocent else None
    found = []
    for step in tqdm(range(-(-count // batch)), unit="batch", disable=None):
        generator = torch.Generator().manual_seed(step)
        x = crops.read(crops.draw(step, batch, SIZE), SIZE)
        x = torch.stack([synthetic.overlaid(crop, (SEED, step, i)) for i, crop in enumerate(x)])
        x = round_8bit(innocent(x, generator)[0].pixels if innocent else x)
        excess = _errors(secured, x) - _errors(base, x)  # (B, blocks)
        for crop, worst in zip(x, excess.amax(1).tolist(), strict=True):
            if worst > BROKEN:
                levels = crop.mul(255).round().byte().permute(1, 2, 0)
                found.append(Found(np.ascontiguousarray(levels.numpy()), worst))
    return found


def extended(pack: dict[str, NDArray], found: list[Found], share: float) -> dict[str, NDArray]:
    """`pack` with the found crops, which make up `share` of what is drawn from it."""
    weight = pack["weights"].sum() * share / (1 - share) / max(1, len(found))
    return {
        "pixels": np.concatenate([pack["pixels"], *(f.pixels.reshape(-1) for f in found)]),
        "sizes": np.concatenate([pack["sizes"], np.full((len(found), 2), SIZE, np.int32)]),
        "weights": np.concatenate([pack["weights"], np.full(len(found), weight)]),
    }


def _errors(codec: Pass, x: Tensor) -> Tensor:
    """(B,3,H,W) → (B, blocks): squared error of each block."""
    error = (codec(x).clamp(0, 1) - x).square().mean(1, keepdim=True)
    return F.avg_pool2d(error, BLOCK).flatten(1)


@click.command()
@click.argument("run", type=click.Path(exists=True, file_okay=False, path_type=Path))
@click.argument("target", type=click.Path(dir_okay=False, path_type=Path))
@click.option("--count", default=2000, show_default=True, help="How many candidates to try.")
@click.option("--share", default=0.15, show_default=True, help="Part of the crops drawn that are mined ones.")
@click.option("--quality", type=click.IntRange(1, 8), default=6, show_default=True)
def main(run: Path, target: Path, count: int, share: float, quality: int) -> None:
    """Extend the pack of the run folder RUN by what its codec takes for its own, into TARGET."""
    try:
        settings = config.of_run(run)
        if not settings.secure.vanilla:
            raise ConfigError("secure.vanilla names no base to compare with")
        bf16 = use_bf16(settings.precision, torch.device("cpu"))
        start = str(run / "weights.safetensors")
        net = build(replace(settings.model, start=start, parts=[]), bf16=bf16).eval()
        base = Vanilla(settings.model, settings.secure.vanilla[0], quality, bf16=bf16)

        def secured(x: Tensor) -> Tensor:
            return code(net, x, torch.full((len(x),), quality), None).pixels

        found = mine(settings, secured, base, count)
    except ConfigError as error:
        raise click.UsageError(str(error)) from error
    save_file(extended(load_file(settings.data.pack), found, share), target)
    click.echo(f"{target}: {len(found)} of {count} candidates broken, now {share:.0%} of what is drawn")


if __name__ == "__main__":
    main()
