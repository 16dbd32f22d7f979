"""What a run leaves to read: log.jsonl, TensorBoard's curves, sample sheets, and a bar on a terminal."""

import json
import math
from pathlib import Path
from types import TracebackType
from typing import IO

from tqdm import tqdm

from training.objective import Losses

try:
    from torch.utils.tensorboard import SummaryWriter
except ModuleNotFoundError:  # a bare training machine; log.jsonl holds the same figures
    SummaryWriter = None


class Journal:
    """Of the leading process; the others' are silent."""

    def __init__(self, folder: Path, steps: int, done: int, *, leads: bool) -> None:
        self._log: IO[str] | None = (folder / "log.jsonl").open("a") if leads else None
        wanted = leads and SummaryWriter is not None
        self._board = SummaryWriter(str(folder / "tensorboard"), purge_step=done) if wanted else None
        self._bar = tqdm(total=steps, initial=done, disable=None if leads else True)
        self._sums: dict[str, tuple[float, int]] = {}

    def __enter__(self) -> "Journal":
        return self

    def __exit__(self, kind: type | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self._bar.close()
        for open_ in (self._log, self._board):
            if open_ is not None:
                open_.close()

    def step(self, batches: list[Losses]) -> None:
        """Collect a step's figures until `note` writes their means."""
        for losses in batches:
            self._add("loss", losses.total.item())
            self._add("first PSNR", *_psnrs(losses.first_error.tolist()))
            self._add("bpp", *losses.bpp.tolist())
            if losses.second_error is not None and losses.second_bpp is not None:
                again = _psnrs(losses.second_error.tolist())
                self._add("again PSNR", *again)
                self._add("again bpp", *losses.second_bpp.tolist())
                for name, value in zip(losses.attacks, again, strict=True):
                    self._add(f"again {name}", value)
        self._bar.update()

    def _add(self, key: str, *values: float) -> None:
        total, count = self._sums.get(key, (0.0, 0))
        self._sums[key] = (total + sum(values), count + len(values))

    def note_means(self, step: int, seconds: float) -> None:
        """The means since the last call."""
        means = {key: total / count for key, (total, count) in self._sums.items()}
        self._sums.clear()
        shown = {k: f"{means[k]:.2f}" for k in ("loss", "first PSNR", "again PSNR") if k in means}
        self._bar.set_postfix(shown)
        self.note(step, seconds, {f"train/{key}": value for key, value in means.items()})

    def note(self, step: int, seconds: float, values: dict[str, float]) -> None:
        if self._log is None:
            return
        row = {"step": step, "seconds": round(seconds, 1)}
        self._log.write(json.dumps(row | {k: round(v, 5) for k, v in values.items()}) + "\n")
        self._log.flush()
        for key, value in values.items() if self._board is not None else ():
            self._board.add_scalar(key, value, step)


def _psnrs(errors: list[float]) -> list[float]:
    return [-10 * math.log10(max(e, 1e-10)) for e in errors]
