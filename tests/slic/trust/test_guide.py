"""The commands of docs/trust.md, run one after another, do what it says."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[3]
GUIDE = (ROOT / "docs" / "trust.md").read_text()


@pytest.mark.skipif(os.name != "posix", reason="needs a shell")
def test_the_guide_works(tmp_path: Path) -> None:
    (tmp_path / "photo.png").symlink_to(ROOT / "examples" / "photo.png")
    (tmp_path / "passphrase").write_text("correct horse")
    blocks = re.findall(r"```sh\n(.*?)```", GUIDE, re.S)
    script = [f'slic() {{ "{sys.executable}" -m slic "$@"; }}', "set -e", *blocks]
    script += ["slic verify photo.slic --keys trusted || test $? = 3"]
    path = os.pathsep.join((str(ROOT), str(ROOT / "formats")))
    env = os.environ | {"PYTHONPATH": path, "SLIC_PASSPHRASE_FILE": "passphrase"}
    done = subprocess.run(
        ["sh", "-c", "\n".join(script)], cwd=tmp_path, env=env, capture_output=True, text=True, check=True
    )
    said = re.sub(r"\([0-9a-f]{16}\)", "(86af8baf5c0077e5)", done.stdout)
    documented = re.search(r"    (photo\.slic: valid: .*)\n", GUIDE)
    assert documented and documented[1] in said
    assert "public.slic: valid: signed by example-press (86af8baf5c0077e5)" in said
    assert (
        "revoked: signed by example-press (86af8baf5c0077e5), whose key was revoked: laptop stolen on" in said
    )
