"""Manifests by the real library, with a chain of certificates made here."""

import json
import random
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("c2pa", reason="needs c2pa-python: pip install 'slic[c2pa]'")

from slic.errors import ManifestError
from slic.trust import c2pa
from slic.trust.c2pa import Report
from slic.trust.keys import SecretKey
from slic.trust.signature import sign_bytes
from slic.trust.verdict import verify
from slic_formats import parse, serialise
from tests.formats.samples import FULL, WORDS
from tests.slic.trust import certificates
from tests.slic.trust.certificates import CAPTURE, CREATED, Chain

KEY = SecretKey(bytes(range(32)))
PLAIN = serialise(replace(FULL, c2pa=None))
CLAIMED = {
    "signer": "Photo desk",
    "issuer": "Example Press",
    "actions": ("c2pa.created", "c2pa.transcoded"),
    "sources": ("digitalCapture",),
}


@pytest.fixture(scope="module")
def attested(definition: c2pa.Definition) -> tuple[bytes, bytes]:
    """A file with manifest and signature, and its sidecar."""
    data = sign_bytes(c2pa.embed(PLAIN, definition), KEY)
    return data, c2pa.manifest(data, definition)


def states(data: bytes, sidecar: bytes | None, anchors: bytes | None = None) -> list[tuple[str, str]]:
    return [(r.place, r.state) for r in c2pa.check(data, sidecar, anchors)]


def test_both_hold_and_the_signature_too(attested: tuple[bytes, bytes], chain: Chain) -> None:
    embedded, sidecar = c2pa.check(*attested, chain.root)
    assert embedded == Report("embedded", "trusted", **CLAIMED)  # type: ignore[arg-type]
    assert sidecar == Report("sidecar", "trusted", **CLAIMED)  # type: ignore[arg-type]
    assert verify(attested[0], KEY.public).valid
    assert str(sidecar) == (
        "c2pa sidecar: trusted; signed as Photo desk, Example Press; c2pa.created, c2pa.transcoded; "
        "source digitalCapture"
    )


def test_without_anchors_anybody_may_have_signed(attested: tuple[bytes, bytes]) -> None:
    assert states(*attested) == [("embedded", "untrusted"), ("sidecar", "untrusted")]
    other = certificates.make("Example Press")  # the same names, another root
    assert states(*attested, other.root) == [("embedded", "untrusted"), ("sidecar", "untrusted")]


def test_the_library_alone_checks_the_sidecar(attested: tuple[bytes, bytes], tmp_path: Path) -> None:
    """As any tool of C2PA would, which knows nothing of slic."""
    import c2pa as library

    path = tmp_path / "a.slic"
    path.write_bytes(attested[0])
    with path.open("rb") as stream, library.Reader("application/octet-stream", stream, attested[1]) as reader:
        assert reader.get_validation_state() == "Valid"


def test_the_action_and_its_source_are_iptc_s(attested: tuple[bytes, bytes]) -> None:
    import io

    import c2pa as library

    with library.Reader(c2pa.MIME, io.BytesIO(attested[0]), attested[1]) as reader:
        actions = reader.get_active_manifest()["assertions"][0]["data"]["actions"]
    assert (actions[0]["action"], actions[0]["digitalSourceType"]) == ("c2pa.created", CAPTURE)
    assert actions[1]["softwareAgent"]["name"] == "slic"


@pytest.mark.parametrize(
    ("changed", "expected"),
    [
        ({"exif": b"other"}, ["invalid", "invalid"]),
        ({"exif": None}, ["invalid", "invalid"]),
        ({"latent": WORDS}, ["invalid", "invalid"]),
        ({"unknown": ()}, ["invalid", "invalid"]),
        ({"signature": None}, ["untrusted", "invalid"]),  # only the sidecar covers the signature
    ],
)
def test_what_changes_a_file_breaks_them(
    attested: tuple[bytes, bytes], changed: dict[str, Any], expected: list[str]
) -> None:
    data = serialise(replace(parse(attested[0]), **changed))
    found = c2pa.check(data, attested[1])
    assert [r.state for r in found] == expected
    assert found[1].failures == ("assertion.dataHash.mismatch",)


def test_manifests_of_another_file_do_not_hold(
    attested: tuple[bytes, bytes], definition: c2pa.Definition
) -> None:
    other = c2pa.embed(serialise(replace(FULL, c2pa=None, exif=None)), definition)
    moved = serialise(replace(parse(attested[0]), c2pa=parse(other).c2pa))
    assert states(moved, attested[1]) == [("embedded", "invalid"), ("sidecar", "invalid")]
    assert verify(moved, KEY.public).changed == (("c2pa", "altered"),)


@pytest.mark.parametrize("sidecar", [b"", b"no manifest", bytes(1000)])
def test_what_is_no_manifest_is_unreadable(sidecar: bytes) -> None:
    assert states(PLAIN, sidecar) == [("sidecar", "unreadable")]


def test_a_file_without_manifests_has_no_reports() -> None:
    assert c2pa.check(PLAIN) == ()


def test_a_changed_manifest_never_says_anything_else(attested: tuple[bytes, bytes], chain: Chain) -> None:
    """Its boxes have bytes that nobody signs: these may change, but not what is claimed, nor by whom."""
    choose = random.Random(14)
    data, sidecar = attested
    seen = set()
    for _ in range(1500):
        at = choose.randrange(len(sidecar))
        changed = sidecar[:at] + bytes([sidecar[at] ^ (1 << choose.randrange(8))]) + sidecar[at + 1 :]
        (_, report) = c2pa.check(data, changed, chain.root)
        seen.add(report.state)
        if report.state == "trusted":
            assert report == Report("sidecar", "trusted", **CLAIMED)  # type: ignore[arg-type]
    assert seen >= {"invalid", "unreadable"}


