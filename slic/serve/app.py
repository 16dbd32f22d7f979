"""The paths of the service, and what they answer. Every body is the file itself, no form: it is read as it
streams in, and refused at the byte that is too many.
"""

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Annotated, Any

from fastapi import APIRouter, Depends, FastAPI, Query, Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi.responses import HTMLResponse, JSONResponse, PlainTextResponse
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest
from starlette.exceptions import HTTPException
from starlette.middleware.trustedhost import TrustedHostMiddleware
from starlette.requests import ClientDisconnect
from starlette.types import ASGIApp, Message, Receive, Scope, Send

import slic
from slic.describe import Info
from slic.errors import SlicError
from slic.serve import examples, page
from slic.serve.guard import admit
from slic.serve.service import Service
from slic.serve.settings import Settings
from slic.serve.telemetry import Telemetry
from slic.serve.upload import Refused, receive

MIME = "image/x-slic"
_HEADERS = {
    "x-content-type-options": "nosniff",
    "referrer-policy": "no-referrer",
    "cache-control": "no-store",
}


def create(settings: Settings) -> FastAPI:
    service = Service(settings)

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        async with service.running():
            yield

    app = FastAPI(
        title="slic",
        version=slic.__version__,
        summary="Encode, decode and check pictures that do not survive being edited and encoded again.",
        docs_url=None,  # FastAPI's own pages fetch scripts from elsewhere; /openapi.json is all they need
        redoc_url=None,
        lifespan=lifespan,
    )
    app.state.service = service
    app.include_router(_open)
    app.include_router(_guarded)
    app.add_middleware(_Headers)
    app.add_middleware(TrustedHostMiddleware, allowed_hosts=list(settings.hosts), www_redirect=False)
    app.add_middleware(Telemetry, metrics=service.metrics)
    for kind, answer in _ANSWERS.items():
        app.add_exception_handler(kind, answer)
    return app


class _Headers:
    """What every answer says to browsers."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        async def send_more(message: Message) -> None:
            if message["type"] == "http.response.start":
                more = [(name.encode(), value.encode()) for name, value in _HEADERS.items()]
                message["headers"] = [*message["headers"], *more]
            await send(message)

        await self._app(scope, receive, send_more)


def _service(request: Request) -> Service:
    service: Service = request.app.state.service
    return service


Here = Annotated[Service, Depends(_service)]


async def _upload(request: Request, service: Here) -> AsyncIterator[bytes]:
    s = service.settings
    with service.place():
        yield await receive(request, max_bytes=s.max_bytes, max_pixels=s.max_pixels, timeout=s.timeout)


Upload = Annotated[bytes, Depends(_upload)]


def _apart(
    data: Upload,
    sidecar: Annotated[
        int, Query(ge=0, description="So many bytes at the body's end are the C2PA manifest beside the file.")
    ] = 0,
) -> tuple[bytes, bytes | None]:
    """A file, and its sidecar."""
    at = len(data) - sidecar
    if at <= 0:
        raise Refused(422, "the sidecar leaves nothing of the body for the file")
    return data[:at], data[at:] or None


Uploads = Annotated[tuple[bytes, bytes | None], Depends(_apart)]
_BODY = {
    "requestBody": {
        "required": True,
        "content": {"application/octet-stream": {"schema": {"type": "string", "format": "binary"}}},
    }
}
_open = APIRouter()
_guarded = APIRouter(dependencies=[Depends(admit)], responses=examples.REFUSALS)
_post: dict[str, Any] = {"openapi_extra": _BODY}


@_open.get("/", response_class=HTMLResponse, summary="The page")
async def index() -> HTMLResponse:
    return HTMLResponse(page.html(), headers={"content-security-policy": page.policy()})


@_open.get("/healthz", summary="Whether the service is up", responses=examples.HEALTH)
async def healthz(service: Here) -> JSONResponse:
    well = service.lane.open
    return JSONResponse({"status": "ok" if well else "stuck"}, 200 if well else 503)


@_guarded.get("/metrics", response_class=PlainTextResponse, summary="Prometheus' metrics")
async def metrics(service: Here) -> Response:
    return Response(generate_latest(service.metrics.registry), media_type=CONTENT_TYPE_LATEST)


@_guarded.post("/encode", response_class=Response, responses=examples.binary(MIME), **_post)
async def encode(
    data: Upload,
    service: Here,
    quality: Annotated[int | None, Query(ge=1, le=8, description="1 is smallest, 8 is best.")] = None,
    strip: Annotated[bool, Query(description="Drop EXIF and XMP.")] = False,
) -> Response:
    """A picture in any format that Pillow reads → a `.slic` file, signed if the service has a key to sign
    with. `Slic-Warnings` says what was converted or dropped, and whether the result is wreckage."""
    made = await service.encode(data, quality, strip)
    return Response(made.data, media_type=MIME, headers=_warnings(made.warnings))


@_guarded.post("/decode", response_class=Response, responses=examples.binary("image/png"), **_post)
async def decode(data: Upload, service: Here) -> Response:
    """A `.slic` file → a PNG."""
    made, warnings = await service.decode(data)
    return Response(made, media_type="image/png", headers=_warnings(warnings))


@_guarded.post("/info", **_post)
async def info(data: Upload, service: Here) -> Info:
    """What a `.slic` file says of itself, without decoding it."""
    return await service.info(data)


@_guarded.post("/verify", responses=examples.VERIFY, **_post)
async def verify(data: Upload, service: Here) -> dict[str, Any]:
    """Whether one of the service's trusted keys has signed a `.slic` file as it is."""
    verdict = await service.verify(data)
    return {"ok": verdict.valid, **verdict.as_dict()}


