import os
from pathlib import Path

import click
import pytest

from slic.cli.plan import Job, plan


@pytest.fixture(autouse=True)
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    for name in (
        "a.png",
        "sub/b.png",
        "sub/deep/c.jpg",
        "sub/notes.txt",
        "sub/.hidden.png",
        "sub/.git/d.png",
    ):
        Path(name).parent.mkdir(parents=True, exist_ok=True)
        Path(name).touch()


def takes(name: str) -> bool:
    return name.endswith((".png", ".jpg"))


def pairs(inputs: tuple[str, ...], output: str | None = None) -> list[tuple[str, str]]:
    return [(job.source, job.target) for job in plan(inputs, output, ".slic", takes)]


def refusal(inputs: tuple[str, ...], output: str | None = None) -> str:
    with pytest.raises(click.UsageError) as refused:
        plan(inputs, output, ".slic", takes)
    return refused.value.message


def test_output_lies_beside_the_input() -> None:
    assert pairs(("a.png", "sub/b.png")) == [("a.png", "a.slic"), ("sub/b.png", "sub/b.slic")]


def test_output_is_a_file_for_one_input() -> None:
    assert pairs(("a.png",), "x.bin") == [("a.png", "x.bin")]


@pytest.mark.parametrize("output", ["sub", "new" + os.sep])
def test_output_is_a_folder_when_it_is_one_or_ends_in_a_separator(output: str) -> None:
    assert pairs(("a.png",), output) == [("a.png", os.path.join(output, "a.slic"))]


def test_output_is_a_folder_for_several_inputs() -> None:
    assert pairs(("a.png", "sub/b.png"), "new") == [("a.png", "new/a.slic"), ("sub/b.png", "new/b.slic")]


def test_a_folder_keeps_its_tree_and_its_hidden_files() -> None:
    assert pairs(("sub",), "out") == [
        ("sub/b.png", "out/b.slic"),
        ("sub/deep/c.jpg", "out/deep/c.slic"),
    ]


def test_a_folder_without_output_is_written_into() -> None:
    assert pairs(("sub",)) == [("sub/b.png", "sub/b.slic"), ("sub/deep/c.jpg", "sub/deep/c.slic")]


def test_a_folder_that_may_not_be_entered_stays_one_input() -> None:
    assert plan(("sub", "a.png"), None, ".slic", None) == [Job("sub", ""), Job("a.png", "a.slic")]


def test_an_empty_folder_is_no_work() -> None:
    Path("empty").mkdir()
    assert pairs(("empty",), "out") == []


def test_standard_input_goes_to_standard_output_or_to_a_file() -> None:
    assert pairs(("-",)) == [("-", "-")]
    assert pairs(("-",), "x.slic") == [("-", "x.slic")]


def test_inputs_of_one_name_keep_their_suffixes() -> None:
    Path("a.jpg").touch()
    assert pairs(("a.png", "a.jpg")) == [("a.png", "a.png.slic"), ("a.jpg", "a.jpg.slic")]


def test_in_a_folder_only_inputs_of_one_name_keep_their_suffixes() -> None:
    Path("sub/b.jpg").touch()
    assert pairs(("sub",), "o") == [
        ("sub/b.jpg", "o/b.jpg.slic"),
        ("sub/b.png", "o/b.png.slic"),
        ("sub/deep/c.jpg", "o/deep/c.slic"),
    ]


def test_two_folders_with_one_output_are_refused() -> None:
    Path("other").mkdir()
    Path("other/b.png").touch()
    refused = "sub/b.png and other/b.png would both be written to o/b.png.slic"
    assert refusal(("sub", "other"), "o") == refused


def test_an_input_that_is_named_twice_is_refused() -> None:
    assert refusal(("a.png", "a.png")) == "a.png and a.png would both be written to a.png.slic"


def test_an_input_is_not_its_own_output() -> None:
    assert refusal(("a.png",), "./a.png") == "a.png: input and output are the same file"


def test_an_input_is_not_the_output_of_another() -> None:
    Path("a.slic").touch()
    assert refusal(("a.png", "a.slic")) == "a.slic is an input; a.png cannot be written over it"


def test_an_input_behind_a_link_is_seen() -> None:
    Path("link.slic").symlink_to("a.png")
    assert refusal(("a.png",), "link.slic") == "a.png: input and output are the same file"


@pytest.mark.parametrize(("inputs", "output"), [(("a.png", "sub/b.png"), "a.png"), (("a.png",), "a.png/")])
def test_a_file_is_no_folder(inputs: tuple[str, ...], output: str) -> None:
    assert refusal(inputs, output) == f"{output} is a file, and a folder is needed"


def test_several_inputs_do_not_fit_on_standard_output() -> None:
    assert refusal(("a.png", "sub/b.png"), "-") == "several inputs do not fit on standard output"


def test_standard_input_has_no_name_in_a_folder() -> None:
    assert refusal(("-",), "sub") == "standard input has no name; -o must say which file to write"
