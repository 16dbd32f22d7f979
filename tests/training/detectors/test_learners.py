"""What detectors that learn from pixels are given, and that each can be had by name."""

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

pytest.importorskip("sklearn", reason="needs scikit-learn, from the extra [train]")
pytest.importorskip("compressai", reason="training needs the extra [train], up to Python 3.12")

from training.detectors.learner import gather
from training.detectors.learners import LEARNERS
from training.detectors.protocol import Item, Treatment


def test_pictures_are_gathered_after_their_treatment_and_small_ones_are_not(  # type: ignore[no-untyped-def]
    picture, tmp_path: Path
) -> None:
    for name, side in (("a", 140), ("b", 100), ("c", 128)):
        Image.fromarray(picture(side, side)).save(tmp_path / f"{name}.png")
    chosen = [Item(tmp_path / f"{name}.png", f"of {name}", name == "a") for name in "abc"]
    found = gather(chosen, Treatment(128, "identity"))
    assert found.x.shape == (2, 128, 128, 3) and found.x.dtype == np.uint8
    assert (found.source.tolist(), found.fake.tolist()) == (["of a", "of c"], [True, False])
    assert found.fold.tolist() == [item.fold(5) for item in chosen if item.source != "of b"]


@pytest.mark.parametrize("name", LEARNERS)
def test_each_can_be_made(name: str) -> None:
    assert callable(LEARNERS[name]())


def test_both_classifiers_ask_for_the_same_codecs() -> None:
    mlp, boosting = (LEARNERS[f"quality-{kind}"]() for kind in ("mlp", "boosting"))
    assert mlp.workshop is boosting.workshop  # type: ignore[attr-defined]
