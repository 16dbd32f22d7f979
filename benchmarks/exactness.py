"""Are the symbols of a file the same on every path, and on another machine?

    python -m benchmarks.exactness --images DIR --json > here.jsonl
    python -m benchmarks.exactness --images DIR --json --against here.jsonl       (elsewhere)

Every picture is encoded once in fp32, on `--device`. Its file is then decoded with 1 and 2 threads, fp32,
bf16 and float64 transforms, alone, in a batch, and on CUDA where there is one; its middle compiled as well,
if asked for: for a whole one the compiler was not done after eight minutes. Each decode hashes the symbols
itself. `--against` also decodes the files of the other machine, which the rows carry.
"""

import base64
import json
from collections.abc import Callable, Iterator
from pathlib import Path

import click
import numpy as np
import torch

from benchmarks.data import Pixels, Row, middle, options, pictures, show
from slic import Codec, models
from slic.engine import Coded, Engine
from slic.models import Model
from slic_formats import Container, parse

CPU = torch.device("cpu")
SIDE = 128  # pixels of a picture's middle


def measure(
    model: Model,
    images: Iterator[tuple[str, Pixels]],
    against: dict[str, Row],
    *,
    device: str = "auto",
    compiled: bool = False,
) -> Iterator[Row]:
    paths = decoders(model)
    compiling = {"compiled": decoder_compiled(model)} if compiled else {}
    encoder = Codec(model, device=device, precision="fp32")
    for name, pixels in images:
        file = encoder.encode(pixels)
        yield _row(name, file, paths)
        if compiled:
            yield _row(f"{name}, its middle", encoder.encode(middle(pixels, SIDE)), paths | compiling)
        if name in against:
            yield _row(f"{name}, theirs", base64.b64decode(against[name]["file"]), paths)


def decoders(model: Model) -> dict[str, Callable[[Container], Pixels]]:
    """Ways in which a file may be decoded here. Each raises when symbols differ from the digest."""

    def engine(precision: torch.dtype, device: torch.device = CPU) -> Engine:
        return Engine(model.architecture, model.tensors, device, precision)

    fp32 = engine(torch.float32)
    ways = {
        "fp32, 1 thread": _with_threads(1, _alone(fp32)),
        "fp32, 2 threads": _with_threads(2, _alone(fp32)),
        "bf16": _alone(engine(torch.bfloat16)),
        "float64": _alone(engine(torch.float64)),
        "batch of 3": lambda c: _decode(fp32, [c] * 3)[2],
    }
    if torch.cuda.is_available():
        ways["cuda"] = _alone(engine(torch.float32, torch.device("cuda")))
    return ways


def decoder_compiled(model: Model) -> Callable[[Container], Pixels]:
    """With g_s and the integer networks compiled: fused and reordered as the compiler likes."""
    engine = Engine(model.architecture, model.tensors, CPU, torch.float32)
    engine._transforms.g_s = torch.compile(engine._transforms.g_s)  # type: ignore[assignment]
    hyper = engine._prior._hyper  # type: ignore[attr-defined]
    hyper.net.layers = [torch.compile(layer.__call__) for layer in hyper.net.layers]
    return _alone(engine)


def _alone(engine: Engine) -> Callable[[Container], Pixels]:
    return lambda c: _decode(engine, [c])[0]


def _decode(engine: Engine, files: list[Container]) -> list[Pixels]:
    header = files[0].header
    coded = [Coded(c.hyper, c.latent, c.header.digest) for c in files]
    return engine.decode(coded, header.height, header.width, header.quality)


def _with_threads(count: int, decode: Callable[[Container], Pixels]) -> Callable[[Container], Pixels]:
    def run(container: Container) -> Pixels:
        before = torch.get_num_threads()
        torch.set_num_threads(count)
        try:
            return decode(container)
        finally:
            torch.set_num_threads(before)

    return run


def _row(name: str, file: bytes, ways: dict[str, Callable[[Container], Pixels]]) -> Row:
    container = parse(file)
    decoded = {way: decode(container).astype(int) for way, decode in ways.items()}
    reference = decoded["fp32, 2 threads"]
    return {
        "image": name,
        "digest": container.header.digest.hex(),
        "ways": len(decoded),
        "fp32_levels_off": max(int(np.abs(p - reference).max()) for w, p in decoded.items() if w != "bf16"),
        "bf16_levels_off": int(np.abs(decoded["bf16"] - reference).max()),
        "file": base64.b64encode(file).decode(),
    }


@click.command()
@options
@click.option(
    "--against", type=click.Path(exists=True, path_type=Path), help="JSON lines of another machine."
)
@click.option(
    "--compiled", is_flag=True, help="Also their middles by torch.compile: a C++ compiler and a minute."
)
def main(
    images: Path,
    limit: int | None,
    model: str,
    as_json: bool,
    device: str,
    against: Path | None,
    compiled: bool,
) -> None:
    lines = against.read_text().splitlines() if against else []
    theirs = {row["image"]: row for row in map(json.loads, lines)}
    rows = measure(models.find(model), pictures(images, limit), theirs, device=device, compiled=compiled)
    show((r if as_json else {k: v for k, v in r.items() if k != "file"} for r in rows), as_json=as_json)


if __name__ == "__main__":
    main()
