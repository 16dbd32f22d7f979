"""Is a fleet on one machine as fast as `slic encode -r -j` there, and what does its start cost?

    python -m benchmarks.fleet --images DIR [--pictures 640] [--few 64] [--workers 2] [--json]

Each command encodes a folder of `pictures`, those of DIR again and again under names of their own, and before
it one of the first few, in a process of its own from its start to its end. `picture_s` is what each of the
pictures takes that the large folder has more than the small one; `start_s` is the rest: interpreter, torch,
model, and of the fleet Ray, too. `speed` is pictures a second in relation to the first row's, `speed_started`
the same without the starts. `other_bytes` are outputs that are not the first row's to the byte.
"""

import hashlib
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import click

from benchmarks.data import Row, options, show

COMMANDS = (
    "slic encode -r {source} -o {target} -j {workers}",
    "slic fleet encode {source} {target} --workers {workers}",
)


def measure(
    folder: Path, limit: int | None, model: str, device: str, pictures: int, few: int, workers: int
) -> Iterator[Row]:
    originals = sorted(file for file in folder.iterdir() if file.suffix == ".png")[:limit]
    first: Row = {}
    with tempfile.TemporaryDirectory() as work:
        small, large = (_copies(originals, number, Path(work, str(number))) for number in (few, pictures))
        for command in COMMANDS:
            chosen = f"{command} -m {model} --device {device}"
            few_s, _ = _run(chosen, small, workers)
            seconds, made = _run(chosen, large, workers)
            picture_s = (seconds - few_s) / (pictures - few)
            first = first or {"seconds": seconds, "picture_s": picture_s, "made": made}
            yield {
                "command": command.format(source="IN", target="OUT", workers=workers),
                "pictures": pictures,
                "seconds": seconds,
                "start_s": seconds - pictures * picture_s,
                "picture_s": picture_s,
                "speed": first["seconds"] / seconds,
                "speed_started": first["picture_s"] / picture_s,
                "other_bytes": pictures - len(made.items() & first["made"].items()),
            }


def _copies(originals: list[Path], number: int, folder: Path) -> Path:
    folder.mkdir()
    for i in range(number):
        shutil.copyfile(originals[i % len(originals)], folder / f"{i:05}.png")
    return folder


def _run(command: str, source: Path, workers: int) -> tuple[float, dict[str, str]]:
    """The seconds it took, and the digests of what it made."""
    with tempfile.TemporaryDirectory() as target:
        parts = [part.format(source=source, target=target, workers=workers) for part in command.split()]
        began = time.perf_counter()
        done = subprocess.run([sys.executable, "-m", *parts], capture_output=True, text=True)
        seconds = time.perf_counter() - began
        if done.returncode:
            raise click.ClickException(done.stderr)
        made = Path(target).rglob("*.slic")
        return seconds, {file.name: hashlib.sha256(file.read_bytes()).hexdigest() for file in made}


@click.command()
@options
@click.option("--pictures", default=640, show_default=True, help="In the large folder.")
@click.option("--few", default=64, show_default=True, help="In the small one.")
@click.option("--workers", default=2, show_default=True, help="And threads of slic encode.")
def main(
    images: Path,
    limit: int | None,
    model: str,
    as_json: bool,
    device: str,
    pictures: int,
    few: int,
    workers: int,
) -> None:
    show(measure(images, limit, model, device, pictures, few, workers), as_json=as_json)


if __name__ == "__main__":
    main()
