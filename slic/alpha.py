"""Alpha, losslessly: one filter for the whole plane, then deflate.

u8 filter (0 none, 1 difference to the left, 2 difference to above)   zlib stream of W·H bytes
"""

import zlib

import numpy as np
from numpy.typing import NDArray

from slic.errors import FormatError

Plane = NDArray[np.uint8]

_AXES = {1: 1, 2: 0}  # filter → the axis along which neighbours differ
_START = 1  # where the zlib stream begins
_PRESET_DICTIONARY = 0x20  # bit of the second byte, RFC 1950


def pack(alpha: Plane) -> bytes:
    """(H,W) → the data of ALPH, with the filter that deflate's quickest level likes best."""
    rests = [_differences(alpha, number).tobytes() for number in range(3)]
    best = min(range(3), key=lambda number: len(zlib.compress(rests[number], 1)))
    return bytes([best]) + zlib.compress(rests[best], 9)


def unpack(payload: bytes, width: int, height: int, *, offset: int = 0) -> Plane:
    """The data of ALPH → (H,W), its own memory; inverse of `pack`.

    Never inflates more than the plane and one byte. `offset` is where the payload begins in its file, from
    which its FormatErrors count.
    """
    try:
        return _unpack(payload, width, height)
    except FormatError as error:
        raise _error(error.reason, offset + error.offset) from error.__cause__


def _unpack(payload: bytes, width: int, height: int) -> Plane:
    if len(payload) < _START + 1:
        raise _error("payload ends early", len(payload))
    number = payload[0]
    if number not in (0, *_AXES):
        raise _error("unknown alpha filter", 0)
    rest = np.frombuffer(_inflate(payload, width * height), np.uint8).reshape(height, width)
    # Sums in uint8 are sums modulo 256, which is what undoes the differences.
    return np.cumsum(rest, axis=_AXES[number], dtype=np.uint8) if number else rest.copy()


def _differences(plane: Plane, number: int) -> Plane:
    return np.diff(plane, axis=_AXES[number], prepend=np.uint8(0)) if number else plane


def _inflate(payload: bytes, size: int) -> bytes:
    """Exactly `size` bytes from a zlib stream that fills the rest of the payload."""
    if len(payload) > _START + 1 and payload[_START + 1] & _PRESET_DICTIONARY:
        raise _error("alpha's stream needs a preset dictionary", _START + 1)
    inflater = zlib.decompressobj()
    try:
        raw = inflater.decompress(memoryview(payload)[_START:], size + 1)
    except zlib.error as error:
        raise _error("alpha's stream is damaged", _START) from error
    if len(raw) > size:
        raise _error("alpha's stream holds more than the picture", _START)
    if not inflater.eof:
        raise _error("alpha's stream ends early", len(payload))
    if len(raw) < size:
        raise _error("alpha's stream holds less than the picture", _START)
    if inflater.unused_data:
        raise _error("bytes after alpha's stream", len(payload) - len(inflater.unused_data))
    return raw


def _error(reason: str, offset: int) -> FormatError:
    return FormatError(reason, chunk="ALPH", offset=offset)
