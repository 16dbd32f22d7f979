"""Work on several things at a time, of which one may fail."""

from collections.abc import Callable
from typing import TypeVar

Item = TypeVar("Item")
Made = TypeVar("Made")


def attempt(work: Callable[[list[Item]], list[Made]], items: list[Item]) -> list[Made | Exception]:
    """A result or an exception for each: if all together fail, each is tried alone, and fails alone."""
    try:
        return [*work(items)]
    except Exception as error:  # whatever it is, it belongs to one of these items
        if len(items) == 1:
            return [error]
    return each(lambda item: work([item])[0], items)


def each(work: Callable[[Item], Made], items: list[Item]) -> list[Made | Exception]:
    """A result or an exception for each item, one after the other."""
    return [result for item in items for result in attempt(lambda one: [work(*one)], [item])]
