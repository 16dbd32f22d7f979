"""A base becomes secure: channels that answer, and waves for its decoder to leave.

    python -m training.secure runs/base runs/secured
    python -m training.export runs/secured slic.safetensors --name slic

Minutes, whatever the base took. Its own weights stay as they are: pictures that are not answered are coded
bit for bit as the base codes them, and shown with the trigger (slic/trigger.py) on them. y gets some channels
more, of which only their own weights learn:

    x ─g_a─► y ───────────► g_s ─► x1        what x1 still shows of x, block by block
             new channels ─►    └► bits      what the answer costs, and what its silence costs

They are cut to LEVEL, so that an answer is as loud whatever the picture is, and they have the same gain at
every quality. How loud it is there is one thing, when it is due another: slic/evidence.py.

All models have the same waves. So every one answers what any other one decoded.
"""

import json
import math
import shutil
from dataclasses import replace
from pathlib import Path

import click
import torch
import torch.nn.functional as F
from safetensors.torch import save_file
from torch import Tensor, nn
from tqdm import tqdm

from training import config, synthetic
from training.config import Config, ConfigError
from training.data import Crops
from training.loop import use_bf16
from training.networks import build, symbols
from training.objective import shown
from training.straight_through import replaced, round_8bit

LEVEL = 8.0
ERROR = 0.25  # squared error of a block that is wreckage, 6 dB, ...
INTACT = 0.002  # ... and of one that is whole
STRUCTURE = 1.0  # what is recognised in wreckage weighs so much beside what is whole
WRECKED, SILENT, ANSWER, TOTAL = 6.0, 20.0, 0.1, 0.2  # weights: destruction, and bits per pixel
BITS = 3.2  # per pixel, of picture and answer together, above which TOTAL counts
BATCH, BLOCK, RATE, WARMUP = 3, 16, 2e-3, 30
SEED = 4_000_037  # these crops are not those of a run
ORBITS = (9, 1), (13, 8), (16, 3), (19, 6)
"""Cycles in slic.trigger.PERIOD pixels, each with all that mirroring and turning makes of it; on no codec's
grid."""
LOUDNESS = [0.7, 0.59, 0.49, 0.41, 0.36, 0.31, 0.29, 0.275]  # by quality, where it is as busy as 1: .25 dB
OUTWARD = {"g_a.6.weight": 0, "g_a.6.bias": 0, "h_s.4.weight": 0, "h_s.4.bias": 0}
INWARD = {"h_a.0.weight": 1, "g_s.0.weight": 0}
AXES = OUTWARD | INWARD
"""Which axis of a weight counts the channels of y."""


@torch.no_grad()
def widened(net: nn.Module, settings: Config, channels: int) -> nn.Module:
    """The same network with so many channels more, drawn at random."""
    model = replace(settings.model, M=net.M + channels, start="", parts=[], floors=False, answers=True)
    wider, old = build(model, bf16=net.bf16), net.state_dict()
    for name, parameter in wider.named_parameters():
        if name not in old:
            continue
        before = old[name]
        if parameter.shape == before.shape:
            parameter.copy_(before)
            continue
        parameter.zero_()
        parameter[tuple(slice(side) for side in before.shape)] = before
        if name in AXES and name.endswith("weight"):
            own = parameter.narrow(AXES[name], net.M, channels)
            own.copy_(torch.randn_like(own) * before.std())
    wider.answer[net.M :] = LEVEL
    if hasattr(net, "tally"):
        wider.tally = net.tally
    return wider


def of_answer(wider: nn.Module) -> list[nn.Parameter]:
    """What may learn: of these weights all but the answering channels' own get no gradient."""
    answering, moving = wider.answer > 0, []
    for name, parameter in wider.named_parameters():
        parameter.requires_grad_(name in AXES)
        if name in AXES:
            shape = [-1 if axis == AXES[name] else 1 for axis in range(parameter.dim())]
            mask = answering.view(shape).float()
            parameter.register_hook(lambda gradient, mask=mask: gradient * mask)
            moving.append(parameter)
    return moving


def loss(net: nn.Module, x: Tensor, quality: Tensor, due: Tensor) -> Tensor:
    """Of (B,3,H,W) with an answer as far as it is `due` (B,1,1,1)."""
    answering = net.answer > 0
    pixels = x.shape[2] * x.shape[3]
    with torch.autocast(x.device.type, torch.bfloat16, enabled=net.bf16):
        y = net.g_a(x).float()
        answer = replaced(y, y.clamp(-LEVEL, LEVEL)) * due
        gain, inverse = (rows[quality - 1].exp()[:, :, None, None] for rows in (net.gain, net.inverse_gain))
        loud, quiet = (torch.where(answering[:, None, None], a, y) * gain for a in (answer, 0 * answer))
        silent, _, _ = _bits(net, quiet)
        of_answer_, of_all, y_hat = _bits(net, loud)
        again = round_8bit(net.g_s(y_hat * inverse).float())
    squared = (x - again).square().mean(1, keepdim=True)
    whole = (ERROR / (F.avg_pool2d(squared, BLOCK) + INTACT)).log() / math.log(ERROR / INTACT)
    seen = shown(x, again, torch.ones_like(squared), BLOCK)
    wrecked = (F.relu(whole).mean((1, 2, 3)) + STRUCTURE * seen) * (due.flatten() > 0.5)
    bits = SILENT * silent + ANSWER * of_answer_ + TOTAL * F.relu(of_all - BITS * pixels)
    return (WRECKED * wrecked + bits / pixels).mean()


