"""A request's body, refused as soon as it is known to be too large, in bytes or in pixels."""

import io

import anyio
from starlette.requests import Request

from slic import opening
from slic.errors import FormatError, PictureError
from slic_formats import FILE_SIGNATURE, HEADER_BYTES, parse_header

HEAD = 1 << 16  # most pictures say their size before this
RAW = "send the file itself as the body: curl --data-binary @photo.png …"


class Refused(Exception):
    """What is said to who asked, with the status that says it to programs."""

    def __init__(self, status: int, reason: str, *, hint: str | None = None) -> None:
        super().__init__(reason)
        self.status, self.hint = status, hint


async def receive(request: Request, *, max_bytes: int, max_pixels: int, timeout: float) -> bytes:
    """All of the body, within the limits and in time."""
    if request.headers.get("content-type", "").startswith("multipart/"):
        raise Refused(415, "a form is no picture", hint=RAW)
    if int(request.headers.get("content-length", 0)) > max_bytes:
        raise _too_many_bytes(max_bytes)
    try:
        with anyio.fail_after(timeout):
            return await _read(request, max_bytes, max_pixels)
    except TimeoutError:
        raise Refused(408, f"the upload took longer than {timeout:g} seconds") from None


async def _read(request: Request, max_bytes: int, max_pixels: int) -> bytes:
    data, looked = bytearray(), False
    async for piece in request.stream():
        data += piece
        if len(data) > max_bytes:
            raise _too_many_bytes(max_bytes)
        if not looked and len(data) >= HEAD:
            looked = True
            await anyio.to_thread.run_sync(_check_pixels, bytes(data), max_pixels)
    if not data:
        raise Refused(422, "the request has no body", hint=RAW)
    whole = bytes(data)
    await anyio.to_thread.run_sync(_check_pixels, whole, max_pixels)
    return whole


def _too_many_bytes(max_bytes: int) -> Refused:
    return Refused(413, f"more than {max_bytes} bytes", hint="--max-bytes of slic serve sets the limit")


def _check_pixels(data: bytes, max_pixels: int) -> None:
    width, height = size(data) or (0, 0)
    if width * height > max_pixels:
        raise Refused(
            413,
            f"picture of {width}x{height} is beyond the limit of {max_pixels} pixels",
            hint="--max-pixels of slic serve sets the limit",
        )


def size(data: bytes) -> tuple[int, int] | None:
    """Width and height, from the beginning of a file; None if it does not say."""
    try:
        if data.startswith(FILE_SIGNATURE):
            header = parse_header(data[:HEADER_BYTES])
            return header.width, header.height
        with opening.damage_is_ours():
            return opening.identify(io.BytesIO(data)).size
    except (FormatError, PictureError, OSError):
        return None
