"""Keep the memory of one layer for the next.

glibc hands every block of a few megabytes back to the kernel as soon as it is free, and the kernel
clears it again for the next layer: 18% of the time of an encode. Told not to, it keeps up to a
gigabyte of what was freed. Where there is no glibc, nothing happens.
"""

import contextlib
import ctypes
import sys
from functools import cache

_TRIM_THRESHOLD, _MMAP_THRESHOLD = -1, -3  # of malloc.h
_KEPT = 1 << 30


@cache
def keep_freed_memory() -> None:
    """Once a process."""
    if sys.platform != "linux":
        return
    with contextlib.suppress(AttributeError, OSError):  # another C library
        mallopt = ctypes.CDLL(None).mallopt
        mallopt(_MMAP_THRESHOLD, _KEPT)
        mallopt(_TRIM_THRESHOLD, _KEPT)
