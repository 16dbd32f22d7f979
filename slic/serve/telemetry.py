"""What a service says of itself: a JSON object a line in its log, and Prometheus' metrics."""

import json
import logging
import time
import traceback
import uuid
from collections.abc import Callable
from typing import Any

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, ProcessCollector
from starlette.types import ASGIApp, Message, Receive, Scope, Send

log = logging.getLogger("slic.serve")
_SECONDS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60)


class Metrics:
    """Of one service."""

    def __init__(self, taken: Callable[[], int]) -> None:
        """`taken`: requests at this moment."""
        self.registry = CollectorRegistry()
        own: dict[str, Any] = {"registry": self.registry}
        self.requests = Counter("slic_requests", "Requests answered.", ["path", "status"], **own)
        self.seconds = Histogram(
            "slic_request_seconds", "Until the answer.", ["path"], buckets=_SECONDS, **own
        )
        self.batches = Histogram("slic_batch_pictures", "In one batch.", buckets=(1, 2, 4, 8, 16, 32), **own)
        Gauge("slic_requests_taken", "Requests that wait or are at work.", **own).set_function(taken)
        ProcessCollector(registry=self.registry)


class Telemetry:
    """Counts, times and logs each request, and gives it an id."""

    def __init__(self, app: ASGIApp, metrics: Metrics) -> None:
        self._app, self._metrics = app, metrics

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        began, id, answered = time.perf_counter(), uuid.uuid4().hex, {"status": 500, "bytes": 0}

        async def send_and_note(message: Message) -> None:
            if message["type"] == "http.response.start":
                answered["status"] = message["status"]
                message["headers"] = [*message["headers"], (b"x-request-id", id.encode())]
            answered["bytes"] += len(message.get("body", b""))
            await send(message)

        try:
            await self._app(scope, receive, send_and_note)
        finally:
            seconds = time.perf_counter() - began
            # The path of the route, as anybody may ask for any: each would be a series of its own.
            path = getattr(scope.get("route"), "path", "other")
            self._metrics.requests.labels(path, str(answered["status"])).inc()
            self._metrics.seconds.labels(path).observe(seconds)
            client = (scope.get("client") or ("",))[0]
            about = {"method": scope["method"], "path": path, "client": client, "id": id}
            log.info("request", extra={"fields": {**about, **answered, "seconds": round(seconds, 4)}})


class JsonLines(logging.Formatter):
    """A record as one line of JSON; text from a request cannot begin another."""

    def format(self, record: logging.LogRecord) -> str:
        line = {
            "time": time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(record.created)) + "Z",
            "level": record.levelname.lower(),
            "message": record.getMessage(),
            **getattr(record, "fields", {}),
        }
        if record.exc_info:
            line["trace"] = "".join(traceback.format_exception(*record.exc_info))
        return json.dumps(line)


LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {"json": {"()": JsonLines}},
    "handlers": {"stderr": {"class": "logging.StreamHandler", "formatter": "json"}},
    "loggers": {name: {"handlers": ["stderr"], "level": "INFO"} for name in ("slic.serve", "uvicorn")},
}
