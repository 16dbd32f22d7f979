"""Where a secure encoder answers the trigger, and below what it had better say nothing.

    python -m training.floors runs/hinges floors.safetensors
    python -m training.train training/configs/hinges.toml model.floors=true model.start=floors.safetensors

The channels of y that a secure run fills, and its base does not, measure how much of the trigger there is.
Pictures without it fill them a little. Each such channel gets a floor: SHARE of what NINETEEN in twenty of
their values there stay below. Training goes on from there: encoder and decoder adapt.
"""

from dataclasses import replace
from pathlib import Path

import click
import torch
from safetensors.torch import save_file
from torch import Tensor, nn

from training import config
from training.config import Config, ConfigError
from training.data import Crops
from training.networks import build

BATCHES, BATCH, SIZE = 6, 4, 256
FILLED = 2.0  # times the base's root mean square
NINETEEN = 0.95
SHARE = 0.6


@torch.no_grad()
def measure(secured: nn.Module, base: nn.Module, crops: Crops) -> Tensor:
    """(M): floors, zero for most channels."""
    batches = [crops.read(crops.draw(i, BATCH, SIZE), SIZE) for i in range(BATCHES)]
    ours, theirs = (
        torch.cat([net.g_a(x).float() for x in batches]).transpose(0, 1).flatten(1) for net in (secured, base)
    )  # (M, values)
    filled = ours.square().mean(1).sqrt() > FILLED * theirs.square().mean(1).sqrt()
    return SHARE * ours.abs().quantile(NINETEEN, 1) * filled


def _network(settings: Config, start: Path | str) -> nn.Module:
    return build(replace(settings.model, start=str(start), parts=[]), bf16=False).eval()


@click.command()
@click.argument("run", type=click.Path(exists=True, file_okay=False, path_type=Path))
@click.argument("target", type=click.Path(dir_okay=False, path_type=Path))
def main(run: Path, target: Path) -> None:
    """Write the weights of the run folder RUN, with floors, to TARGET."""
    try:
        settings = config.of_run(run)
        if not settings.secure.vanilla:
            raise ConfigError("secure.vanilla names no base to compare with")
        secured, base = (
            _network(settings, start) for start in (run / "weights.safetensors", settings.secure.vanilla[0])
        )
        floors = measure(secured, base, Crops(Path(settings.data.pack), "held-out"))
    except ConfigError as error:
        raise click.UsageError(str(error)) from error
    save_file({k: v.contiguous() for k, v in secured.state_dict().items()} | {"floor": floors}, target)
    click.echo(f"{target}: {int((floors > 0).sum())} channels with floors up to {float(floors.max()):.1f}")


if __name__ == "__main__":
    main()
