"""Ed25519 keys, their ids, and the files that hold them.

A private key lies in NAME.key, a line that says its id and then PEM as pkcs8.py has it. A public one lies in
NAME.pub, as a line in minisign's manner, 2 bytes "Ed", 8 of the id and 32 of the key in base64, or as the PEM
that openssl writes:

    untrusted comment: slic public key 86af8baf5c0077e5, Example Press
    RWSGr4uvXAB35cLULkz0rdKdBJXARDdmAEzr/tQrhbbXX9dvS2q9+OW2
    revoked: the laptop was stolen on 3 May

The first line is optional, and anybody's words. The last one revokes the key. The id follows from the key.
"""

import base64
import binascii
import os
import stat
import warnings
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Protocol

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from slic import files
from slic.errors import KeyFileError, SlicWarning
from slic.trust import pkcs8
from slic_formats.limits import MAX_COMMENT
from slic_formats.signing import FORBIDDEN, key_id

KEY_FILE, PUBLIC_FILE = ".key", ".pub"
_MAX_FILE = 1 << 14  # a key takes a few hundred bytes
_RAW = 32
_ED = b"Ed"  # minisign's name for Ed25519 without prehash
_PUBLIC_PEM = "PUBLIC KEY"
_SPKI = bytes.fromhex("302a300506032b6570032100")  # RFC 8410: all of it before the key
_COMMENT, _REVOKED = "untrusted comment:", "revoked:"

_PRIME = 2**255 - 19
# y of the points whose order divides 8, each with either sign of x. With one of them for a key, there are
# signatures which no private key has made.
_WEAK = {0, 1, _PRIME - 1}
_WEAK |= {
    int(y, 16)
    for y in (
        "7a03ac9277fdc74ec6cc392cfa53202a0f67100d760b3cba4fd84d3d706a17c7",
        "05fc536d880238b13933c6d305acdfd5f098eff289f4c345b027b2c28f95e826",
    )
}

Passphrase = str | Callable[[], str | None] | None
"""Asked for only when the key is locked."""


@dataclass(frozen=True)
class PublicKey:
    raw: bytes
    """32 bytes (RFC 8032)."""
    comment: str = ""
    """Not trusted: whoever made the file wrote it."""
    name: str = ""
    """What whoever keeps the key calls it: the name of its file."""
    revoked: str | None = None
    """Why it is trusted no longer."""

    @property
    def id(self) -> bytes:
        return key_id(self.raw)

    def verifies(self, message: bytes, value: bytes) -> bool:
        """Whether `value` is this key's signature of `message`."""
        try:
            Ed25519PublicKey.from_public_bytes(self.raw).verify(value, message)
        except InvalidSignature:
            return False
        return True

    def text(self) -> str:
        """The file's content."""
        said = ", ".join(filter(None, (self._title(), self.comment)))
        lines = [f"{_COMMENT} {said}", base64.b64encode(_ED + self.id + self.raw).decode()]
        lines += [] if self.revoked is None else [f"{_REVOKED} {self.revoked}"]
        return "\n".join((*lines, ""))

    def with_title(self, comment: str) -> "PublicKey":
        """The key with a comment as it stands in its file, where `text` has put the id before it."""
        title, _, rest = comment.partition(", ")
        return replace(self, comment=rest if title == self._title() else comment)

    def _title(self) -> str:
        return f"slic public key {self.id.hex()}"


class Signer(Protocol):
    """Whatever can sign: a SecretKey, or a command that holds the key."""

    @property
    def public(self) -> PublicKey: ...

    def sign(self, message: bytes) -> bytes:
        """64 bytes."""


@dataclass(frozen=True)
class SecretKey:
    seed: bytes = field(repr=False)

    @property
    def public(self) -> PublicKey:
        return PublicKey(self._key().public_key().public_bytes_raw())

    def sign(self, message: bytes) -> bytes:
        return self._key().sign(message)

    def _key(self) -> Ed25519PrivateKey:
        return Ed25519PrivateKey.from_private_bytes(self.seed)


KeySource = str | os.PathLike[str] | PublicKey
Keys = KeySource | Iterable[KeySource]
"""Public keys: a file, a folder of `.pub` files, a PublicKey, or several of these."""


def make() -> SecretKey:
    return SecretKey(os.urandom(pkcs8.SEED))


def save(key: SecretKey, name: Path, *, passphrase: str | None, comment: str = "") -> tuple[Path, Path]:
    """Write NAME.key, which only its owner can read, and NAME.pub; both or none, and never over a file."""
    private, public = (name.with_name(name.name + suffix) for suffix in (KEY_FILE, PUBLIC_FILE))
    check_line(comment)
    files.write(public, PublicKey(key.public.raw, comment).text().encode())
    try:
        files.write(private, _title(key).encode() + pkcs8.pack(key.seed, passphrase), private=True)
    except BaseException:
        public.unlink()
        raise
    return private, public


def load_secret(path: str | os.PathLike[str], passphrase: Passphrase = None) -> SecretKey:
    """The key in a private key's file; `passphrase` is asked for only if it is locked."""
    data = _read(path)
    if b"PRIVATE KEY" not in data and _looks_public(data):
        raise KeyFileError(f"{path}: is a public key", hint="the private one signs, its file ends in .key")
    with _named(path):
        title, pem = _split(data)
        if callable(passphrase):
            passphrase = passphrase() if pkcs8.is_locked(pem) else None
        key = SecretKey(pkcs8.unpack(pem, passphrase))
        if title not in (b"", _title(key).encode()):
            raise KeyFileError("private key is damaged, or another one than the line before it says")
    _warn_if_others_may_read(Path(path))
    return key


