"""One verdict: each indicator with real files, and what a policy makes of it."""

import io
import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

import slic
from slic.codec import Codec
from slic.detection import detector
from slic.detection.detector import Answer, Detector
from slic.errors import ModelError, PolicyError
from slic.models import Model
from slic.trust import gate as module
from slic.trust import tamper
from slic.trust.gate import Gate, TrustReport
from slic.trust.keys import SecretKey, save
from slic.trust.policy import RULES, Outcome, Policy
from slic.trust.signature import sign_bytes, strip
from slic_formats import parse, serialise

KEY = SecretKey(bytes(range(32)))
PHOTO = Path(__file__).parents[3] / "examples/photo.png"


@pytest.fixture
def keys(tmp_path: Path) -> Path:
    folder = tmp_path / "keys"
    folder.mkdir()
    save(KEY, folder / "press", passphrase=None)
    (folder / "press.key").unlink()
    return folder


@pytest.fixture
def file(
    tiny_model: Model, picture: Callable[..., NDArray[np.uint8]], monkeypatch: pytest.MonkeyPatch
) -> bytes:
    monkeypatch.setenv("SLIC_MODELS", str(tiny_model.path.parent))
    return Codec(tiny_model, device="cpu").encode(picture(64, 80))


def policy(*sections: str, keys: Path | None = None) -> Policy:
    rules = {section: RULES[section] for section in ("container", *sections)}
    return Policy("p", "", rules, (keys,) if keys else ())


def names(report: TrustReport) -> list[str]:
    return [rule.name for rule in report.rules]


def test_a_whole_file_of_a_model_that_is_not_secured(file: bytes) -> None:
    report = slic.gate(file, policy())
    assert names(report) == ["container.slic", "container.unsecured_model"]
    assert report.verdict is Outcome.HOLD
    assert str(report).startswith("hold: container.unsecured_model (model tiny-")


def test_a_file_whose_model_is_not_here(file: bytes, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SLIC_MODELS", "")
    report = slic.gate(file, policy("tamper"))
    assert names(report) == ["container.slic", "container.unknown_model", "tamper.unclear"]


def test_a_file_that_is_cut_is_judged_no_further(file: bytes, keys: Path) -> None:
    report = slic.gate(file[:-1], policy("signature", "tamper", keys=keys))
    assert names(report) == ["container.unreadable"]
    assert report.verdict is Outcome.REJECT


@pytest.mark.parametrize("data", [b"", b"GIF89a", b"no picture at all", b"\x89PNG\r\n\x1a\n" + bytes(40)])
def test_whatever_the_bytes_are_they_get_a_verdict(data: bytes) -> None:
    assert names(slic.gate(data, policy())) == ["container.unreadable"]


def test_a_picture_in_another_format(picture: Callable[..., NDArray[np.uint8]], keys: Path) -> None:
    stream = io.BytesIO()
    Image.fromarray(picture(64, 80)).save(stream, "PNG")
    report = slic.gate(stream.getvalue(), policy("signature", keys=keys))
    assert names(report) == ["container.other_format", "signature.unsigned"]
    assert report.rules[0].because == "a PNG, not a .slic file"


def test_signatures(file: bytes, keys: Path) -> None:
    signed = sign_bytes(file, KEY, "")
    other = sign_bytes(file, SecretKey(bytes(32)), "")
    judge = Gate(policy("signature", keys=keys)).judge
    assert names(judge(file))[-1] == "signature.unsigned"
    assert names(judge(signed))[-1] == "signature.valid"
    assert names(judge(other))[-1] == "signature.unknown_signer"
    container = parse(signed)
    assert container.signature is not None
    wrong = container.signature.value[:-1] + bytes([container.signature.value[-1] ^ 1])
    altered = serialise(replace(container, signature=replace(container.signature, value=wrong)))
    assert names(judge(altered))[-1] == "signature.altered"
    (keys / "press.pub").write_text((keys / "press.pub").read_text() + "revoked: stolen\n")
    assert names(Gate(policy("signature", keys=keys)).judge(signed))[-1] == "signature.revoked"


def test_metadata_that_was_dropped_is_a_rule_of_its_own(tiny_model: Model, file: bytes, keys: Path) -> None:
    whole = serialise(replace(parse(file), exif=b"Exif\0\0II*\0\x08\0\0\0\0\0\0\0\0\0"))
    signed = sign_bytes(whole, KEY, "")
    container, _ = strip(parse(signed), exif=True, xmp=False)
    report = slic.gate(serialise(container), policy("signature", keys=keys))
    assert names(report)[-2:] == ["signature.valid", "signature.metadata_removed"]


@pytest.mark.parametrize("finding", list(tamper.Finding))
def test_every_finding_of_the_tamper_map_is_a_rule(
    finding: tamper.Finding, file: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = tamper.check(file)
    monkeypatch.setattr(tamper, "check", lambda *_, **__: replace(real, finding=finding, reason="so it is"))
    report = slic.gate(file, policy("tamper"))
    assert names(report)[-1] == f"tamper.{finding.name.lower()}"
    assert report.rules[-1].because == "so it is"


@pytest.mark.parametrize("answer", list(Answer))
def test_every_answer_of_the_detector_is_a_rule(answer: Answer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Detector, "judge", lambda *_: detector.Finding(answer, "so it looks"))
    report = slic.gate(PHOTO, policy("detector"))
    assert report.rules[-1].name == f"detector.{answer.value}"
    assert report.rules[-1].because == "so it looks"


def test_a_file_that_cannot_be_decoded_leaves_the_detector_unsure(
    file: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SLIC_MODELS", "")
    assert names(slic.gate(file, policy("detector")))[-1] == "detector.unsure"


def test_a_policy_whose_detector_is_another_models_judges_nothing(tiny_model: Model) -> None:
    other = replace(policy("detector"), detector_model=str(tiny_model.path))
    with pytest.raises(ModelError, match="the detector was fitted on model"):
        Gate(other)


def test_the_gravest_outcome_is_the_verdict_and_names_its_rules() -> None:
    findings = (module.Finding("signature", "valid", "a"), module.Finding("tamper", "edited", "b"))
    report = module.apply(policy("signature", "tamper"), module.Evidence(findings, {}))
    assert (report.verdict, str(report)) == (Outcome.REJECT, "reject: tamper.edited (b)")


def test_indicators_come_before_the_verdict_in_json(file: bytes, keys: Path) -> None:
    report = slic.gate(file, policy("signature", "tamper", keys=keys)).as_dict()
    assert list(report) == ["indicators", "policy", "rules", "verdict"]
    assert list(report["indicators"]) == ["file", "container", "signature", "tamper"]
    assert json.loads(json.dumps(report)) == report


def test_keys_that_are_not_there_are_the_policys_fault(tmp_path: Path) -> None:
    with pytest.raises(PolicyError, match=r"^policy p names what is not there: .*keys$"):
        Gate(policy("signature", keys=tmp_path / "keys"))


def test_a_policy_in_a_file(file: bytes, keys: Path, tmp_path: Path) -> None:
    (tmp_path / "p.toml").write_text(
        'name = "p"\n[container]\nunsecured_model = "pass"\n[signature]\nkeys = ["keys"]'
    )
    (tmp_path / "a.slic").write_bytes(sign_bytes(file, KEY, ""))
    assert slic.gate(tmp_path / "a.slic", tmp_path / "p.toml").passed
