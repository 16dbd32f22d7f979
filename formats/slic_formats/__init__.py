"""The `.slic` container: bytes ↔ `Container`, as SPEC.md says. Standard library only.

    container = parse(data)                  # FormatError for whatever is not a valid file
    assert serialise(container) == data      # one file has one byte form
    parse_header(data)                       # width, height, mode: from the first 80 bytes

Files written by version 1.0 are read by every 1.x.
"""

from slic_formats.chunks import FILE_SIGNATURE as FILE_SIGNATURE
from slic_formats.chunks import Chunk as Chunk
from slic_formats.container import Container as Container
from slic_formats.container import Header as Header
from slic_formats.container import Mode as Mode
from slic_formats.container import pack_words as pack_words
from slic_formats.container import parse as parse
from slic_formats.container import parse_header as parse_header
from slic_formats.container import serialise as serialise
from slic_formats.container import unpack_words as unpack_words
from slic_formats.errors import FormatError as FormatError
from slic_formats.errors import SlicError as SlicError
from slic_formats.signing import Signature as Signature

__all__ = [
    "FILE_SIGNATURE",
    "Chunk",
    "Container",
    "FormatError",
    "Header",
    "Mode",
    "Signature",
    "SlicError",
    "pack_words",
    "parse",
    "parse_header",
    "serialise",
    "unpack_words",
]
