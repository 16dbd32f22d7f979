"""Every vector is read as SPEC.md says."""

import json
import re
import runpy
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from slic_formats import HEADER_BYTES, FormatError, parse, parse_header, serialise
from slic_formats.signing import compare

FORMATS = Path(__file__).parents[2] / "formats"
FOLDER = FORMATS / "vectors" / "container"
SPEC = (FORMATS / "SPEC.md").read_text(encoding="utf-8")


@dataclass(frozen=True)
class Vector:
    name: str
    data: bytes
    expect: str
    chunk: str | None = None
    offset: int | None = None
    states: dict[str, str] = field(default_factory=dict)


def load_vectors() -> list[Vector]:
    """All of the folder; an unknown key is a TypeError here, a lone file a FileNotFoundError."""
    names = sorted({path.stem for path in FOLDER.iterdir()})
    return [load(FOLDER / f"{name}.slic", FOLDER / f"{name}.json") for name in names]


def load(slic: Path, facts: Path) -> Vector:
    return Vector(slic.stem, slic.read_bytes(), **json.loads(facts.read_text(encoding="utf-8")))


VECTORS = load_vectors()


def test_folder_is_not_empty() -> None:
    assert len(VECTORS) >= 110


def test_unknown_key_fails(tmp_path: Path) -> None:
    facts = tmp_path / "signed.json"
    facts.write_text('{"expect": "valid", "ofset": 3}')
    with pytest.raises(TypeError, match="ofset"):
        load(FOLDER / "signed.slic", facts)


@pytest.mark.parametrize("vector", VECTORS, ids=lambda v: v.name)
def test_vector_is_read_as_the_spec_says(vector: Vector) -> None:
    if vector.expect == "valid":
        assert serialise(parse(vector.data)) == vector.data
        return
    with pytest.raises(FormatError) as refused:
        parse(vector.data)
    error = refused.value
    assert (error.reason, error.chunk, error.offset) == (vector.expect, vector.chunk, vector.offset)


@pytest.mark.parametrize("vector", [v for v in VECTORS if v.name.startswith("head_")], ids=lambda v: v.name)
def test_header_alone_is_judged_as_in_the_whole_file(vector: Vector) -> None:
    start = (vector.data + bytes(HEADER_BYTES))[:HEADER_BYTES]
    if vector.expect == "valid":
        assert parse_header(start) == parse(vector.data).header
        return
    with pytest.raises(FormatError) as refused:
        parse_header(start)
    assert (refused.value.reason, refused.value.offset) == (vector.expect, vector.offset)


@pytest.mark.parametrize("vector", [v for v in VECTORS if v.states], ids=lambda v: v.name)
def test_signed_vector_has_these_states(vector: Vector) -> None:
    assert {s.type: s.state.value for s in compare(parse(vector.data))} == vector.states


def test_make_vectors_reproduces_the_folder() -> None:
    make_all: Callable[[], Iterator[tuple[str, bytes]]]
    make_all = runpy.run_path(str(FORMATS / "vectors" / "make_vectors.py"))["make_all"]
    assert dict(make_all()) == {path.name: path.read_bytes() for path in FOLDER.iterdir()}


def test_spec_names_every_vector_and_no_other() -> None:
    named = set(re.findall(r"`([a-z0-9]+(?:_[a-z0-9]+)+|signed)`", SPEC)) - {"slic_formats"}
    assert named == {v.name for v in VECTORS}
