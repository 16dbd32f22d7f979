"""What does exactness cost in bytes, and bf16 in quality, against CompressAI with the same weights?

    python -m benchmarks.file_size --images DIR [--json]

Whole `.slic` files against CompressAI's bare strings; PSNR on 8-bit levels of both decoders.
`allowed_bytes` is 1% and 150 bytes over the strings. Both round latents to the nearest and have Gaussian
tables, as CompressAI has; `own_bytes` and `own_db` are with slic's own rounding and tables.
"""

import tempfile
from collections.abc import Iterator
from pathlib import Path

import click
import numpy as np
import torch

from benchmarks import peer, variants
from benchmarks.data import Pixels, Row, options, pictures, psnr, show
from slic import Codec, models
from slic.models import Model


def measure(model: Model, images: Iterator[tuple[str, Pixels]]) -> Iterator[Row]:
    with tempfile.TemporaryDirectory() as folder:
        converted = variants.as_converted(model, Path(folder) / "converted.safetensors")
        yield from _measure(model, converted, images)


@torch.no_grad()
def _measure(model: Model, converted: Model, images: Iterator[tuple[str, Pixels]]) -> Iterator[Row]:
    twin = peer.twin(model)
    codecs = {p: Codec(converted, device="cpu", precision=p) for p in ("fp32", "bf16")}
    ours = Codec(model, device="cpu")
    rows = []
    for name, pixels in images:
        pixels = peer.takes(pixels)
        x = torch.tensor(pixels).permute(2, 0, 1)[None].float() / 255
        coded = twin.compress(x)
        x_hat = twin.decompress(coded["strings"], coded["shape"])["x_hat"]
        theirs = (x_hat[0].permute(1, 2, 0) * 255).round().to(torch.uint8).numpy()
        strings = sum(len(s[0]) for s in coded["strings"])
        files = {p: codec.encode(pixels) for p, codec in codecs.items()}
        own = ours.encode(pixels)
        quality = {p: psnr(np.asarray(codecs[p].decode(f)), pixels) for p, f in files.items()}
        rows.append(
            {
                "image": name,
                "strings_bytes": strings,
                "allowed_bytes": int(strings * 1.01 + 150),
                "fp32_bytes": len(files["fp32"]),
                "bf16_bytes": len(files["bf16"]),
                "psnr": psnr(theirs, pixels),
                "fp32_db": quality["fp32"] - psnr(theirs, pixels),
                "bf16_db": quality["bf16"] - psnr(theirs, pixels),
                "own_bytes": len(own),
                "own_db": psnr(np.asarray(ours.decode(own)), pixels) - psnr(theirs, pixels),
            }
        )
        yield rows[-1]
    yield {"image": "mean"} | {k: float(np.mean([r[k] for r in rows])) for k in rows[0] if k != "image"}


@click.command()
@options
def main(images: Path, limit: int | None, model: str, as_json: bool) -> None:
    show(measure(models.find(model), pictures(images, limit)), as_json=as_json)


if __name__ == "__main__":
    main()
