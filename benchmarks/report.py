"""Turns stored rows into RESULTS.md, the command behind each table beside it.

    python -m benchmarks.report            reads benchmarks/results/*.jsonl
    python -m benchmarks.report --run      measures anew what NAMES ask for, all by default; then reports

KODAK and LARGE name the folders of pictures for --run; without them the example stands in.
"""

import json
import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import click

from benchmarks.data import EXAMPLES, Row, text

ROOT = Path(__file__).parents[1]
STORED = Path(__file__).parent / "results"


@dataclass(frozen=True)
class Question:
    """A table of RESULTS.md; `{kodak}` and `{large}` in its command are folders of pictures."""

    name: str
    text: str
    command: str


_SPEED = "python -m benchmarks.speed --images {kodak} --limit 1"
QUESTIONS = (
    Question(
        "speed",
        "How fast, against CompressAI with the same weights?",
        "python -m benchmarks.speed --images {kodak} --limit 3",
    ),
    Question(
        "speed-large",
        "And a larger picture?",
        "python -m benchmarks.speed --images {large} --limit 1 --runs 3",
    ),
    Question("speed-mbt2018", "Minnen2018?", f"{_SPEED} --architecture mbt2018 --runs 6"),
    Question("speed-cheng2020-anchor", "Cheng2020?", f"{_SPEED} --architecture cheng2020-anchor --runs 4"),
    Question("speed-cheng2020-attn", "With attention?", f"{_SPEED} --architecture cheng2020-attn --runs 4"),
    Question(
        "file-size",
        "What do exactness and bf16 cost, in bytes and decibels?",
        "python -m benchmarks.file_size --images {kodak}",
    ),
    Question(
        "rate-distortion",
        "How good is a picture for its bytes?",
        "python -m benchmarks.rate_distortion --images {kodak}",
    ),
    Question(
        "recompress",
        "What becomes of a picture that is encoded again?",
        "python -m benchmarks.recompress --images {kodak}",
    ),
    Question(
        "jpegsim",
        "How near do imitations of JPEG come?",
        "python -m benchmarks.jpegsim --images {kodak} --weights runs/unetjpeg-16/weights.safetensors",
    ),
    Question(
        "memory",
        "How do time and memory grow? Does tiling change anything?",
        "python -m benchmarks.memory --images {large} --megapixels 1,6,24,100",
    ),
    Question(
        "exactness",
        "Are the symbols the same on every path?",
        "python -m benchmarks.exactness --images {kodak} --limit 6 --compiled",
    ),
    Question(
        "training-speed",
        "How fast does training go, and how much of the machine does it use?",
        "python -m benchmarks.training_speed",
    ),
    Question("hostile", "What do hostile files do?", "python -m benchmarks.hostile"),
    Question("startup", "How long does a cold start take?", "python -m benchmarks.startup"),
)


def report() -> str:
    parts = [(STORED / "README.md").read_text().rstrip()]
    for question in QUESTIONS:
        file = STORED / f"{question.name}.jsonl"
        if file.exists():
            rows = [json.loads(line) for line in file.read_text().splitlines()]
            command = question.command.format(kodak="KODAK", large="LARGE")
            parts.append(f"## {question.text}\n\n    {command}\n\n{tables(rows)}")
    return "\n\n".join(parts) + "\n"


def tables(rows: list[Row]) -> str:
    """Markdown; a new table whenever the columns change."""
    out: list[str] = []
    columns: list[str] = []
    for row in rows:
        if list(row) != columns:
            columns = list(row)
            out += ["", "| " + " | ".join(columns) + " |", "|" + "---|" * len(columns)]
        out.append("| " + " | ".join(text(value) for value in row.values()) + " |")
    return "\n".join(out[1:])


def measure(question: Question) -> None:
    """Run one benchmark and store its rows; a failing one leaves what was stored."""
    folders = {name: os.environ.get(name.upper(), str(EXAMPLES)) for name in ("kodak", "large")}
    arguments = [part.format(**folders) for part in question.command.split()]
    done = subprocess.run(
        [sys.executable, *arguments[1:], "--json"], cwd=ROOT, stdout=subprocess.PIPE, text=True, check=True
    )
    rows = [json.loads(line) for line in done.stdout.splitlines()]
    for row in rows:
        row.pop(
            "file", None
        )  # exactness gives its files to other machines; no one's pictures are stored here
    (STORED / f"{question.name}.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))


@click.command()
@click.argument("names", nargs=-1)
@click.option("--run", is_flag=True, help="Measure anew first.")
def main(names: tuple[str, ...], run: bool) -> None:
    """Write RESULTS.md."""
    for question in QUESTIONS:
        if run and (not names or question.name in names):
            click.echo(question.command, err=True)
            measure(question)
    (Path(__file__).parent / "RESULTS.md").write_text(report())


if __name__ == "__main__":
    main()
