"""Written whole or not at all: a temporary file beside the target, synced, then given its name."""

import contextlib
import errno
import os
import secrets
import stat
from collections.abc import Iterable
from pathlib import Path


def write(target: Path, data: bytes | Iterable[bytes], *, force: bool = False, private: bool = False) -> None:
    """Put `data` under the name `target`. An existing file stays unless `force`; FileExistsError says so.

    Whatever happens, the target is the old file or the new one, never a part of one. The temporary goes
    with every exception, KeyboardInterrupt too; after a SIGKILL it stays, as `.NAME.….part`. A link is
    followed; what is no file (a pipe, /dev/null) is written to, as nothing can take its place.
    `private`: only its owner may ever read it, from its first moment on.
    """
    pieces: Iterable[bytes] = [data] if isinstance(data, bytes) else data
    if not force and os.path.lexists(target):  # before any work; in a race, `_claim` has the last word
        raise FileExistsError(errno.EEXIST, os.strerror(errno.EEXIST), str(target))
    final = Path(os.path.realpath(target))
    try:
        if _is_special(final):
            _write_through(final, pieces)
        else:
            _write_whole(final, pieces, force, private)
    except OSError as error:
        error.filename, error.filename2 = str(target), None  # no one knows the temporary file's name
        raise


def same_file(a: str | os.PathLike[str], b: str | os.PathLike[str]) -> bool:
    """Whether two names lead to one file, through links of any kind or another spelling.

    For files that exist the file system is asked, which alone knows whether `A` is its `a`.
    """
    try:
        return os.path.samefile(a, b)
    except OSError:  # one of them is not there yet
        return os.path.normcase(os.path.realpath(a)) == os.path.normcase(os.path.realpath(b))


def _is_special(path: Path) -> bool:
    try:
        mode = path.stat().st_mode
    except FileNotFoundError:
        return False
    return not (stat.S_ISREG(mode) or stat.S_ISDIR(mode))


def _write_through(target: Path, pieces: Iterable[bytes]) -> None:
    with open(target, "wb") as stream:
        stream.writelines(pieces)


def _write_whole(target: Path, pieces: Iterable[bytes], force: bool, private: bool) -> None:
    # 50 characters are at most 200 bytes, and file systems allow 255.
    temporary = target.parent / f".{target.name[:50]}.{secrets.token_hex(8)}.part"
    try:  # the file is made inside: an interrupt may come at any moment after
        with open(temporary, "xb", opener=_open_private if private else None) as stream:
            stream.writelines(pieces)
            stream.flush()
            os.fsync(stream.fileno())
        if force:
            os.replace(temporary, target)
        else:
            _claim(temporary, target)
    finally:
        with contextlib.suppress(FileNotFoundError):
            temporary.unlink()
    _sync_folder(target.parent)


def _open_private(path: str, flags: int) -> int:
    return os.open(path, flags, 0o600)


def _claim(temporary: Path, target: Path) -> None:
    """Give the file its name, but never over another file, not even one that appears at this moment."""
    try:
        os.link(temporary, target)  # one step, and it fails if the name is taken
        return
    except FileExistsError:
        raise
    except OSError:  # no hard links here: FAT, some network shares
        pass
    # The name is taken first, empty; a kill between these lines leaves it so, and no one's file is lost.
    os.close(os.open(target, os.O_WRONLY | os.O_CREAT | os.O_EXCL))
    try:
        os.replace(temporary, target)
    except BaseException:
        target.unlink()
        raise


def _sync_folder(folder: Path) -> None:
    """So that the new name survives a power cut; not every system lets a folder be opened."""
    with contextlib.suppress(OSError):
        descriptor = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
