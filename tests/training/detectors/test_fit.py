"""One command fits a detector to a model, and slic takes it."""

import json
from pathlib import Path

import pytest

pytest.importorskip("sklearn", reason="needs scikit-learn, from the extra [train]")

from click.testing import CliRunner
from PIL import Image

from slic.codec import Codec
from slic.detection import detector
from slic.detection.detect import Sample, features_of
from slic.detection.features import Extractor
from slic.models import Model
from training.detectors import fit


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory, picture) -> Path:  # type: ignore[no-untyped-def]
    """Real pictures that are livelier than generated ones, of two sources each."""
    folder = tmp_path_factory.mktemp("data")
    for kind, source, factor in (
        ("real", "a", 1.0),
        ("real", "b", 0.9),
        ("fake", "gan", 0.5),
        ("fake", "flow", 0.4),
    ):
        (folder / kind / source).mkdir(parents=True)
        for i in range(16):
            levels = 128 + factor * (picture(128, 136, i).astype(float) - 128)
            Image.fromarray(levels.astype("uint8")).save(folder / kind / source / f"{source}{i}.png")
    return folder


@pytest.fixture(scope="module")
def made(data: Path, tiny_model: Model, tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("out") / "detector.json"
    arguments = ["--data", str(data), "--out", str(out), "--model", str(tiny_model.path)]
    done = CliRunner().invoke(fit.main, arguments, catch_exceptions=False)
    assert done.exit_code == 0 and "on generators left out" in done.output
    return out


def test_the_file_names_its_model_and_how_it_was_made(made: Path, tiny_model: Model) -> None:
    found = json.loads(made.read_text())
    assert found["model"] == tiny_model.identity.hex()
    assert found["made"]["sources"] == ["a", "b", "flow", "gan"]
    assert found["made"]["auc on generators left out, while fitting"] > 0.9


def test_the_codecs_features_are_limits_and_decide_nothing(made: Path) -> None:
    found = detector.load(made)
    decides = {name for name, weight in zip(found.names, found.weights, strict=True) if weight}
    assert decides and all(name.startswith("spectrum.") for name in decides)
    assert "rate.q1" in found.names and "blocks" not in found.names


def test_it_knows_what_it_was_fitted_on(made: Path, tiny_model: Model, picture) -> None:  # type: ignore[no-untyped-def]
    fitted, extract = detector.load(made), Extractor(Codec(tiny_model))
    odds = []
    for factor in (1.0, 0.45):
        levels = (128 + factor * (picture(128, 128, 99).astype(float) - 128)).astype("uint8")
        (features,) = features_of([Sample.take(levels)], extract)
        odds.append(float(fitted.logit(fitted.standardise(features))))
    assert odds[1] > odds[0]
