"""How fast is slic, against CompressAI with the same weights and against the bare convolutions?

    python -m benchmarks.speed --images DIR [--architecture mbt2018] [--device cuda] [--json]

Bytes to pixels and back, medians of runs taken in turn, both sides with the same threads; CompressAI runs
in a process of its own, because slic tells its process to keep freed memory, which speeds both up.
`bare` is every convolution of that direction and nothing else, at the precision in which slic runs it:
g_a (or g_s) with GDN's products, h_a, and h_s in its float64.
"""

import itertools
import statistics
import tempfile
import time
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

import click
import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from benchmarks import peer
from benchmarks.data import Pixels, Row, options, pictures, show
from slic import Codec, models
from slic.bf16 import InFloat32, InLevels
from slic.layers import GDN, ShuffledConv, Subpel, UnshuffledConv
from slic.models import Model
from slic.transforms import ARCHITECTURES

FULL_SIZE = {"mbt2018": (192, 192), "cheng2020-anchor": (128, 128), "cheng2020-attn": (128, 128)}


def measure(
    model: Model,
    images: list[tuple[str, Pixels]],
    precisions: tuple[str, ...],
    runs: int,
    device: str = "auto",
) -> Iterator[Row]:
    kind = Codec(model, device=device).device.type
    worker = peer.Worker(model, torch.get_num_threads(), kind)
    for (name, pixels), precision in itertools.product(images, precisions):
        codec = Codec(model, device=kind, precision=precision)  # type: ignore[arg-type]
        data = codec.encode(pixels)
        taken = _in_turn(
            {
                "encode": partial(_timed, partial(codec.encode, pixels)),
                "bare_encode": partial(_timed, _bare(codec, pixels, "analysis")),
                "peer_encode": partial(worker.encode, pixels),
                "decode": partial(_timed, lambda c=codec, d=data: np.asarray(c.decode(d))),
                "bare_decode": partial(_timed, _bare(codec, pixels, "synthesis")),
                "peer_decode": partial(worker.decode, pixels),
            },
            runs,
        )
        yield {
            "architecture": model.architecture,
            "image": name,
            "megapixels": round(pixels.shape[0] * pixels.shape[1] / 1e6, 2),
            "device": kind,
            "precision": precision,
            "encode_s": taken["encode"],
            "decode_s": taken["decode"],
            "encode_faster": taken["peer_encode"] / taken["encode"],
            "decode_faster": taken["peer_decode"] / taken["decode"],
            "encode_over_bare": taken["encode"] / taken["bare_encode"],
            "decode_over_bare": taken["decode"] / taken["bare_decode"],
        }
    worker.close()


def _in_turn(works: dict[str, Callable[[], float]], runs: int) -> dict[str, float]:
    """Medians of what each work says it took; one round does not count."""
    rounds = [{name: work() for name, work in works.items()} for _ in range(runs + 1)]
    return {name: statistics.median(r[name] for r in rounds[1:]) for name in works}


def _timed(work: Callable[[], object]) -> float:
    began = time.perf_counter()
    work()
    return time.perf_counter() - began


def _bare(codec: Codec, pixels: Pixels, direction: str) -> Callable[[], None]:
    """A function that runs the convolutions of one direction and nothing else."""
    x = torch.from_numpy(pixels.copy()).permute(2, 0, 1)[None].float() / 255
    engine = codec._engine
    transforms, hyper = engine._transforms, engine._prior._hyper.net  # type: ignore[attr-defined]
    with torch.inference_mode():
        x = x.to(engine.device, transforms.pixels, memory_format=torch.channels_last)
        y = transforms.g_a(x).to(transforms.precision, memory_format=torch.channels_last)
        z = transforms.h_a(y)
        integers = z.double().round()

    @torch.inference_mode()
    def run() -> None:
        if direction == "analysis":
            _convolutions(transforms.g_a, x)
            _convolutions(transforms.h_a, y)
        else:
            _convolutions(transforms.g_s, y)
        signal = integers
        for layer in hyper.layers:
            k = layer.kernel
            weight = layer.weight.view(len(layer.bias), -1, k, k)
            signal = F.conv2d(signal, weight, padding=k // 2)
            signal = signal if layer.plan.kind == "conv" else F.pixel_shuffle(signal, 2)
        if engine.device.type == "cuda":
            torch.cuda.synchronize()

    return run


def _convolutions(net: nn.Module, x: Tensor) -> Tensor:
    """Only the convolutions: what GDN, activations and sums do besides is left out."""
    for module in net.children() if isinstance(net, nn.Sequential) else [net]:
        if isinstance(module, GDN):
            F.conv2d(x, module.gamma[:, :, None, None], module.beta)
        elif isinstance(
            module,
            nn.Conv2d | nn.ConvTranspose2d | UnshuffledConv | ShuffledConv | InLevels | InFloat32 | Subpel,
        ):
            x = module(x)
        elif isinstance(module, nn.Sequential):
            x = _convolutions(module, x)
        elif not isinstance(module, nn.ReLU | nn.LeakyReLU):
            x = module(x)  # residual and attention blocks: theirs are nearly all convolutions
    return x


@click.command()
@options
@click.option("--architecture", type=click.Choice(ARCHITECTURES), default=ARCHITECTURES[0], show_default=True)
@click.option("--runs", default=7, show_default=True)
@click.option("--threads", default=2, show_default=True)
@click.option(
    "--side", default=2048, show_default=True, help="Cut larger pictures to this many pixels a side."
)
def main(
    images: Path,
    limit: int | None,
    model: str,
    as_json: bool,
    device: str,
    architecture: str,
    runs: int,
    threads: int,
    side: int,
) -> None:
    torch.set_num_threads(threads)
    chosen = [(name, peer.takes(pixels, side)) for name, pixels in pictures(images, limit)]
    with tempfile.TemporaryDirectory() as folder:
        if architecture == ARCHITECTURES[0]:
            found, precisions = models.find(model), ("bf16", "fp32")
        else:
            found, precisions = (
                peer.untrained(architecture, *FULL_SIZE[architecture], Path(folder)),
                ("bf16",),
            )
        show(measure(found, chosen, precisions, runs, device), as_json=as_json)


if __name__ == "__main__":
    main()
