"""The bytes of a file, and no more of them than needed."""

import io
from pathlib import Path
from typing import Any

import pytest

from slic.errors import PictureError
from slic.reading import read
from slic_formats import FILE_SIGNATURE


class Endless(io.RawIOBase):
    """A stream that begins as it is told and never ends."""

    def __init__(self, head: bytes) -> None:
        self.head, self.given = head, 0

    def read(self, size: int = -1) -> bytes:
        assert 0 <= size <= 1 << 20, "asked for everything"
        out = (self.head[self.given : self.given + size]).ljust(size, b"\0")
        self.given += size
        return out


def test_what_is_no_slic_file_is_not_read_on() -> None:
    stream = Endless(b"GIF89a")
    assert len(read(stream)) == 16  # type: ignore[arg-type]


def test_a_file_is_read_to_its_own_end_and_one_byte_on() -> None:
    stream = Endless(FILE_SIGNATURE + (100).to_bytes(8, "little"))
    assert len(read(stream)) == 101  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("source", "reason"),
    [
        (io.StringIO("words"), "the file is open in text mode"),
        (3, "cannot take a int as a .slic file"),
        (None, "cannot take a NoneType as a .slic file"),
    ],
)
def test_what_is_no_source_is_refused(source: Any, reason: str) -> None:
    with pytest.raises(PictureError, match=f"^{reason}$"):
        read(source)


def test_a_length_that_is_a_lie_takes_no_memory() -> None:
    data = FILE_SIGNATURE + (2**62).to_bytes(8, "little") + b"abc"
    assert read(io.BytesIO(data)) == data


@pytest.mark.parametrize("data", [b"", b"\x89SL", FILE_SIGNATURE + b"\x20\0\0\0\0\0\0\0" + bytes(16)])
def test_paths_streams_and_bytes_give_the_same(data: bytes, tmp_path: Path) -> None:
    path = tmp_path / "a"
    path.write_bytes(data)
    assert read(path) == read(str(path)) == read(io.BytesIO(data)) == read(bytearray(data)) == data
