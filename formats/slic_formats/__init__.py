"""The `.slic` container: bytes ↔ Container, with the standard library only.

    parse(data) -> Container        serialise(container) -> bytes        parse_header(data) -> Header

`serialise(parse(data)) == data` for all that parses; all else raises FormatError, which knows its
chunk and its byte. Payloads stay closed here: `slic` decodes them. SPEC.md is the format, and says
what stays: this reader reads every file of format 1, written by any 1.x. Signatures: `slic_formats.signing`.
"""

from slic_formats.chunks import FILE_SIGNATURE as FILE_SIGNATURE
from slic_formats.chunks import Chunk as Chunk
from slic_formats.container import HEADER_BYTES as HEADER_BYTES
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
