"""From a picture to an answer, with a tiny model and a detector of its features."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

import slic
from slic import models
from slic.codec import Codec
from slic.detection import detector
from slic.detection.detect import NO_PROOF, Examiner, Sample
from slic.detection.detector import Answer, Detector
from slic.detection.features import Extractor
from slic.errors import ModelError
from slic.models import Model

Picture = Callable[..., NDArray[np.uint8]]


@pytest.fixture(scope="module")
def fitted(tiny_model: Model, picture: Picture, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A detector that has seen three pictures and knows what it wants. A tiny model's are all wreckage."""
    rows = Extractor(Codec(tiny_model))([picture(128, 128, seed) for seed in range(3)])
    names = tuple(rows[0])
    values = np.array([[row[name] for name in names] for row in rows])
    made = Detector(
        model=tiny_model.identity.hex(),
        names=names,
        mean=values.mean(0),
        spread=values.std(0) + 0.1,
        weights=np.full(len(names), 0.01),
        bias=3.0,
        distance=5.0,
        blocks=1.0,
        smallest=128,
        made={},
    )
    file = tmp_path_factory.mktemp("detectors") / "tiny.json"
    file.write_text(made.as_json())
    return file


@pytest.fixture
def lenient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(detector, "DESTROYED", np.inf)


def test_an_answer_has_a_probability_what_drove_it_and_the_caveat(
    lenient: None, tiny_model: Model, fitted: Path, picture: Picture
) -> None:
    found = slic.detect(picture(128, 128, 1), model=tiny_model.path, fitted=fitted)
    assert found.answer is Answer.GENERATED
    assert found.probability is not None and found.probability > 0.8
    assert len(found.drivers) == 3
    assert found.as_dict()["note"] == NO_PROOF
    assert str(found).startswith("generated: generated with probability 0.9")


def test_wreckage_is_sent_to_check(
    tiny_model: Model, fitted: Path, picture: Picture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(detector, "DESTROYED", -np.inf)
    found = slic.detect(picture(128, 128, 1), model=tiny_model.path, fitted=fitted)
    assert found.answer is Answer.UNSURE and "slic check says more" in found.reason


def test_every_source_of_a_picture_will_do(
    lenient: None, tiny_model: Model, fitted: Path, picture: Picture, tmp_path: Path
) -> None:
    levels = picture(140, 128, 1)
    Image.fromarray(levels).save(tmp_path / "a.png")
    of_array = slic.detect(levels, model=tiny_model.path, fitted=fitted)
    assert slic.detect(tmp_path / "a.png", model=tiny_model.path, fitted=fitted) == of_array
    assert (of_array.width, of_array.height) == (128, 140)


def test_many_at_a_time_find_what_each_alone_does(
    lenient: None, tiny_model: Model, fitted: Path, picture: Picture
) -> None:
    sizes = ((128, 128), (600, 520), (128, 128), (100, 300))
    pictures = [picture(*size, seed) for seed, size in enumerate(sizes)]
    together = Examiner(tiny_model, fitted=fitted)([Sample.take(p) for p in pictures])
    alone = [slic.detect(p, model=tiny_model, fitted=fitted) for p in pictures]
    assert [d.answer for d in together] == [d.answer for d in alone]
    assert [d.probability for d in together] == pytest.approx([d.probability for d in alone], abs=0.01)
    assert together[3].reason == "a side of 100 pixels shows too little; 128 are needed"


@pytest.mark.parametrize("shape", [(30, 40, 3), (100, 2, 3), (1, 1, 3)])
def test_a_few_pixels_are_too_small_and_warn_of_nothing(shape: tuple[int, ...]) -> None:
    assert "shows too little" in slic.detect(np.zeros(shape, np.uint8)).reason


def test_a_detector_of_another_model_is_refused(tiny_model: Model, picture: Picture) -> None:
    with pytest.raises(ModelError, match="the detector was fitted on model"):
        slic.detect(picture(128, 128), model=tiny_model)


def test_the_embedded_detector_is_for_the_embedded_model(picture: Picture) -> None:
    """If this fails, the model has changed: python -m training.detectors.fit makes a detector for it."""
    embedded = models.open_file(detector.EMBEDDED.with_name("slic.safetensors"))
    assert slic.detect(picture(256, 256), model=embedded).reason
