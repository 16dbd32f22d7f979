"""What a job has done already, so that a second run skips it, and what failed, so that someone looks at it.

Records lie in `.slic-fleet/records/` below the target, one file for each batch, as object stores cannot
append; failures, of the last run, in `.slic-fleet/failures.jsonl`. A record holds the digests of input and
output: an input that has changed, an output that is gone or damaged, other options, and it is done again.
"""

import hashlib
import json
import uuid
from collections.abc import Iterable
from typing import Any

from slic.fleet.store import Store

RECORDS = ".slic-fleet/records"
FAILURES = ".slic-fleet/failures.jsonl"

Record = dict[str, Any]


def digest(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


def known(target: Store) -> dict[str, str]:
    """Input → its last record, as JSON."""
    found: dict[str, str] = {}
    for name in target.names(RECORDS):
        for line in target.read(name).decode().splitlines():
            found[json.loads(line)["input"]] = line
    return found


def parse(line: str) -> Record:
    """A record; an empty one where there is none."""
    record: Record = json.loads(line) if line else {}
    return record


def is_done(record: Record, settings: str, source: str, output: str, target: Store) -> bool:
    """Whether it is of this input, by its digest, and these settings, and the output is still there."""
    if (record.get("settings"), record.get("source"), record.get("output")) != (settings, source, output):
        return False
    try:
        return bool(digest(target.read(output)) == record["target"])
    except OSError:
        return False


def note(target: Store, records: Iterable[Record]) -> None:
    lines = "".join(json.dumps(record) + "\n" for record in records)
    if lines:
        target.write(f"{RECORDS}/{uuid.uuid1().hex}.jsonl", lines.encode())


def report(target: Store, failures: Iterable[Record]) -> None:
    lines = "".join(json.dumps(failure) + "\n" for failure in failures)
    target.write(FAILURES, lines.encode())
