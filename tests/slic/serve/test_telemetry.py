"""What a service says of itself."""

import json
import logging

import pytest
from starlette.testclient import TestClient

from slic.serve.telemetry import JsonLines


def test_metrics_count_answers_and_batches(client: TestClient, png: bytes) -> None:
    client.post("/encode", content=png)
    client.post("/encode", content=b"no picture")
    text = client.get("/metrics").text
    assert 'slic_requests_total{path="/encode",status="200"} 1.0' in text
    assert 'slic_requests_total{path="/encode",status="422"} 1.0' in text
    assert 'slic_request_seconds_count{path="/encode"} 2.0' in text
    assert "slic_batch_pictures_count 1.0" in text
    assert "slic_requests_taken 0.0" in text
    assert "process_resident_memory_bytes" in text


def test_paths_that_are_none_are_one_series(client: TestClient) -> None:
    for path in ("/a", "/b"):
        client.get(path)
    assert 'slic_requests_total{path="other",status="404"} 2.0' in client.get("/metrics").text


def test_each_request_has_a_line_with_the_id_of_its_answer(
    client: TestClient, png: bytes, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO, "slic.serve")
    answer = client.post("/encode", content=png)
    said = json.loads(JsonLines().format(caplog.records[-1]))
    assert said["id"] == answer.headers["x-request-id"]
    assert (said["path"], said["status"], said["bytes"]) == ("/encode", 200, len(answer.content))


def test_text_from_outside_begins_no_line_of_its_own() -> None:
    record = logging.LogRecord("slic.serve", logging.INFO, "", 0, 'a\n{"level": "error"}', (), None)
    assert "\n" not in JsonLines().format(record)
