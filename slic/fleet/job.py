"""From one folder to the other: names ─► fetched ─► worked on by a pool of actors, written ─► counted.

Ray Data moves the rows, holds back who is too fast, and gives the batch of a worker that dies to another.
"""

import hashlib
import json
import logging
import math
import os
import sys
import time
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass, field
from functools import partial
from typing import Any

import pyarrow as pa
import ray
import ray.data

from slic import models
from slic.errors import PictureError
from slic.fleet import ledger
from slic.fleet.store import Store
from slic.fleet.tasks import Made, Options, Result, Task
from slic.naming import distinct

_FETCHED = pa.schema(
    [(name, pa.string()) for name in ("input", "output", "source", "state", "reason")]
    + [("well", pa.bool_()), ("data", pa.large_binary())]
)
_OUTCOME = pa.schema([(name, pa.string()) for name in ("input", "state", "reason")] + [("well", pa.bool_())])
_AT_A_TIME = 8  # files that are asked for, as a distant store answers late
DONE, SKIPPED, FAILED = "done", "skipped", "failed"


@dataclass(frozen=True)
class Cluster:
    """Where the work is done; all that is None is as the cluster has it."""

    address: str | None = None
    """Of a Ray cluster; None: this machine alone."""
    workers: int | None = None
    """None: one for each GPU, or else CPU."""
    gpus: float = 0
    """For each worker; then there are no more workers than fit."""
    batch: int = 16
    """Files that a worker is given at a time, at most."""


@dataclass(frozen=True)
class Summary:
    inputs: int
    done: int
    negative: int
    """Done now or before, but with a verdict that is negative."""
    skipped: int
    """Done by an earlier run."""
    failed: int
    seconds: float
    failures: tuple[dict[str, str], ...] = field(repr=False, default=())
    """Input and reason."""
    warnings: tuple[dict[str, str], ...] = field(repr=False, default=())
    """Of those done now: input, and in `reason` what was converted, dropped or destroyed."""

    def as_dict(self) -> dict[str, Any]:
        counts = {name: value for name, value in asdict(self).items() if name not in ("failures", "warnings")}
        return counts | {"warned": len(self.warnings)}

    def __str__(self) -> str:
        parts = [f"{self.inputs} inputs: {self.done} done, {self.skipped} done before, {self.failed} failed"]
        parts += [f"{self.negative} with a negative verdict"] if self.negative else []
        parts += [f"{len(self.warnings)} with a warning"] if self.warnings else []
        return ", ".join(parts) + f", in {self.seconds:.1f} seconds"


def run(task: type[Task], source: str, target: str, options: Options, cluster: Cluster) -> Summary:
    """Every input is accounted for once: done, skipped or failed. No failure stops the job."""
    began = time.perf_counter()
    here, there = Store.at(source), Store.at(target)
    if not here.there():
        raise PictureError(f"{source}: no such folder")
    rows = plan(task, here, there)
    outcomes = {row["input"]: row for row in _work(task, here, there, rows, options, cluster)} if rows else {}
    failures = tuple(_said(outcomes, FAILED))
    ledger.report(there, failures)
    states = Counter(o["state"] for o in outcomes.values())
    return Summary(
        inputs=len(rows),
        done=states[DONE],
        negative=sum(not o["well"] for o in outcomes.values()),
        skipped=states[SKIPPED],
        failed=states[FAILED],
        seconds=time.perf_counter() - began,
        failures=failures,
        warnings=tuple(_said(outcomes, DONE)),
    )


def _said(outcomes: dict[str, dict[str, Any]], state: str) -> Iterator[dict[str, str]]:
    """Of those in this state, the ones of which there is something to say."""
    for o in outcomes.values():
        if o["state"] == state and o["reason"]:
            yield {"input": o["input"], "reason": o["reason"]}


def plan(task: type[Task], source: Store, target: Store) -> list[dict[str, str]]:
    """A row for each input: its output, and what is known of it."""
    known = ledger.known(target)
    inputs = [name for name in source.names() if task.takes(name)]
    short = (os.path.splitext(name)[0] if task.replaces else name for name in inputs)
    outputs = distinct([(s + task.suffix, n + task.suffix) for s, n in zip(short, inputs, strict=True)])
    return [
        {"input": name, "output": output, "known": known.get(name, "")}
        for name, output in zip(inputs, outputs, strict=True)
    ]


