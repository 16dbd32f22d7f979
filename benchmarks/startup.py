"""How long until a cold process has done its work?

    python -m benchmarks.startup [--runs 7] [--json]

`encode` is `slic encode` of examples/photo.png from a cold process; `over_torch` is what it takes beyond
importing torch and encoding in a warm process.
"""

import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import click

from benchmarks.data import EXAMPLES, Row, pictures, show


def measure(runs: int) -> Iterator[Row]:
    from slic import Codec

    photo = EXAMPLES / "photo.png"
    with tempfile.TemporaryDirectory() as folder:
        target = str(Path(folder) / "photo.slic")
        commands = {
            "python": ["-c", "pass"],
            "import slic": ["-c", "import slic"],
            "import torch": ["-c", "import torch"],
            "encode": ["-m", "slic", "encode", str(photo), "-o", target, "--force"],
            "info": ["-m", "slic", "info", target],
            "models list": ["-m", "slic", "models", "list"],
        }
        wall = {name: _median(arguments, runs) for name, arguments in commands.items()}
    codec, (_, pixels) = Codec(), next(pictures(EXAMPLES))
    codec.encode(pixels)
    began = time.perf_counter()
    codec.encode(pixels)
    warm = time.perf_counter() - began
    for name, seconds in wall.items():
        row: Row = {"command": name, "seconds": seconds}
        yield row | (
            {"over_torch": seconds - wall["import torch"] - warm} if name == "encode" else {"over_torch": ""}
        )


def _median(arguments: list[str], runs: int) -> float:
    times = []
    root = Path(__file__).parents[1]
    environment = os.environ | {"PYTHONPATH": f"{root}{os.pathsep}{root / 'formats'}"}
    for _ in range(runs + 1):
        began = time.perf_counter()
        subprocess.run([sys.executable, *arguments], check=True, capture_output=True, env=environment)
        times.append(time.perf_counter() - began)
    return statistics.median(times[1:])


@click.command()
@click.option("--runs", default=7, show_default=True)
@click.option("--json", "as_json", is_flag=True, help="One JSON object a row.")
def main(runs: int, as_json: bool) -> None:
    show(measure(runs), as_json=as_json)


if __name__ == "__main__":
    main()
