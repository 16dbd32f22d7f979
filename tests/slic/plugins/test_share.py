"""share/: what tells a desktop and `file` about `.slic` agrees with the format."""

import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path
from xml.etree import ElementTree

import numpy as np
import pytest
from numpy.typing import NDArray

from slic.codec import Codec
from slic.models import Model
from slic_formats import FILE_SIGNATURE

SHARE = Path(__file__).parents[3] / "share"
MIME = "{http://www.freedesktop.org/standards/shared-mime-info}"
MAGIC = SHARE / "magic" / "slic"


def unescaped(text: str) -> bytes:
    return text.encode("ascii").decode("unicode_escape").encode("latin-1")


def test_the_mime_type_knows_the_signature() -> None:
    (kind,) = ElementTree.parse(SHARE / "mime" / "slic.xml").getroot()
    assert (kind.tag, kind.get("type")) == (f"{MIME}mime-type", "image/x-slic")
    (match,) = kind.findall(f"{MIME}magic/{MIME}match")
    assert (match.get("type"), match.get("offset")) == ("string", "0")
    assert unescaped(match.get("value", "")) == FILE_SIGNATURE
    assert [glob.get("pattern") for glob in kind.findall(f"{MIME}glob")] == ["*.slic"]


def test_the_magic_knows_the_signature() -> None:
    rule = next(line for line in MAGIC.read_text().splitlines() if line.startswith("0"))
    assert unescaped(rule.split()[2]) == FILE_SIGNATURE


@pytest.mark.skipif(shutil.which("file") is None, reason="file(1) is not installed")
@pytest.mark.parametrize("mode", ["grey", "RGB"])
def test_file_describes_a_picture(
    mode: str, tiny_model: Model, picture: Callable[..., NDArray[np.uint8]], tmp_path: Path
) -> None:
    pixels = picture(30, 300)
    path = tmp_path / "a.slic"
    path.write_bytes(Codec(tiny_model).encode(pixels[:, :, 0] if mode == "grey" else pixels))
    ask = ["file", "-b", "-m", str(MAGIC)]
    said = subprocess.run([*ask, str(path)], capture_output=True, text=True, check=True)
    assert said.stdout == f"SLIC image data, version 1.0, 300 x 30, {mode}\n"
    assert said.stderr == ""
    kind = subprocess.run([*ask, "--mime-type", str(path)], capture_output=True, text=True, check=True).stdout
    assert kind == "image/x-slic\n"
