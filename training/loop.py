"""A model in training: one step after the other, and all that a checkpoint must hold.

Randomness comes from the seed and the step alone, so that a resumed run equals an uninterrupted one.
Crops, qualities and noise are drawn for the whole step: several processes, or several batches, equal one
large batch, but for attacks, which each batch draws for itself.
"""

import copy
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from slic.transforms import choose_precision
from training import checkpoint, distances, starts, synthetic, unetjpeg
from training.attacks import Attacks
from training.config import Config, ConfigError
from training.data import Crops
from training.networks import LAMBDAS, TRANSFORM, Noise, Vanilla, build
from training.objective import Losses, SelfDestruction, plain
from training.optim import Optimisers
from training.parallel import Team
from training.straight_through import round_8bit
from training.tally import Tally

Batch = tuple[Tensor, slice]
"""Crops, and which samples of the step they are."""


class Diverged(RuntimeError):
    """A gradient that is no number: a step more would only overwrite good weights with bad ones."""


@dataclass
class Best:
    """Survives a resume: a worse evaluation must not overwrite the best weights."""

    score: float = float("inf")
    step: int = -1


class Run:
    def __init__(self, settings: Config, folder: Path, team: Team) -> None:
        torch.manual_seed(settings.seed)
        self.settings, self.folder, self.team = settings, folder, team
        self.bf16 = use_bf16(settings.precision, team.device)
        self.net = build(settings.model, bf16=self.bf16)
        if settings.model.start == TRANSFORM:
            chosen = int(np.argmax(settings.data.draw)) + 1
            starts.transform(self.net, Path(settings.data.pack), LAMBDAS[chosen])
        self.net.to(team.device)
        self.ema = copy.deepcopy(self.net)
        if self.tally:
            self.ema.tally = self.tally  # counts are no weights: they have their own average
        o = settings.optimiser
        for name, parameter in self.net.named_parameters():
            parameter.requires_grad_(parameter.requires_grad and name.startswith(tuple(o.parts or ("",))))
        self.optimisers = Optimisers(self.net, o.rate, o.hyper_rate, o.adam_rate)
        self.crops = Crops(Path(settings.data.pack), seed=settings.seed)
        self._reader = ThreadPoolExecutor(1)
        self._ahead: dict[int, Future[list[Batch]]] = {}  # by step
        self.innocent, self.secure = _passes(settings, team.device, self.bf16)
        self.step, self.seconds, self.best = 0, 0.0, Best()
        if (folder / "checkpoint.pt").exists():
            try:
                self._restore(checkpoint.load(folder / "checkpoint.pt"))
            except (RuntimeError, KeyError, ValueError) as error:
                reason = f"{folder / 'checkpoint.pt'} is of another network: choose another name"
                raise ConfigError(reason) from error
        if team.device.type == "cuda":
            for part in (self.net.g_a, self.net.g_s, self.net.h_a, self.net.h_s):
                part.compile()

    def train_step(self) -> list[Losses]:
        """One step of the optimisers; the losses of each of its batches."""
        data = self.settings.data
        self.net.train()
        self.optimisers.set_share(share(self.step, self.settings))
        self.optimisers.zero()
        out = []
        for x, part in self._batches():
            losses = self._losses(x.to(self.team.device, non_blocking=True), self._total, part)
            (losses.total / data.accumulate).backward()
            out.append(losses)
        if (of_quantiles := self.net.aux_loss()).requires_grad:
            of_quantiles.backward()
        self.team.average_gradients(self.optimisers.parameters)
        if not self.optimisers.finite():  # the same on every process, as the gradients are
            raise Diverged(
                f"the gradient of step {self.step} is not finite; the last checkpoint is as it was"
            )
        self.optimisers.step()
        self._average()
        if self.tally:
            self.team.add(self.tally.fresh)
            self.tally.absorb()
        self.step += 1
        return out

    @property
    def tally(self) -> Tally | None:
        return getattr(self.net, "tally", None)

    @property
    def _total(self) -> int:
        """Samples in a step, of all processes."""
        return self.settings.data.batch * self.settings.data.accumulate * self.team.size

    def _batches(self) -> list[Batch]:
        """This process's batches of the step; those of the next are read while this one is computed."""
        batches = self._ahead.get(self.step) or self._reader.submit(self._read, self.step)
        self._ahead = {self.step + 1: self._reader.submit(self._read, self.step + 1)}
        return batches.result()

    def _read(self, step: int) -> list[Batch]:
        data, out = self.settings.data, []
        places = self.crops.draw(step, self._total, data.crop)
        for micro in range(data.accumulate):
            first = (micro * self.team.size + self.team.rank) * data.batch
            part = slice(first, first + data.batch)
            x = self.crops.read(places[part], data.crop)
            if data.made:
                seeds = ((step, i) for i in range(part.start, part.stop))
                x = torch.stack([synthetic.varied(c, s, data.made) for c, s in zip(x, seeds, strict=True)])
            out.append((x.pin_memory() if self.team.device.type == "cuda" else x, part))
        return out

    def _losses(self, x: Tensor, total: int, part: slice) -> Losses:
        """Of the samples `part` among the `total` of this step."""
        seed = int(np.random.SeedSequence((self.settings.seed, self.step)).generate_state(1)[0])
        common = torch.Generator().manual_seed(seed)  # the same on every process
        own = torch.Generator().manual_seed(seed + 1 + part.start)
        chosen = torch.multinomial(
            torch.tensor(self.settings.data.draw), 2 * total, replacement=True, generator=common
        )
        quality, second = (q[part].to(x.device) for q in (chosen + 1).chunk(2))
        noise = _noise(common, total, part, x.device)
        if self.innocent:
            with torch.no_grad():
                x = round_8bit(self.innocent(x, own)[0].pixels)
        if self.secure is None:
            return plain(self.net, x, quality, noise)[0]
        strength = min(1.0, (self.step + 1) / max(1, self.settings.secure.widen))
        return self.secure(self.net, x, quality, second, noise, own, strength)

    @torch.no_grad()
    def _average(self) -> None:
        keep = min(self.settings.optimiser.ema, (self.step + 1) / (self.step + 50))
        for average, value in zip(self.ema.parameters(), self.net.parameters(), strict=True):
            average.lerp_(value, 1 - keep)

    def weights(self) -> dict[str, Tensor]:
        return {k: v.detach().cpu().clone().contiguous() for k, v in self.ema.state_dict().items()}

    def keep_best(self, score: float) -> None:
        if score < self.best.score:
            self.best = Best(score, self.step)
            checkpoint.save_weights(self.folder / "best.safetensors", self.weights())

    def save(self) -> None:
        """Checkpoint and averaged weights; the checkpoint first, as it is what cannot be made again."""
        checkpoint.save(
            self.folder / "checkpoint.pt",
            {
                "net": self.net.state_dict(),
                "ema": self.ema.state_dict(),
                "optimisers": self.optimisers.state(),
                "step": self.step,
                "seconds": self.seconds,
                "best": (self.best.score, self.best.step),
            },
        )
        checkpoint.save_weights(self.folder / "weights.safetensors", self.weights())

    def _restore(self, state: dict) -> None:
        self.net.load_state_dict(state["net"])
        self.ema.load_state_dict(state["ema"])
        self.optimisers.restore(state["optimisers"])
        self.step, self.seconds, self.best = state["step"], state["seconds"], Best(*state["best"])


