"""The examples do what they say, with the embedded model."""

import io
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

import slic
from slic.trust import keys
from slic.trust.keys import SecretKey

ROOT = Path(__file__).parents[2]
EXAMPLES = ROOT / "examples"

Run = Callable[..., subprocess.CompletedProcess[bytes]]


@pytest.fixture
def run(tmp_path: Path) -> Run:
    """A program in an empty folder, where `slic` is a program and photo.png a picture of 128x128."""
    programs = tmp_path / "bin"
    programs.mkdir()
    (programs / "slic").write_text(f'#!/bin/sh\nexec {sys.executable} -m slic "$@"\n')
    (programs / "slic").chmod(0o755)
    here = tmp_path / "here"
    here.mkdir()
    with Image.open(EXAMPLES / "photo.png") as photo:
        photo.crop((300, 200, 428, 328)).save(here / "photo.png")
    env = os.environ | {
        "PATH": f"{programs}{os.pathsep}{os.environ['PATH']}",
        "PYTHONPATH": os.pathsep.join((str(ROOT), str(ROOT / "formats"))),
        "MAGICK_CONFIGURE_PATH": str(EXAMPLES / "imagemagick"),
    }

    def call(*command: str | Path, code: int = 0) -> subprocess.CompletedProcess[bytes]:
        done = subprocess.run([str(part) for part in command], cwd=here, env=env, capture_output=True)
        assert done.returncode == code, done.stderr.decode()
        return done

    call.here = here  # type: ignore[attr-defined]
    return call


def imagemagick() -> str | None:
    """Its program, by what it says of itself: others are called `convert`, too."""
    for name in ("magick", "convert"):
        path = shutil.which(name)
        if path and b"ImageMagick" in subprocess.run([path, "-version"], capture_output=True).stdout:
            return path
    return None


def test_imagemagick_reads_and_writes_slic(run: Run) -> None:
    magick = imagemagick()
    if magick is None:
        pytest.skip("needs ImageMagick")
    here: Path = run.here  # type: ignore[attr-defined]
    assert run(magick, "photo.png", "photo.slic").stdout == b""
    assert slic.info(here / "photo.slic").width == 128
    run(magick, "photo.slic", "-resize", "50%", "small.png")
    with Image.open(here / "small.png") as small:
        assert small.size == (64, 64)


def test_a_site_goes_out_signed_or_not_at_all(run: Run) -> None:
    here: Path = run.here  # type: ignore[attr-defined]
    keys.save(SecretKey(bytes(range(32))), here / "press", passphrase=None)
    (here / "policy.toml").write_text('name = "site"\n[signature]\nkeys = ["press.pub"]\n')
    (here / "public").mkdir()
    (here / "photo.png").rename(here / "public/photo.png")
    hook = (EXAMPLES / "pre_publish.sh", "public", "press.key", "policy.toml")
    run(*hook)
    made = here / "public/slic/photo.slic"
    assert slic.verify(made, here / "press.pub").valid
    before = made.stat().st_mtime_ns
    run(*hook)
    assert made.stat().st_mtime_ns == before
    made.write_bytes(made.read_bytes()[:-1])
    assert b"truncated" in run(*hook, code=3).stdout


def test_django_stores_slic_and_shows_jpeg(run: Run) -> None:
    pytest.importorskip("django", reason="django comes with the extra [dev]")
    here: Path = run.here  # type: ignore[attr-defined]
    (here / "ask.py").write_text(
        f"""
import sys
sys.path.insert(0, {str(EXAMPLES)!r})
import django_pictures
from django.test import Client
client = Client(SERVER_NAME="localhost")
with open("photo.png", "rb") as photo:
    print(client.post("/", {{"picture": photo}}).content.decode())
with open("media/photo.slic", "rb") as again:
    print(client.post("/", {{"picture": again}}).status_code)
print(client.post("/", {{}}).status_code)
open("shown.jpg", "wb").write(b"".join(client.get("/photo.slic")))
"""
    )
    stored, again, nothing = run(sys.executable, "ask.py").stdout.decode().splitlines()
    file = here / "media/photo.slic"
    assert json.loads(stored) == {"stored": "photo.slic", "bytes": file.stat().st_size}
    assert (again, nothing) == ("200", "400")
    with Image.open(here / "shown.jpg") as shown:
        assert shown.size == (128, 128)


def test_a_notebook_shows_what_was_edited() -> None:
    from tests.slic.trust.pages import found

    png = found("edited")._repr_png_()
    shown = np.asarray(Image.open(io.BytesIO(png))).astype(int)
    assert shown.shape == (192, 256, 3)
    assert (shown[40, 200, 0] - shown[40, 200, 1]) > 50  # red, in the edited region
