"""A real client and a real process: under load, and as it ends."""

import json
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import httpx2
import pytest

from slic.codec import Codec
from slic.models import Model
from tests.slic.serve.asking import PATIENCE, Running

Start = Callable[..., Running]


@pytest.fixture(scope="module")
def pictures(tiny_model: Model, picture) -> dict[bytes, bytes]:  # type: ignore[no-untyped-def]
    """Pictures of two sizes as PNG, and the file that each has to become."""
    import io

    from PIL import Image

    codec, made = Codec(tiny_model, device="cpu"), {}
    for seed in range(12):
        out = io.BytesIO()
        Image.fromarray(picture(64, 80 if seed % 3 else 48, seed)).save(out, "PNG")
        made[out.getvalue()] = codec.encode(out.getvalue())
    return made


def ask_all(url: str, pictures: dict[bytes, bytes], times: int) -> list[httpx2.Response]:
    with httpx2.Client(base_url=url, timeout=PATIENCE) as client, ThreadPoolExecutor(24) as pool:
        return list(pool.map(lambda png: client.post("/encode", content=png), list(pictures) * times))


def test_at_once_many_are_each_answered_with_their_own(running: Start, pictures: dict[bytes, bytes]) -> None:
    service = running()
    answers = ask_all(service.url, pictures, 4)
    assert [a.status_code for a in answers] == [200] * 48
    assert [a.content for a in answers] == list(pictures.values()) * 4
    batches = httpx2.get(f"{service.url}/metrics").text
    assert "slic_batch_pictures_sum 48.0" in batches
    assert "slic_batch_pictures_count 48.0" not in batches  # some went together


def test_beyond_the_queue_all_are_told_so_and_none_is_lost(
    running: Start, pictures: dict[bytes, bytes]
) -> None:
    answers = ask_all(running("--queue", "2").url, pictures, 4)
    assert {a.status_code for a in answers} == {200, 429}
    for answer, expected in zip(answers, list(pictures.values()) * 4, strict=True):
        assert answer.status_code == 429 or answer.content == expected


def test_an_end_in_the_middle_loses_nothing_that_was_accepted(
    running: Start, pictures: dict[bytes, bytes]
) -> None:
    service = running("--batch", "1")
    begun = threading.Barrier(13)

    def ask(png: bytes) -> int:
        """The status."""

        def body():  # type: ignore[no-untyped-def]
            yield png[:100]
            begun.wait(PATIENCE)  # the service has taken it, and waits for the rest
            yield png[100:]

        answer = httpx2.post(f"{service.url}/encode", content=body(), timeout=PATIENCE)
        assert answer.content == pictures[png]
        return answer.status_code

    with ThreadPoolExecutor(12) as pool:
        asked = [pool.submit(ask, png) for png in pictures]
        _until_taken(service, 12)
        service.ask_to_end()
        begun.wait(PATIENCE)
        assert [one.result() for one in asked] == [200] * 12
    _until_closed(service)
    log = [json.loads(line) for line in service.log().splitlines() if line.startswith("{")]
    assert len([line for line in log if line.get("path") == "/encode" and line["status"] == 200]) == 12


def _until_closed(service: Running) -> None:
    """It may take the fraction of a second in which a server looks up."""
    with pytest.raises(httpx2.TransportError):
        while True:
            httpx2.get(f"{service.url}/metrics", timeout=PATIENCE)


def _until_taken(service: Running, number: int) -> None:
    while f"slic_requests_taken {number}.0" not in httpx2.get(f"{service.url}/metrics").text:
        pass
