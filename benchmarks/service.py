"""Does `slic serve` answer every request rightly when it is full, how fast, and does its memory stay flat?

    python -m benchmarks.service --images DIR [--requests 10000] [--clients 24] [--side 64] [--json]

A row for a service that batches and one that does not, each a process of its own with a queue that is shorter
than the clients are many: who is refused (429) asks again. Encodes and decodes alternate, of squares cut from
three places of each picture of DIR: small ones, so that ten thousand of each service take minutes. `lost` had
no answer, `wrong` another than the library's own: its pixels are more than one level off in the mean. The
bytes may differ where a rounding did: `other_bytes`. Times are those of the answered request. Memory is what
was resident after a tenth of the requests, when all is warm, at most from then on, and at the end.
"""

import http.client
import io
import itertools
import re
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path

import click
import numpy as np
from PIL import Image

from benchmarks.data import Pixels, Row, options, pictures, progress, show

QUEUE = 16
PATIENCE = 600  # seconds, for a machine that has other work, too


@dataclass(frozen=True, eq=False)  # arrays have no truth value to compare by
class Asked:
    """A request, and the pixels that the answer has to show."""

    path: str
    body: bytes
    expected: Pixels
    data: bytes
    """Of the answer, if it is the same to the byte."""


@dataclass(frozen=True)
class Answered:
    status: int
    body: bytes
    seconds: float
    refusals: int
    """How often it was told to come again."""


def measure(
    folder: Path, limit: int | None, model: str, device: str, requests: int, clients: int, side: int
) -> Iterator[Row]:
    asked = list(_asked(folder, limit, model, device, side))
    for batch in (8, 1):
        with _serving("--batch", str(batch), "-m", model, "--device", device) as port:
            answers, seconds, resident = _load(port, asked, requests, clients)
            text = _metrics(port)
        answered = [(asked[i % len(asked)], a) for i, a in enumerate(answers) if a.status == 200]
        faults = [_fault(one, answer.body, model, device) for one, answer in answered]
        times = sorted(answer.seconds for _, answer in answered)
        yield {
            "batch": batch,
            "side": side,
            "requests": requests,
            "clients": clients,
            "lost": requests - len(answered),
            "wrong": faults.count("wrong"),
            "other_bytes": faults.count("bytes"),
            "refused_first": sum(answer.refusals > 0 for answer in answers),
            "per_second": len(answered) / seconds,
            "p50_ms": 1000 * times[len(times) // 2],
            "p90_ms": 1000 * times[int(0.9 * (len(times) - 1))],
            "p99_ms": 1000 * times[int(0.99 * (len(times) - 1))],
            "mean_batch": _value(text, "slic_batch_pictures_sum") / _value(text, "slic_batch_pictures_count"),
            "rss_tenth_mb": resident[0],
            "rss_most_mb": max(resident),
            "rss_end_mb": resident[-1],
        }


def _asked(folder: Path, limit: int | None, model: str, device: str, side: int) -> Iterator[Asked]:
    from slic import Codec

    codec = Codec(model, device=device)
    for _, pixels in pictures(folder, limit):
        for part in (pixels[:side, :side], pixels[-side:, -side:], pixels[:side, -side:]):
            part = np.ascontiguousarray(part)
            png, data = _png(part), codec.encode(part)
            shown = np.asarray(codec.decode(data).convert("RGB"))
            yield Asked("/encode", png, shown, data)
            yield Asked("/decode", data, shown, b"")


def _png(pixels: Pixels) -> bytes:
    out = io.BytesIO()
    Image.fromarray(pixels).save(out, "PNG")
    return out.getvalue()


@contextmanager
def _serving(*options: str) -> Iterator[int]:
    """`slic serve` in a process of its own; its port."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port: int = free.getsockname()[1]
    command = [sys.executable, "-m", "slic", "serve", "--port", str(port), *options]
    command += ["--queue", str(QUEUE), "--timeout", str(PATIENCE)]
    process = subprocess.Popen(command, stderr=subprocess.DEVNULL)
    try:
        until = time.monotonic() + PATIENCE
        while not _is_up(port):
            if process.poll() is not None or time.monotonic() > until:
                raise click.ClickException("slic serve does not come up; it needs slic[serve]")
            time.sleep(0.1)
        yield port
    finally:
        process.terminate()
        process.wait()


def _is_up(port: int) -> bool:
    try:
        return _ask(port, "GET", "/healthz").status == 200
    except OSError:
        return False


def _load(
    port: int, asked: list[Asked], requests: int, clients: int
) -> tuple[list[Answered], float, list[float]]:
    """The answers, the seconds it took, and what was resident after each tenth."""
    tenth, resident, answers = max(1, requests // 10), [], []
    bodies: dict[bytes, bytes] = {}  # most answers are the same: once in memory is enough
    began = time.perf_counter()
    with ThreadPoolExecutor(clients) as pool:
        given = (asked[i % len(asked)] for i in range(requests))
        results = pool.map(lambda one: _ask(port, "POST", one.path, one.body), given)
        for answer in progress(results, "requests", total=requests):
            answers.append(replace(answer, body=bodies.setdefault(answer.body, answer.body)))
            if len(answers) % tenth == 0:
                resident.append(_value(_metrics(port), "process_resident_memory_bytes") / 1e6)
    return answers, time.perf_counter() - began, resident


def _ask(port: int, method: str, path: str, body: bytes = b"") -> Answered:
    """Asks until it is not told to come again."""
    for refusals in itertools.count():
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=PATIENCE)
        began = time.perf_counter()
        try:
            connection.request(method, path, body)
            answer = connection.getresponse()
            got = answer.read()
        finally:
            connection.close()
        if answer.status != 429:
            return Answered(answer.status, got, time.perf_counter() - began, refusals)
        time.sleep(0.05)  # sooner than Retry-After says: it is to stay full
    raise AssertionError


@cache
def _fault(asked: Asked, body: bytes, model: str, device: str) -> str | None:
    """wrong, bytes (others, but the same picture), or None."""
    from slic import Codec

    if asked.path == "/encode":
        if body == asked.data:
            return None
        shown = Codec(model, device=device).decode(body)
    else:
        shown = Image.open(io.BytesIO(body))
    off = np.abs(np.asarray(shown.convert("RGB")).astype(np.int16) - asked.expected).mean()
    if off > 1:
        return "wrong"
    return "bytes" if asked.path == "/encode" else None


def _metrics(port: int) -> str:
    return _ask(port, "GET", "/metrics").body.decode()


def _value(metrics: str, name: str) -> float:
    found = re.search(rf"^{name} (\S+)$", metrics, re.MULTILINE)
    assert found is not None
    return float(found[1])


@click.command()
@options
@click.option("--requests", default=10_000, show_default=True, help="To each of the two services.")
@click.option("--clients", default=24, show_default=True, help="That ask at a time.")
@click.option("--side", default=64, show_default=True, help="Of the squares, in pixels.")
def main(
    images: Path,
    limit: int | None,
    model: str,
    as_json: bool,
    device: str,
    requests: int,
    clients: int,
    side: int,
) -> None:
    show(measure(images, limit, model, device, requests, clients, side), as_json=as_json)


if __name__ == "__main__":
    main()
