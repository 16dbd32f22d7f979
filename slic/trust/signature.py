"""Puts a signature into a file, and takes EXIF and XMP out of one without breaking it."""

import os
from dataclasses import replace
from pathlib import Path

from slic import files
from slic.errors import KeyFileError, PictureError
from slic.reading import FileSource, read
from slic.trust import keys
from slic.trust.keys import Passphrase, Signer
from slic_formats import Container, Signature, parse, serialise
from slic_formats.signing import make_table, signed_message

KeyFile = str | os.PathLike[str]


def sign(
    source: FileSource,
    target: KeyFile | None = None,
    *,
    key: KeyFile | Signer,
    comment: str = "",
    passphrase: Passphrase = None,
    force: bool = False,
) -> bytes | None:
    """Write the `.slic` file `source`, signed, as `target`; without a target, give its bytes.

    A signature that is there is replaced. `comment` is signed too and shown to whoever verifies.
    """
    signer = open_key(key, passphrase)
    if target is not None and isinstance(source, str | os.PathLike) and files.same_file(source, target):
        raise PictureError("input and output are the same file", hint="give another target")
    data = serialise(sign_container(parse(read(source)), signer, comment))
    if target is None:
        return data
    files.write(Path(target), data, force=force)
    return None


def open_key(key: KeyFile | Signer, passphrase: Passphrase = None) -> Signer:
    return keys.load_secret(key, passphrase) if isinstance(key, str | os.PathLike) else key


def sign_container(container: Container, signer: Signer, comment: str = "") -> Container:
    """The container with a signature of all its chunks, which has been checked."""
    keys.check_line(comment)
    public = signer.public
    if public.revoked is not None:
        raise KeyFileError(f"key {public.id.hex()} is revoked: {public.revoked}")
    unsigned = Signature(public.id, make_table(container.chunks()), comment, b"")
    message = signed_message(unsigned)
    value = signer.sign(message)
    # A command may hold another key, a chip may fail: better now than at the reader's.
    if not public.verifies(message, value):
        raise KeyFileError(f"the signature made is not one of key {public.id.hex()}")
    return replace(container, signature=replace(unsigned, value=value))


def sign_bytes(data: bytes, signer: Signer, comment: str = "") -> bytes:
    """A `.slic` file → the same, signed."""
    return serialise(sign_container(parse(data), signer, comment))


def strip(container: Container, *, exif: bool = False, xmp: bool = False) -> tuple[Container, list[str]]:
    """The container without these, and the names of what went. A signature holds as it did."""
    gone = [
        name for name, drop in (("EXIF", exif and container.exif), ("XMP", xmp and container.xmp)) if drop
    ]
    kept = replace(container, exif=None if exif else container.exif, xmp=None if xmp else container.xmp)
    return kept, gone
