"""What is asked of a service, done: small work beside each other, the networks' work in one lane."""

import asyncio
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from functools import lru_cache, partial
from typing import Any, TypeVar

import anyio
import torch

from slic import models, pixels
from slic.cli.saving import save
from slic.codec import BATCH_PIXELS, Codec, Encoded, kind
from slic.describe import Info, info
from slic.detection.detect import Detection, detect
from slic.errors import KeyFileError
from slic.pixels import Picture
from slic.serve.lane import Lane
from slic.serve.settings import Settings
from slic.serve.telemetry import Metrics
from slic.serve.upload import Refused
from slic.trust import gate, report, tamper, verdict
from slic.trust.signature import sign_bytes
from slic.trust.tamper import TamperReport
from slic.trust.verdict import Verdict
from slic_formats import parse

T = TypeVar("T")


class Service:
    """Made before the event loop runs; `running` opens its lane."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self.metrics = Metrics(lambda: self.taken)
        self.taken = 0
        self.model = models.choose(settings.model, settings.quality)
        self._gate = gate.Gate(settings.policy, **self._machine) if settings.policy else None
        self.codec = lru_cache(maxsize=None)(self._codec)
        self.codec(None)

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        self._loaded = asyncio.Semaphore(2 * self.settings.batch)  # one batch at work, one that gets ready
        self.lane = Lane(prepare=self._set_threads, with_batch=self.metrics.batches.observe)
        try:
            yield
        finally:
            await self.lane.close()

    @contextmanager
    def place(self) -> Iterator[None]:
        """One of those that the queue has; who finds none is told so before anything is read of him."""
        if self.taken >= self.settings.queue:
            raise Refused(429, "too many requests at a time", hint="try again in a few seconds")
        self.taken += 1
        try:
            yield
        finally:
            self.taken -= 1

    async def encode(self, data: bytes, quality: int | None, strip: bool) -> Encoded:
        codec = self.codec(quality)
        async with self._at_work():
            limit = self.settings.max_pixels
            picture = await _aside(lambda: pixels.load(data, strip=strip, max_pixels=limit))
            height, width = picture.rgb.shape[:2]
            made = await self.lane.do(
                ("encode", quality, height, width), self._most(height, width), codec.encode_pictures, picture
            )
            data = await _aside(lambda: self._signed(made.data))
        said = filter(None, (codec.model.warning,))
        return Encoded(data, (*picture.warnings, *made.warnings, *said))

    async def decode(self, data: bytes) -> tuple[bytes, list[str]]:
        """A PNG, and what must be said of it."""
        async with self._at_work():
            container = await _aside(lambda: parse(data))
            header = container.header
            decode = partial(self.codec(None).decode_pictures, max_pixels=self.settings.max_pixels)
            most = self._most(header.height, header.width)
            picture: Picture = await self.lane.do(("decode", *kind(container)), most, decode, container)
            return await _aside(lambda: save(picture, "png"))

    async def info(self, data: bytes) -> Info:
        return await _aside(lambda: info(data))

    async def verify(self, data: bytes) -> Verdict:
        return await _aside(lambda: verdict.judge(parse(data), self.settings.keys))

    async def check(self, data: bytes) -> TamperReport:
        return await self._alone(partial(tamper.check, data, model=self.settings.model, **self._machine))

    async def detect(self, data: bytes) -> Detection:
        return await self._alone(partial(detect, data, model=self.settings.model, **self._machine))

    async def gate(self, data: bytes, sidecar: bytes | None) -> gate.TrustReport:
        if self._gate is None:
            raise Refused(404, "there is no policy to judge by", hint="slic serve --policy newsroom.toml")
        return await self._alone(partial(self._gate.judge, data, sidecar))

    async def report(self, data: bytes, sidecar: bytes | None, name: str) -> str:
        s = self.settings
        trusts: dict[str, Any] = {"keys": s.keys or None, "sidecar": sidecar, "anchors": s.anchors}
        made = partial(report.report, data, name=name, model=s.model, **trusts, **self._machine)
        return (await self._alone(made))[0]

    async def _alone(self, do: Callable[[], T]) -> T:
        async with self._at_work():
            return await self.lane.do(object(), 1, lambda items: [do() for _ in items], None)

    @asynccontextmanager
    async def _at_work(self) -> AsyncIterator[None]:
        """In time, and one of so many that what they take of memory is bounded."""
        with anyio.fail_after(self.settings.timeout):
            async with self._loaded:
                yield

    def _signed(self, data: bytes) -> bytes:
        signer = self.settings.signer
        try:
            return data if signer is None else sign_bytes(data, signer, self.settings.comment)
        except KeyFileError as error:  # no fault of who asks, nor theirs to know what a command of ours said
            raise RuntimeError("the service's key cannot sign") from error

    def _most(self, height: int, width: int) -> int:
        return max(1, min(self.settings.batch, BATCH_PIXELS // (height * width)))

    def _codec(self, quality: int | None) -> Codec:
        model = self.model if quality is None else self.model.at(quality)
        return Codec(model, device=self.settings.device, precision=self.settings.precision)

    @property
    def _machine(self) -> dict[str, Any]:
        s = self.settings
        return {"device": s.device, "precision": s.precision, "max_pixels": s.max_pixels}

    def _set_threads(self) -> None:
        """In the lane's own thread, as torch keeps the number for each."""
        if self.settings.threads:
            torch.set_num_threads(self.settings.threads)


async def _aside(do: Callable[[], T]) -> T:
    """In another thread; who waits may stop waiting."""
    return await anyio.to_thread.run_sync(do, abandon_on_cancel=True)
