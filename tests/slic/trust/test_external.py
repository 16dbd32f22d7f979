"""A key in another program: what it answers is checked before anyone relies on it."""

import shlex
import sys
from pathlib import Path

import pytest

from slic.errors import KeyFileError
from slic.trust import external, signature
from slic.trust.external import ExternalKey
from slic.trust.keys import SecretKey
from tests.formats.samples import FULL

KEY = SecretKey(bytes(range(32)))


def command(code: str) -> ExternalKey:
    return ExternalKey(KEY.public, shlex.join((sys.executable, "-c", f"import sys\n{code}")))


def signer(seed: bytes) -> str:
    return (
        "from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey\n"
        f"key = Ed25519PrivateKey.from_private_bytes({seed!r})\n"
        "sys.stdout.buffer.write(key.sign(sys.stdin.buffer.read()))"
    )


def test_a_command_signs_as_the_key_itself_would() -> None:
    signed = signature.sign_container(FULL, command(signer(KEY.seed)), "by a token")
    assert signed == signature.sign_container(FULL, KEY, "by a token")


def test_another_key_s_signature_is_not_taken() -> None:
    with pytest.raises(KeyFileError, match=r"the signature made is not one of key 56475aa75463474c"):
        signature.sign_container(FULL, command(signer(bytes(32))))


@pytest.mark.parametrize(
    ("code", "reason", "hint"),
    [
        ("sys.exit('PIN\\x1b is wrong')", "ended with exit code 1", "it said: PIN? is wrong"),
        ("sys.exit(7)", "ended with exit code 7", None),
        ("print('x')", "gave 2 bytes, and a signature has 64", None),
        ("sys.stdout.write('x' * 65)", "gave 65 bytes", None),
        ("", "gave 0 bytes", None),
    ],
)
def test_what_goes_wrong_in_a_command_is_said(code: str, reason: str, hint: str | None) -> None:
    with pytest.raises(KeyFileError, match=reason) as refused:
        command(code).sign(b"message")
    assert refused.value.hint == hint


def test_a_command_that_does_not_answer_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(external, "TIMEOUT", 0.2)
    with pytest.raises(KeyFileError, match="gave no answer in"):
        command("import time; time.sleep(60)").sign(b"message")


@pytest.mark.parametrize(("text", "reason"), [("", "is empty"), ("a 'b", "cannot be read: No closing")])
def test_a_command_must_be_one(text: str, reason: str) -> None:
    with pytest.raises(KeyFileError, match=reason):
        ExternalKey(KEY.public, text).sign(b"")


def test_a_command_that_is_not_there_is_named() -> None:
    with pytest.raises(FileNotFoundError) as refused:
        ExternalKey(KEY.public, "no-such-command --slot 1").sign(b"")
    assert refused.value.filename == "no-such-command"


def test_no_shell_reads_the_command(tmp_path: Path) -> None:
    trap = tmp_path / "trap"
    with pytest.raises(KeyFileError, match="gave"):
        ExternalKey(KEY.public, f"echo x; touch {trap}").sign(b"")
    assert not trap.exists()