def load_public(path: str | os.PathLike[str]) -> PublicKey:
    """The key in a public key's file, named after the file."""
    data = _read(path)
    with _named(path):
        return parse_public(data, Path(path).name.removesuffix(PUBLIC_FILE))


def trusted(keys: Keys) -> tuple[PublicKey, ...]:
    """All the keys that are given, the files read. A folder without any is a mistake."""
    if isinstance(keys, PublicKey):
        return (keys,)
    if not isinstance(keys, str | os.PathLike):
        return tuple(key for each in keys for key in trusted(each))
    if not os.path.isdir(keys):
        return (load_public(keys),)
    paths = sorted(p for p in Path(keys).iterdir() if p.suffix == PUBLIC_FILE and p.is_file())
    if not paths:
        raise KeyFileError(f"{keys}: holds no public key", hint="the files of public keys end in .pub")
    return tuple(map(load_public, paths))


def parse_public(data: bytes, name: str = "") -> PublicKey:
    """The key in the content of a public key's file. Raises KeyFileError, the file not named."""
    if b"PRIVATE KEY" in data:
        raise KeyFileError("is a private key", hint="the public one verifies, its file ends in .pub")
    try:
        text = data.decode()
    except UnicodeDecodeError:
        raise KeyFileError("not a public key: not utf-8") from None
    lines = [line.strip() for line in text.strip().replace("\r\n", "\n").split("\n")]
    comment = lines.pop(0)[len(_COMMENT) :].strip() if lines[0].startswith(_COMMENT) else ""
    revoked = None
    if lines and lines[-1].startswith(_REVOKED):
        revoked = lines.pop()[len(_REVOKED) :].strip()
    for line in (comment, revoked or ""):
        if fault := line_fault(line):
            raise KeyFileError(fault)
    raw = _raw(lines)
    if _is_weak(raw):
        raise KeyFileError("public key is weak: it takes signatures that nobody has made")
    return PublicKey(raw, name=name, revoked=revoked).with_title(comment)


def line_fault(text: str) -> str | None:
    """Why `text` may not be a comment, if so: it is one line that cannot pretend to be more."""
    if len(text.encode(errors="replace")) > MAX_COMMENT:
        return f"comment is longer than {MAX_COMMENT} bytes"
    if any(character in FORBIDDEN or "\ud800" <= character <= "\udfff" for character in text):
        return "control character in comment"
    return None


def check_line(text: str) -> None:
    if fault := line_fault(text):
        raise ValueError(fault)


def _raw(lines: list[str]) -> bytes:
    if len(lines) > 1:
        der = pkcs8.read_pem("\n".join(lines).encode(), _PUBLIC_PEM)
        if not der.startswith(_SPKI) or len(der) != len(_SPKI) + _RAW:
            raise KeyFileError("not an Ed25519 public key")
        return der[len(_SPKI) :]
    try:
        packed = base64.b64decode("".join(lines), validate=True)
    except (binascii.Error, ValueError):
        raise KeyFileError("not a public key") from None
    start, raw = packed[: -_RAW or None], packed[-_RAW:]
    if len(packed) != len(_ED) + 8 + _RAW or not start.startswith(_ED):
        raise KeyFileError("not a public key of slic")
    if start != _ED + key_id(raw):
        raise KeyFileError("public key is damaged: its id is another key's")
    return raw


def _is_weak(raw: bytes) -> bool:
    y = int.from_bytes(raw, "little") & (2**255 - 1)  # the last bit is the sign of x
    return y % _PRIME in _WEAK


def _title(key: SecretKey) -> str:
    """The line before the PEM. The lock does not notice all damage, so the key is compared with its id."""
    return f"slic private key {key.public.id.hex()}\n"


def _split(data: bytes) -> tuple[bytes, bytes]:
    """The title, if there is one, and the PEM."""
    start = max(data.find(b"-----BEGIN"), 0)
    return data[:start].replace(b"\r\n", b"\n"), data[start:]


def _looks_public(data: bytes) -> bool:
    try:
        parse_public(data)
    except KeyFileError:
        return False
    return True


def _read(path: str | os.PathLike[str]) -> bytes:
    with open(path, "rb") as stream:
        data = stream.read(_MAX_FILE + 1)
    if len(data) > _MAX_FILE:
        raise KeyFileError(f"{path}: not a key: larger than {_MAX_FILE} bytes")
    return data


@contextmanager
def _named(path: str | os.PathLike[str]) -> Iterator[None]:
    """Puts the file's name before what is wrong with it."""
    try:
        yield
    except KeyFileError as error:
        raise KeyFileError(f"{os.fspath(path)}: {error}", hint=error.hint) from error


def _warn_if_others_may_read(path: Path) -> None:
    if os.name == "posix" and path.stat().st_mode & (stat.S_IRWXG | stat.S_IRWXO):
        warnings.warn(f"{path}: others may read this private key; chmod 600 keeps them out", SlicWarning, 3)
