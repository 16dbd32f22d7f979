"""The lock on a private key is openssl's, and a damaged or greedy file is refused in one line."""

import base64
import shutil
import subprocess
import time
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from slic.errors import KeyFileError
from slic.trust import pkcs8

SEED = bytes(range(32))
PLAIN = b"""-----BEGIN PRIVATE KEY-----
MC4CAQAwBQYDK2VwBCIEIAABAgMEBQYHCAkKCwwNDg8QERITFBUWFxgZGhscHR4f
-----END PRIVATE KEY-----
"""
# openssl pkcs8 -topk8 -scrypt -scrypt_N 2 -passout pass:correct
LOCKED = b"""-----BEGIN ENCRYPTED PRIVATE KEY-----
MIGSME4GCSqGSIb3DQEFDTBBMCAGCSsGAQQB2kcECzATBAg6w/Pw2Z0lqwIBAgIB
CAIBATAdBglghkgBZQMEASoEEH/3UdCrK1xVLxzxh5N6xnwEQCygiVhvCnMpPWWM
YQXnlWb1liAmipCA+0cbYdPzPTkgXY+WZjajnh64cPqJNTnHBGBhaj9rdE958Gg/
n7qbaSA=
-----END ENCRYPTED PRIVATE KEY-----
"""
needs_openssl = pytest.mark.skipif(shutil.which("openssl") is None, reason="needs the openssl command")


def test_without_a_passphrase_it_is_the_file_that_openssl_writes() -> None:
    assert pkcs8.pack(SEED, None) == PLAIN
    assert pkcs8.unpack(PLAIN) == SEED


def test_what_openssl_has_locked_is_opened() -> None:
    assert pkcs8.is_locked(LOCKED) and not pkcs8.is_locked(PLAIN)
    assert pkcs8.unpack(LOCKED, "correct") == SEED


@needs_openssl
def test_openssl_opens_what_is_locked_here(tmp_path: Path) -> None:
    path = tmp_path / "a.key"
    path.write_bytes(pkcs8.pack(SEED, "pass phräse"))
    command = ["openssl", "pkey", "-in", path, "-passin", "pass:pass phräse"]
    assert subprocess.run(command, capture_output=True, check=True).stdout == PLAIN


def test_two_locks_of_one_key_differ() -> None:
    one, other = (pkcs8.pack(SEED, "a") for _ in range(2))
    assert one != other and pkcs8.unpack(one, "a") == pkcs8.unpack(other, "a") == SEED


@pytest.mark.parametrize("passphrase", ["wrong", "", "correct "])
def test_a_wrong_passphrase_opens_nothing(passphrase: str) -> None:
    with pytest.raises(KeyFileError, match="wrong passphrase, or the key is damaged"):
        pkcs8.unpack(LOCKED, passphrase)


def test_a_locked_key_without_a_passphrase_says_so() -> None:
    with pytest.raises(KeyFileError, match="key is locked by a passphrase") as refused:
        pkcs8.unpack(LOCKED)
    assert refused.value.hint == "--passphrase-file FILE unlocks it"


def locked_with(cost: tuple[int, int, int]) -> bytes:
    der = pkcs8._Lock(b"salt", cost, bytes(16), bytes(64)).der()
    return b"-----BEGIN ENCRYPTED PRIVATE KEY-----\n%s\n-----END ENCRYPTED PRIVATE KEY-----\n" % (
        base64.b64encode(der)
    )


@pytest.mark.parametrize(
    "cost",
    [
        (1 << 18, 8, 1),
        (2, 1 << 25, 1),
        (2, 1, 1 << 24),
        (1 << 40, 1 << 40, 1),
        (3, 1, 1),
        (2, 0, 1),
        (0, 1, 1),
    ],
)
def test_a_greedy_or_impossible_lock_costs_nothing(cost: tuple[int, int, int]) -> None:
    started = time.perf_counter()
    with pytest.raises(KeyFileError, match="too much work"):
        pkcs8.unpack(locked_with(cost), "a")
    assert time.perf_counter() - started < 1


@needs_openssl
@pytest.mark.parametrize("how", [["-v2", "aes-256-cbc"], ["-scrypt", "-v2", "aes-128-cbc"]])
def test_another_lock_is_named_with_the_way_out(tmp_path: Path, how: list[str]) -> None:
    command = ["openssl", "pkcs8", "-topk8", *how, "-passout", "pass:a"]
    pem = subprocess.run(command, input=PLAIN, capture_output=True, check=True).stdout
    with pytest.raises(KeyFileError, match="locked in a way that slic does not open") as refused:
        pkcs8.unpack(pem, "a")
    assert refused.value.hint == "openssl pkcs8 -topk8 -scrypt -in OLD -out NEW changes the lock"


@needs_openssl
@pytest.mark.parametrize("kind", [["ec", "-pkeyopt", "ec_paramgen_curve:P-256"], ["x25519"], ["ed448"]])
def test_another_kind_of_key_is_refused(kind: list[str]) -> None:
    pem = subprocess.run(["openssl", "genpkey", "-algorithm", *kind], capture_output=True, check=True).stdout
    with pytest.raises(KeyFileError, match="not an Ed25519 private key"):
        pkcs8.unpack(pem)


@given(st.binary(max_size=300))
def test_no_bytes_do_anything_but_open_or_be_refused(data: bytes) -> None:
    framed = b"-----BEGIN ENCRYPTED PRIVATE KEY-----\n%s\n-----END ENCRYPTED PRIVATE KEY-----\n"
    for pem in (data, framed % data, framed % base64.b64encode(data)):
        with pytest.raises(KeyFileError):
            pkcs8.unpack(pem, "a")
