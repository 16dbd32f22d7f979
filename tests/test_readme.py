"""What the README shows works."""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
README = (ROOT / "README.md").read_text()


@pytest.mark.filterwarnings("ignore:.*wreckage")  # a decoded picture, encoded
def test_the_python_example_runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (block,) = re.findall(r"```python\n(.*?)```", README, re.S)
    assert len([line for line in block.splitlines() if line]) == 6
    (tmp_path / "examples").symlink_to(ROOT / "examples")
    monkeypatch.chdir(tmp_path)
    exec(compile(block, "README.md", "exec"), {})
    assert (tmp_path / "photo.slic").exists()


def test_links_lead_somewhere() -> None:
    links = re.findall(r"\]\(([^)#:]+)\)", README)
    assert links and all((ROOT / link).exists() for link in links)


@pytest.mark.parametrize(
    "command", ["pip install . && slic encode examples/photo.png", 'pip install -e ".[dev]" && pytest']
)
def test_ci_runs_what_the_readme_says(command: str) -> None:
    assert f"    {command}\n" in README
    ci = (ROOT / ".ci" / "run").read_text().replace("--quiet ", "")
    assert all(part in ci for part in command.split(" && "))
