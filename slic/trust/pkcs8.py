"""The seed of an Ed25519 key in PEM, as PKCS #8 (RFC 5958, RFC 8410), perhaps locked by a passphrase.

The lock is PBES2 (RFC 8018) of scrypt (RFC 7914) and AES-256-CBC: `openssl pkey` reads it, and
`openssl pkcs8 -topk8 -scrypt` writes it. cryptography would lock with 2048 rounds of PBKDF2, which a
graphics card undoes for most passphrases that people choose, so the few bytes of DER are made here.
"""

import base64
import binascii
import hashlib
import os
from dataclasses import dataclass

from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from cryptography.hazmat.primitives.padding import PKCS7

from slic.errors import KeyFileError

PLAIN, LOCKED = "PRIVATE KEY", "ENCRYPTED PRIVATE KEY"
SEED = 32

_SEQUENCE, _OCTETS, _INTEGER, _OID = 0x30, 0x04, 0x02, 0x06
_PBES2 = bytes.fromhex("2a864886f70d01050d")
_SCRYPT = bytes.fromhex("2b06010401da47040b")
_AES_256_CBC = bytes.fromhex("60864801650304012a")
_ED25519 = bytes.fromhex("302e020100300506032b657004220420")  # all of PKCS #8 before the seed
_KEY_BYTES = 32

# 16 MiB, as openssl refuses to spend above 32 on a key; `p` makes up in time: a third of a second.
_COST = (1 << 14, 8, 8)
# A key file may be anybody's: no more than 128 MiB and some seconds for it.
_MOST_MEMORY, _MOST_WORK = 1 << 27, 1 << 24


@dataclass(frozen=True)
class _Lock:
    salt: bytes
    cost: tuple[int, int, int]  # N, r, p of scrypt
    iv: bytes
    secret: bytes

    def der(self) -> bytes:
        numbers = (_tlv(_INTEGER, _number(n)) for n in self.cost)
        derive = _pair(_SCRYPT, _tlv(_SEQUENCE, _tlv(_OCTETS, self.salt), *numbers))
        cipher = _pair(_AES_256_CBC, _tlv(_OCTETS, self.iv))
        scheme = _pair(_PBES2, _tlv(_SEQUENCE, derive, cipher))
        return _tlv(_SEQUENCE, scheme, _tlv(_OCTETS, self.secret))

    def key(self, passphrase: str) -> bytes:
        n, r, p = self.cost
        return hashlib.scrypt(
            passphrase.encode(), salt=self.salt, n=n, r=r, p=p, maxmem=2 * _MOST_MEMORY, dklen=_KEY_BYTES
        )


def pack(seed: bytes, passphrase: str | None) -> bytes:
    """The PEM file of a seed; without a passphrase whoever reads the file has the key."""
    if passphrase is None:
        return _pem(PLAIN, _ED25519 + seed)
    lock = _Lock(os.urandom(16), _COST, os.urandom(16), b"")
    padder = PKCS7(128).padder()
    padded = padder.update(_ED25519 + seed) + padder.finalize()
    encryptor = _cipher(lock.key(passphrase), lock.iv).encryptor()
    secret = encryptor.update(padded) + encryptor.finalize()
    return _pem(LOCKED, _Lock(lock.salt, lock.cost, lock.iv, secret).der())


def is_locked(pem: bytes) -> bool:
    return pem.lstrip().startswith(f"-----BEGIN {LOCKED}-----".encode())


def unpack(pem: bytes, passphrase: str | None = None) -> bytes:
    """The seed in a PEM file; inverse of `pack`. Raises KeyFileError, the file not named."""
    if not is_locked(pem):
        return _seed(read_pem(pem, PLAIN))
    lock = _read_lock(read_pem(pem, LOCKED))
    if passphrase is None:
        raise KeyFileError("key is locked by a passphrase", hint="--passphrase-file FILE unlocks it")
    decryptor = _cipher(lock.key(passphrase), lock.iv).decryptor()
    unpadder = PKCS7(128).unpadder()
    try:
        padded = decryptor.update(lock.secret) + decryptor.finalize()
        return _seed(unpadder.update(padded) + unpadder.finalize())
    except (ValueError, KeyFileError):
        raise KeyFileError("wrong passphrase, or the key is damaged") from None


