"""A cluster by the commands of docs/fleet.md, twice on this machine, and a job that is given to it."""

import json
import os
import re
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

pytest.importorskip("ray", reason="ray comes with the extra [ray]")

from slic.codec import Codec
from slic.models import Model

ROOT = Path(__file__).parents[3]
RAY = (sys.executable, "-m", "ray.scripts.scripts")
PATIENCE = 300  # seconds: the machine may be busy with other things


@contextmanager
def node(env: dict[str, str], *where: str) -> Iterator[None]:
    """A machine of the cluster, until it is told to end."""
    small = ("--num-cpus", "1", "--object-store-memory", str(80 << 20))
    command = [*RAY, "start", *where, *small, "--disable-usage-stats", "--block"]
    process = subprocess.Popen(command, env=env, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        yield
    finally:
        process.terminate()
        process.wait(PATIENCE)


def _until_up(env: dict[str, str], address: str, nodes: int) -> None:
    until = time.monotonic() + PATIENCE
    while time.monotonic() < until:
        asked = subprocess.run(
            [*RAY, "status", "--address", address], env=env, capture_output=True, text=True
        )
        if len(re.findall(r"^ 1 node_", asked.stdout, re.MULTILINE)) == nodes:
            return
    raise TimeoutError(asked.stdout + asked.stderr)


def test_two_machines_that_share_a_token_work_on_one_job(
    tmp_path: Path, tiny_model: Model, picture: Callable[..., NDArray[np.uint8]]
) -> None:
    path = os.pathsep.join((str(ROOT), str(ROOT / "formats")))
    env = os.environ | {"HOME": str(tmp_path), "PYTHONPATH": path, "RAY_AUTH_MODE": "token"}
    (tmp_path / "in").mkdir()
    for seed in range(6):
        Image.fromarray(picture(48, 64, seed)).save(tmp_path / f"in/{seed}.png")
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = str(free.getsockname()[1])
    address = f"127.0.0.1:{port}"
    subprocess.run([*RAY, "get-auth-token", "--generate"], env=env, check=True, capture_output=True)
    with ExitStack() as cluster:
        cluster.enter_context(node(env, "--head", "--port", port, "--include-dashboard", "false"))
        _until_up(env, address, 1)
        cluster.enter_context(node(env, "--address", address))
        _until_up(env, address, 2)
        job = ("fleet", "encode", "in", "out", "--address", address, "-m", str(tiny_model.path), "--json")
        done = subprocess.run(
            [sys.executable, "-m", "slic", *job], env=env, cwd=tmp_path, stdout=subprocess.PIPE, text=True
        )
    assert json.loads(done.stdout)["done"] == 6
    codec = Codec(tiny_model, device="cpu")
    for seed in range(6):
        made = (tmp_path / f"out/{seed}.slic").read_bytes()
        assert made == codec.encode(tmp_path / f"in/{seed}.png")
