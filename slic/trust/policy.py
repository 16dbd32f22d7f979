"""What an organisation makes of findings: a TOML file, checked before anything is judged. Loads no torch.

    name = "newsroom"

    [signature]               # a section is measured only if it is there
    keys = ["keys"]           # public keys or folders of them, seen from this file
    unsigned = "reject"       # a finding and its outcome: pass, hold or reject

Findings that are not named have the outcomes in RULES.
"""

import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from enum import Enum
from pathlib import Path
from typing import Any

from slic.errors import PolicyError

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib


class Outcome(Enum):
    """The later, the graver."""

    PASS = "pass"
    HOLD = "hold"
    REJECT = "reject"

    @property
    def gravity(self) -> int:
        return list(Outcome).index(self)


_PASS, _HOLD, _REJECT = Outcome
RULES: Mapping[str, Mapping[str, Outcome]] = {
    "container": {
        "slic": _PASS,
        "other_format": _HOLD,
        "unreadable": _REJECT,
        "unknown_model": _HOLD,
        "unsecured_model": _HOLD,
    },
    "signature": {
        "valid": _PASS,
        "metadata_removed": _PASS,
        "unsigned": _HOLD,
        "unknown_signer": _HOLD,
        "altered": _REJECT,
        "revoked": _REJECT,
    },
    "c2pa": {
        "trusted": _PASS,
        "untrusted": _HOLD,
        "none": _HOLD,
        "invalid": _REJECT,
        "unreadable": _REJECT,
        "unchecked": _HOLD,
    },
    "tamper": {"untouched": _PASS, "edited": _REJECT, "unprotected": _HOLD, "unclear": _HOLD},
    # no proof, so it rejects nothing itself
    "detector": {"real": _PASS, "generated": _HOLD, "unsure": _PASS},
}
_SETTINGS = {
    "container": (),
    "signature": ("keys",),
    "c2pa": ("anchors",),
    "tamper": ("model",),
    "detector": ("model", "file"),
}
_NAMES = {
    "anchors": "the name of a PEM file",
    "model": "a model's name or file",
    "file": "the name of a detector's file",
}
_MAX_BYTES = 1 << 16


@dataclass(frozen=True)
class Policy:
    """Outcomes by section and finding, for the sections that count."""

    name: str
    description: str
    rules: Mapping[str, Mapping[str, Outcome]]
    keys: tuple[Path, ...] = ()
    anchors: Path | None = None
    """PEM file of certificates whose holders' manifests are trusted."""
    model: str | None = None
    """The tamper map's; None: the default, or that of the `.slic` file."""
    detector: Path | None = None
    """The detector's file; None: the embedded one."""
    detector_model: str | None = None
    """The model that the detector was fitted to; None: the default."""

    def outcome(self, section: str, finding: str) -> Outcome:
        return self.rules[section][finding]


def load(path: Path) -> Policy:
    """Raises PolicyError with all that is wrong with it."""
    with path.open("rb") as file:
        data = file.read(_MAX_BYTES + 1)
    if len(data) > _MAX_BYTES:
        raise PolicyError(f"{path}: longer than {_MAX_BYTES} bytes is no policy")
    try:
        read = tomllib.loads(data.decode())
    except (UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise PolicyError(f"{path}: not valid TOML: {error}") from None
    if faults := list(_faults(read)):
        raise PolicyError(f"{path}: {'; '.join(faults)}")
    return _policy(read, path.parent)


def _policy(read: dict[str, Any], folder: Path) -> Policy:
    rules = {}
    for section in [name for name in RULES if name in read or name == "container"]:
        named = {f: Outcome(o) for f, o in read.get(section, {}).items() if f in RULES[section]}
        rules[section] = {**RULES[section], **named}
    anchors, detector = read.get("c2pa", {}).get("anchors"), read.get("detector", {})
    return Policy(
        name=read["name"],
        description=read.get("description", ""),
        rules=rules,
        keys=tuple(folder / key for key in read.get("signature", {}).get("keys", ())),
        anchors=folder / anchors if anchors is not None else None,
        model=read.get("tamper", {}).get("model"),
        detector=folder / detector["file"] if "file" in detector else None,
        detector_model=detector.get("model"),
    )


def _faults(read: dict[str, Any]) -> Iterator[str]:
    if not isinstance(read.get("name"), str) or not read["name"].isprintable():
        yield 'it needs a name = "…"'
    if not isinstance(read.get("description", ""), str):
        yield "description must be text"
    for key, value in read.items():
        if key in RULES:
            yield from _section_faults(key, value)
        elif key not in ("name", "description"):
            yield _unknown(key, ("name", "description", *RULES))


def _section_faults(section: str, value: object) -> Iterator[str]:
    if not isinstance(value, dict):
        yield f"[{section}] must be a section"
        return
    for key, outcome in value.items():
        if key in RULES[section]:
            if outcome not in [o.value for o in Outcome]:
                yield f"{section}.{key} must be pass, hold or reject"
        elif key not in _SETTINGS[section]:
            yield _unknown(
                f"{section}.{key}", [f"{section}.{k}" for k in (*_SETTINGS[section], *RULES[section])]
            )
    if section == "signature" and not _texts(value.get("keys")):
        yield 'signature.keys must say who is trusted, as in keys = ["keys"]'
    for key, what in _NAMES.items():
        if key in _SETTINGS[section] and not isinstance(value.get(key, ""), str):
            yield f"{section}.{key} must be {what}"


def _texts(value: object) -> bool:
    return isinstance(value, list) and bool(value) and all(isinstance(v, str) and v for v in value)


def _unknown(key: str, known: Any) -> str:
    close = get_close_matches(key, list(known), 1)
    return f"unknown setting {key}" + (f"; did you mean {close[0]}?" if close else "")
