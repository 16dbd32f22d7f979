"""Which key signs, as the options say: from a file, unlocked, or held by a command."""

import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from slic.cli.work import Result, on_terminal

if TYPE_CHECKING:
    from slic.trust.keys import Signer

_LONGEST = 1024  # characters of a passphrase


@dataclass(frozen=True)
class Signing:
    """What `options.signer` says, ready to sign many files."""

    signer: "Signer"
    comment: str

    @classmethod
    def chosen(cls, shared: dict[str, Any]) -> "Signing | None":
        """None if no key was named."""
        key, command, comment = shared["key"], shared["sign_with"], shared["comment"]
        if key is None:
            if command or comment:
                raise click.UsageError("--sign-with and --comment need --sign KEY")
            return None
        from slic.trust.keys import line_fault, load_public, load_secret

        if fault := line_fault(comment):
            raise click.BadParameter(fault, param_hint="--comment")
        if command:
            from slic.trust.external import ExternalKey

            return cls(ExternalKey(load_public(key), command), comment)
        return cls(load_secret(key, lambda: passphrase(key, shared["passphrase_file"])), comment)

    def apply(self, data: bytes, result: Result) -> bytes:
        """The file, signed, and what is to be said of that."""
        from slic.trust.signature import sign_container
        from slic_formats import parse, serialise

        container = parse(data)
        if container.signature:
            result.warnings.append(f"replaces the signature of key {container.signature.key_id.hex()}")
        result.facts["signed_by"] = self.signer.public.id.hex()
        return serialise(sign_container(container, self.signer, self.comment))


def passphrase(key: str, file: str | None) -> str | None:
    """From the file, or from the terminal; None where there is neither."""
    if file is not None:
        return read_passphrase(file)
    if not on_terminal(sys.stdin):
        return None
    text: str = click.prompt(f"passphrase of {key}", hide_input=True, err=True)
    return text


def new_passphrase(file: str | None) -> str:
    if file is not None:
        return read_passphrase(file)
    if not on_terminal(sys.stdin):
        raise click.UsageError(
            "a passphrase is needed; --passphrase-file or --no-passphrase goes without asking"
        )
    text: str = click.prompt("passphrase", hide_input=True, confirmation_prompt=True, err=True)
    return text


def read_passphrase(file: str) -> str:
    """The first line of the file."""
    with Path(file).open("rb") as stream:
        line = stream.readline(4 * _LONGEST + 2).rstrip(b"\r\n")
    try:
        text = line.decode()
    except UnicodeDecodeError:
        raise click.UsageError(f"{file}: passphrase is not utf-8") from None
    if not text or len(text) > _LONGEST:
        raise click.UsageError(f"{file}: its first line is empty or longer than {_LONGEST} characters")
    return text
