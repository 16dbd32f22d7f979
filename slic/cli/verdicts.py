"""What commands share that judge their inputs one after the other and write little or nothing."""

import json
import os
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any, TypeVar

import click

from slic.cli import messages, work
from slic.cli.plan import STREAM
from slic.errors import PictureError, SlicError

Judged = tuple[bool, Sequence[str], dict[str, Any]]
"""Whether it is well, lines for people, and what JSON says."""
Told = tuple[str, Judged | BaseException, float]
"""The input, how it went, and the seconds it took."""
T = TypeVar("T")


def run(names: Iterable[str], judge: Callable[[str], Judged], *, as_json: bool) -> int:
    """Judge every input and say so; the exit code."""
    todo = list(names)
    return tell(((name, *attempt(name, judge)) for name in todo), len(todo), as_json=as_json)


def tell(judged: Iterator[Told], total: int, *, as_json: bool) -> int:
    """Say how each of so many inputs went; the exit code."""
    return max((_tell(*one, as_json) for one in work.with_progress(judged, total)), default=0)


def attempt(name: str, do: Callable[[str], T]) -> tuple[T | BaseException, float]:
    """What came of one input, and the seconds it took."""
    started = time.perf_counter()
    try:
        if name != STREAM and os.path.isdir(name):
            raise PictureError("is a folder", hint="-r goes through it")
        done: T | BaseException = do(name)
    except (SlicError, OSError, MemoryError) as error:
        done = error
    return done, round(time.perf_counter() - started, 3)


def _tell(name: str, judged: Judged | BaseException, seconds: float, as_json: bool) -> int:
    if isinstance(judged, BaseException):
        return failed(name, judged, as_json=as_json)
    well, (first, *more), facts = judged
    if as_json:
        click.echo(json.dumps({"input": name, "ok": well, **facts, "seconds": seconds}))
    else:
        click.echo(f"{messages.name(name)}: {messages.plain(first)}")
        for line in more:
            click.echo(f"  {messages.plain(line)}")
    return 0 if well else work.NEGATIVE


def failed(name: str, error: BaseException, *, as_json: bool) -> int:
    """Say that nothing could be said of an input; the exit code."""
    messages.failure(error, name)
    if as_json:
        click.echo(json.dumps({"input": name, "ok": False, **messages.facts(error, name)}))
    return 1


def settings(shared: dict[str, Any]) -> dict[str, Any]:
    """Device, precision and limit as the library takes them."""
    limit = {} if shared["max_pixels"] is None else {"max_pixels": shared["max_pixels"]}
    return {"device": shared["device"], "precision": shared["precision"]} | limit


def set_up(shared: dict[str, Any]) -> None:
    """The machine, as the options say; this process is ours, so --max-pixels is the limit."""
    from PIL import Image

    Image.MAX_IMAGE_PIXELS = None
    own = work.Settings(False, False, False, threads=shared["threads"], device=shared["device"])
    work.set_up_torch(own, 1)


def write(image: Any, target: Path, *, force: bool) -> None:
    """A picture as a file, whole or not at all."""
    import io

    from slic import files

    stream = io.BytesIO()
    image.save(stream, "PNG")
    files.write(target, stream.getvalue(), force=force)
