"""Train a codec: configuration in, run folder out (log, curves, sheets, checkpoint, weights).

    python -m training.train training/configs/base.toml model.start=weights.safetensors
    python -m training.train training/configs/base.toml steps=9000        # resumes and ends sooner
    torchrun --nproc-per-node 8 -m training.train training/configs/hinges.toml

A run stops cleanly on SIGINT or SIGTERM and goes on, bit for bit on a CPU, when started again. Rates
are constant until the last `optimiser.decay` steps, so a run may be shortened or prolonged at any time.
"""

import json
import signal
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import Any

import click
import torch

from slic.allocator import keep_freed_memory
from training import config, evaluate, parallel, sheet
from training.config import Config, ConfigError
from training.journal import Journal
from training.loop import Diverged, Run
from training.parallel import Team

NOTE_EVERY = 50


def train(settings: Config, folder: Path, team: Team) -> None:
    keep_freed_memory()
    folder.mkdir(parents=True, exist_ok=True)
    run = Run(settings, folder, team)
    if team.leads:
        facts = asdict(settings) | {"machine": machine(run)}
        (folder / "config.json").write_text(json.dumps(facts, indent=1))
        print(plan(run), flush=True)
    with _asked_to_stop() as stop, Journal(folder, settings.steps, run.step, leads=team.leads) as journal:
        while run.step < settings.steps and not team.any(bool(stop)):
            began = time.monotonic()
            losses = run.train_step()
            run.seconds += time.monotonic() - began
            journal.step(losses)
            if run.step % NOTE_EVERY == 0:
                journal.note_means(run.step, run.seconds)
            if run.step % settings.evaluate_every == 0 or run.step == settings.steps:
                if team.leads:
                    judge(run, journal)
                team.wait()
            if run.step % settings.save_every == 0 and team.leads:
                run.save()
    if team.leads:
        run.save()
    team.wait()


def judge(run: Run, journal: Journal) -> None:
    """Evaluate the averaged weights, keep them if they are the best, and leave pictures to look at."""
    values = evaluate.first(run.ema, run.settings)
    if run.secure:
        result = evaluate.second(run.ema, run.settings)
        values |= evaluate.destruction(result)
        values["score"] += run.settings.secure.alpha * values["above"]
        sheet.write(result, run.folder / f"sheet-{run.step:06}.png")
    else:
        sheet.first(*evaluate.pictures(run.ema, run.settings), run.folder / f"sheet-{run.step:06}.png")
    journal.note(run.step, run.seconds, values)
    run.keep_best(values["score"])


def machine(run: Run) -> dict[str, Any]:
    """For the card of a model."""
    cuda = run.team.device.type == "cuda"
    name = torch.cuda.get_device_name() if cuda else f"CPU, {torch.get_num_threads()} threads"
    precision = "bf16" if run.bf16 else "fp32"
    return {"device": name, "processes": run.team.size, "precision": precision, "torch": torch.__version__}


def plan(run: Run) -> str:
    """What is about to happen, and on what."""
    s, team = run.settings, run.team
    compiled = ", compiled" if team.device.type == "cuda" else ""
    parameters = sum(p.numel() for p in run.net.parameters())
    samples = s.data.batch * s.data.accumulate * team.size
    lines = [
        f"{s.name}: {s.model.architecture}, N {s.model.N}, M {s.model.M}, {parameters / 1e6:.1f} M weights",
        f"device: {machine(run)['device']} x {team.size}{compiled}",
        f"precision: {_precision(run)}",
        f"step {run.step} of {s.steps}, {samples} crops of {s.data.crop} each, from {s.data.pack}",
        f"start: {s.model.start or 'random weights'}",
    ]
    if run.secure:
        names = ", ".join(str(a["name"]) for a in s.secure.attacks)
        lines.append(f"secure: alpha {s.secure.alpha}, {s.secure.distance}; attacks: {names}")
    return "\n".join(lines)


def _precision(run: Run) -> str:
    why = "as configured" if run.settings.precision != "auto" else "this machine computes bf16 natively"
    if run.bf16:
        return f"bf16 autocast ({why}); weights, entropy models and distances in float32"
    return f"float32 ({why if run.settings.precision != 'auto' else 'no native bf16 here'})"


@contextmanager
def _asked_to_stop() -> Iterator[list[int]]:
    """Collects SIGINT and SIGTERM, for the loop to end after the step it is in."""
    asked: list[int] = []
    numbers = (signal.SIGINT, signal.SIGTERM)
    before = [signal.signal(number, lambda s, _: asked.append(s)) for number in numbers]
    try:
        yield asked
    finally:
        for number, handler in zip(numbers, before, strict=True):
            signal.signal(number, handler)


@click.command()
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.argument("overrides", nargs=-1, metavar="[KEY=VALUE]...")
@click.option("--runs", default=Path("runs"), type=click.Path(path_type=Path), help="Where run folders lie.")
def main(file: Path, overrides: tuple[str, ...], runs: Path) -> None:
    """Train as FILE says, into a folder named after the run."""
    try:
        settings = config.load(file, overrides)
        with parallel.join() as team:
            train(settings, runs / settings.name, team)
    except ConfigError as error:
        raise click.UsageError(str(error)) from error
    except Diverged as error:
        raise click.ClickException(str(error)) from error


if __name__ == "__main__":
    main()
