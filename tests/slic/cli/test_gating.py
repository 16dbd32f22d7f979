"""slic gate: what is said and how it ends; the verdicts are tests/slic/trust/test_gate.py's."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from calls import Slic  # type: ignore[import-not-found]


@pytest.fixture
def policy(slic: Slic) -> None:
    Path("p.toml").write_text('name = "p"\n[container]\nunsecured_model = "pass"\nother_format = "reject"\n')


def test_pass_exits_with_0(slic: Slic, policy: None, file: Path) -> None:
    result = slic("gate", "photo.slic", "--policy", "p.toml")
    said = "photo.slic: pass: container.slic (a whole .slic file); container.unsecured_model (model "
    assert result.stdout.startswith(said)
    assert (result.stderr, result.exit_code) == ("", 0)


def test_anything_else_exits_with_3(slic: Slic, policy: None, photo: Path) -> None:
    result = slic("gate", "photo.png", "--policy", "p.toml")
    assert result.stdout == "photo.png: reject: container.other_format (a PNG, not a .slic file)\n"
    assert result.exit_code == 3


def test_what_is_not_there_exits_with_1(slic: Slic, policy: None) -> None:
    result = slic("gate", "missing.slic", "--policy", "p.toml")
    assert (result.stderr, result.exit_code) == ("slic: missing.slic: no such file or directory\n", 1)


def test_a_folder_is_gone_through_whatever_lies_in_it(slic: Slic, policy: None, file: Path) -> None:
    Path("notes.txt").write_text("no picture")
    result = slic("gate", "-r", ".", "--policy", "p.toml", "--json")
    verdicts = {row["input"]: row["verdict"] for row in map(json.loads, result.stdout.splitlines())}
    assert verdicts == {"notes.txt": "reject", "p.toml": "reject", "photo.slic": "pass"}


def test_standard_input(slic: Slic, policy: None, file: Path) -> None:
    assert slic("gate", "-", "--policy", "p.toml", input=file.read_bytes()).exit_code == 0


def test_a_policy_with_a_fault_judges_nothing(slic: Slic, file: Path) -> None:
    Path("p.toml").write_text('name = "p"\n[tamper]\nedit = "hold"\n')
    result = slic("gate", "photo.slic", "--policy", "p.toml")
    fault = "slic: p.toml: unknown setting tamper.edit; did you mean tamper.edited?\n"
    assert (result.stdout, result.stderr, result.exit_code) == ("", fault, 1)


def test_without_a_tamper_map_no_torch_is_loaded(slic: Slic, policy: None, file: Path) -> None:
    code = "import sys; from slic.cli import program\ntry: program.main(sys.argv[1:])\n"
    code += "finally: print('torch' in sys.modules)"
    command = [sys.executable, "-c", code, "gate", "photo.slic", "--policy", "p.toml"]
    root = Path(__file__).parents[3]
    env = os.environ | {"PYTHONPATH": os.pathsep.join((str(root), str(root / "formats")))}
    done = subprocess.run(command, env=env, capture_output=True, text=True, check=True)
    assert done.stdout.splitlines()[-1] == "False"
