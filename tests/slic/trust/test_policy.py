"""Policies: what is read, and what is refused."""

from pathlib import Path

import pytest

from slic.errors import PolicyError
from slic.trust import policy
from slic.trust.policy import Outcome

EXAMPLES = Path(__file__).parents[3] / "examples/policies"


def load(tmp_path: Path, text: str) -> policy.Policy:
    (tmp_path / "p.toml").write_text(text)
    return policy.load(tmp_path / "p.toml")


def test_findings_that_are_not_named_have_their_defaults(tmp_path: Path) -> None:
    read = load(tmp_path, 'name = "p"\n[tamper]\nunclear = "pass"')
    assert read.outcome("tamper", "unclear") is Outcome.PASS
    assert read.outcome("tamper", "edited") is Outcome.REJECT
    assert read.outcome("container", "other_format") is Outcome.HOLD


def test_a_section_that_is_not_there_does_not_count(tmp_path: Path) -> None:
    assert list(load(tmp_path, 'name = "p"').rules) == ["container"]


def test_files_are_seen_from_the_policy(tmp_path: Path) -> None:
    assert load(tmp_path, 'name = "p"\n[signature]\nkeys = ["keys"]').keys == (tmp_path / "keys",)
    assert load(tmp_path, 'name = "p"\n[c2pa]\nanchors = "a.pem"').anchors == tmp_path / "a.pem"
    assert load(tmp_path, 'name = "p"\n[detector]\nfile = "d.json"').detector == tmp_path / "d.json"


def test_a_detector_alone_rejects_nothing() -> None:
    """A probability is no proof."""
    assert Outcome.REJECT not in policy.RULES["detector"].values()


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ("", 'it needs a name = "…"'),
        ('name = "a\\nb"', 'it needs a name = "…"'),
        ('name = "p"\ndescription = 3', "description must be text"),
        ('name = "p"\n[tampr]', "unknown setting tampr; did you mean tamper?"),
        ('name = "p"\n[tamper]\nedit = "hold"', "unknown setting tamper.edit; did you mean tamper.edited?"),
        ('name = "p"\n[tamper]\nedited = "hodl"', "tamper.edited must be pass, hold or reject"),
        ('name = "p"\n[tamper]\nmodel = 6', "tamper.model must be a model's name or file"),
        ('name = "p"\n[c2pa]\nanchors = []', "c2pa.anchors must be the name of a PEM file"),
        ('name = "p"\ntamper = 1', "[tamper] must be a section"),
        ('name = "p"\n[signature]', 'signature.keys must say who is trusted, as in keys = ["keys"]'),
        (
            'name = "p"\n[signature]\nkeys = [""]',
            'signature.keys must say who is trusted, as in keys = ["keys"]',
        ),
        ('name = "p"\n[detector]\nmodel = 6', "detector.model must be a model's name or file"),
        ('name = "p"\n[detector]\nfile = 6', "detector.file must be the name of a detector's file"),
    ],
)
def test_what_is_wrong_is_said(tmp_path: Path, text: str, fault: str) -> None:
    with pytest.raises(PolicyError) as refused:
        load(tmp_path, text)
    assert str(refused.value) == f"{tmp_path / 'p.toml'}: {fault}"


def test_all_faults_at_once(tmp_path: Path) -> None:
    with pytest.raises(PolicyError, match=r"name = .*; unknown setting x; unknown setting y"):
        load(tmp_path, "x = 1\ny = 2")


@pytest.mark.parametrize("data", [b"name =", b"\xff", b"#" * 70_000])
def test_what_is_no_toml_is_refused(tmp_path: Path, data: bytes) -> None:
    (tmp_path / "p.toml").write_bytes(data)
    with pytest.raises(PolicyError):
        policy.load(tmp_path / "p.toml")


@pytest.mark.parametrize("path", sorted(EXAMPLES.glob("*.toml")), ids=lambda path: path.stem)
def test_the_examples_are_policies(path: Path) -> None:
    read = policy.load(path)
    assert read.name == path.stem and read.description


def test_there_are_three_examples() -> None:
    assert len(list(EXAMPLES.glob("*.toml"))) == 3
