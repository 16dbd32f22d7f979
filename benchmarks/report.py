"""Turns stored answers into RESULTS.md, the blocks of README.md and THREATS.md, and the plots.

    python -m benchmarks.report            from what benchmarks/results/ holds
    python -m benchmarks.report --run      measures anew what NAMES ask for, all by default; then reports
    python -m benchmarks.report --check    fails where a document or a plot is not what the answers give,
                                           or a headline's answer is of another model than the embedded one

benchmarks/questions.py has the questions, and what KODAK, LARGE, HARD, BASE and RUNS name for --run.
"""

import hashlib
import json
import os
import shlex
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import click

from benchmarks import headline, plots, stored
from benchmarks.data import Row, text
from benchmarks.questions import QUESTIONS, Question
from benchmarks.stored import Answer

ROOT = Path(__file__).parents[1]
RESULTS = Path("benchmarks/RESULTS.md")
README = Path("README.md")
THREATS = Path("THREATS.md")
PLOT = "rate-distortion.svg"

Answers = dict[str, Answer]


def answers(folder: Path = stored.FOLDER) -> Answers:
    found = {question.name: stored.load(question.name, folder) for question in QUESTIONS}
    return {name: answer for name, answer in found.items() if answer is not None}


def documents(known: Answers, embedded: str, root: Path = ROOT) -> dict[Path, str]:
    """Every document that holds what was measured, as it should be."""
    filled = {path: headline.fill((root / path).read_text(), known) for path in (README, THREATS)}
    return {RESULTS: results(known, embedded, root / "benchmarks/results"), **filled}


def results(known: Answers, embedded: str, folder: Path = stored.FOLDER) -> str:
    """RESULTS.md."""
    intro = (folder / "README.md").read_text().rstrip()
    parts = [f"{intro}\n\nThe embedded model is `{embedded}`; what was measured on another says so."]
    parts += [_section(q, known[q.name], embedded) for q in QUESTIONS if q.name in known]
    return "\n\n".join(parts) + "\n"


def _section(question: Question, answer: Answer, embedded: str) -> str:
    parts = [f"## {question.text}", f"    {answer.command}"]
    if answer.older_than(embedded):
        parts.append(f"**Measured on an older model**, `{answer.model}`.")
    if answer.on_examples:
        parts.append("On the example picture alone.")
    if question.picture:
        parts.append(f"![{question.text}](results/{question.picture})")
    shown = [row for row in answer.rows if question.only(row)]
    return "\n\n".join([*parts, *([tables(shown)] if shown else [])])


def tables(rows: list[Row]) -> str:
    """Markdown; a new table whenever the columns change."""
    out: list[str] = []
    columns: list[str] = []
    for row in rows:
        if list(row) != columns:
            columns = list(row)
            out += ["", "| " + " | ".join(columns) + " |", "|" + "---|" * len(columns)]
        out.append("| " + " | ".join("" if v is None else text(v) for v in row.values()) + " |")
    return "\n".join(out[1:])


def faults(known: Answers, embedded: str, root: Path = ROOT) -> Iterator[str]:
    """One line for each way in which what is said is not what was measured."""
    folder = root / "benchmarks/results"
    for path, wanted in documents(known, embedded, root).items():
        if (root / path).read_text() != wanted:
            yield f"{path}: not what the stored answers give; run python -m benchmarks.report"
    for question in QUESTIONS:
        answer = known.get(question.name)
        if answer is None or not question.headline:
            continue
        if answer.older_than(embedded):
            yield f"{question.name}.jsonl: the README rests on it, but it is of model {answer.model}"
        if answer.on_examples:
            yield f"{question.name}.jsonl: the README rests on it, but it is of the example alone; set KODAK"
    yield from _stale_pictures(known, folder)
    for file in sorted(folder.glob("*.jsonl")):
        if file.stem not in {question.name for question in QUESTIONS}:
            yield f"{file.name}: answers no question of benchmarks/questions.py"


def _stale_pictures(known: Answers, folder: Path) -> Iterator[str]:
    curves = _curves(known)
    if curves and not plots.shows(folder / PLOT, curves):
        yield f"{PLOT}: not of the stored points; run python -m benchmarks.report"
    for answer in known.values():
        for row in answer.rows:
            if "sheet" in row and _sha256(folder / row["sheet"]) != row["sha256"]:
                yield f"{row['sheet']}: not the sheet that was made; run python -m benchmarks.report --run"


def _sha256(file: Path) -> str | None:
    return hashlib.sha256(file.read_bytes()).hexdigest() if file.exists() else None


def _curves(known: Answers) -> plots.Curves:
    return plots.curves(known["rate-distortion"].rows) if "rate-distortion" in known else {}


def measure(question: Question) -> bool:
    """Run one benchmark and store its answer; whether that worked. A failing one leaves what was stored."""
    filled = question.filled(os.environ)
    if filled is None:
        click.echo(f"{question.name}: left out, for what it needs is not named", err=True)
        return True
    command, shown = filled
    click.echo(command, err=True)
    done = subprocess.run(
        [sys.executable, *shlex.split(command)[1:], "--json"], cwd=ROOT, stdout=subprocess.PIPE, text=True
    )
    if done.returncode:
        click.echo(f"{question.name}: failed, exit code {done.returncode}", err=True)
        return False
    rows = [json.loads(line) for line in done.stdout.splitlines()]
    for row in rows:
        row.pop("file", None)  # exactness gives files to other machines; no one's pictures are stored here
    model = stored.identity("slic") if question.on_model else None
    base = stored.identity(os.environ["BASE"]) if "BASE" in shown else None
    stored.save(question.name, Answer(shown, model, base, rows))
    return True


def write() -> None:
    known = answers()
    for path, wanted in documents(known, stored.embedded()).items():
        (ROOT / path).write_text(wanted)
    curves, plot = _curves(known), stored.FOLDER / PLOT
    if curves and not plots.shows(plot, curves):
        plots.rate_distortion(curves, plot)


@click.command()
@click.argument("names", nargs=-1, type=click.Choice([question.name for question in QUESTIONS]))
@click.option("--run", is_flag=True, help="Measure anew first.")
@click.option("--check", is_flag=True, help="Change nothing; fail where something is out of date.")
def main(names: tuple[str, ...], run: bool, check: bool) -> None:
    """Write RESULTS.md, the README's figures and the plots. NAMES are questions to measure with --run."""
    if (run and check) or (names and not run):
        raise click.UsageError("NAMES go with --run, and --check with nothing else")
    if check:
        found = list(faults(answers(), stored.embedded()))
        for fault in found:
            click.echo(fault, err=True)
        raise SystemExit(bool(found))
    worked = [measure(q) for q in QUESTIONS if run and (not names or q.name in names)]
    write()
    raise SystemExit(not all(worked))


if __name__ == "__main__":
    main()
