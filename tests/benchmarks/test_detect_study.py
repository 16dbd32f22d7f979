"""Each experiment runs from the shell and gives its rows."""

import json
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from PIL import Image

pytest.importorskip("compressai", reason="training needs the extra [train], up to Python 3.12")

from benchmarks import detect_study

QUICK = ("--side", "32", "--width", "2", "--epochs", "1")


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory, picture) -> Path:  # type: ignore[no-untyped-def]
    folder = tmp_path_factory.mktemp("data")
    for source, kind in (("a", "real"), ("b", "real"), ("gan", "fake"), ("flow", "fake")):
        (folder / kind / source).mkdir(parents=True)
        for i in range(16):
            Image.fromarray(picture(32, 32, i)).save(folder / kind / source / f"{source}{i}.png")
    return folder


def rows(*arguments: str) -> list[dict[str, Any]]:
    done = CliRunner().invoke(detect_study.main, [*arguments, "--json"], catch_exceptions=False)
    assert done.exit_code == 0, done.output
    return [json.loads(line) for line in done.stdout.splitlines()]


def test_degradations(data: Path) -> None:
    found = rows("degradations", "--data", str(data), *QUICK, "--runs", "1", "--only", "jpeg")
    assert [row["degradation"] for row in found][2:4] == ["jpeg(quality=90)", "jpeg(quality=70)"]


def test_curves(data: Path) -> None:
    found = rows("curves", "--data", str(data), *QUICK, "--new", "gan")
    assert [(row["new"], row["pictures"]) for row in found][:2] == [("gan", 0), ("gan", 5)]


def test_fgsm(data: Path) -> None:
    found = rows("fgsm", "--data", str(data), *QUICK)
    assert [row["attacked"] for row in found if "attacked" in row] == 3 * ["half 1", "half 2", "other"]
    assert [row["defence"] for row in found if "defence" in row] == ["as it comes", "blurred"]


def test_generated_pictures_of_one_alone(data: Path) -> None:
    found = rows(
        "curves", "--data", str(data), *QUICK, "--generator", "gan", "--generator", "flow", "--new", "gan"
    )
    assert {row["new"] for row in found} == {"gan"}
    done = CliRunner().invoke(
        detect_study.main, ["curves", "--data", str(data), *QUICK, "--generator", "gan"]
    )
    assert (done.exit_code, done.output.splitlines()[-1]) == (
        1,
        "Error: there is no other generator than gan",
    )


def test_localise(data: Path) -> None:
    quick = ("--side", "32", "--width", "2", "--each", "2", "--tested", "3", "--epochs", "1")
    *found, untouched = rows("localise", "--data", str(data), *quick)
    assert [row["regions"] for row in found] == 5 * ["generated"] + 5 * ["real (control)"]
    assert [row["pictures"] for row in found] == 2 * [3, 3, 3, 3, 12]
    assert untouched["pictures"] > 0 and 0 <= untouched["of it marked"] <= 1


def test_a_backbone_that_is_none_is_said_in_a_line(data: Path) -> None:
    arguments = ["fgsm", "--data", str(data), "--side", "32", "--backbone", "resnet1"]
    done = CliRunner().invoke(detect_study.main, arguments)
    assert (done.exit_code, done.output.splitlines()[-1]) == (
        1,
        "Error: resnet1 is no backbone: neither small nor one of torchvision's classifiers",
    )
