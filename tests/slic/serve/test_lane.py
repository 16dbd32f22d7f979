"""What waits and is alike goes together; each has what is its own."""

import asyncio
import threading
from collections.abc import Awaitable, Callable

import pytest

from slic.serve.lane import Lane


def in_lane(do: Callable[[Lane], Awaitable[object]]) -> list[int]:
    """The sizes of the batches."""
    sizes: list[int] = []

    async def run() -> None:
        lane = Lane(prepare=lambda: None, with_batch=sizes.append)
        try:
            await do(lane)
        finally:
            await lane.close()

    asyncio.run(run())
    return sizes


class Held:
    """Work that doubles, and does not end before it is let go."""

    def __init__(self) -> None:
        self.go, self.begun = threading.Event(), asyncio.Event()
        self._loop = asyncio.get_running_loop()

    def __call__(self, items: list[int]) -> list[int]:
        self._loop.call_soon_threadsafe(self.begun.set)
        assert self.go.wait(60)
        return [2 * item for item in items]


def test_what_is_alike_goes_together_and_keeps_its_order() -> None:
    async def do(lane: Lane) -> None:
        held = Held()
        first = asyncio.create_task(lane.do("a", 4, held, 0))
        await held.begun.wait()
        later = [asyncio.create_task(lane.do(kind, 4, held, i)) for i, kind in enumerate("abaaabb")]
        await asyncio.sleep(0)
        held.go.set()
        assert await first == 0
        assert await asyncio.gather(*later) == [0, 2, 4, 6, 8, 10, 12]

    assert in_lane(do) == [1, 4, 3]


def test_a_batch_has_at_most_so_many() -> None:
    async def do(lane: Lane) -> None:
        held = Held()
        held.go.set()
        assert await asyncio.gather(*(lane.do("a", 2, held, i) for i in range(5))) == [0, 2, 4, 6, 8]

    assert in_lane(do) == [2, 2, 1]


def test_who_fails_fails_alone() -> None:
    def reciprocal(items: list[int]) -> list[float]:
        return [1 / item for item in items]

    async def do(lane: Lane) -> None:
        made = await asyncio.gather(
            *(lane.do("a", 4, reciprocal, i) for i in (1, 0, 2)), return_exceptions=True
        )
        assert made[0] == 1 and isinstance(made[1], ZeroDivisionError) and made[2] == 0.5
        assert lane.open

    assert in_lane(do) == [3]


def test_who_stops_waiting_is_left_out() -> None:
    async def do(lane: Lane) -> None:
        held = Held()
        first, second, third = (asyncio.create_task(lane.do(i, 1, held, i)) for i in range(3))
        await held.begun.wait()
        first.cancel()
        second.cancel()
        await asyncio.sleep(0)
        held.go.set()
        assert await third == 4
        with pytest.raises(asyncio.CancelledError):
            await first

    assert in_lane(do) == [1, 1]
