"""Documents hold what was measured, on the model that they speak of, or the check says so."""

import json
from pathlib import Path

import pytest

from benchmarks import plots, report, stored
from benchmarks.questions import QUESTIONS, Question
from benchmarks.stored import Answer

NOW, BEFORE = "f" * 32, "0" * 32
POINTS = [
    {"codec": name, "quality": quality, "bpp": 0.5 * quality, "psnr": level + 2.0 * quality}
    for name, level in (("slic", 30.0), ("jpeg", 28.0))
    for quality in (1, 2, 3)
]
CURVE = Answer("python -m benchmarks.rate_distortion --images KODAK", NOW, None, POINTS)
MEMORY = Answer("python -m benchmarks.memory --images LARGE", NOW, None, [{"megapixels": 1.0, "x": None}])


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """A tree whose documents agree with its answers."""
    folder = tmp_path / "benchmarks" / "results"
    folder.mkdir(parents=True)
    (folder / "README.md").write_text("# Results\n")
    (tmp_path / "README.md").write_text("# slic\n\n<!-- measured: table -->\n<!-- /measured -->\n")
    (tmp_path / "THREATS.md").write_text(
        "# Threats\n\n<!-- measured: threats_intact -->\n<!-- /measured -->\n"
    )
    stored.save("rate-distortion", CURVE, folder)
    stored.save("memory", MEMORY, folder)
    plots.rate_distortion(plots.curves(POINTS), folder / report.PLOT)
    for path, text in report.documents(known(tmp_path), NOW, tmp_path).items():
        (tmp_path / path).write_text(text)
    return tmp_path


def known(root: Path) -> report.Answers:
    return report.answers(root / "benchmarks" / "results")


def faults(root: Path, embedded: str = NOW) -> list[str]:
    return [fault.partition(":")[0] for fault in report.faults(known(root), embedded, root)]


def test_what_was_just_written_is_without_fault(root: Path) -> None:
    assert faults(root) == []
    assert "| **slic** | 34.0 dB |" in (root / "README.md").read_text()


@pytest.mark.parametrize("document", ["README.md", "benchmarks/RESULTS.md"])
def test_a_figure_typed_by_hand_is_found(root: Path, document: str) -> None:
    text = (root / document).read_text()
    (root / document).write_text(text.replace("32", "42"))
    assert text != (root / document).read_text()
    assert faults(root) == [document]


def test_an_answer_of_an_older_model_is_marked_and_no_headline(root: Path) -> None:
    stored.save("memory", Answer(MEMORY.command, BEFORE, None, MEMORY.rows), root / "benchmarks/results")
    assert faults(root) == ["benchmarks/RESULTS.md"]
    text = report.documents(known(root), NOW, root)[report.RESULTS]
    assert f"**Measured on an older model**, `{BEFORE}`." in text
    (root / report.RESULTS).write_text(text)
    assert faults(root) == []
    assert "rate-distortion.jsonl" in faults(root, embedded="1" * 32)


def test_the_example_is_no_headline(root: Path) -> None:
    alone = Answer(CURVE.command.replace("KODAK", "EXAMPLES"), NOW, None, POINTS)
    stored.save("rate-distortion", alone, root / "benchmarks/results")
    assert "rate-distortion.jsonl" in faults(root)


def test_a_plot_of_other_points_is_stale(root: Path) -> None:
    plots.rate_distortion({"slic": [(0.5, 32.0), (1.0, 35.0)]}, root / "benchmarks/results" / report.PLOT)
    assert faults(root) == [report.PLOT]


def test_another_sheet_than_was_made_is_stale(root: Path) -> None:
    folder = root / "benchmarks/results"
    (folder / "sheet.jpg").write_bytes(b"another")
    rows = [{"image": "a", "edit": "", "psnr": 30.0}, {"image": "a", "edit": "none", "psnr": 9.0}]
    rows.append({"image": "a", "sheet": "sheet.jpg", "sha256": "0" * 64})
    stored.save("contact-sheet", Answer("python -m benchmarks.contact_sheet", NOW, None, rows), folder)
    assert faults(root) == ["benchmarks/RESULTS.md", "sheet.jpg"]


def test_an_answer_to_no_question_is_found(root: Path) -> None:
    stored.save("speeed", MEMORY, root / "benchmarks/results")
    assert faults(root) == ["speeed.jsonl"]


def test_plots_are_the_same_to_the_byte(tmp_path: Path) -> None:
    for name in "ab":
        plots.rate_distortion(plots.curves(POINTS), tmp_path / name)
    assert (tmp_path / "a").read_bytes() == (tmp_path / "b").read_bytes()


def test_an_answer_survives_its_file(tmp_path: Path) -> None:
    stored.save("memory", MEMORY, tmp_path)
    assert stored.load("memory", tmp_path) == MEMORY
    assert stored.load("speed", tmp_path) is None
    head = json.loads((tmp_path / "memory.jsonl").read_text().splitlines()[0])
    assert head["model"] == NOW


def test_tables_begin_anew_with_the_columns_and_leave_nothing_empty() -> None:
    assert report.tables([{"a": 1, "b": None}, {"c": 2.34567}]).splitlines() == [
        "| a | b |", "|---|---|", "| 1 |  |", "", "| c |", "|---|", "| 2.346 |"
    ]  # fmt: skip


def test_commands_are_filled_from_the_environment() -> None:
    question = Question("q", "?", "python -m benchmarks.q --images {kodak} [--base {base}]")
    command, shown = question.filled({}) or ("", "")
    assert command.endswith("examples") and shown == "python -m benchmarks.q --images EXAMPLES"
    filled = question.filled({"KODAK": "/pictures", "BASE": "b.safetensors"})
    assert filled == (
        "python -m benchmarks.q --images /pictures --base b.safetensors",
        "python -m benchmarks.q --images KODAK --base BASE",
    )
    assert Question("q", "?", "python -m benchmarks.q --base {base}").filled({"KODAK": "k"}) is None


@pytest.mark.parametrize("question", QUESTIONS, ids=lambda question: question.name)
def test_every_command_is_one_that_can_be_given(question: Question) -> None:
    """Its options are the benchmark's own."""
    import shlex
    from importlib import import_module

    import click

    named = ("KODAK", "LARGE", "HARD", "REALFAKE", "BASE")
    given = {name: "1" for name in named} | {"RUNS": "--run a=b", "GPU": "cuda"}
    command, _ = question.filled(given) or ("", "")
    _, _, module, *arguments = shlex.split(command)
    try:
        main: click.Command = import_module(module).main
    except ModuleNotFoundError as error:
        if error.name and error.name.startswith("benchmarks"):
            raise
        pytest.skip(f"needs {error.name}")
    if isinstance(main, click.Group):
        main = main.commands[arguments[0]]
    options = {name for option in main.params for name in option.opts}
    assert {part for part in arguments if part.startswith("--")} <= options


def test_the_model_that_is_embedded_has_an_identity() -> None:
    assert len(bytes.fromhex(stored.embedded())) == 16
