"""One verdict on a file from all that is known of it, and why.

First the indicators, which are facts: is it a whole `.slic` file, who signed it, where was it edited. Then
the policy, which is somebody's choice: each finding has an outcome, and the gravest is the verdict. The
report keeps the two apart, as JPEG Trust does, so that another organisation can judge the same facts.
"""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from slic import models
from slic.errors import FormatError, MismatchError, ModelError, PictureError
from slic.models import Model
from slic.trust import verdict
from slic.trust.keys import PublicKey, trusted
from slic.trust.policy import Outcome, Policy
from slic_formats import FILE_SIGNATURE, Container, parse

if TYPE_CHECKING:
    from slic.trust.tamper import TamperReport


@dataclass(frozen=True)
class Finding:
    """A section's finding, and what it rests on."""

    section: str
    name: str
    because: str


@dataclass(frozen=True)
class Evidence:
    """The indicators of one file."""

    findings: tuple[Finding, ...]
    facts: Mapping[str, Any]
    """What was measured, by section; for JSON."""
    tamper: "TamperReport | None" = field(default=None, repr=False, compare=False)
    container: Container | None = field(default=None, repr=False, compare=False)


@dataclass(frozen=True)
class Rule:
    """What the policy makes of a finding."""

    name: str
    outcome: Outcome
    because: str


@dataclass(frozen=True)
class TrustReport:
    """The verdict, the rules that led to it, and the facts they were given. `str` makes a line of it."""

    verdict: Outcome
    policy: str
    rules: tuple[Rule, ...]
    facts: Mapping[str, Any]

    @property
    def passed(self) -> bool:
        return self.verdict is Outcome.PASS

    def as_dict(self) -> dict[str, Any]:
        """For JSON: indicators first, then what the policy makes of them."""
        rules = [{"rule": r.name, "outcome": r.outcome.value, "because": r.because} for r in self.rules]
        return {
            "indicators": dict(self.facts),
            "policy": self.policy,
            "rules": rules,
            "verdict": self.verdict.value,
        }

    def __str__(self) -> str:
        telling = [r for r in self.rules if r.outcome is self.verdict]
        return f"{self.verdict.value}: " + "; ".join(f"{r.name} ({r.because})" for r in telling)


class Gate:
    """A policy ready for many files."""

    def __init__(self, policy: Policy, **machine: Any) -> None:
        """`machine`: device, precision and max_pixels, as `slic.check` takes them."""
        self.policy = policy
        self._keys = trusted(policy.keys) if "signature" in policy.rules else ()
        self._machine = machine

    def judge(self, data: bytes) -> TrustReport:
        """Whatever the bytes are, they get a verdict."""
        evidence = collect(data, self.policy, self._keys, **self._machine)
        return apply(self.policy, evidence)


def gate(source: str | Path | bytes, policy: str | Path | Policy, **machine: Any) -> TrustReport:
    """The verdict of a policy, or of the one in a file, on a file or its bytes."""
    from slic.trust.policy import load

    chosen = policy if isinstance(policy, Policy) else load(Path(policy))
    data = source if isinstance(source, bytes) else Path(source).read_bytes()
    return Gate(chosen, **machine).judge(data)


def apply(policy: Policy, evidence: Evidence) -> TrustReport:
    """The gravest outcome is the verdict."""
    rules = tuple(
        Rule(f"{f.section}.{f.name}", policy.outcome(f.section, f.name), f.because) for f in evidence.findings
    )
    gravest = max((rule.outcome for rule in rules), key=lambda outcome: outcome.gravity)
    return TrustReport(gravest, policy.name, rules, evidence.facts)


def collect(data: bytes, policy: Policy, keys: tuple[PublicKey, ...], **machine: Any) -> Evidence:
    """All that the policy's sections ask for; what cannot be read is judged no further."""
    facts: dict[str, Any] = {"file": {"bytes": len(data), "sha256": hashlib.sha256(data).hexdigest()}}
    try:
        findings, container = _container(data)
        facts["container"] = _container_facts(container)
        if "signature" in policy.rules:
            signed = (
                verdict.Verdict(verdict.Status.UNSIGNED)
                if container is None
                else verdict.judge(container, keys)
            )
            facts["signature"] = signed.as_dict()
            findings += _signature(signed)
        report = None
        if "tamper" in policy.rules:
            found, report = _tamper(data, container, policy, machine)
            findings.append(found)
            facts["tamper"] = report.as_dict() if report else None
    except (FormatError, MismatchError, PictureError) as error:
        facts["container"] = {"readable": False, "error": str(error)}
        return Evidence((Finding("container", "unreadable", str(error)),), facts)
    return Evidence(tuple(findings), facts, report, container)


def _container(data: bytes) -> tuple[list[Finding], Container | None]:
    if not data.startswith(FILE_SIGNATURE):
        from slic import opening

        with opening.stream(data) as stream, opening.damage_is_ours():
            kind = opening.identify(stream).format or "picture"
        return [Finding("container", "other_format", f"a {kind}, not a .slic file")], None
    container = parse(data)
    findings = [Finding("container", "slic", "a whole .slic file")]
    model = _installed(container)
    if model is None:
        identity = container.header.model.hex()[:8]
        findings.append(
            Finding("container", "unknown_model", f"needs model {identity}, which is not installed")
        )
    elif not model.secured:
        findings.append(Finding("container", "unsecured_model", f"model {model.name} is not secured"))
    return findings, container


def _container_facts(container: Container | None) -> dict[str, Any]:
    if container is None:
        return {"readable": True, "slic": False}
    header, model = container.header, _installed(container)
    return {
        "readable": True,
        "slic": True,
        "width": header.width,
        "height": header.height,
        "model": header.model.hex(),
        "model_name": model.name if model else None,
        "secured": model.secured if model else None,
    }


def _installed(container: Container) -> Model | None:
    try:
        return models.find_identity(container.header.model)
    except ModelError:
        return None


def _signature(signed: verdict.Verdict) -> list[Finding]:
    text = str(signed).partition(": ")[2]
    found = [Finding("signature", signed.status.value.replace(" ", "_"), text)]
    if signed.removed:
        found.append(Finding("signature", "metadata_removed", f"{' and '.join(signed.removed)} removed"))
    return found


def _tamper(
    data: bytes, container: Container | None, policy: Policy, machine: Mapping[str, Any]
) -> tuple[Finding, "TamperReport | None"]:
    if container is not None and _installed(container) is None:
        return Finding("tamper", "unclear", "its model is not installed, so it cannot be decoded"), None
    from slic.trust import tamper

    report = tamper.check(data, model=policy.model, **machine)
    return Finding("tamper", report.finding.name.lower(), report.reason), report
