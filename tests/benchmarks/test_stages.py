"""The stages that are timed are those of the codec."""

from collections.abc import Callable

import numpy as np
import pytest
import torch
from numpy.typing import NDArray

from benchmarks import stages
from benchmarks.stages import Clock
from slic import Codec
from slic.models import Model

ARCHITECTURES = ["bmshj2018-hyperprior", "mbt2018"]


@pytest.mark.parametrize("architecture", ARCHITECTURES)
def test_stages_make_the_codecs_bytes_and_pixels(
    tiny_models: dict[str, Model], architecture: str, picture: Callable[..., NDArray[np.uint8]]
) -> None:
    codec = Codec(tiny_models[architecture], device="cpu")
    png, clock = stages._png(picture(70, 90)), Clock(torch.device("cpu"))
    data = stages.encode(codec, png, clock)
    assert data == codec.encode(png)
    assert np.array_equal(stages.decode(codec, data, clock), codec.decode(data))
    assert list(clock.taken) == ["pixels", "transforms", "entropy", "container"]


def test_a_row_a_direction(tiny_model: Model, picture: Callable[..., NDArray[np.uint8]]) -> None:
    images = [("a", picture(64, 64)), ("b", picture(80, 64))]
    rows = list(stages.measure(tiny_model, images, device="cpu", runs=1))
    assert [(row["image"], row["direction"]) for row in rows] == [
        ("a", "encode"), ("a", "decode"), ("b", "encode"), ("b", "decode")
    ]  # fmt: skip
    assert all(row["transforms_ms"] > 0 for row in rows)