def test_the_signature_covers_each_byte_of_the_embedded_one(attested: tuple[bytes, bytes]) -> None:
    container = parse(attested[0])
    assert container.c2pa is not None
    for at in range(0, len(container.c2pa), 7):
        store = bytearray(container.c2pa)
        store[at] ^= 1
        assert not verify(serialise(replace(container, c2pa=bytes(store))), KEY.public).valid


def test_a_second_manifest_takes_the_place_of_the_first(definition: c2pa.Definition) -> None:
    twice = c2pa.embed(c2pa.embed(PLAIN, definition), definition)
    assert c2pa.without_manifest(parse(twice)) == PLAIN
    assert states(twice, None) == [("embedded", "untrusted")]


def test_the_guide_s_manifest_works(chain: Chain, tmp_path: Path) -> None:
    path = chain.write(tmp_path)
    guide = (Path(__file__).parents[3] / "docs" / "trust.md").read_text()
    path.write_text(guide.split("```json\n")[1].split("```")[0])
    assert states(c2pa.embed(PLAIN, c2pa.load(path)), None, chain.root) == [("embedded", "trusted")]


ACTIONS = [
    ([], "its first action is not c2pa.created or c2pa.opened"),
    ([{"action": "c2pa.edited"}, CREATED], "its first action is not c2pa.created or c2pa.opened"),
    ([{"action": "c2pa.created"}], "action c2pa.created has no digital source type of IPTC"),
    ([CREATED | {"digitalSourceType": "digitalCapture"}], "action c2pa.created has no digital source type"),
    ([CREATED | {"digitalSourceType": 7}], "action c2pa.created has no digital source type of IPTC"),
    ([CREATED, {"action": "c2pa.edited", "digitalSourceType": "x"}], "action c2pa.edited has no digital"),
]


@pytest.mark.parametrize(("actions", "reason"), ACTIONS)
def test_a_claim_must_say_how_the_picture_came_to_be(
    chain: Chain, tmp_path: Path, actions: list[Any], reason: str
) -> None:
    assertions = [{"label": "c2pa.actions.v2", "data": {"actions": actions}}]
    with pytest.raises(ManifestError, match=reason):
        c2pa.load(chain.write(tmp_path, assertions=assertions))


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("{", "not JSON: "),
        ("[" * 100_000, "not JSON: "),
        ("[]", "not a JSON object"),
        ("{}", "alg and private_key and sign_cert missing"),
        ('{"alg": "es256", "private_key": 1, "sign_cert": "a"}', "private_key missing"),
        ('{"alg": "es256", "private_key": "a", "sign_cert": "a", "ta_url": 1}', "ta_url is no address"),
    ],
)
def test_what_is_no_definition_is_refused(tmp_path: Path, text: str, reason: str) -> None:
    path = tmp_path / "manifest.json"
    path.write_text(text)
    with pytest.raises(ManifestError, match=reason):
        c2pa.load(path)


@pytest.mark.parametrize(
    "claim",
    [
        {"alg": "none"},
        {"alg": "ps256"},
        {"alg": "\ud800"},
        {"private_key": "root.pem"},
        {"sign_cert": "desk.pem"},
        {"assertions": [{"label": "c2pa.actions.v2", "data": {"actions": [{"action": "c2pa.opened"}]}}]},
    ],
)
def test_what_the_library_refuses_is_one_line(chain: Chain, tmp_path: Path, claim: dict[str, Any]) -> None:
    with pytest.raises(ManifestError) as refused:
        c2pa.embed(PLAIN, c2pa.load(chain.write(tmp_path, **claim)))
    assert "\n" not in str(refused.value)


def test_a_key_that_is_not_the_certificate_s_is_refused(chain: Chain, tmp_path: Path) -> None:
    path = chain.write(tmp_path)
    (tmp_path / "desk.pem").write_bytes(certificates.make().key)
    with pytest.raises(ManifestError, match="C2PA manifest"):
        c2pa.embed(PLAIN, c2pa.load(path))


def test_a_name_that_no_file_can_have(chain: Chain, tmp_path: Path) -> None:
    with pytest.raises(ManifestError, match="no file can have the name"):
        c2pa.load(chain.write(tmp_path, sign_cert="a\0b"))


def test_without_the_package_reports_are_unchecked(
    attested: tuple[bytes, bytes], chain: Chain, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "c2pa", None)
    assert [str(r) for r in c2pa.check(*attested)] == [
        "c2pa embedded: unchecked; c2pa-python is not installed",
        "c2pa sidecar: unchecked; c2pa-python is not installed",
    ]
    with pytest.raises(ManifestError, match="C2PA needs the package c2pa-python") as refused:
        c2pa.load(chain.write(tmp_path))
    assert refused.value.hint == "pip install 'slic[c2pa]'"


@pytest.mark.parametrize("pem", [b"", b"garbage", b"\xff"])
def test_anchors_are_certificates(tmp_path: Path, pem: bytes, chain: Chain) -> None:
    path = tmp_path / "root.pem"
    path.write_bytes(chain.root)
    assert c2pa.load_anchors(path) == chain.root
    path.write_bytes(pem)
    with pytest.raises(ManifestError, match="not a list of certificates in PEM"):
        c2pa.load_anchors(path)


def test_a_report_is_json(attested: tuple[bytes, bytes]) -> None:
    report = json.loads(json.dumps(c2pa.check(*attested)[0].as_dict()))
    assert report["actions"] == ["c2pa.created", "c2pa.transcoded"]
