"""A detector says no more than it knows, and belongs to one model."""

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from slic.detection import detector
from slic.detection.detector import Answer, Detector, Driver
from slic.errors import ModelError
from slic.models import Model

PLAIN = {"error.brightness": 3.0, "blocks": 0.1, "a": 0.0, "b": 0.0}


@pytest.fixture
def two() -> Detector:
    """Two features about 0; `a` speaks for generated."""
    return Detector(
        model="00" * 16,
        names=("a", "b"),
        mean=np.zeros(2),
        spread=np.ones(2),
        weights=np.array([1.0, -0.5]),
        bias=0.0,
        distance=3.0,
        blocks=0.5,
        smallest=128,
        made={"pictures": 2},
    )


def test_even_odds_are_unsure(two: Detector) -> None:
    found = two.judge(PLAIN, 128)
    assert (found.answer, found.probability) == (Answer.UNSURE, 0.5)
    assert found.reason == "generated with probability 0.50, which is no proof and too near to even odds"


@pytest.mark.parametrize(("a", "answer"), [(3.0, Answer.GENERATED), (-3.0, Answer.REAL)])
def test_clear_odds_are_an_answer_with_what_drove_it(two: Detector, a: float, answer: Answer) -> None:
    found = two.judge(PLAIN | {"a": a, "b": 1.0}, 128)
    assert found.answer is answer
    assert found.drivers == (Driver("a", a), Driver("b", -0.5))
    assert "which is no proof; driven by a" in found.reason


def test_one_odd_feature_counts_for_so_much_only(two: Detector) -> None:
    far = replace(two, distance=1e9)
    assert far.judge(PLAIN | {"a": 400.0}, 128).probability == far.judge(PLAIN | {"a": 4.0}, 128).probability


@pytest.mark.parametrize(
    ("features", "side", "reason"),
    [
        ({}, 127, "a side of 127 pixels shows too little; 128 are needed"),
        ({"blocks": 0.6}, 128, "it is heavily compressed: the blocks of JPEG stand out"),
        (
            {"error.brightness": 9.0},
            128,
            "the codec destroys it, as what came out of a .slic file; slic check says more",
        ),
        ({"b": 9.0}, 128, "it is unlike the pictures that the detector was fitted on, above all in b"),
    ],
)
def test_what_it_cannot_know_has_a_reason_and_no_probability(
    two: Detector, features: dict[str, float], side: int, reason: str
) -> None:
    found = two.judge(PLAIN | features, side)
    assert (found.answer, found.reason, found.probability) == (Answer.UNSURE, reason, None)


def test_a_file_comes_back(two: Detector, tmp_path: Path) -> None:
    file = tmp_path / "d.json"
    file.write_text(two.as_json())
    again = detector.load(file)
    assert again.as_json() == two.as_json()
    assert again.judge(PLAIN, 128) == two.judge(PLAIN, 128)


@pytest.mark.parametrize(
    "change",
    [
        {"format": "slic-detector-9"},
        {"features": []},
        {"bias": None},
        {"bias": float("nan")},
        {"features": [{"name": "a", "mean": 0, "spread": 0, "weight": 1}]},
        {"features": [{"name": "a"}]},
    ],
)
def test_a_damaged_file_is_refused(two: Detector, tmp_path: Path, change: dict[str, object]) -> None:
    file = tmp_path / "d.json"
    file.write_text(json.dumps(json.loads(two.as_json()) | change))
    with pytest.raises(ModelError, match=r"^d\.json is damaged or no detector$"):
        detector.load(file)


def test_text_is_no_detector(tmp_path: Path) -> None:
    (tmp_path / "d.json").write_text("no detector")
    with pytest.raises(ModelError, match="is damaged or no detector"):
        detector.load(tmp_path / "d.json")


def test_another_model_is_refused(two: Detector, tiny_model: Model) -> None:
    wanted = f"the detector was fitted on model 00000000, not on {tiny_model.name}"
    with pytest.raises(ModelError, match=wanted) as refused:
        two.require(tiny_model)
    assert refused.value.hint is not None and "training.detectors.fit" in refused.value.hint


def test_a_feature_that_is_not_there_is_named(two: Detector) -> None:
    with pytest.raises(ModelError, match="needs feature b, which is not there"):
        two.judge({name: value for name, value in PLAIN.items() if name != "b"}, 128)


def test_the_embedded_detector_is_sound() -> None:
    assert detector.load().names
