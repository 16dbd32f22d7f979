"""One verdict on a file from all that is known of it, and why.

First the indicators, which are facts: is it a whole `.slic` file, who signed it, what do C2PA manifests
claim, where was it edited, does it look generated. Then the policy, which is somebody's choice: each finding
has an outcome, and the gravest is the verdict. The report keeps the two apart, as JPEG Trust does, so that
another organisation can judge the same facts.
"""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from slic import models
from slic.errors import FormatError, MismatchError, ModelError, PictureError, PolicyError
from slic.models import Model
from slic.trust import c2pa, verdict
from slic.trust.keys import trusted
from slic.trust.policy import Outcome, Policy
from slic_formats import FILE_SIGNATURE, Container, parse

if TYPE_CHECKING:
    from slic.detection.detect import Detection, Examiner
    from slic.trust.tamper import TamperReport

_NO_PIXELS = "its model is not installed, so it cannot be decoded"


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
        _require_files(policy)
        self.policy = policy
        self._keys = trusted(policy.keys) if "signature" in policy.rules else ()
        self._anchors = c2pa.load_anchors(policy.anchors) if policy.anchors else None
        self._machine = machine
        self._examiner = _examiner(policy, machine) if "detector" in policy.rules else None

    def judge(self, data: bytes, sidecar: bytes | None = None) -> TrustReport:
        """Whatever the bytes are, they get a verdict. `sidecar`: the C2PA manifest that lies beside them."""
        return apply(self.policy, self._collect(data, sidecar))

    def judge_file(self, path: Path) -> TrustReport:
        """`judge`, with the sidecar if the policy looks at it."""
        sidecar = c2pa.read_sidecar(path) if "c2pa" in self.policy.rules else None
        return self.judge(path.read_bytes(), sidecar)

    def _collect(self, data: bytes, sidecar: bytes | None) -> Evidence:
        """All that the policy's sections ask for; what cannot be read is judged no further."""
        facts: dict[str, Any] = {"file": {"bytes": len(data), "sha256": hashlib.sha256(data).hexdigest()}}
        rules = self.policy.rules
        try:
            findings, container = _container(data)
            facts["container"] = _container_facts(container)
            if "signature" in rules:
                unsigned = verdict.Verdict(verdict.Status.UNSIGNED)
                signed = unsigned if container is None else verdict.judge(container, self._keys)
                facts["signature"] = signed.as_dict()
                findings += _signature(signed)
            if "c2pa" in rules:
                manifests = () if container is None else c2pa.check(data, sidecar, self._anchors)
                facts["c2pa"] = [manifest.as_dict() for manifest in manifests]
                findings += _manifests(manifests)
            if "tamper" in rules:
                found, report = _tamper(data, container, self.policy, self._machine)
                findings.append(found)
                facts["tamper"] = report.as_dict() if report else None
            if self._examiner is not None:
                found, detection = _detector(data, container, self._examiner)
                findings.append(found)
                facts["detector"] = detection.as_dict() if detection else None
        except (FormatError, MismatchError, PictureError) as error:
            facts["container"] = {"readable": False, "error": str(error)}
            return Evidence((Finding("container", "unreadable", str(error)),), facts)
        return Evidence(tuple(findings), facts)


def gate(source: str | Path | bytes, policy: str | Path | Policy, **machine: Any) -> TrustReport:
    """The verdict of a policy, or of the one in a file, on a file or its bytes."""
    from slic.trust.policy import load

    chosen = policy if isinstance(policy, Policy) else load(Path(policy))
    ready = Gate(chosen, **machine)
    return ready.judge(source) if isinstance(source, bytes) else ready.judge_file(Path(source))


def apply(policy: Policy, evidence: Evidence) -> TrustReport:
    """The gravest outcome is the verdict."""
    rules = tuple(
        Rule(f"{f.section}.{f.name}", policy.outcome(f.section, f.name), f.because) for f in evidence.findings
    )
    gravest = max((rule.outcome for rule in rules), key=lambda outcome: outcome.gravity)
    return TrustReport(gravest, policy.name, rules, evidence.facts)


def _require_files(policy: Policy) -> None:
    named = (*policy.keys, policy.anchors, policy.detector)
    if gone := [str(path) for path in named if path is not None and not path.exists()]:
        raise PolicyError(
            f"policy {policy.name} names what is not there: {', '.join(gone)}",
            hint="a policy's names count from its own folder",
        )


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


def _manifests(reports: tuple[c2pa.Report, ...]) -> list[Finding]:
    """Each counts: a manifest that holds does not excuse one beside it that does not."""
    if not reports:
        return [Finding("c2pa", "none", "no C2PA manifest in it or beside it")]
    return [Finding("c2pa", r.state, str(r).partition(": ")[2]) for r in reports]


def _tamper(
    data: bytes, container: Container | None, policy: Policy, machine: Mapping[str, Any]
) -> tuple[Finding, "TamperReport | None"]:
    if container is not None and _installed(container) is None:
        return Finding("tamper", "unclear", _NO_PIXELS), None
    from slic.trust import tamper

    report = tamper.check(data, model=policy.model, **machine)
    return Finding("tamper", report.finding.name.lower(), report.reason), report


def _examiner(policy: Policy, machine: Mapping[str, Any]) -> "Examiner":
    from slic.detection.detect import Examiner

    return Examiner(policy.detector_model, fitted=policy.detector, **machine)


def _detector(
    data: bytes, container: Container | None, examiner: "Examiner"
) -> tuple[Finding, "Detection | None"]:
    if container is not None and _installed(container) is None:
        return Finding("detector", "unsure", _NO_PIXELS), None
    (detection,) = examiner([examiner.read(data)])
    return Finding("detector", detection.answer.value, detection.reason), detection
