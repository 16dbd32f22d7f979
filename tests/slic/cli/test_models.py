import json
from pathlib import Path

import pytest
import tiny  # type: ignore[import-not-found]
import torch
from calls import MODEL, Slic  # type: ignore[import-not-found]

from slic.models import Model


def rows(slic: Slic) -> list[dict[str, object]]:
    return [json.loads(line) for line in slic("models", "list", "--json").stdout.splitlines()]


def test_list_names_what_is_installed(slic: Slic, tiny_model: Model, tmp_path: Path) -> None:
    path = tmp_path / "models" / "tiny.safetensors"
    assert rows(slic)[0] == {
        "name": MODEL,
        "quality": 1,
        "qualities": [1],
        "architecture": "bmshj2018-hyperprior",
        "secured": False,
        "identity": tiny_model.identity.hex()[:8],
        "size": path.stat().st_size,
        "path": str(path),
    }


def test_list_is_a_table(slic: Slic) -> None:
    head, first, *_ = slic("models", "list").stdout.splitlines()
    assert head.split() == ["name", "quality", "architecture", "secured", "identity", "size", "path"]
    assert first.split()[:4] == [MODEL, "1", "bmshj2018-hyperprior", "no"]


def test_path_prints_where_a_model_lies(slic: Slic, tmp_path: Path) -> None:
    assert slic("models", "path", MODEL).stdout == f"{tmp_path / 'models' / 'tiny.safetensors'}\n"


def test_path_of_an_unknown_model_fails(slic: Slic) -> None:
    result = slic("models", "path", "news-9")
    assert result.stderr.startswith("slic: model news-9 is not installed\nslic: hint: installed: ")
    assert (result.stdout, result.exit_code) == ("", 1)


def test_add_installs_once(slic: Slic, tmp_path: Path) -> None:
    source = str(tmp_path / "models" / "tiny.safetensors")
    target = tmp_path / "data" / "slic" / "models" / f"{MODEL}.safetensors"
    assert slic("models", "add", source).stdout == f"{target}\n"
    again = slic("models", "add", source)
    said = f"slic: {target}: file exists\nslic: hint: --force overwrites it\n"
    assert (again.stderr, again.exit_code) == (said, 1)
    assert slic("models", "add", "--force", source).exit_code == 0


def test_add_refuses_what_is_no_model(slic: Slic) -> None:
    Path("x.safetensors").write_bytes(b"\xff" * 100)
    result = slic("models", "add", "x.safetensors")
    assert result.stderr == "slic: x.safetensors is damaged or no safetensors file\n"
    assert result.exit_code == 1


@pytest.fixture
def checkpoint(slic: Slic) -> Path:
    torch.save(tiny.state("bmshj2018-hyperprior"), "base.pth")
    return Path("base.pth")


def test_convert_makes_a_model(checkpoint: Path, slic: Slic) -> None:
    Path("card.json").write_text('{"made by": "a test"}')
    options = ["--name", "news", "--quality", "3", "--secured", "--card", "card.json"]
    result = slic("models", "convert", "base.pth", "news.safetensors", *options)
    assert result.stdout.startswith("news.safetensors: news (") and result.exit_code == 0
    from slic.models import open_file

    made = open_file(Path("news.safetensors"))
    assert (made.name, made.quality, made.secured) == ("news", 3, True)
    assert made.card == {"made by": "a test"}


@pytest.mark.parametrize("text", [b"{", b"\xff\xfe", b"[1]"])
def test_convert_refuses_a_card_that_is_no_json_object(checkpoint: Path, slic: Slic, text: bytes) -> None:
    Path("card.json").write_bytes(text)
    options = ["--name", "news", "--quality", "3", "--card", "card.json"]
    result = slic("models", "convert", "base.pth", "news.safetensors", *options)
    assert result.exit_code == 2
    assert "--card" in result.stderr and "card.json" in result.stderr
