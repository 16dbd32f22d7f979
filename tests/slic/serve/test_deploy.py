"""What lies in deploy/, by the programs that read it. No image is built here, no unit started by systemd."""

import json
import os
import re
import shlex
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx2
import pytest

from tests.slic.serve.asking import PATIENCE, ROOT, Running

DEPLOY = ROOT / "deploy"
UNIT = (DEPLOY / "slic.service").read_text()
BORNE = {"authorization": "Bearer secret"}
NGINX = """
daemon off; master_process off; pid pid; error_log stderr;
events {{}}
http {{
    access_log off;
    client_body_temp_path body; proxy_temp_path proxy;
    fastcgi_temp_path fastcgi; uwsgi_temp_path uwsgi; scgi_temp_path scgi;
    server {{
        listen 127.0.0.1:{port};
        {ours}
    }}
}}
"""

Start = Callable[..., Running]


def program(name: str) -> str:
    found = shutil.which(name, path=f"{os.environ['PATH']}{os.pathsep}/usr/sbin")
    return found or pytest.skip(f"needs {name}")


@pytest.fixture
def unit(tmp_path: Path) -> Path:
    """The unit, of a slic that is installed."""
    (tmp_path / "slic").touch(0o755)
    (tmp_path / "slic.service").write_text(UNIT.replace("/opt/slic/bin/slic", str(tmp_path / "slic")))
    return tmp_path / "slic.service"


def test_systemd_finds_no_fault_with_the_unit(unit: Path) -> None:
    command = [program("systemd-analyze"), "verify", "--man=no", str(unit)]
    done = subprocess.run(command, capture_output=True, text=True)
    assert (done.returncode, done.stderr) == (0, "")


def test_systemd_finds_it_little_exposed(unit: Path) -> None:
    command = [program("systemd-analyze"), "security", "--offline=true", "--threshold=25", str(unit)]
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout


def test_what_the_unit_starts_runs_and_ends_as_it_says(running: Start, tmp_path: Path) -> None:
    (tmp_path / "token").write_text("secret\n")
    (said,) = re.findall(r"^ExecStart=(.*)$", UNIT, re.MULTILINE)
    _, serve, *options = shlex.split(said.replace("${CREDENTIALS_DIRECTORY}", str(tmp_path)))
    service = running(*options)
    assert serve == "serve"
    assert httpx2.get(f"{service.url}/metrics", timeout=PATIENCE).status_code == 401
    assert httpx2.get(f"{service.url}/metrics", headers=BORNE, timeout=PATIENCE).status_code == 200
    service.ask_to_end()
    assert service.process.wait(PATIENCE) in (0, -signal.SIGTERM)  # systemd takes both for a good end


@contextmanager
def proxy(service: Running, folder: Path) -> Iterator[str]:
    """The address of an nginx with our part of its configuration in front of a service."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    ours = (DEPLOY / "nginx.conf").read_text().replace("http://127.0.0.1:8000", service.url)
    (folder / "nginx.conf").write_text(NGINX.format(port=port, ours=ours))
    command = [program("nginx"), "-p", str(folder), "-c", "nginx.conf", "-e", "stderr"]
    checked = subprocess.run([*command, "-t"], capture_output=True, text=True)
    assert checked.returncode == 0 and "[warn]" not in checked.stderr, checked.stderr
    process = subprocess.Popen(command)
    try:
        _until_open(port)
        yield f"http://127.0.0.1:{port}"
    finally:
        process.terminate()
        process.wait()


def _until_open(port: int) -> None:
    until = time.monotonic() + PATIENCE
    while time.monotonic() < until:
        try:
            socket.create_connection(("127.0.0.1", port)).close()
            return
        except ConnectionRefusedError:
            time.sleep(0.1)
    raise TimeoutError("nginx does not come up")


def test_nginx_passes_on_what_it_is_asked(running: Start, tmp_path: Path, png: bytes, file: bytes) -> None:
    (tmp_path / "token").write_text("secret\n")
    limits = ("--max-bytes", "100000", "--token-file", str(tmp_path / "token"))
    service = running("--allow-host", "slic.example.org", *limits)
    with (
        proxy(service, tmp_path) as url,
        httpx2.Client(base_url=url, headers={"host": "slic.example.org"}, timeout=PATIENCE) as client,
    ):
        assert client.post("/encode", content=png).status_code == 401
        client.headers.update(BORNE)
        assert client.post("/encode", content=png).content == file
        assert client.post("/encode", content=iter([png[:99], png[99:]])).content == file
        assert client.post("/check", content=bytes(100_001)).json()["error"] == "more than 100000 bytes"
        assert client.get("/", headers={"host": "elsewhere.example"}).status_code == 400
        assert "Check a picture" in client.get("/").text


def test_the_containers_health_is_the_services(running: Start) -> None:
    (said,) = re.findall(r"^HEALTHCHECK CMD (.*)$", (DEPLOY / "Containerfile").read_text(), re.MULTILINE)
    service = running()
    _, *asks = json.loads(said.replace("http://127.0.0.1:8000", service.url))
    assert subprocess.run([sys.executable, *asks]).returncode == 0
    service.ask_to_end()
    service.process.wait(PATIENCE)
    assert subprocess.run([sys.executable, *asks], stderr=subprocess.DEVNULL).returncode != 0
