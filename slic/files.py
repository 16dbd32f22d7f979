"""Written whole or not at all: a temporary file beside the target, synced, then given its name."""

import contextlib
import os
import secrets
from pathlib import Path


def write(target: Path, data: bytes, *, force: bool = False) -> None:
    """Put `data` under the name `target`. An existing file stays unless `force`; FileExistsError says so.

    Whatever happens, the target is the old file or the new one, never a part of one. The temporary goes
    with every exception, KeyboardInterrupt too; after a SIGKILL it stays, as `.NAME.….part`.
    """
    temporary = target.parent / f".{target.name[:100]}.{secrets.token_hex(4)}.part"
    descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_BINARY", 0), 0o666)
    try:
        with os.fdopen(descriptor, "wb") as stream:
            stream.write(data)
            stream.flush()
            os.fsync(stream.fileno())
        if force:
            os.replace(temporary, target)
        else:
            _rename_new(temporary, target)
    except BaseException:
        with contextlib.suppress(FileNotFoundError):
            temporary.unlink()
        raise
    _sync_folder(target.parent)


def _rename_new(temporary: Path, target: Path) -> None:
    """Rename, but never over another file, not even one that appears at this very moment."""
    try:
        os.link(temporary, target)
    except FileExistsError:
        raise
    except OSError:  # a file system without hard links: the check and the rename are two steps there
        if target.exists():
            raise FileExistsError(17, "File exists", str(target)) from None
        os.rename(temporary, target)
        return
    temporary.unlink()


def _sync_folder(folder: Path) -> None:
    """So that the new name survives a power cut; not every system lets a folder be opened."""
    with contextlib.suppress(OSError):
        descriptor = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)


def same_file(a: Path, b: Path) -> bool:
    """Whether two names lead to one file, through links of any kind or another spelling."""
    try:
        return os.path.samefile(a, b)
    except OSError:  # one of them is not there yet
        return os.path.realpath(a) == os.path.realpath(b)
