"""Uploads end at the limits."""

import io
from collections.abc import Iterator
from typing import Any

import anyio
import pytest
from PIL import Image
from starlette.requests import Request
from starlette.testclient import TestClient

from slic.serve import upload
from slic.serve.upload import Refused
from tests.slic.serve.asking import Ask


def in_pieces(data: bytes, size: int = 1 << 14) -> Iterator[bytes]:
    """A body that does not say its length."""
    for at in range(0, len(data), size):
        yield data[at : at + size]


def receive(pieces: list[bytes], **limits: Any) -> bytes:
    """Takes pieces off the list as a request would get them; after the last, nothing comes any more."""

    async def next_piece() -> dict[str, Any]:
        if not pieces:
            await anyio.sleep_forever()
        return {"type": "http.request", "body": pieces.pop(0), "more_body": True}

    request = Request({"type": "http", "headers": []}, next_piece)
    usual: dict[str, Any] = {"max_bytes": 1 << 24, "max_pixels": 1 << 24, "timeout": 60}
    return anyio.run(lambda: upload.receive(request, **usual | limits))


@pytest.fixture
def small(serve: Ask) -> TestClient:
    return serve(max_bytes=100_000, max_pixels=10_000)


def test_a_length_beyond_the_limit_is_refused_unread(small: TestClient) -> None:
    answer = small.post("/info", content=bytes(100_001))
    assert (answer.status_code, answer.json()["error"]) == (413, "more than 100000 bytes")


def test_a_body_that_goes_on_is_refused_at_the_byte_that_is_too_many(small: TestClient) -> None:
    assert small.post("/info", content=in_pieces(bytes(100_001))).status_code == 413
    assert small.post("/info", content=in_pieces(bytes(100_000))).status_code == 422


def test_pixels_beyond_the_limit_are_refused(small: TestClient) -> None:
    out = io.BytesIO()
    Image.new("RGB", (101, 100)).save(out, "PNG")
    answer = small.post("/encode", content=out.getvalue())
    assert answer.status_code == 413
    assert answer.json()["error"] == "picture of 101x100 is beyond the limit of 10000 pixels"


def test_they_are_refused_before_the_upload_is_over() -> None:
    out = io.BytesIO()
    Image.effect_noise((1000, 1000), 90).save(out, "PNG")
    pieces = list(in_pieces(out.getvalue()))
    with pytest.raises(Refused, match="1000x1000") as refused:
        receive(pieces, max_pixels=10_000)
    assert refused.value.status == 413
    assert len(pieces) > 10  # the rest was never asked for


def test_who_sends_too_slowly_is_sent_away() -> None:
    with pytest.raises(Refused, match="longer than") as refused:
        receive([], timeout=0.01)
    assert refused.value.status == 408


def test_a_file_says_its_size_at_its_beginning(file: bytes, png: bytes) -> None:
    assert upload.size(file[:100]) == upload.size(png[:100]) == (80, 64)
    assert upload.size(b"no picture") is None


def test_a_form_is_told_what_to_send(client: TestClient, png: bytes) -> None:
    answer = client.post("/check", files={"file": png})
    assert (answer.status_code, answer.json()["error"]) == (415, "a form is no picture")


def test_nothing_is_no_picture(client: TestClient) -> None:
    assert client.post("/check").json()["error"] == "the request has no body"


def test_one_too_many_is_told_so_before_it_is_read(serve: Ask, png: bytes) -> None:
    client = serve(queue=1)
    with client.app.state.service.place():  # type: ignore[attr-defined]
        answer = client.post("/check", content=png)
    assert (answer.status_code, answer.headers["retry-after"]) == (429, "2")
    assert client.post("/check", content=png).status_code == 200
