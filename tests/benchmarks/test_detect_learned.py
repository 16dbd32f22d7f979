"""Each method has its row in every table, and learns from what the table says."""

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
    rows = list(detect_learned.measure(items(data), ["colour", "contrast"], None))
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


def test_one_generator_is_refused_in_a_line(data: Path, tmp_path: Path) -> None:
    (tmp_path / "fake").mkdir()
    (tmp_path / "real").symlink_to(data / "real")
    (tmp_path / "fake/gan").symlink_to(data / "fake/gan")
    done = CliRunner().invoke(detect_learned.main, ["--data", str(tmp_path), "--learn", "colour"])
    assert (done.exit_code, done.output.splitlines()[-1]) == (
        1,
        "Error: a generator can be left out where there are two or more",
    )
