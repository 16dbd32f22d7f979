"""What was measured, and on which model: `results/NAME.jsonl`.

The first line of a file says how its rows came about, the others are the rows:

    {"command": "python -m benchmarks.…", "model": "f5b1f401cfd7…", "base": null}

`model` is the identity of the model that was measured, null where the question is not about one; `base` that
of the model it was compared with.
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from benchmarks.data import Row
from slic import models

FOLDER = Path(__file__).parent / "results"
EMBEDDED = Path(models.__file__).parent / "weights" / f"{models.DEFAULT}{models.SUFFIX}"


@dataclass(frozen=True)
class Answer:
    command: str
    model: str | None
    base: str | None
    rows: list[Row]

    def older_than(self, identity: str) -> bool:
        """Whether another model than this was measured."""
        return self.model not in (None, identity)

    @property
    def on_examples(self) -> bool:
        """Whether the example stood in for pictures that were not at hand."""
        return "--images EXAMPLES" in self.command


def load(name: str, folder: Path = FOLDER) -> Answer | None:
    """The stored answer to a question; None if there is none."""
    file = folder / f"{name}.jsonl"
    if not file.exists():
        return None
    head, *rows = map(json.loads, file.read_text().splitlines())
    return Answer(head["command"], head["model"], head["base"], rows)


def save(name: str, answer: Answer, folder: Path = FOLDER) -> None:
    head = {"command": answer.command, "model": answer.model, "base": answer.base}
    lines: Sequence[Row] = [head, *answer.rows]
    (folder / f"{name}.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines))


def identity(model: str | Path) -> str:
    return models.find(model).identity.hex()


def embedded() -> str:
    """The identity of the model that comes with the package, whatever else is installed."""
    return identity(EMBEDDED)
