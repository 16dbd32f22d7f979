"""A model file is as hostile as any other: whatever is wrong with it, the answer is a ModelError."""

from pathlib import Path

import numpy as np
import pytest
from safetensors.numpy import save_file

import slic
from slic import models
from slic.errors import ModelError
from slic.models import Model, Tensors


def changed(tensors: Tensors, name: str, change) -> Tensors:  # type: ignore[no-untyped-def]
    return tensors | {name: np.ascontiguousarray(change(tensors[name]))}


def use(model: Model, tensors: Tensors, folder: Path, **card: str) -> None:
    """Write a model file with these tensors, then encode and decode with it."""
    head = {"format": models.FORMAT, "name": "evil", "architecture": model.architecture, "quality": "1"}
    path = folder / "evil.safetensors"
    save_file(tensors, path, head | {"secured": "no", "card": "{}"} | card)
    codec = slic.Codec(path, device="cpu")
    codec.decode(codec.encode(np.zeros((40, 40, 3), np.uint8)))


def nan(a: np.ndarray) -> np.ndarray:
    return a * np.float16("nan")


HYPERPRIOR = [
    ("g_s.6.bias", nan),
    ("g_a.0.weight", lambda a: np.zeros((40_000, 0), np.float16)),
    ("g_a.0.weight", lambda a: np.zeros((5000, 3, 5, 5), np.float16)),
    ("g_s.2.weight", lambda a: a.astype(np.int8)),
    ("exact.h_s.2.weight", lambda a: a[:5]),
    ("exact.h_s.2.weight", lambda a: a[:, :, 1:4, 1:4]),
    ("exact.h_s.4.weight", lambda a: a[:0]),
    ("exact.h_s.4.weight", lambda a: a[:6]),
    ("exact.h_s.4.bias", lambda a: a[:, None]),
    ("exact.h_s.4.shift", lambda a: a[:, None]),
    ("exact.h_s.0.bias", lambda a: a + 2**60),
    ("tables.y.counts", lambda a: a[:, None]),
    ("tables.y.counts", lambda a: a.astype(np.int64) + 2**32),
    ("tables.y.first", lambda a: a * 0 + 16_383),
    ("tables.y.thresholds", lambda a: a + np.float32(0.5)),
    ("tables.y.thresholds", lambda a: a[::-1]),
    ("tables.z.lengths", lambda a: a[:4]),
    ("tables.z.medians", lambda a: a[:4]),
]
CONTEXT = [
    ("exact.entropy_parameters.4.weight", lambda a: a[:-2]),
    ("exact.entropy_parameters.2.weight", lambda a: a[:, :-1]),
    ("exact.entropy_parameters.0.weight", lambda a: np.pad(a, ((0, 0), (0, 0), (1, 1), (1, 1)))),
    ("exact.context_prediction.weight", lambda a: a[:-1]),
    ("exact.context_prediction.weight", lambda a: a[:, :, 1:4, 1:4]),
]


@pytest.mark.parametrize(("name", "change"), HYPERPRIOR)
def test_damaged_hyperprior(name: str, change, tiny_model: Model, tmp_path: Path) -> None:  # type: ignore[no-untyped-def]
    with pytest.raises(ModelError):
        use(tiny_model, changed(tiny_model.tensors, name, change), tmp_path)


@pytest.mark.parametrize(
    "worth",
    [np.ones(1, np.int32), np.ones(2, np.float32), np.zeros(1, np.float32), np.full(1, np.nan, np.float32)],
    ids=["int32", "two", "nothing", "nan"],
)
def test_damaged_worth(worth: np.ndarray, tiny_model: Model, tmp_path: Path) -> None:
    with pytest.raises(ModelError, match="what a step of y is worth"):
        use(tiny_model, tiny_model.tensors | {"tables.y.worth": worth}, tmp_path)


@pytest.mark.parametrize(("name", "change"), CONTEXT)
def test_damaged_context_model(  # type: ignore[no-untyped-def]
    name: str, change, tiny_models: dict[str, Model], tmp_path: Path
) -> None:
    model = tiny_models["mbt2018"]
    with pytest.raises(ModelError):
        use(model, changed(model.tensors, name, change), tmp_path)


def test_pixels_that_overflow_are_refused(tiny_model: Model, tmp_path: Path) -> None:
    tensors = changed(tiny_model.tensors, "g_s.6.bias", lambda a: a.astype(np.float32) + np.float32(3e38))
    tensors = changed(tensors, "g_s.6.weight", lambda a: a.astype(np.float32) * np.float32(1e38))
    with pytest.raises(ModelError, match="not finite"):
        use(tiny_model, tensors, tmp_path)


@pytest.mark.parametrize(
    "card",
    [
        {"architecture": "foo"},
        {"name": "a\nb"},
        {"name": "../a"},
        {"card": "[" * 200_000},
    ],
    ids=lambda card: next(iter(card)),
)
def test_hostile_cards(card: dict[str, str], tiny_model: Model, tmp_path: Path) -> None:
    with pytest.raises(ModelError, match="damaged"):
        use(tiny_model, tiny_model.tensors, tmp_path, **card)


def test_a_cut_model_among_others_does_not_hide_them(
    tiny_model: Model, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    data = tiny_model.path.read_bytes()
    (tmp_path / "a.safetensors").write_bytes(data[:100_000])
    (tmp_path / "b.safetensors").mkdir()
    (tmp_path / "z.safetensors").write_bytes(data)
    monkeypatch.setenv("SLIC_MODELS", str(tmp_path))
    assert models.find_identity(tiny_model.identity).path.name == "z.safetensors"
    assert [str(e) for e in models.damaged()] == ["a.safetensors is damaged or no safetensors file"]
