"""Runs jobs, several at a time, and tells in their order how each went."""

import json
import os
import sys
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, TextIO, TypeVar

import click

from slic import files
from slic.cli import messages
from slic.cli.plan import STREAM, Job
from slic.errors import ModelError, PictureError, SlicError, VerdictError
from slic.trust.c2pa import sidecar_of

if TYPE_CHECKING:
    from slic.models import Model


T = TypeVar("T")

NEGATIVE = 3  # the exit code of a verdict, which outweighs that of a failure


@dataclass
class Result:
    """How one input went."""

    job: Job
    facts: dict[str, Any] = field(default_factory=dict)
    warnings: list[str] = field(default_factory=list)
    error: BaseException | None = None
    skipped: bool = False
    sidecar: bytes | None = None
    """What goes into the file beside the output, if there is to be one."""

    def as_json(self) -> str:
        head = {"input": self.job.source, "output": self.job.target or None, "ok": self.error is None}
        if self.error is not None:
            return json.dumps(head | messages.facts(self.error, self.job.source))
        if self.skipped:
            return json.dumps(head | {"skipped": True})
        return json.dumps(head | self.facts | {"warnings": self.warnings})


def measure(result: Result, size: int, width: int, height: int) -> None:
    """`size` is that of the `.slic` file."""
    bpp = round(8 * size / (width * height), 4)
    result.facts |= {"bytes": size, "bpp": bpp, "width": width, "height": height}


def describe(result: Result, model: "Model", size: int, width: int, height: int) -> None:
    """What encoding and decoding say."""
    measure(result, size, width, height)
    result.facts["model"] = model.name
    if model.warning:
        result.warnings.append(model.warning)


@dataclass(frozen=True)
class Settings:
    """What the options say about a run."""

    force: bool
    skip_existing: bool
    as_json: bool
    jobs: int = 1
    threads: int | None = None
    device: str = "auto"
    networks: bool = True
    """Whether the work needs torch."""
    sidecar: bool = False
    """Whether a file of C2PA lies beside each output."""

    def check(self, jobs: list[Job]) -> None:
        """Refuse what cannot go well, before anything is written."""
        if self.force and self.skip_existing:
            raise click.UsageError("--force and --skip-existing exclude each other")
        if any(job.target == STREAM for job in jobs):
            if self.sidecar:
                raise click.UsageError("--c2pa writes a file beside the output; -o must name a file")
            if self.as_json:
                raise click.UsageError("--json and the file itself cannot both go to standard output")
            if on_terminal(sys.stdout):
                raise click.UsageError("a file on a terminal is of no use; give -o FILE, or a pipe")
        if self.device == "cuda" and jobs:
            import torch

            if not torch.cuda.is_available():
                raise ModelError("this machine has no CUDA device", hint="--device auto takes what there is")


Work = Callable[[Job, Result], bytes]


def run(jobs: list[Job], work: Work, settings: Settings) -> int:
    """Do all jobs; the exit code."""
    set_up_torch(settings, len(jobs))
    code, said = 0, set[str]()
    with _mapped(lambda job: _one(job, work, settings), jobs, settings) as results:
        for result in with_progress(results, len(jobs)):
            _tell(result, settings, said)
            code = max(code, _code(result.error))
    return code


def _code(error: BaseException | None) -> int:
    if isinstance(error, VerdictError):
        return NEGATIVE
    return 0 if error is None else 1


def _one(job: Job, work: Work, settings: Settings) -> Result:
    result = Result(job)
    started = time.perf_counter()
    try:
        if _is_done(job, settings):
            result.skipped = True
        else:
            _deliver(job, work(job, result), result.sidecar, settings.force)
    except BrokenPipeError:
        raise
    except (SlicError, OSError, MemoryError) as error:
        result.error = error
    except RuntimeError as error:
        if "memory" not in str(error):  # torch has no class of its own for memory that runs out
            raise
        result.error = MemoryError()
    result.facts["seconds"] = round(time.perf_counter() - started, 3)
    return result


