"""slic serve: how it starts, and when it does not; what it answers is tests/slic/serve's."""

import sys
from pathlib import Path
from typing import Any

import pytest
from calls import MODEL, Slic  # type: ignore[import-not-found]

from slic.trust.keys import load_public


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    """Settings, host and port of the service that would have run."""
    server = pytest.importorskip("slic.serve.server", reason="fastapi comes with the extra [serve]")
    seen: list[Any] = []
    monkeypatch.setattr(server, "run", lambda *arguments: seen.extend(arguments))
    return seen


def test_it_listens_on_this_machine_alone(slic: Slic, asked: list[Any]) -> None:
    result = slic("serve", "-m", MODEL)
    settings, host, port = asked
    assert (result.exit_code, result.stderr, host, port) == (0, "", "127.0.0.1", 8000)
    assert settings.hosts == ("localhost", "127.0.0.1", "[::1]")


def test_elsewhere_it_warns_unless_there_is_a_token(slic: Slic, asked: list[Any]) -> None:
    assert "--token-file" in slic("serve", "--host", "0.0.0.0").stderr
    Path("token").write_text("secret\n")
    assert slic("serve", "--host", "0.0.0.0", "--token-file", "token").stderr == ""
    assert asked[-3].token == "secret"


def test_a_key_that_signs_asks_for_a_token(slic: Slic, asked: list[Any]) -> None:
    slic("keygen", "press", "--no-passphrase")
    Path("token").write_text("secret\n")
    said = "slic: warning: whoever reaches this address may have pictures signed; --token-file asks them"
    assert slic("serve", "--sign", "press.key").stderr.startswith(said)
    assert slic("serve", "--sign", "press.key", "--comment", "Press", "--token-file", "token").stderr == ""
    assert (asked[-3].signer.public.raw, asked[-3].comment) == (load_public("press.pub").raw, "Press")


def test_the_token_may_come_from_the_environment(
    slic: Slic, asked: list[Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SLIC_TOKEN", "secret")
    slic("serve")
    assert asked[0].token == "secret"


def test_an_empty_token_file_locks_nobody_in_or_out(slic: Slic, asked: list[Any]) -> None:
    Path("token").write_text("\n")
    result = slic("serve", "--token-file", "token")
    assert (result.exit_code, asked) == (1, [])
    assert result.stderr == "slic: token: its first line is no token, but empty\n"


def test_without_the_extra_it_says_what_to_install(slic: Slic, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in [name for name in sys.modules if name.startswith("slic.serve")]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, "uvicorn", None)
    result = slic("serve")
    assert result.exit_code == 1
    assert result.stderr == ("slic: slic serve needs more packages\nslic: hint: pip install 'slic[serve]'\n")
