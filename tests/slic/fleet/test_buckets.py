"""A job from bucket to bucket, by the command, with a Ray of its own."""

import io
import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

pytest.importorskip("ray", reason="ray comes with the extra [ray]")

from slic.codec import Codec
from slic.fleet.store import Store
from slic.models import Model
from tests.slic.fleet import buckets

ROOT = Path(__file__).parents[3]


def fleet(*arguments: str) -> dict[str, Any]:
    """The summary."""
    path = os.pathsep.join((str(ROOT), str(ROOT / "formats")))
    command = [sys.executable, "-m", "slic", "fleet", *arguments, "--json", "--workers", "1"]
    done = subprocess.run(command, env=os.environ | {"PYTHONPATH": path}, stdout=subprocess.PIPE, text=True)
    summary: dict[str, Any] = json.loads(done.stdout)
    return summary


def test_from_bucket_to_bucket_and_a_second_run_skips(
    tiny_model: Model, picture: Callable[..., NDArray[np.uint8]]
) -> None:
    with buckets.s3() as url:
        source, target = Store.at(f"{url}/in"), Store.at(f"{url}/out")
        codec, expected = Codec(tiny_model, device="cpu"), {}
        for seed in range(3):
            png = io.BytesIO()
            Image.fromarray(picture(48, 64, seed)).save(png, "PNG")
            source.write(f"sub/{seed}.png", png.getvalue())
            expected[f"sub/{seed}.slic"] = codec.encode(png.getvalue())
        source.write("none.png", b"no picture")
        job = ("encode", f"{url}/in", f"{url}/out", "-m", str(tiny_model.path), "--device", "cpu")
        first = fleet(*job)
        assert {name: target.read(name) for name in target.names()} == expected
        assert (first["inputs"], first["done"], first["failed"]) == (4, 3, 1)
        second = fleet(*job)
        assert (second["done"], second["skipped"], second["failed"]) == (0, 3, 1)
