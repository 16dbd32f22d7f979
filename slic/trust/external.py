"""A key that a command holds, so that it never leaves its HSM, token or service."""

import shlex
import subprocess
from dataclasses import dataclass

from slic.errors import KeyFileError
from slic.trust.keys import PublicKey

TIMEOUT = 120  # seconds: someone may have to touch a token


@dataclass(frozen=True)
class ExternalKey:
    """The command gets what is to be signed on standard input and answers the 64 bytes of the signature.

    It is started as its words say, without a shell.
    """

    public: PublicKey
    command: str

    def sign(self, message: bytes) -> bytes:
        done = _run(self._words(), message)
        if done.returncode:
            said = done.stderr.decode(errors="replace").strip().splitlines()
            raise KeyFileError(
                f"the signing command ended with exit code {done.returncode}",
                hint=f"it said: {_printable(said[-1])}" if said else None,
            )
        if len(done.stdout) != 64:
            raise KeyFileError(f"the signing command gave {len(done.stdout)} bytes, and a signature has 64")
        return done.stdout

    def _words(self) -> list[str]:
        try:
            words = shlex.split(self.command)
        except ValueError as error:
            raise KeyFileError(f"the signing command cannot be read: {error}") from None
        if not words:
            raise KeyFileError("the signing command is empty")
        return words


def _run(words: list[str], message: bytes) -> "subprocess.CompletedProcess[bytes]":
    try:
        return subprocess.run(words, input=message, capture_output=True, timeout=TIMEOUT, check=False)
    except subprocess.TimeoutExpired:
        raise KeyFileError(f"the signing command gave no answer in {TIMEOUT} seconds") from None


def _printable(text: str) -> str:
    return "".join(c if c.isprintable() else "?" for c in text[:200])
