"""Each method has its row in every table, and learns from what the table says."""

import csv
import json
from pathlib import Path

import pytest

pytest.importorskip("sklearn", reason="needs scikit-learn, from the extra [train]")

from click.testing import CliRunner
from PIL import Image

from benchmarks import detect_learned
from training.detectors.protocol import items


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory, picture) -> Path:  # type: ignore[no-untyped-def]
    """Two real sources and two generators whose pictures are fainter."""
    folder = tmp_path_factory.mktemp("data")
    for source, factor in (("real/a", 1.0), ("real/b", 0.9), ("fake/gan", 0.6), ("fake/flow", 0.5)):
        (folder / source).mkdir(parents=True)
        for i in range(12):
            levels = 128 + factor * (picture(128, 128, i).astype(float) - 128)
            Image.fromarray(levels.astype("uint8")).save(folder / source / f"{source[5:]}{i}.png")
    return folder


def test_every_method_is_in_every_table(data: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[set[str]] = []

    def by_contrast(known):  # type: ignore[no-untyped-def]
        seen.append(set(known.source))
        return lambda levels: levels.std((1, 2, 3)) < 30

    monkeypatch.setattr(detect_learned, "LEARNERS", {n: lambda: by_contrast for n in ("colour", "contrast")})
    monkeypatch.setattr(detect_learned, "afters", lambda base: ["identity", "jpeg(quality=50)"])
    rows = list(detect_learned.measure(items(data), ["colour", "contrast"], None)[0])
    named = [row[next(iter(row))] for row in rows]
    assert named[:4] == 2 * ["colour (trivial)", "contrast"]
    assert [row["real accused after"] for row in rows if "real accused after" in row] == named[:2]
    for how in ("learnt from", "learnt from all but"):
        assert [row[how] for row in rows if how in row] == 2 * ["flow", "gan"]
    everything = {"a", "b", "flow", "gan"}
    assert seen[:5] == [
        everything,
        everything - {"flow"},
        everything - {"gan"},
        everything - {"gan"},
        everything - {"flow"},
    ]


def test_all_learn_again_after_each_last_codec_and_scores_are_stored(
    data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(detect_learned, "afters", lambda base: ["identity", "blur(radius=1)"])
    lasts = ("identity", "jpeg(quality=90)")
    codecs = [argument for last in lasts for argument in ("--last", last)]
    arguments = ["--data", str(data), "--learn", "colour", "--learn", "npr", *codecs, "--json"]
    scores = tmp_path / "scores.csv"
    done = CliRunner().invoke(
        detect_learned.main, [*arguments, "--scores", str(scores)], catch_exceptions=False
    )
    rows = [json.loads(line) for line in done.stdout.splitlines()]
    assert [(row["method"], row["last codec"]) for row in rows if "last codec" in row] == [
        (method, last) for last in lasts for method in ("colour (trivial)", "npr")
    ]
    with scores.open() as stream:
        stored = list(csv.DictReader(stream))
    learnt = {(row["method"], row["learnt after"], row["after"]) for row in stored}
    after_jpeg = ("jpeg(quality=90)", "identity", "blur(radius=1)")
    pairs = [("identity", "identity"), *(("jpeg(quality=90)", after) for after in after_jpeg)]
    assert learnt == {(method, *pair) for method in ("colour", "npr") for pair in pairs}
    tested = {(item.source, item.file.stem) for item in items(data) if item.part == "test"}
    assert {(row["source"], row["name"]) for row in stored} == tested
    assert len(stored) == len(learnt) * len(tested)


def test_one_generator_is_refused_in_a_line(data: Path, tmp_path: Path) -> None:
    (tmp_path / "fake").mkdir()
    (tmp_path / "real").symlink_to(data / "real")
    (tmp_path / "fake/gan").symlink_to(data / "fake/gan")
    done = CliRunner().invoke(detect_learned.main, ["--data", str(tmp_path), "--learn", "colour"])
    assert (done.exit_code, done.output.splitlines()[-1]) == (
        1,
        "Error: a generator can be left out where there are two or more",
    )


def test_a_misspelt_last_codec_is_refused_in_a_line(data: Path) -> None:
    done = CliRunner().invoke(detect_learned.main, ["--data", str(data), "--last", "jpg(quality=90)"])
    assert done.exit_code == 2 and "did you mean jpeg" in done.output.splitlines()[-1]
