"""What can go wrong, drawn.

    SlicError
    ├── FormatError      not a valid .slic file: reason, chunk, offset
    ├── MismatchError    decoded symbols differ from the digest in the header
    ├── ModelError       a model is unknown, damaged or another one
    ├── PictureError     a picture cannot be read, or slic cannot hold it
    ├── KeyFileError     a key cannot be read or used
    ├── ManifestError    a C2PA manifest cannot be made
    ├── PolicyError      a policy cannot be read or used
    ├── ExtraError       what was asked for needs packages of an extra
    └── VerdictError     a file was to be decoded only if its signature holds, and it does not

    SlicWarning          something of a picture was converted or dropped

A file that cannot be opened or written stays an `OSError`. A missing signature is a verdict, not
an error, until decoding depends on it.
"""

from slic_formats.errors import FormatError as FormatError
from slic_formats.errors import SlicError as SlicError


class _Hinted(SlicError):
    """An error that may say how to go on, on a line of its own."""

    def __init__(self, reason: str, *, hint: str | None = None) -> None:
        super().__init__(reason)
        self.hint = hint


class MismatchError(_Hinted):
    """The decoded symbols are not those that were encoded."""


class ModelError(_Hinted):
    """A model is unknown, damaged or another one."""


class PictureError(_Hinted):
    """A picture cannot be read, or slic cannot hold it."""


class SlicWarning(UserWarning):
    """Something of a picture was converted or dropped; the message says what."""


class KeyFileError(_Hinted):
    """A key cannot be read or used."""


class VerdictError(_Hinted):
    """A file was to be decoded only if its signature holds, and it does not."""


class ManifestError(_Hinted):
    """A C2PA manifest cannot be made."""


class PolicyError(_Hinted):
    """A policy cannot be read or used."""


class ExtraError(_Hinted):
    """What was asked for needs packages that are not installed."""
