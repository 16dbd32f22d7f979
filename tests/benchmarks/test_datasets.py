"""What is fetched is what it should be, or nothing."""

import hashlib
import re
from pathlib import Path

import click
import pytest
from click.testing import CliRunner

from benchmarks import datasets


@pytest.fixture
def page(tmp_path: Path) -> str:
    """A site of one picture."""
    site = tmp_path / "site"
    site.mkdir()
    (site / "a.png").write_bytes(b"a picture")
    return site.as_uri() + "/{name}"


A = {"a.png": hashlib.sha256(b"a picture").hexdigest()}


def test_a_file_is_fetched_once(page: str, tmp_path: Path) -> None:
    folder = tmp_path / "new" / "kodak"
    assert datasets.fetch(folder, A, page) == 1
    assert (folder / "a.png").read_bytes() == b"a picture"
    assert datasets.fetch(folder, A, page) == 0


def test_what_was_damaged_is_fetched_anew(page: str, tmp_path: Path) -> None:
    (tmp_path / "a.png").write_bytes(b"half a pic")
    assert datasets.fetch(tmp_path, A, page) == 1


def test_another_picture_is_refused_and_not_kept(page: str, tmp_path: Path) -> None:
    with pytest.raises(click.ClickException, match="SHA-256"):
        datasets.fetch(tmp_path, {"a.png": "0" * 64}, page)
    assert [file.name for file in tmp_path.iterdir()] == ["site"]


def test_offline_it_is_one_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(datasets, "URL", (tmp_path / "nowhere").as_uri() + "/{name}")
    done = CliRunner().invoke(datasets.main, ["kodak", str(tmp_path / "kodak")])
    assert done.exit_code == 1
    (line,) = done.output.splitlines()
    assert "cannot fetch" in line and line.endswith("--images takes any folder of pictures")


def test_kodak_is_24_pictures_with_their_digests() -> None:
    assert list(datasets.KODAK) == [f"kodim{i:02}.png" for i in range(1, 25)]
    assert all(re.fullmatch("[0-9a-f]{64}", digest) for digest in datasets.KODAK.values())


def test_the_pictures_of_those_who_work_on_slic_are_these(shared: Path) -> None:
    assert datasets.fetch(shared / "data" / "kodak", datasets.KODAK, "") == 0
