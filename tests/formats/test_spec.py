"""The worked example of SPEC.md is a file, and the one that slic_formats writes."""

import re
from dataclasses import replace
from pathlib import Path

from slic_formats import Chunk, pack_words, parse, serialise
from tests.formats.samples import SMALL

SPEC = (Path(__file__).parents[2] / "formats" / "SPEC.md").read_text(encoding="utf-8")
EXAMPLE = SPEC.split("```hex\n")[1].split("```")[0]
LINE = re.compile(r"^ *(\d+) \| ((?:[0-9a-f]{2} )+) *\| \S.*$")


def read_example() -> bytes:
    """Its bytes; every line must stand at the offset that it states."""
    data = b""
    for line in EXAMPLE.splitlines():
        found = LINE.match(line)
        assert found and int(found[1]) == len(data), line
        data += bytes.fromhex(found[2])
    return data


def test_example_is_what_the_writer_writes() -> None:
    container = replace(
        SMALL,
        latent=pack_words(bytes.fromhex("2a000080"), b"\x7f\x00"),
        exif=bytes.fromhex("49492a0008000000 0000"),
        unknown=(Chunk("note", b"hi"),),
    )
    assert serialise(container) == read_example()


def test_example_is_read() -> None:
    container = parse(read_example())
    assert (container.header.width, container.header.height, container.header.mode.name) == (3, 2, "RGB")


def test_example_has_the_length_that_the_text_states() -> None:
    assert f"{len(read_example())} bytes. (Model" in SPEC.replace("\n", " ")
