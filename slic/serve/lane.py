"""The one lane that leads through the networks: whatever waits and is alike goes through together.

Nothing waits for company. While one batch is at work others arrive, and the oldest of them takes all that
are like it along; so batches grow with the load, and who comes alone is served at once.
"""

import asyncio
from collections.abc import Callable, Hashable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any, TypeVar

from slic.attempt import attempt

Item = TypeVar("Item")
Made = TypeVar("Made")

Work = Callable[[list[Any]], list[Any]]


@dataclass(eq=False)
class _Job:
    kind: Hashable
    most: int
    work: Work
    item: Any
    made: "asyncio.Future[Any]"


class Lane:
    """`with_batch` is told the size of each batch."""

    def __init__(self, *, prepare: Callable[[], None], with_batch: Callable[[int], None]) -> None:
        self._waiting: list[_Job] = []
        self._wake = asyncio.Event()
        self._thread = ThreadPoolExecutor(1, "slic-lane", prepare)
        self._with_batch = with_batch
        self._driver = asyncio.create_task(self._drive())

    async def do(
        self, kind: Hashable, most: int, work: Callable[[list[Item]], list[Made]], item: Item
    ) -> Made:
        """What `work` makes of the item, alone or with up to `most` others of its kind.

        Whoever stops waiting is left out, unless the batch has begun.
        """
        job = _Job(kind, most, work, item, asyncio.get_running_loop().create_future())
        self._waiting.append(job)
        self._wake.set()
        try:
            made: Made = await job.made
        finally:
            if job in self._waiting:
                self._waiting.remove(job)
        return made

    @property
    def open(self) -> bool:
        return not self._driver.done()

    async def close(self) -> None:
        self._driver.cancel()
        await asyncio.to_thread(self._thread.shutdown)

    async def _drive(self) -> None:
        loop = asyncio.get_running_loop()
        while True:
            while not self._waiting:
                self._wake.clear()
                await self._wake.wait()
            batch = self._next()
            self._with_batch(len(batch))
            items = [job.item for job in batch]
            results = await loop.run_in_executor(self._thread, attempt, batch[0].work, items)
            for job, result in zip(batch, results, strict=True):
                if job.made.done():  # nobody waits any more
                    continue
                if isinstance(result, BaseException):
                    job.made.set_exception(result)
                else:
                    job.made.set_result(result)

    def _next(self) -> list[_Job]:
        first = self._waiting[0]
        batch = [job for job in self._waiting if job.kind == first.kind][: first.most]
        self._waiting = [job for job in self._waiting if job not in batch]
        return batch
