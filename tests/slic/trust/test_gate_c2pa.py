"""What a policy makes of C2PA manifests, in a file and beside it; by the real library."""

from dataclasses import replace
from pathlib import Path

import pytest

pytest.importorskip("c2pa", reason="needs c2pa-python: pip install 'slic[c2pa]'")

import slic
from slic.trust import c2pa
from slic.trust.gate import Gate, TrustReport
from slic.trust.policy import RULES, Outcome, Policy
from slic_formats import parse, serialise
from tests.formats.samples import FULL
from tests.slic.trust.certificates import Chain

PLAIN = serialise(replace(FULL, c2pa=None))


@pytest.fixture(scope="module")
def attested(definition: c2pa.Definition) -> tuple[bytes, bytes]:
    """A file with a manifest in it, and its sidecar."""
    data = c2pa.embed(PLAIN, definition)
    return data, c2pa.manifest(data, definition)


@pytest.fixture
def trusting(chain: Chain, tmp_path: Path) -> Policy:
    (tmp_path / "root.pem").write_bytes(chain.root)
    return Policy("p", "", {s: RULES[s] for s in ("container", "c2pa")}, anchors=tmp_path / "root.pem")


def manifests(report: TrustReport) -> list[str]:
    return [rule.name for rule in report.rules if rule.name.startswith("c2pa.")]


def test_each_manifest_is_a_rule(attested: tuple[bytes, bytes], trusting: Policy) -> None:
    report = Gate(trusting).judge(*attested)
    assert manifests(report) == ["c2pa.trusted", "c2pa.trusted"]
    assert report.rules[-1].because.startswith("trusted; signed as Photo desk")
    assert [m["place"] for m in report.facts["c2pa"]] == ["embedded", "sidecar"]


def test_without_anchors_nobody_is_trusted(attested: tuple[bytes, bytes], trusting: Policy) -> None:
    report = Gate(replace(trusting, anchors=None)).judge(*attested)
    assert manifests(report) == ["c2pa.untrusted"] * 2 and report.verdict is Outcome.HOLD


def test_one_that_does_not_hold_is_not_excused_by_another(
    attested: tuple[bytes, bytes], definition: c2pa.Definition, trusting: Policy
) -> None:
    later = serialise(replace(parse(attested[0]), exif=None))
    report = Gate(trusting).judge(c2pa.embed(later, definition), attested[1])
    assert manifests(report) == ["c2pa.trusted", "c2pa.invalid"] and report.verdict is Outcome.REJECT


def test_files_without_any_and_pictures_have_none(trusting: Policy) -> None:
    assert manifests(Gate(trusting).judge(PLAIN)) == ["c2pa.none"]


def test_the_sidecar_is_found_beside_the_file(
    attested: tuple[bytes, bytes], trusting: Policy, tmp_path: Path
) -> None:
    for name, content in zip(("a.slic", "a.c2pa"), (PLAIN, attested[1]), strict=True):
        (tmp_path / name).write_bytes(content)
    assert manifests(slic.gate(tmp_path / "a.slic", trusting)) == ["c2pa.invalid"]  # it is of another file
