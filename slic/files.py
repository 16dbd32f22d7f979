"""Written whole or not at all: a temporary file beside the target, synced, then given its name."""

import contextlib
import errno
import os
import secrets
from pathlib import Path


def write(target: Path, data: bytes, *, force: bool = False) -> None:
    """Put `data` under the name `target`. An existing file stays unless `force`; FileExistsError says so.

    Whatever happens, the target is the old file or the new one, never a part of one. The temporary goes
    with every exception, KeyboardInterrupt too; after a SIGKILL it stays, as `.NAME.….part`.
    """
    # 40 characters are at most 160 bytes: with the rest, below the 255 that a name may have.
    temporary = target.parent / f".{target.name[:40]}.{secrets.token_hex(8)}.part"
    try:
        with open(temporary, "xb") as stream:
            stream.write(data)
            stream.flush()
            os.fsync(stream.fileno())
        if force:
            os.replace(temporary, target)
        else:
            _rename_new(temporary, target)
    except BaseException as error:
        with contextlib.suppress(OSError):  # it may not be there; what went wrong first is worth more
            temporary.unlink()
        if isinstance(error, OSError) and error.errno is not None:
            raise OSError(error.errno, error.strerror, str(target)) from error  # nobody knows the temporary
        raise
    _sync_folder(target.parent)


def _rename_new(temporary: Path, target: Path) -> None:
    """Rename, but never over another file, not even one that appears at this very moment."""
    try:
        os.link(temporary, target)
    except FileExistsError:
        raise
    except OSError:  # a file system without hard links: the check and the rename are two steps there
        if os.path.lexists(target):
            raise FileExistsError(errno.EEXIST, os.strerror(errno.EEXIST), str(target)) from None
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
