"""A service with a tiny model, asked in this process; and one in a process of its own."""

import os
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

pytest.importorskip("fastapi", reason="fastapi comes with the extra [serve]")

import httpx2
from PIL import Image
from starlette.testclient import TestClient

from slic.codec import Codec
from slic.models import Model
from slic.serve.app import create
from slic.serve.settings import Settings
from tests.slic.serve.asking import PATIENCE, ROOT, Ask, Running


@pytest.fixture
def serve(tiny_model: Model, monkeypatch: pytest.MonkeyPatch) -> Iterator[Ask]:
    """Makes a client of a new service, with settings of its own."""
    monkeypatch.setenv("SLIC_MODELS", str(tiny_model.path.parent))
    opened = []

    def make(**chosen: Any) -> TestClient:
        own = {"model": str(tiny_model.path), "device": "cpu", "timeout": PATIENCE} | chosen
        client = TestClient(create(Settings(**own)), "http://localhost", raise_server_exceptions=False)
        opened.append(client)
        return client.__enter__()

    yield make
    for client in opened:
        client.__exit__(None, None, None)


@pytest.fixture
def client(serve: Ask) -> TestClient:
    return serve()


@pytest.fixture(scope="session")
def png(picture: Callable[..., NDArray[np.uint8]], tmp_path_factory: pytest.TempPathFactory) -> bytes:
    """A picture of 80x64."""
    path = tmp_path_factory.mktemp("png") / "a.png"
    Image.fromarray(picture(64, 80)).save(path)
    return path.read_bytes()


@pytest.fixture(scope="session")
def file(tiny_model: Model, png: bytes) -> bytes:
    """The same as a `.slic` file."""
    return Codec(tiny_model, device="cpu").encode(png)


@pytest.fixture
def running(tiny_model: Model) -> Iterator[Callable[..., Running]]:
    """Starts `slic serve` and waits until it is up."""
    path = os.pathsep.join((str(ROOT), str(ROOT / "formats")))
    env = os.environ | {"PYTHONPATH": path, "SLIC_MODELS": str(tiny_model.path.parent)}
    started: list[subprocess.Popen[str]] = []

    def start(*options: str) -> Running:
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            port = free.getsockname()[1]
        command = [sys.executable, "-m", "slic", "serve", "--port", str(port), "--device", "cpu"]
        command += ["-m", str(tiny_model.path), "--timeout", str(PATIENCE), *options]
        process = subprocess.Popen(command, env=env, stderr=subprocess.PIPE, text=True)
        started.append(process)
        one = Running(process, f"http://127.0.0.1:{port}")
        _wait(one)
        return one

    yield start
    for process in started:
        process.kill()
        process.communicate()


def _wait(one: Running) -> None:
    until = time.monotonic() + PATIENCE
    while time.monotonic() < until:
        assert one.process.poll() is None, one.process.communicate()[1]
        try:
            if httpx2.get(f"{one.url}/healthz", timeout=PATIENCE).status_code == 200:
                return
        except httpx2.TransportError:
            time.sleep(0.1)
    raise TimeoutError("slic serve does not come up")
