"""Promise 5: what needs no network loads no torch, and is quick."""

import os
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from slic.codec import Codec
from slic.models import Model

ROOT = Path(__file__).parents[2]
HEAVY = ("torch", "numpy", "PIL", "constriction", "tqdm", "fastapi", "uvicorn")
RUN = "import sys; from slic.cli import program; program.main(sys.argv[1:])"


@pytest.fixture
def file(tmp_path: Path, tiny_model: Model, picture: Callable[..., NDArray[np.uint8]]) -> Path:
    path = tmp_path / "a.slic"
    path.write_bytes(Codec(tiny_model).encode(picture(30, 40)))
    return path


@pytest.fixture
def python(tiny_model: Model) -> Callable[..., str]:
    path = os.pathsep.join((str(ROOT), str(ROOT / "formats")))
    env = os.environ | {"PYTHONPATH": path, "SLIC_MODELS": str(tiny_model.path.parent)}

    def call(*args: str) -> str:
        done = subprocess.run([sys.executable, *args], env=env, capture_output=True, text=True, check=True)
        return done.stdout

    return call


def loaded(python: Callable[..., str], code: str, *args: str) -> list[str]:
    """Which heavy modules the code leaves behind."""
    said = f"import sys, atexit; atexit.register(lambda: print(*(m for m in {HEAVY} if m in sys.modules)))"
    return python("-c", f"{said}\n{code}", *args).splitlines()[-1].split()


def test_import_slic_is_light(python: Callable[..., str]) -> None:
    assert loaded(python, "import slic; dir(slic)") == []


def test_info_is_light(python: Callable[..., str], file: Path) -> None:
    assert loaded(python, "import sys, slic; slic.info(sys.argv[1])", str(file)) == []
    assert loaded(python, RUN, "info", str(file)) == []


@pytest.fixture
def signed(file: Path) -> Path:
    """a.slic, signed by the key in press.key and press.pub beside it."""
    from slic.trust import keys, signature

    key = keys.make()
    keys.save(key, file.with_name("press"), passphrase=None)
    file.write_bytes(signature.sign_bytes(file.read_bytes(), key))
    return file


def test_verify_is_light(python: Callable[..., str], signed: Path) -> None:
    code, key = (
        "import sys, slic; assert slic.verify(*sys.argv[1:]).valid",
        str(signed.with_name("press.pub")),
    )
    assert loaded(python, code, str(signed), key) == []
    assert loaded(python, RUN, "verify", str(signed), "--key", key) == []


def test_sign_and_strip_are_light(python: Callable[..., str], signed: Path) -> None:
    key = str(signed.with_name("press.key"))
    assert loaded(python, RUN, "sign", str(signed), "--key", key) == []
    assert loaded(python, RUN, "strip", "--exif", str(signed)) == []


@pytest.mark.parametrize("args", [("models", "list"), ("--help",), ("encode", "--help"), ("serve", "--help")])
def test_commands_without_pictures_are_light(python: Callable[..., str], args: tuple[str, ...]) -> None:
    assert loaded(python, RUN, *args) == []


def test_info_and_verify_answer_soon(python: Callable[..., str], signed: Path) -> None:
    def fastest(*args: str) -> float:
        """Of some, beside what Python itself takes: other work on the machine is not ours."""
        return min(seconds(*args) for _ in range(5))

    def seconds(*args: str) -> float:
        started = time.perf_counter()
        python(*args)
        return time.perf_counter() - started

    bare = fastest("-c", "pass")
    assert fastest("-m", "slic", "info", str(signed)) < max(0.25, 20 * bare)
    key = str(signed.with_name("press.pub"))
    assert fastest("-m", "slic", "verify", str(signed), "--key", key) < max(0.3, 20 * bare)
