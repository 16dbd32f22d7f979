"""Alpha, losslessly: one filter for the whole plane, then deflate.

    u8 filter (0 none, 1 difference to the left, 2 difference to above)   zlib stream of W·H bytes
"""

import zlib

import numpy as np
from numpy.typing import NDArray

from slic.errors import FormatError

Plane = NDArray[np.uint8]


def pack(alpha: Plane) -> bytes:
    """(H,W) → the data of ALPH, by the filter that leaves the least."""
    packed = []
    for number, rest in enumerate((alpha, _differences(alpha, 1), _differences(alpha, 0))):
        packed.append(bytes([number]) + zlib.compress(rest.tobytes(), 6))
    return min(packed, key=len)


def unpack(payload: bytes, width: int, height: int) -> Plane:
    """The data of ALPH → (H,W). Never inflates more than the plane and a byte."""
    inflater = zlib.decompressobj()
    try:
        raw = inflater.decompress(payload[1:], width * height + 1)
    except zlib.error as error:
        raise FormatError("alpha is damaged", chunk="ALPH", offset=1) from error
    if len(raw) != width * height or not inflater.eof or inflater.unused_data:
        raise FormatError("alpha's length does not fit the picture", chunk="ALPH", offset=1)
    plane = np.frombuffer(raw, np.uint8).reshape(height, width)
    if payload[0] == 0:
        return plane
    return np.cumsum(plane, axis=1 if payload[0] == 1 else 0, dtype=np.uint8)


def _differences(plane: Plane, axis: int) -> Plane:
    return np.diff(plane, axis=axis, prepend=np.uint8(0))