VANILLA_QUALITIES = (1, 2, 4, 6, 8)


def _passes(
    settings: Config, device: torch.device, bf16: bool
) -> tuple[Attacks | None, SelfDestruction | None]:
    """What pictures went through before, and what they must not survive."""
    s = settings.secure
    folder = Path(settings.backbones) if settings.backbones else None
    vanilla = [
        Vanilla(settings.model, start, quality, bf16=bf16).to(device)
        for start in s.vanilla
        for quality in (VANILLA_QUALITIES if settings.model.gains else (6,))
    ]
    try:
        surrogate = unetjpeg.load(Path(s.surrogate)).to(device) if s.surrogate else None
        past = settings.data.innocent
        innocent = Attacks(past, surrogate=surrogate, networks=vanilla) if past else None
        if not s.secured:
            return innocent, None
        attacks = Attacks(s.attacks, surrogate=surrogate, networks=vanilla)
        distance = distances.load(s.distance, weights=folder).to(device)
    except (ValueError, OSError) as error:
        raise ConfigError(str(error)) from error
    return innocent, SelfDestruction(s, distance, attacks)


def _noise(generator: torch.Generator, total: int, part: slice, device: torch.device) -> Noise:
    """Drawn for all samples of the step, so that each gets the same however they are spread."""

    def draw(shape: torch.Size) -> Tensor:
        return torch.rand((total, *shape[1:]), generator=generator)[part].sub_(0.5).to(device)

    return draw


def use_bf16(precision: str, device: torch.device) -> bool:
    native = choose_precision("auto", device, validated=True) == torch.bfloat16
    return precision == "bf16" or (precision == "auto" and native)


def share(step: int, settings: Config) -> float:
    """The part of the full rates to use at `step`."""
    o = settings.optimiser
    return min(1.0, (step + 1) / o.warmup, (settings.steps - step) / o.decay)