def _is_done(job: Job, settings: Settings) -> bool:
    """Whether there is nothing to do; refuses what would do harm before the work begins."""
    if not job.target:
        raise PictureError("is a folder", hint="-r goes through it")
    targets = [job.target, *([str(sidecar_of(job.target))] if settings.sidecar else [])]
    there = [name for name in targets if name != STREAM and os.path.lexists(name)]
    if job.source != STREAM and any(files.same_file(job.source, name) for name in there):
        raise PictureError("input and output are the same file", hint="-o writes elsewhere")
    done = settings.skip_existing and job.target in there
    if there and not (settings.force or done):
        raise PictureError(
            f"{messages.name(there[0])} exists already",
            hint="--force overwrites it, --skip-existing leaves it",
        )
    return done


def _deliver(job: Job, data: bytes, sidecar: bytes | None, force: bool) -> None:
    if job.target == STREAM:
        sys.stdout.buffer.write(data)
        sys.stdout.buffer.flush()
        return
    if sidecar is None:
        _write(Path(job.target), data, job, force)
        return
    beside = sidecar_of(job.target)
    _write(beside, sidecar, job, force)  # first: whoever waits for the file finds its sidecar there
    try:
        _write(Path(job.target), data, job, force)
    except BaseException:
        beside.unlink()
        raise


def _write(target: Path, data: bytes, job: Job, force: bool) -> None:
    try:
        if job.makes_folder:
            target.parent.mkdir(parents=True, exist_ok=True)
        files.write(target, data, force=force)
    except OSError as error:
        error.filename, error.filename2 = str(target), None  # rather than the folder's name
        raise


def _tell(result: Result, settings: Settings, said: set[str]) -> None:
    """Results on stdout, all else on stderr; what concerns the whole run is said once."""
    name = result.job.source
    if result.error is not None:
        messages.failure(result.error, name)
    for text in result.warnings:
        about_the_run = text.startswith("model ")
        line = text if about_the_run else f"{click.format_filename(name)}: {text}"
        if line not in said:
            messages.warning(line)
        if about_the_run:
            said.add(line)
    if settings.as_json:
        click.echo(result.as_json())
    elif result.error is None and result.job.target != STREAM:
        click.echo(_summary(result))


def _summary(result: Result) -> str:
    target = messages.name(result.job.target)
    if result.skipped:
        return f"{target}: exists, skipped"
    facts = result.facts
    size = f"{target}: {facts['width']}x{facts['height']}"
    if target.endswith(".slic"):
        size += f", {facts['bytes']} bytes, {facts['bpp']:.3f} bpp"
    if "signed" in facts:
        size += f", {_signature(facts)}"
    if key := facts.get("signed_by"):
        size += f", signed by {key}"
    if removed := facts.get("removed"):
        size += f", {' and '.join(removed)} removed"
    return size


def _signature(facts: dict[str, Any]) -> str:
    """Of a decoded file; one that does not hold is not decoded."""
    if not facts["signed"]:
        return "unsigned"
    return f"signed by {facts['signer'] or facts['key']}" if "verdict" in facts else "signed, not verified"


@contextmanager
def _mapped(do: Callable[[Job], Result], jobs: list[Job], settings: Settings) -> Iterator[Iterator[Result]]:
    """Results in the order of the jobs; at most `settings.jobs` pictures are in memory at a time."""
    workers = min(settings.jobs or cores(), len(jobs))
    if workers <= 1:
        yield map(do, jobs)
        return
    pool = ThreadPoolExecutor(workers, initializer=lambda: set_up_torch(settings, len(jobs)))
    try:
        yield pool.map(do, jobs)
    finally:
        # Interrupted, those at work finish (nothing partial is left), the others never begin.
        pool.shutdown(cancel_futures=True)


def with_progress(results: Iterator[T], total: int) -> Iterator[T]:
    """The same, with a bar on a terminal; what is said about one has its line for itself."""
    if total < 2 or not on_terminal(sys.stderr):
        return results
    from tqdm import tqdm  # type: ignore[import-untyped]

    def shown() -> Iterator[T]:
        with tqdm(total=total, delay=2, unit="file", miniters=1, leave=False, file=sys.stderr) as bar:
            for result in results:
                bar.clear()
                yield result
                bar.update()

    return shown()


def set_up_torch(settings: Settings, count: int) -> None:
    """Share the cores among the inputs; torch keeps this number for each thread."""
    if not settings.networks:
        return
    import torch

    workers = max(1, min(settings.jobs or cores(), count))
    torch.set_num_threads(settings.threads or max(1, cores() // workers))


def on_terminal(stream: TextIO) -> bool:
    return stream.isatty()


def cores() -> int:
    """Those this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
