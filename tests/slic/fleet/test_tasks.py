"""What a worker makes of files is what the library makes of them; who fails fails alone."""

import io
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from slic.attempt import attempt
from slic.codec import Codec
from slic.errors import FormatError, PictureError
from slic.fleet.tasks import Check, Decode, Detect, Encode, Made, Options, Verify
from slic.models import Model
from slic.trust.keys import SecretKey
from slic.trust.signature import sign_bytes

KEY = SecretKey(bytes(range(32)))


@pytest.fixture
def options(tiny_model: Model, monkeypatch: pytest.MonkeyPatch) -> Options:
    monkeypatch.setenv("SLIC_MODELS", str(tiny_model.path.parent))
    return Options(model=str(tiny_model.path), device="cpu", keys=(KEY.public,))


@pytest.fixture
def pngs(picture: Callable[..., NDArray[np.uint8]]) -> list[bytes]:
    """Of two sizes, mixed, with one between that is none."""
    out = []
    for seed, width in enumerate((80, 64, 80, 64, 80)):
        stream = io.BytesIO()
        Image.fromarray(picture(48, width, seed)).save(stream, "PNG")
        out.append(stream.getvalue())
    return [*out[:2], b"no picture", *out[2:]]


def data(result: Made | Exception) -> bytes:
    assert isinstance(result, Made)
    return result.data


def test_pictures_of_any_sizes_keep_their_order(options: Options, pngs: list[bytes]) -> None:
    made = Encode(options)(pngs)
    codec = Codec(options.model, device="cpu")
    assert isinstance(made.pop(2), PictureError)
    assert [data(m) for m in made] == [codec.encode(png) for png in pngs if png != b"no picture"]


def test_pictures_of_one_size_go_through_the_networks_together(
    options: Options, pngs: list[bytes], monkeypatch: pytest.MonkeyPatch
) -> None:
    together: list[int] = []
    encode = Codec.encode_pictures

    def counted(codec: Codec, pictures: Any) -> Any:
        together.append(len(pictures))
        return encode(codec, pictures)

    monkeypatch.setattr(Codec, "encode_pictures", counted)
    Encode(options)(pngs)
    assert together == [3, 2]


def test_files_become_pngs(options: Options, pngs: list[bytes]) -> None:
    files = [data(m) for m in Encode(options)(pngs[:2])]
    whole, broken, other = Decode(options)([files[0], files[1][:-1], files[1]])
    assert isinstance(broken, FormatError)
    sizes = [Image.open(io.BytesIO(data(one))).size for one in (whole, other)]
    assert sizes == [(80, 48), (64, 48)]


def test_verdicts_are_json(options: Options, pngs: list[bytes]) -> None:
    (file,) = Encode(options)(pngs[:1])
    valid, unsigned = Verify(options)([sign_bytes(data(file), KEY), data(file)])
    assert isinstance(valid, Made) and valid.well and json.loads(valid.data)["verdict"] == "valid"
    assert isinstance(unsigned, Made) and not unsigned.well
    (found,) = Check(options)(pngs[:1])
    assert json.loads(data(found))["finding"] == "cannot tell"


def test_whether_pictures_look_generated(pngs: list[bytes]) -> None:
    photo = (Path(__file__).parents[3] / "examples/photo.png").read_bytes()
    large, broken, small = Detect(Options(device="cpu"))([photo, b"no picture", pngs[0]])
    assert json.loads(data(large))["answer"] in ("real", "generated", "unsure")
    assert isinstance(broken, PictureError)
    assert "shows too little" in json.loads(data(small))["reason"]


def test_of_many_only_the_one_fails() -> None:
    made = attempt(lambda items: [1 / item for item in items], [1, 0, 2])
    assert (made[0], made[2]) == (1, 0.5)
    assert isinstance(made[1], ZeroDivisionError)