@_guarded.post("/check", responses=examples.CHECK, **_post)
async def check(data: Upload, service: Here) -> dict[str, Any]:
    """Whether a picture came out of a `.slic` file, and where it was changed since."""
    found = await service.check(data)
    return {"ok": found.untouched, "width": found.width, "height": found.height, **found.as_dict()}


@_guarded.post("/detect", responses=examples.DETECT, **_post)
async def detect(data: Upload, service: Here) -> dict[str, Any]:
    """Whether a picture looks real or generated, or why that is unsure: a probability, no proof."""
    found = await service.detect(data)
    return {"width": found.width, "height": found.height, **found.as_dict()}


@_guarded.post("/gate", responses=examples.GATE, **_post)
async def gate(uploads: Uploads, service: Here) -> dict[str, Any]:
    """Pass, hold or reject, by the service's policy."""
    report = await service.gate(*uploads)
    return {"ok": report.passed, **report.as_dict()}


@_guarded.post("/report", response_class=HTMLResponse, responses=examples.binary("text/html"), **_post)
async def report(
    uploads: Uploads,
    service: Here,
    name: Annotated[str, Query(max_length=255, description="Of the file, to be shown.")] = "picture",
) -> HTMLResponse:
    """`check`, `verify` and C2PA manifests as a page for people."""
    return HTMLResponse(await service.report(*uploads, name))


def _warnings(texts: tuple[str, ...] | list[str]) -> dict[str, str]:
    return {"slic-warnings": json.dumps(list(texts))} if texts else {}


def _say(status: int, reason: str, hint: str | None = None, **headers: str) -> JSONResponse:
    return JSONResponse({"error": reason, "hint": hint}, status, headers)


async def _refused(request: Request, error: Refused) -> JSONResponse:
    more = {401: {"www-authenticate": "Bearer"}, 429: {"retry-after": "2"}}.get(error.status, {})
    return _say(error.status, str(error), error.hint, **more)


async def _not_ours(request: Request, error: SlicError) -> JSONResponse:
    return _say(422, " ".join(str(error).split()), getattr(error, "hint", None))


async def _badly_asked(request: Request, error: RequestValidationError) -> JSONResponse:
    faults = (f"{fault['loc'][-1]}: {fault['msg']}" for fault in error.errors())
    return _say(422, "; ".join(faults))


async def _routed_nowhere(request: Request, error: HTTPException) -> JSONResponse:
    return _say(error.status_code, str(error.detail).lower(), **(dict(error.headers or {})))


async def _too_late(request: Request, error: TimeoutError) -> JSONResponse:
    return _say(504, "the work took too long", "--timeout of slic serve sets the limit")


async def _no_memory(request: Request, error: BaseException) -> JSONResponse:
    return _say(503, "not enough memory", "smaller pictures need less")


async def _gone(request: Request, error: ClientDisconnect) -> JSONResponse:
    return _say(400, "the upload ended before its end")


async def _at_fault(request: Request, error: Exception) -> JSONResponse:
    return _say(500, "internal error; the service's log says where")


_ANSWERS: dict[Any, Any] = {
    Refused: _refused,
    SlicError: _not_ours,
    RequestValidationError: _badly_asked,
    HTTPException: _routed_nowhere,
    TimeoutError: _too_late,
    MemoryError: _no_memory,
    ClientDisconnect: _gone,
    Exception: _at_fault,
}
