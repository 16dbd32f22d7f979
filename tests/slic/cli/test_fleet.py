"""slic fleet: what the options ask for, and how it ends; what a job does is tests/slic/fleet's."""

import json
import sys
from pathlib import Path
from typing import Any

import pytest
from calls import MODEL, WARNING, Slic  # type: ignore[import-not-found]

from slic.trust import keys
from slic.trust.keys import SecretKey


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    """Arguments of the job that would have run; its summary may be set."""
    job = pytest.importorskip("slic.fleet.job", reason="ray comes with the extra [ray]")
    seen: dict[str, Any] = {"summary": job.Summary(3, 2, 0, 1, 0, 1.0)}

    def run(task: Any, source: str, target: str, options: Any, cluster: Any) -> Any:
        seen.update(task=task.__name__, source=source, target=target, options=options, cluster=cluster)
        return seen["summary"]

    monkeypatch.setattr(job, "run", run)
    return seen


def test_what_is_asked_for_is_done(slic: Slic, asked: dict[str, Any]) -> None:
    result = slic("fleet", "encode", "in/", "s3://a/out", "-q", "4", "--workers", "3", "--gpus", "0.5")
    assert (result.exit_code, result.stdout) == (
        0,
        "s3://a/out: 3 inputs: 2 done, 1 done before, 0 failed, in 1.0 seconds\n",
    )
    assert (asked["task"], asked["source"], asked["options"].quality) == ("Encode", "in/", 4)
    assert (asked["cluster"].workers, asked["cluster"].gpus) == (3, 0.5)


def test_failures_are_named(slic: Slic, asked: dict[str, Any]) -> None:
    asked["summary"] = type(asked["summary"])(
        2, 1, 0, 0, 1, 1.0, ({"input": "a.slic", "reason": "truncated"},)
    )
    result = slic("fleet", "decode", "in/", "out/")
    assert result.exit_code == 1
    assert result.stderr.startswith("slic: a.slic: truncated\nslic: hint: .slic-fleet/failures.jsonl")


def test_warnings_are_counted_and_named(slic: Slic, asked: dict[str, Any]) -> None:
    said = {"input": "a.gif", "reason": "only the first frame is kept"}
    asked["summary"] = type(asked["summary"])(1, 1, 0, 0, 0, 1.0, warnings=(said,))
    result = slic("fleet", "encode", "in/", "out/", "-m", MODEL)
    assert result.stdout.endswith(" 0 failed, 1 with a warning, in 1.0 seconds\n")
    assert result.stderr == WARNING + "slic: warning: a.gif: only the first frame is kept\n"
    assert json.loads(slic("fleet", "encode", "in/", "out/", "--json").stdout)["warned"] == 1


def test_a_negative_verdict_outweighs_a_failure(slic: Slic, asked: dict[str, Any]) -> None:
    keys.save(SecretKey(bytes(range(32))), Path("press"), passphrase=None)
    asked["summary"] = type(asked["summary"])(3, 3, 2, 0, 0, 1.0)
    result = slic("fleet", "verify", "in/", "out/", "--key", "press.pub", "--json")
    assert result.exit_code == 3
    assert json.loads(result.stdout)["negative"] == 2
    assert [key.name for key in asked["options"].keys] == ["press"]


def test_without_the_extra_it_says_what_to_install(slic: Slic, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in [name for name in sys.modules if name.startswith("slic.fleet")]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, "fsspec", None)
    result = slic("fleet", "check", "in/", "out/")
    assert result.exit_code == 1
    assert result.stderr == "slic: slic fleet needs more packages\nslic: hint: pip install 'slic[ray]'\n"
