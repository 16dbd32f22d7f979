"""Rows for every method, generator, codec and source, and each score stored."""

import csv
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("sklearn", reason="needs scikit-learn, from the extra [train]")

from click.testing import CliRunner
from PIL import Image

from benchmarks import detect
from slic.detection import detector
from slic.models import Model
from training.detectors import fit


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory, picture) -> Path:  # type: ignore[no-untyped-def]
    """Two real sources and two generators whose pictures are fainter."""
    folder = tmp_path_factory.mktemp("data")
    for source, kind, factor in (
        ("a", "real", 1.0),
        ("b", "real", 0.9),
        ("gan", "fake", 0.6),
        ("flow", "fake", 0.5),
    ):
        (folder / kind / source).mkdir(parents=True)
        for i in range(12):
            levels = 128 + factor * (picture(128, 136, i).astype(float) - 128)
            Image.fromarray(levels.astype("uint8")).save(folder / kind / source / f"{source}{i}.png")
    return folder


@pytest.fixture
def embedded(data: Path, three_rates: Model, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A detector for the tiny model takes the embedded one's place."""
    out = tmp_path / "detector.json"
    arguments = ["--data", str(data), "--out", str(out), "--model", str(three_rates.path)]
    assert CliRunner().invoke(fit.main, arguments, catch_exceptions=False).exit_code == 0
    monkeypatch.setattr(detector, "EMBEDDED", out)
    monkeypatch.setattr(detector, "DESTROYED", np.inf)  # a tiny model's pictures are all wreckage


def test_rows_and_scores(ask, data: Path, embedded: None, tmp_path: Path, monkeypatch) -> None:  # type: ignore[no-untyped-def]
    monkeypatch.setattr(detect, "AFTER", ("identity", "jpeg(quality=75)"))
    monkeypatch.setattr(detect, "LARGE", 128)  # the pictures of `ask` are smaller than that
    scores = tmp_path / "scores.csv"
    rows = ask(detect.main, "--data", str(data), "--limit", "100", "--scores", str(scores))
    methods = {row["method"] for row in rows if "method" in row}
    assert {"as found (trivial)", "colour (trivial)", "npr", "rigid", "codec", detect.EMBEDDED} <= methods
    ours = next(row for row in rows if row.get("method") == detect.EMBEDDED)
    assert ours["auc"] > 0.9 and ours["left out: auc"] > 0.9
    assert [row["generator"] for row in rows if "generator" in row] == ["flow", "gan"]
    assert [row["embedded, after"] for row in rows if "embedded, after" in row] == list(detect.AFTER)
    assert {row["real source"] for row in rows if "real source" in row} == {"a", "b"}
    assert [row["size"] for row in rows if "size" in row] == ["97x82"]
    tested = sum(row["pictures"] for row in rows if "real source" in row or "generator" in row)
    with scores.open() as stream:
        stored = list(csv.DictReader(stream))
    assert len(stored) == 2 * tested and {row["after"] for row in stored} == set(detect.AFTER)


def test_the_collection_can_be_measured(shared: Path) -> None:
    found = detect.items(shared / "data" / "realfake", limit=1)
    assert {item.part for item in found} == {"development", "test"}
