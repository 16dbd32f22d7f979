"""Says of a file whether it is what someone trusted has signed."""

from dataclasses import dataclass
from enum import Enum
from typing import Any

from slic.errors import VerdictError
from slic.reading import FileSource, read
from slic.trust.keys import Keys, PublicKey, trusted
from slic_formats import Container, parse
from slic_formats.signing import REDACTABLE, State, compare, holds, signed_message

_NAMES = {"exif": "EXIF", "xmpd": "XMP"}  # of the chunks that may go


class Status(Enum):
    VALID = "valid"
    ALTERED = "altered"
    UNSIGNED = "unsigned"
    UNKNOWN_SIGNER = "unknown signer"
    REVOKED = "revoked"


@dataclass(frozen=True)
class Verdict:
    """What `verify` says of a file. `str` makes a line of it."""

    status: Status
    key: str | None = None
    """Id of the key that the file names, hexadecimal."""
    signer: str | None = None
    """The name of the trusted key with this id."""
    comment: str | None = None
    """What the signer says; None unless the signature is the signer's."""
    removed: tuple[str, ...] = ()
    """EXIF or XMP that was there when the file was signed; the file may be valid without."""
    changed: tuple[tuple[str, str], ...] = ()
    """Chunks that make the file altered: type, and altered, removed or added."""
    reason: str | None = None
    """Why the key was revoked."""

    @property
    def valid(self) -> bool:
        return self.status is Status.VALID

    def as_dict(self) -> dict[str, Any]:
        """For JSON."""
        return {
            "verdict": self.status.value,
            "key": self.key,
            "signer": self.signer,
            "comment": self.comment,
            "removed": list(self.removed),
            "changed": [{"chunk": type, "state": state} for type, state in self.changed],
            "reason": self.reason,
        }

    def __str__(self) -> str:
        return f"{self.status.value}: {self._because()}"

    def _because(self) -> str:
        who = f"{self.signer} ({self.key})" if self.signer else str(self.key)
        if self.status is Status.UNSIGNED:
            return "it has no signature"
        if self.status is Status.UNKNOWN_SIGNER:
            return f"key {self.key} is none of those given"
        if self.status is Status.ALTERED and not self.changed:
            return f"the signature is not one of {who}"
        if self.status is Status.ALTERED:
            changes = ", ".join(f"{type} {state}" for type, state in self.changed)
            return f"{changes} since {who} signed it"
        said = f"signed by {who}"
        if self.status is Status.REVOKED:
            return f"{said}, whose key was revoked" + (f": {self.reason}" if self.reason else "")
        said += f', "{self.comment}"' if self.comment else ""
        return said + (f"; {' and '.join(self.removed)} removed after signing" if self.removed else "")


def verify(source: FileSource, keys: Keys) -> Verdict:
    """Whether one of these keys has signed the file as it is; raises FormatError if it is no file."""
    return judge(parse(read(source)), trusted(keys))


def require(container: Container, keys: tuple[PublicKey, ...]) -> Verdict:
    """Raises VerdictError unless the file is valid."""
    verdict = judge(container, keys)
    if not verdict.valid:
        raise VerdictError(f"not decoded, as its signature does not hold: {verdict}")
    return verdict


def judge(container: Container, keys: tuple[PublicKey, ...]) -> Verdict:
    signature = container.signature
    if signature is None:
        return Verdict(Status.UNSIGNED)
    id = signature.key_id.hex()
    named = [key for key in keys if key.id == signature.key_id]
    if not named:
        return Verdict(Status.UNKNOWN_SIGNER, id)
    message = signed_message(signature)
    signers = [key for key in named if key.verifies(message, signature.value)]
    if not signers:
        return Verdict(Status.ALTERED, id, named[0].name or None)
    # A key may lie there twice. If one of its files revokes it, it is revoked.
    key = next((key for key in signers if key.revoked is not None), signers[0])
    chunks = compare(container)
    lost = [c for c in chunks if c.state is State.REMOVED and c.type in REDACTABLE]
    changed = tuple((c.type, c.state.value) for c in chunks if c.state is not State.INTACT and c not in lost)
    revoked = Status.VALID if key.revoked is None else Status.REVOKED
    return Verdict(
        status=revoked if holds(chunks) else Status.ALTERED,
        key=id,
        signer=key.name or None,
        comment=signature.comment,
        removed=tuple(_NAMES[c.type] for c in lost),
        changed=changed,
        reason=key.revoked,
    )
