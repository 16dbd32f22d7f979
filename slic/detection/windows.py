"""What of a picture is looked at: squares of its own pixels, never resized.

Resizing would take away or put in the very traces that are looked for. A large picture gives four windows,
which is enough to judge it, so that it costs no more than an encode.
"""

from slic.modes import Levels

SIDE = 256  # pixels
SMALLEST = 128


def windows(levels: Levels) -> list[Levels]:
    """(H,W,3) → one window of its middle, or one of each quarter of a large picture."""
    rows, cols = (_places(side) for side in levels.shape[:2])
    return [levels[row, col] for row in rows for col in cols]


def _places(side: int) -> list[slice]:
    size = min(side, SIDE)
    if side < 2 * SIDE:
        starts = [(side - size) // 2]
    else:
        starts = [(side // 2 - size) // 2, side // 2 + (side - side // 2 - size) // 2]
    return [slice(start, start + size) for start in starts]