def read_pem(pem: bytes, label: str) -> bytes:
    """What stands between the lines that begin and end `label`, and nothing may stand around them."""
    lines = [line.strip() for line in pem.strip().splitlines()]
    frame = [f"-----{end} {label}-----".encode() for end in ("BEGIN", "END")]
    if len(lines) < 3 or [lines[0], lines[-1]] != frame:
        raise KeyFileError(f"not a PEM file of one {label.lower()}")
    try:
        return base64.b64decode(b"".join(lines[1:-1]), validate=True)
    except binascii.Error:
        raise KeyFileError("base64 is damaged") from None


def _pem(label: str, der: bytes) -> bytes:
    text = base64.b64encode(der).decode()
    lines = (text[i : i + 64] for i in range(0, len(text), 64))
    return "\n".join((f"-----BEGIN {label}-----", *lines, f"-----END {label}-----", "")).encode()


def _seed(der: bytes) -> bytes:
    if not der.startswith(_ED25519) or len(der) != len(_ED25519) + SEED:
        raise KeyFileError(
            "not an Ed25519 private key", hint="slic keygen, or openssl genpkey -algorithm ed25519, makes one"
        )
    return der[len(_ED25519) :]


def _read_lock(der: bytes) -> _Lock:
    """The lock, if `der` is its one form; its cost one that may be paid for a stranger's file."""
    try:
        lock = _parse_lock(der)
    except (ValueError, IndexError):
        raise _other_lock() from None
    if lock.der() != der or len(lock.iv) != 16:  # this finds other names, other forms and further parts
        raise _other_lock()
    _check_cost(lock.cost)
    return lock


def _parse_lock(der: bytes) -> _Lock:
    scheme, rest = _take(_take(der, _SEQUENCE)[0], _SEQUENCE)
    secret, _ = _take(rest, _OCTETS)
    derive, rest = _take(_parameters(scheme), _SEQUENCE)
    cipher, _ = _take(rest, _SEQUENCE)
    salt, rest = _take(_parameters(derive), _OCTETS)
    n, rest = _take(rest, _INTEGER)
    r, rest = _take(rest, _INTEGER)
    p, _ = _take(rest, _INTEGER)
    iv, _ = _take(_take(cipher, _OID)[1], _OCTETS)
    cost = int.from_bytes(n, "big"), int.from_bytes(r, "big"), int.from_bytes(p, "big")
    return _Lock(salt, cost, iv, secret)


def _parameters(algorithm: bytes) -> bytes:
    """The sequence that follows the name of an algorithm."""
    return _take(_take(algorithm, _OID)[1], _SEQUENCE)[0]


def _other_lock() -> KeyFileError:
    return KeyFileError(
        "key is locked in a way that slic does not open",
        hint="openssl pkcs8 -topk8 -scrypt -in OLD -out NEW changes the lock",
    )


def _check_cost(cost: tuple[int, int, int]) -> None:
    n, r, p = cost
    fits = 128 * n * r <= _MOST_MEMORY and n * r * p <= _MOST_WORK
    if not fits or n < 2 or n & (n - 1) or not r or not p:
        raise KeyFileError("key asks for too much work to unlock it, or for an impossible one")


def _cipher(key: bytes, iv: bytes) -> Cipher[modes.CBC]:
    return Cipher(algorithms.AES(key), modes.CBC(iv))


def _tlv(tag: int, *parts: bytes) -> bytes:
    body = b"".join(parts)
    size = len(body)
    head = bytes([size]) if size < 128 else bytes([0x80 | len(_number(size, 0))]) + _number(size, 0)
    return bytes([tag]) + head + body


def _pair(name: bytes, parameters: bytes) -> bytes:
    return _tlv(_SEQUENCE, _tlv(_OID, name), parameters)


def _number(value: int, sign: int = 1) -> bytes:
    """Big-endian in as few bytes as hold it and a sign bit."""
    return value.to_bytes((value.bit_length() + sign + 7) // 8 or 1, "big")


def _take(der: bytes, tag: int) -> tuple[bytes, bytes]:
    """The body of the element that `der` begins with, which must have this tag, and what follows it."""
    size, at = der[1], 2
    if size & 0x80:
        at += size & 0x7F
        size = int.from_bytes(der[2:at], "big")
    if der[0] != tag or len(der) < at + size:
        raise ValueError("another element")
    return der[at : at + size], der[at + size :]
