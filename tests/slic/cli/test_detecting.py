"""slic detect. What it finds is tests/slic/detection's; here, how it is said."""

import json
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import pytest
from calls import Slic  # type: ignore[import-not-found]
from numpy.typing import NDArray
from PIL import Image

from slic import pixels
from slic.detection import detect as module
from slic.detection.detect import Detection, Sample
from slic.detection.detector import Answer, Driver, Finding
from slic.pixels import Source

SAID = "generated with probability 0.91, which is no proof; driven by similar.1 +0.50"


class Sure:
    """Finds every picture generated; remembers how many came at a time."""

    batches: list[int]

    def __init__(self, model: str | None, **_: object) -> None:
        Sure.batches = []

    def read(self, source: Source) -> Sample:
        return Sample.take(pixels.load(source).rgb)

    def __call__(self, samples: Sequence[Sample]) -> list[Detection]:
        Sure.batches.append(len(samples))
        finding = Finding(Answer.GENERATED, SAID, 0.91, (Driver("similar.1", 0.5),))
        return [Detection(finding, "press", s.width, s.height) for s in samples]


@pytest.fixture
def inbox(slic: Slic, picture: Callable[..., NDArray[np.uint8]], monkeypatch: pytest.MonkeyPatch) -> Path:
    """inbox/00.png to inbox/19.png, of which 03.png is damaged, and a text."""
    monkeypatch.setattr(module, "Examiner", Sure)
    folder = Path("inbox")
    folder.mkdir()
    for i in range(20):
        Image.fromarray(picture(16, 16)).save(folder / f"{i:02}.png")
    (folder / "03.png").write_text("no picture")
    (folder / "notes.txt").write_text("no picture")
    return folder


def test_a_finding_is_no_verdict_and_exits_with_0(slic: Slic, inbox: Path) -> None:
    result = slic("detect", "inbox/00.png")
    assert (result.stdout, result.stderr) == (f"inbox/00.png: generated: {SAID}\n", "")
    assert result.exit_code == 0


def test_a_folder_goes_in_batches_and_a_damaged_file_is_named_and_skipped(slic: Slic, inbox: Path) -> None:
    result = slic("detect", "-r", "inbox")
    assert len(result.stdout.splitlines()) == 19
    assert result.stderr.startswith("slic: inbox/03.png: ")
    assert result.exit_code == 1
    assert Sure.batches == [15, 4]


def test_json_says_that_it_is_no_proof(slic: Slic, inbox: Path) -> None:
    result = slic("detect", "inbox/02.png", "inbox/03.png", "missing.png", "--json")
    first, damaged, missing = map(json.loads, result.stdout.splitlines())
    assert first.pop("seconds") >= 0
    assert first == {
        "input": "inbox/02.png",
        "ok": True,
        "answer": "generated",
        "reason": SAID,
        "probability": 0.91,
        "drivers": [{"feature": "similar.1", "weight": 0.5}],
        "model": "press",
        "note": "a probability is no proof",
    }
    assert (damaged["ok"], missing["error"]) == (False, "no such file or directory")
    assert result.exit_code == 1


def test_a_folder_needs_r(slic: Slic, inbox: Path) -> None:
    result = slic("detect", "inbox")
    assert result.stderr == "slic: inbox: is a folder\nslic: hint: -r goes through it\n"


def test_another_model_than_the_detectors_is_refused_at_once(slic: Slic, photo: Path) -> None:
    result = slic("detect", "-m", "tiny-bmshj2018-hyperprior", "photo.png")
    assert result.exit_code == 1
    assert result.stderr.startswith("slic: the detector was fitted on model ")
    assert "hint: python -m training.detectors.fit" in result.stderr
