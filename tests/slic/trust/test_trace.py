"""Reading the trace: from samples that are known, and from a model."""

import numpy as np
import pytest

from slic.codec import Codec
from slic.models import Model
from slic.trust import trace


def test_samples_of_either_kind_are_told_apart() -> None:
    random = np.random.default_rng(0)
    foreign = random.normal(size=(5, 400)).astype(np.float32)
    own = foreign + np.array([[0], [3], [0], [0], [0]], np.float32)
    read = trace.fit(own, foreign)
    assert np.argmax(read.weights) == 1
    assert np.median(read.weights @ own - read.middle) == pytest.approx(1)
    assert np.median(read.weights @ foreign - read.middle) == pytest.approx(-1)


def test_latents_that_tell_nothing_give_no_infinity() -> None:
    same = np.zeros((3, 10), np.float32)
    assert np.isfinite(trace.fit(same, same)(np.ones((3, 2, 2), np.float32))).all()


def test_noise_is_always_the_same_and_like_no_flat_picture() -> None:
    first, again = list(trace.noises()), list(trace.noises())
    assert all((a == b).all() for a, b in zip(first, again, strict=True))
    assert all(noise.std() > 15 for noise in first)


def test_a_model_is_asked_once(tiny_model: Model) -> None:
    first, again = (trace.answers(Codec(tiny_model, device="cpu")) for _ in range(2))
    assert first is again


def test_a_value_for_each_latent(tiny_model: Model) -> None:
    codec = Codec(tiny_model, device="cpu")
    found = trace.answers(codec).reader(codec.latents(np.zeros((33, 50, 3), np.uint8)))
    assert found.shape == (3, 4)
    assert found.dtype == np.float32
