import io
import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from slic import FormatError, info
from slic.codec import Codec
from slic.models import Model
from slic_formats import Chunk, parse, serialise


@pytest.fixture
def data(
    tiny_model: Model, picture: Callable[..., NDArray[np.uint8]], monkeypatch: pytest.MonkeyPatch
) -> bytes:
    monkeypatch.setenv("SLIC_MODELS", str(tiny_model.path.parent))
    return Codec(tiny_model).encode(picture(30, 40))


def test_it_says_what_the_header_says(data: bytes, tiny_model: Model) -> None:
    said, header = info(data), parse(data).header
    assert (said.bytes, said.width, said.height, said.mode) == (len(data), 40, 30, "RGB")
    assert (said.model, said.model_name) == (tiny_model.identity.hex(), tiny_model.name)
    assert (said.digest, said.format_version) == (header.digest.hex(), "1.0")
    assert (said.secured, said.quality, said.signed) == (False, 1, False)
    assert said.bits_per_pixel == 8 * len(data) / 1200


def test_it_counts_what_the_file_carries(data: bytes) -> None:
    more = replace(parse(data), alpha=b"\0\0", icc=b"ICC", exif=b"ex", xmp=b"x", c2pa=b"c2pa")
    said = info(serialise(replace(more, unknown=(Chunk("news", b"later"),))))
    assert (said.mode, said.icc, said.exif, said.xmp, said.c2pa) == ("RGBA", 3, 2, 1, 4)
    assert said.unknown == ("news",)
    assert said.chunks[3:] == (("ALPH", 2), ("icpr", 3), ("exif", 2), ("xmpd", 1), ("c2pa", 4), ("news", 5))


def test_a_model_that_is_not_installed_stays_a_number(data: bytes) -> None:
    container = parse(data)
    other = serialise(replace(container, header=replace(container.header, model=bytes(16))))
    said = info(other)
    assert (said.model, said.model_name, said.secured, said.quality) == ("00" * 16, None, None, None)
    assert f"  model     {'00' * 16} (not installed)\n" in str(said)


@pytest.mark.parametrize("kind", ["path", "str", "bytes", "bytearray", "memoryview", "file"])
def test_a_file_is_given_in_any_way(data: bytes, tmp_path: Path, kind: str) -> None:
    path = tmp_path / "a.slic"
    path.write_bytes(data)
    given = {
        "path": path,
        "str": str(path),
        "bytes": data,
        "bytearray": bytearray(data),
        "memoryview": memoryview(data),
        "file": io.BytesIO(data),
    }
    assert info(given[kind]) == info(data)  # type: ignore[arg-type]


def test_it_goes_into_json(data: bytes) -> None:
    assert json.loads(json.dumps(info(data).as_dict()))["width"] == 40


def test_a_damaged_file_is_refused(data: bytes) -> None:
    with pytest.raises(FormatError, match=r"^truncated in chunk LATN at byte "):
        info(data[:-1])