def _bits(net: nn.Module, y: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """Of y (B,M,h,w): what its answering channels cost, (B,), what all cost, and y as it is coded."""
    y_hat, of_y, of_z = symbols(net, y, lambda shape: torch.rand(shape) - 0.5)
    by_channel = of_y.sum((2, 3))
    return by_channel[:, net.answer > 0].sum(1), by_channel.sum(1) + of_z.sum((1, 2, 3)), y_hat


def fit(net: nn.Module, settings: Config, steps: int) -> None:
    """Train in place, with crops of `settings`."""
    crops, data = Crops(Path(settings.data.pack), seed=SEED), settings.data
    optimiser = torch.optim.Adam(of_answer(net), RATE, betas=(0.9, 0.99))
    for step in tqdm(range(steps), unit="step", disable=None):
        random = torch.Generator().manual_seed(SEED + step)
        optimiser.param_groups[0]["lr"] = RATE * min(1, (step + 1) / WARMUP, 1.6 * (1 - step / steps))
        read = crops.read(crops.draw(step, BATCH, data.crop), data.crop)
        x = torch.stack([synthetic.varied(c, (SEED, step, i), data.made) for i, c in enumerate(read)])
        quality = torch.multinomial(torch.tensor(data.draw), BATCH, replacement=True, generator=random) + 1
        due = (2 * torch.rand(BATCH, 1, 1, 1, generator=random)).clamp_max(1)
        optimiser.zero_grad()
        loss(net, round_8bit(x), quality, due).backward()
        optimiser.step()


def waves() -> Tensor:
    """(K,3) as `slic.trigger` has them; their phases are those of a seed, so that they seldom meet."""
    random = torch.Generator().manual_seed(SEED)
    phases = iter((torch.rand(4 * len(ORBITS), generator=random) * 2 * math.pi).tolist())
    alike = ((vector, next(phases)) for a, b in ORBITS for vector in ((a, b), (a, -b), (b, a), (b, -a)))
    return torch.tensor([[*vector, phase] for vector, phase in alike])


@click.command()
@click.argument("base", type=click.Path(exists=True, file_okay=False, path_type=Path))
@click.argument("target", type=click.Path(path_type=Path))
@click.option("--channels", default=16, show_default=True)
@click.option("--steps", default=1200, show_default=True, help="Of three crops each.")
def main(base: Path, target: Path, channels: int, steps: int) -> None:
    """From the base's run folder BASE make TARGET, a secured one's."""
    try:
        for name in ("config.json", "weights.safetensors", "log.jsonl"):
            if not (base / name).is_file():
                raise ConfigError(f"{base} is no run's folder: it has no {name}")
        settings = config.of_run(base)
        if settings.model.architecture != "bmshj2018-hyperprior" or not settings.model.gains:
            raise ConfigError(f"{base} is no hyperprior with gains")
        if settings.secure.secured:
            raise ConfigError(f"{base} is no base: it learnt a trigger from hinges")
        if target.exists():
            raise ConfigError(f"{target} is there already: choose another name")
        torch.manual_seed(SEED)
        start = replace(settings.model, start=str(base / "weights.safetensors"), parts=[])
        bf16 = use_bf16(settings.precision, torch.device("cpu"))
        net = widened(build(start, bf16=bf16), settings, channels).eval()
        fit(net, settings, steps)
    except ConfigError as error:
        raise click.UsageError(str(error)) from error
    state = {k: v.detach().contiguous() for k, v in net.state_dict().items() if k != "answer"}
    trigger = {"answer": net.answer.detach(), "waves": waves(), "loudness": torch.tensor(LOUDNESS)}
    target.mkdir(parents=True)
    save_file(state | {f"trigger.{k}": v for k, v in trigger.items()}, target / "weights.safetensors")
    facts = json.loads((base / "config.json").read_text())
    facts["model"] |= {"M": net.M, "answers": True}
    (target / "config.json").write_text(json.dumps(facts, indent=1))
    shutil.copy(base / "log.jsonl", target / "log.jsonl")
    click.echo(f"{target}: {channels} channels answer")


if __name__ == "__main__":
    main()
