"""How do time and memory grow with the picture, and does tiling change anything?

    python -m benchmarks.memory --images DIR [--megapixels .1,1,6,24,100] [--device cpu] [--json]

Each size is coded in a process of its own; `peak_gb` is all that was ever resident there, Python and torch
included, `gpu_gb` what torch had taken of a GPU. The pictures are a large one of DIR, mirrored until it is
large enough, cut to size.
"""

import multiprocessing
import resource
import statistics
import time
from collections.abc import Iterator
from pathlib import Path

import click
import numpy as np

from benchmarks.data import Pixels, Row, options, pictures, progress, show

_QUEUE = "multiprocessing.Queue[Row]"


def scene(picture: Pixels, megapixels: float) -> Pixels:
    """3:2, cut from the picture mirrored over and over."""
    height = round((megapixels * 1e6 / 1.5) ** 0.5)
    width = round(height * 1.5)
    pad = ((0, max(0, height - picture.shape[0])), (0, max(0, width - picture.shape[1])), (0, 0))
    return np.ascontiguousarray(np.pad(picture, pad, mode="symmetric")[:height, :width])


def measure(folder: Path, model: str, megapixels: list[float], device: str = "auto") -> Iterator[Row]:
    context = multiprocessing.get_context("spawn")
    for size in progress(megapixels, "sizes"):
        data: bytes | None = None
        row: Row = {"megapixels": size}
        for direction in ("encode", "decode"):
            queue = context.Queue()
            process = context.Process(target=_code, args=(queue, folder, model, size, device, data))
            process.start()
            result = queue.get()
            process.join()
            data = result.pop("data", None)
            row |= {f"{direction}_{k}": v for k, v in result.items()}
        yield row


def _code(
    queue: _QUEUE, folder: Path, model: str, megapixels: float, device: str, data: bytes | None
) -> None:
    """Encode a picture, or decode what another process encoded; a small one before it is not timed."""
    import torch

    from slic import Codec

    codec = Codec(model, device=device)
    pixels = scene(max(pictures(folder), key=lambda p: p[1].size)[1], megapixels) if data is None else None
    warm = codec.encode(np.zeros((512, 512, 3), np.uint8))
    codec.decode(warm)
    result: Row = {}
    taken = []
    for _ in range(3 if megapixels < 10 else 1):  # a small one is over before its layers have settled
        began = time.perf_counter()
        if pixels is not None:
            result = {"data": codec.encode(pixels)}
        else:
            assert data is not None
            codec.decode(data)
        taken.append(time.perf_counter() - began)
    result |= {"s_per_mp": statistics.median(taken) / megapixels}
    result |= {"peak_gb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e6}
    if codec.device.type == "cuda":
        result |= {"gpu_gb": torch.cuda.max_memory_reserved() / 1e9}
    queue.put(result)


def tiled_or_whole(folder: Path, model: str, device: str = "auto", megapixels: float = 6) -> Row:
    """Symbols and pixels of tiled coding against coding in one piece."""
    import torch

    from slic import Codec, engine
    from slic.models import find

    pixels = scene(max(pictures(folder), key=lambda p: p[1].size)[1], megapixels)
    codec = Codec(find(model), device=device, precision="fp32")
    tile, symbols, decoded = engine.TILE, {}, {}
    try:
        for name, limit in (("tiled", 32), ("whole", 1 << 16)):
            engine.TILE = limit
            y = codec._engine._analyse(torch.from_numpy(pixels)[None])
            symbols[name] = y.round()
            whole = codec._engine._synthesise(
                symbols["tiled"], pixels.shape[0], pixels.shape[1], codec.model.index, grey=False
            )
            decoded[name] = whole.int()
    finally:
        engine.TILE = tile
    differing = int((symbols["tiled"] != symbols["whole"]).sum())
    return {
        "megapixels": megapixels,
        "symbols": symbols["whole"].numel(),
        "differing_symbols": differing,
        "per_100_000": differing / symbols["whole"].numel() * 1e5,
        "largest_pixel_difference": int((decoded["tiled"] - decoded["whole"]).abs().max()),
    }


@click.command()
@options
@click.option("--megapixels", default=".1,1,6,24", show_default=True, help="Sizes, comma-separated.")
def main(images: Path, limit: int | None, model: str, as_json: bool, device: str, megapixels: str) -> None:
    sizes = [float(size) for size in megapixels.split(",")]
    show(measure(images, model, sizes, device), as_json=as_json)
    show([tiled_or_whole(images, model, device)], as_json=as_json)


if __name__ == "__main__":
    main()
