"""slic/files.py: after whatever happens, the old file or the new one."""

import errno
import os
import random
import signal
import subprocess
import sys
import textwrap
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from slic import files

ROOT = Path(__file__).parents[2]
posix = pytest.mark.skipif(os.name != "posix", reason="signals and limits of POSIX")


def leftovers(folder: Path) -> list[str]:
    return [name for name in os.listdir(folder) if name.endswith(".part")]


def test_bytes_and_pieces_are_written(tmp_path: Path) -> None:
    files.write(tmp_path / "a", b"whole")
    files.write(tmp_path / "b", iter([b"in ", b"pieces"]))
    assert ((tmp_path / "a").read_bytes(), (tmp_path / "b").read_bytes()) == (b"whole", b"in pieces")
    assert sorted(os.listdir(tmp_path)) == ["a", "b"]


def test_an_existing_file_stays_unless_forced(tmp_path: Path) -> None:
    target = tmp_path / "photo.slic"
    target.write_bytes(b"old")
    with pytest.raises(FileExistsError) as refused:
        files.write(target, b"new")
    assert (target.read_bytes(), refused.value.filename) == (b"old", str(target))
    files.write(target, b"new", force=True)
    assert target.read_bytes() == b"new"
    assert leftovers(tmp_path) == []


@pytest.mark.parametrize("links", [True, False], ids=["with hard links", "without"])
def test_a_file_that_appears_meanwhile_stays(
    tmp_path: Path, links: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    target = tmp_path / "photo.slic"
    if not links:
        monkeypatch.setattr(os, "link", no_links)

    def pieces() -> Iterator[bytes]:
        yield b"mine"
        target.write_bytes(b"theirs")

    with pytest.raises(FileExistsError):
        files.write(target, pieces())
    assert target.read_bytes() == b"theirs"
    assert leftovers(tmp_path) == []


def no_links(*_: object) -> None:
    raise OSError(errno.EPERM, os.strerror(errno.EPERM))


def test_of_many_writers_one_wins(tmp_path: Path) -> None:
    target, done = tmp_path / "photo.slic", []
    start = threading.Barrier(8)

    def one(number: int) -> None:
        start.wait()
        try:
            files.write(target, b"%d" % number * 100)
        except FileExistsError:
            return
        done.append(number)

    threads = [threading.Thread(target=one, args=(n,)) for n in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(done) == 1
    assert target.read_bytes() == b"%d" % done[0] * 100


def test_without_hard_links_it_is_written_too(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "link", no_links)
    files.write(tmp_path / "a", b"new")
    assert os.listdir(tmp_path) == ["a"]
    assert (tmp_path / "a").read_bytes() == b"new"


@pytest.mark.parametrize("error", [ValueError, KeyboardInterrupt, SystemExit, MemoryError])
def test_after_an_exception_nothing_is_left(tmp_path: Path, error: type[BaseException]) -> None:
    def pieces() -> Iterator[bytes]:
        yield b"first"
        assert len(leftovers(tmp_path)) == 1
        raise error

    with pytest.raises(error):
        files.write(tmp_path / "photo.slic", pieces())
    assert os.listdir(tmp_path) == []


def test_the_temporary_has_a_name_to_know_it_by(tmp_path: Path) -> None:
    def pieces() -> Iterator[bytes]:
        yield b"x"
        (name,) = os.listdir(tmp_path)
        assert name.startswith(".photo.slic.")
        assert name.endswith(".part")

    files.write(tmp_path / "photo.slic", pieces())


def test_the_longest_names_are_written(tmp_path: Path) -> None:
    for name in ("n" * 255, "ü" * 127, "字" * 85):
        files.write(tmp_path / name, b"x")
        assert (tmp_path / name).read_bytes() == b"x"


@posix
def test_mode_bits_are_those_that_umask_gives(tmp_path: Path) -> None:
    before = os.umask(0o027)
    try:
        files.write(tmp_path / "a", b"x")
    finally:
        os.umask(before)
    assert (tmp_path / "a").stat().st_mode & 0o777 == 0o640


def test_a_link_is_followed(tmp_path: Path) -> None:
    (tmp_path / "folder").mkdir()
    file, link = tmp_path / "folder" / "file", tmp_path / "link"
    file.write_bytes(b"old")
    link.symlink_to(file)
    with pytest.raises(FileExistsError):
        files.write(link, b"new")
    files.write(link, b"new", force=True)
    assert link.is_symlink()
    assert file.read_bytes() == b"new"


def test_a_dangling_link_is_no_free_name(tmp_path: Path) -> None:
    (tmp_path / "link").symlink_to(tmp_path / "nowhere")
    with pytest.raises(FileExistsError):
        files.write(tmp_path / "link", b"new")
    assert os.listdir(tmp_path) == ["link"]


@posix
def test_a_device_is_written_to_and_stays(tmp_path: Path) -> None:
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    seen: list[bytes] = []
    reader = threading.Thread(target=lambda: seen.append(pipe.read_bytes()), daemon=True)
    reader.start()
    files.write(pipe, b"through", force=True)
    reader.join(timeout=5)
    assert seen == [b"through"]
    assert pipe.is_fifo()


def test_a_folder_is_not_replaced(tmp_path: Path) -> None:
    (tmp_path / "folder").mkdir()
    with pytest.raises(OSError, match="folder"):
        files.write(tmp_path / "folder", b"x", force=True)
    assert os.listdir(tmp_path) == ["folder"]


def test_errors_name_the_target(tmp_path: Path) -> None:
    target = tmp_path / "missing" / "photo.slic"
    with pytest.raises(FileNotFoundError) as error:
        files.write(target, b"x")
    assert (error.value.filename, error.value.filename2) == (str(target), None)


@posix
@pytest.mark.skipif(os.name == "posix" and os.geteuid() != 0, reason="only root may mount a small disk")
def test_a_full_disk_says_so_and_leaves_the_old_file(tmp_path: Path) -> None:
    disk = tmp_path / "disk"
    disk.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=64k", "tmpfs", str(disk)]
    if subprocess.run(mount, check=False, capture_output=True).returncode:
        pytest.skip("no disk can be mounted here")
    try:
        target = disk / "photo.slic"
        files.write(target, b"old")
        with pytest.raises(OSError, match="No space left on device") as error:
            files.write(target, bytes(100_000), force=True)
        assert (error.value.errno, error.value.filename) == (errno.ENOSPC, str(target))
        assert target.read_bytes() == b"old"
        assert os.listdir(disk) == ["photo.slic"]
    finally:
        subprocess.run(["umount", str(disk)], check=True)


@posix
def test_a_limit_on_file_size_says_so(tmp_path: Path) -> None:
    code = """
        import resource, signal, sys
        from pathlib import Path
        from slic import files
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        resource.setrlimit(resource.RLIMIT_FSIZE, (1000, 1000))
        try:
            files.write(Path(sys.argv[1]), bytes(5000))
        except OSError as error:
            print(error.strerror)
    """
    said = subprocess.run(python(code, tmp_path / "a"), capture_output=True, text=True, check=True).stdout
    assert said == "File too large\n"
    assert os.listdir(tmp_path) == []


WRITER = """
    import sys
    from pathlib import Path
    from slic import files
    target = Path(sys.argv[1])
    number = 0
    try:
        print("ready", flush=True)
        while True:
            number += 1
            files.write(target, bytes([number % 256]) * 300_000, force=True)
    except KeyboardInterrupt:
        print("interrupted")
"""


def python(code: str, *arguments: object) -> list[str]:
    path = f"import sys; sys.path[:0] = [{str(ROOT)!r}, {str(ROOT / 'formats')!r}]\n"
    return [sys.executable, "-c", path + textwrap.dedent(code), *map(str, arguments)]


@posix
@pytest.mark.parametrize("kill", [signal.SIGINT, signal.SIGKILL], ids=["SIGINT", "SIGKILL"])
def test_a_signal_at_any_moment_leaves_old_or_new(tmp_path: Path, kill: signal.Signals) -> None:
    moments = random.Random(7)
    target = tmp_path / "photo.slic"
    for _ in range(12):
        process = subprocess.Popen(python(WRITER, target), stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        assert process.stdout is not None
        assert process.stdout.readline() == b"ready\n"
        while not target.exists():
            time.sleep(0.001)
        time.sleep(moments.random() * 0.03)
        process.send_signal(kill)
        process.communicate(timeout=20)
        data = target.read_bytes()
        assert len(data) == 300_000
        assert len(set(data)) == 1
        assert all(name.startswith(".photo.slic.") for name in leftovers(tmp_path))
        if kill == signal.SIGINT:
            assert leftovers(tmp_path) == []


def test_same_file_sees_through_names(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file, other = tmp_path / "file", tmp_path / "other"
    file.write_bytes(b"x")
    other.write_bytes(b"x")
    (tmp_path / "symbolic").symlink_to(file)
    (tmp_path / "folder").symlink_to(tmp_path)
    os.link(file, tmp_path / "hard")
    monkeypatch.chdir(tmp_path)
    for name in ("symbolic", "hard", "folder/file", "./file", file):
        assert files.same_file(file, name), name
    assert not files.same_file(file, other)


def test_same_file_knows_names_of_files_to_come(tmp_path: Path) -> None:
    (tmp_path / "folder").symlink_to(tmp_path)
    assert files.same_file(tmp_path / "new", tmp_path / "folder" / "new")
    assert not files.same_file(tmp_path / "new", tmp_path / "newer")


def test_same_file_asks_the_file_system_about_spelling(tmp_path: Path) -> None:
    (tmp_path / "photo").write_bytes(b"x")
    folds = (tmp_path / "PHOTO").exists()  # macOS and Windows, mostly
    assert files.same_file(tmp_path / "photo", tmp_path / "PHOTO") == folds