def _work(
    task: type[Task],
    source: Store,
    target: Store,
    rows: list[dict[str, str]],
    options: Options,
    cluster: Cluster,
) -> Iterator[dict[str, Any]]:
    settings = _settings(task, options)
    ray.init(
        address=cluster.address or "local",  # else Ray waits for the last one that ran here, dead or alive
        ignore_reinit_error=True,
        include_dashboard=False,
        log_to_driver=False,
        logging_level=logging.ERROR,  # its warnings are advice to who programs with it
    )
    logging.getLogger("ray.data").setLevel(logging.ERROR)
    ray.data.DataContext.get_current().enable_progress_bars = sys.stderr.isatty()
    workers = cluster.workers or _fitting(cluster.gpus)
    batch, blocks = _portions(len(rows), workers, cluster.batch)
    fetch: Any = _fetch  # ray's own types know no pyarrow
    outcomes = (
        ray.data.from_items(rows, override_num_blocks=blocks)
        .map_batches(
            fetch,
            batch_format="pyarrow",
            batch_size=batch,
            compute=ray.data.TaskPoolStrategy(size=workers),  # each more is a process that has to start first
            num_cpus=0.1,  # it waits for files more than it computes
            fn_kwargs={"source": source, "target": target, "settings": settings},
        )
        .map_batches(
            Worker,
            batch_format="pyarrow",
            batch_size=batch,
            # One task at work, one that waits: more would be kept from a worker that has none.
            compute=ray.data.ActorPoolStrategy(size=min(workers, blocks), max_tasks_in_flight_per_actor=2),
            num_cpus=0.8 if not cluster.gpus else 0.1,
            num_gpus=cluster.gpus or None,
            fn_constructor_args=(task, options, target, settings),
        )
    )
    try:
        yield from outcomes.iter_rows()
    finally:
        if cluster.address:
            ray.shutdown()  # or what a cluster says of its machines may end among the job's own words


def _settings(task: type[Task], options: Options) -> str:
    """A digest of all that an output depends on besides its input."""
    model = models.choose(options.model, options.quality).identity.hex()
    keys = sorted(key.text() for key in options.keys)
    parts = [task.__name__, model, options.quality, options.precision, options.strip, keys]
    return hashlib.sha256(json.dumps(parts).encode()).hexdigest()[:16]


def _portions(inputs: int, workers: int, most: int) -> tuple[int, int]:
    """Files in a batch, and the blocks that Ray moves them in."""
    batch = min(most, math.ceil(inputs / workers))  # a small job is for all workers, too
    # A block for each batch lets all workers end at about one time; in a long job fewer do as well.
    return batch, min(math.ceil(inputs / batch), max(32 * workers, inputs // (4 * batch)))


def _fitting(gpus: float) -> int:
    there = ray.cluster_resources()  # type: ignore[no-untyped-call]
    return max(1, int(there.get("GPU", 0) / gpus) if gpus else int(there.get("CPU", 1)))


def _fetch(table: pa.Table, source: Store, target: Store, settings: str) -> pa.Table:
    """Names, and what is known of them → files, or what became of those with which there is nothing to do."""
    fetch = partial(_fetched, source=source, target=target, settings=settings)
    with ThreadPoolExecutor(_AT_A_TIME) as pool:
        return pa.Table.from_pylist(list(pool.map(fetch, table.to_pylist())), _FETCHED)


def _fetched(row: dict[str, str], source: Store, target: Store, settings: str) -> dict[str, Any]:
    made: dict[str, Any] = {"source": "", "state": "", "reason": "", "well": True, "data": b""}
    made |= {"input": row["input"], "output": row["output"]}
    try:
        data = source.read(row["input"])
    except OSError as error:
        return made | {"state": FAILED, "reason": _reason(error)}
    digest = ledger.digest(data)
    record = ledger.parse(row["known"])
    if ledger.is_done(record, settings, digest, row["output"], target):
        return made | {"state": SKIPPED, "well": record["well"]}
    return made | {"source": digest, "data": data}


class Worker:
    """An actor: one codec, made once, for all that it is given."""

    def __init__(self, task: type[Task], options: Options, target: Store, settings: str) -> None:
        self._task, self._target, self._settings = task(options), target, settings

    def __call__(self, table: pa.Table) -> pa.Table:
        rows = table.to_pylist()
        todo = [row for row in rows if not row["state"]]
        records = []
        for row, result in zip(todo, self._task([row["data"] for row in todo]), strict=True):
            row |= self._deliver(row["output"], result)
            if isinstance(result, Made) and row["state"] != FAILED:
                records.append(self._record(row, result))
        ledger.note(self._target, records)  # after the outputs: a record is a promise that they are there
        return pa.Table.from_pylist([{name: row[name] for name in _OUTCOME.names} for row in rows], _OUTCOME)

    def _deliver(self, output: str, result: Result) -> dict[str, Any]:
        try:
            if isinstance(result, Exception):
                raise result
            self._target.write(output, result.data)
        except Exception as error:  # no picture stops the job, whatever is wrong with it
            return {"state": FAILED, "reason": _reason(error)}
        return {"state": DONE, "well": result.well, "reason": "; ".join(result.warnings)}

    def _record(self, row: dict[str, str], made: Made) -> ledger.Record:
        return {
            "input": row["input"],
            "output": row["output"],
            "settings": self._settings,
            "source": row["source"],
            "target": ledger.digest(made.data),
            "well": made.well,
            "warnings": list(made.warnings),
        }


def _reason(error: Exception) -> str:
    from slic.cli import messages

    return messages.describe(error)
