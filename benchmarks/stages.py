"""Where does the time go?

    python -m benchmarks.stages --images DIR [--device cuda] [--json]

Milliseconds of each stage of encoding and of decoding a picture, medians of runs one after the other.
`pixels` is from a PNG file to levels and from levels to a Pillow image; `transforms` are g_a, h_a and g_s;
`entropy` is h_s, symbols and their digest; `container` the file's bytes.
"""

import io
import statistics
import time
from collections.abc import Callable, Iterable, Iterator
from functools import partial
from pathlib import Path
from typing import TypeVar

import click
import numpy as np
import torch
from PIL import Image

from benchmarks.data import Pixels, Row, options, pictures, show
from slic import Codec, models
from slic import pixels as levels
from slic.engine import Coded
from slic.models import Model
from slic_formats import parse

T = TypeVar("T")


class Clock:
    """Milliseconds by stage, each counted to the end of what a GPU still has to do."""

    def __init__(self, device: torch.device) -> None:
        self._device = device
        self.taken: Row = {}

    def __call__(self, stage: str, work: Callable[[], T]) -> T:
        began = time.perf_counter()
        done = work()
        if self._device.type == "cuda":
            torch.cuda.synchronize(self._device)
        self.taken[stage] = self.taken.get(stage, 0.0) + 1e3 * (time.perf_counter() - began)
        return done


def measure(
    model: Model, images: Iterable[tuple[str, Pixels]], *, device: str = "auto", runs: int = 7
) -> Iterator[Row]:
    codec = Codec(model, device=device)
    for name, pixels in images:
        png = _png(pixels)
        rounds = [_both(codec, png) for _ in range(runs + 1)][1:]
        for direction in ("encode", "decode"):
            row: Row = {"image": name, "device": codec.device.type, "direction": direction}
            stages = [taken[direction] for taken in rounds]
            yield row | {f"{s}_ms": statistics.median(taken[s] for taken in stages) for s in stages[0]}


def _both(codec: Codec, png: bytes) -> dict[str, Row]:
    clocks = {"encode": Clock(codec.device), "decode": Clock(codec.device)}
    data = encode(codec, png, clocks["encode"])
    decode(codec, data, clocks["decode"])
    return {direction: clock.taken for direction, clock in clocks.items()}


@torch.inference_mode()
def encode(codec: Codec, png: bytes, clock: Clock) -> bytes:
    """As `codec.encode` does it."""
    engine = codec._engine
    picture = clock("pixels", lambda: levels.load(png))
    y, z = clock("transforms", partial(_analyse, codec, picture.rgb))
    coded = clock("entropy", lambda: engine._encode_latents(y[0], z[0]))
    return clock("container", lambda: codec._contain(picture, coded))


@torch.inference_mode()
def decode(codec: Codec, data: bytes, clock: Clock) -> Image.Image:
    """As `codec.decode` does it."""
    engine = codec._engine
    container = clock("container", lambda: parse(data))
    header = container.header
    h, w = -(-header.height // 16), -(-header.width // 16)
    coded = Coded(container.hyper, container.latent, header.digest)
    y_hat = clock("entropy", lambda: engine._decode_latents(coded, h, w))
    rgb = clock("transforms", partial(_synthesise, codec, y_hat, header.height, header.width))
    return clock("pixels", lambda: levels.to_image(levels.Picture(rgb)))


def _analyse(codec: Codec, rgb: Pixels) -> tuple[torch.Tensor, torch.Tensor]:
    engine = codec._engine
    y = engine._analyse(torch.from_numpy(np.stack([rgb])))
    if (gain := engine._gain(codec.model.index)) is not None:
        y = y * gain[0]
    return y, engine._transforms.analyse_hyper(y)


def _synthesise(codec: Codec, y_hat: torch.Tensor, height: int, width: int) -> Pixels:
    engine = codec._engine
    if (gain := engine._gain(codec.model.index)) is not None:
        y_hat = y_hat * gain[1]
    out: Pixels = engine._synthesise(y_hat[None], height, width, codec.model.index, grey=False)[0].numpy()
    return out


def _png(pixels: Pixels) -> bytes:
    stream = io.BytesIO()
    Image.fromarray(np.asarray(pixels)).save(stream, "PNG")
    return stream.getvalue()


@click.command()
@options
@click.option("--runs", default=7, show_default=True)
def main(images: Path, limit: int | None, model: str, as_json: bool, device: str, runs: int) -> None:
    show(measure(models.find(model), pictures(images, limit), device=device, runs=runs), as_json=as_json)


if __name__ == "__main__":
    main()
