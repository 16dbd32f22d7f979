"""Where models lie and how they are found."""

from pathlib import Path

import pytest
import tiny

from slic import models
from slic.errors import ModelError
from slic.models import Model


@pytest.fixture(autouse=True)
def own_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Nobody's own models are touched."""
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "data"))
    monkeypatch.delenv("SLIC_MODELS", raising=False)
    return tmp_path / "data" / "slic" / "models"


def test_the_embedded_model_is_the_default() -> None:
    assert models.find(models.DEFAULT).name == models.DEFAULT
    assert models.find_quality(6).name == models.DEFAULT


def test_an_added_model_is_found_by_name_quality_and_identity(tiny_model: Model, own_folder: Path) -> None:
    with pytest.raises(ModelError, match=r"no model of quality 9 is installed"):
        models.find_quality(9)
    added = models.add(tiny_model.path)
    assert added.path.parent == own_folder
    assert models.find(added.name) == added == models.find_identity(tiny_model.identity)
    assert models.find_quality(1).secured  # goes before the added one, which is not
    with pytest.raises(FileExistsError):
        models.add(tiny_model.path)


def test_unknown_names_say_what_is_there() -> None:
    with pytest.raises(ModelError, match="model vgg is not installed") as refused:
        models.find("vgg")
    assert refused.value.hint == "installed: slic"


def test_a_damaged_file_stands_in_nobodys_way(own_folder: Path) -> None:
    own_folder.mkdir(parents=True)
    (own_folder / "a.safetensors").write_bytes(b"\xff" * 40)
    assert [m.name for m in models.installed()] == ["slic"]
    assert [str(e) for e in models.damaged()] == ["a.safetensors is damaged or no safetensors file"]


def test_a_hidden_name_still_decodes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Two models of one name: the file knows only identities."""
    first, second = tmp_path / "1", tmp_path / "2"
    for folder in (first, second):
        folder.mkdir()
    tiny.model("mbt2018", first, seed=1)
    hidden = tiny.model("mbt2018", second, seed=2)
    monkeypatch.setenv("SLIC_MODELS", f"{first}:{second}")
    assert models.find("tiny-mbt2018").identity != hidden.identity
    assert models.find_identity(hidden.identity).path == hidden.path


def test_a_truncated_model_is_refused(tiny_model: Model, tmp_path: Path) -> None:
    cut = tmp_path / "cut.safetensors"
    cut.write_bytes(tiny_model.path.read_bytes()[:-100])
    with pytest.raises(ModelError, match=r"cut\.safetensors is damaged"):
        models.open_file(cut).identity  # noqa: B018


def test_the_embedded_model_has_all_qualities() -> None:
    model = models.find(models.DEFAULT)
    assert (model.quality, model.qualities) == (6, tuple(range(1, 9)))
    assert [models.find_quality(q).index for q in (1, 8)] == [1, 8]
