"""How good is a picture for its bytes, against the formats people use and CompressAI's published model?

    python -m benchmarks.rate_distortion --images DIR [--json]

Means over the pictures, from whole files and 8-bit levels. `over_*` is how many decibels slic lies above
that codec at the same rate, between whose two nearest points we interpolate (PSNR over the logarithm of
the rate); empty where the other one has no point beyond. CompressAI's points are those it publishes for
bmshj2018-hyperprior on Kodak, of strings without a container, with 8-bit levels: on other pictures they
mean nothing, and are left out.
"""

import io
from collections.abc import Callable, Iterator
from pathlib import Path

import click
import numpy as np
from PIL import Image
from tqdm import tqdm

from benchmarks.data import Pixels, Row, options, pictures, psnr, show
from slic import Codec, models
from slic.models import Model

PUBLISHED = {  # quality: bits per pixel, PSNR
    1: (0.1313, 27.578), 2: (0.2089, 29.192), 3: (0.3199, 30.964), 4: (0.4784, 32.827),
    5: (0.6687, 34.509), 6: (0.9388, 36.716), 7: (1.2592, 38.543), 8: (1.6602, 40.493),
}  # fmt: skip
KODAK = {(512, 768), (768, 512)}

Curve = list[tuple[float, float]]  # (bits per pixel, PSNR), rising
Code = Callable[[Pixels], tuple[int, Pixels]]  # bytes of the file, decoded


def measure(model: Model, images: list[tuple[str, Pixels]]) -> Iterator[Row]:
    curves: dict[str, Curve] = {}
    for name, qualities, make in _codecs(model):
        for quality in tqdm(qualities, desc=name, disable=None, leave=False):
            code = make(quality)
            bpp, db = np.mean([_point(code, pixels) for _, pixels in images], 0)
            curves.setdefault(name, []).append((float(bpp), float(db)))
            yield {"codec": name, "quality": quality, "bpp": float(bpp), "psnr": float(db)}
    if len(images) == 24 and {pixels.shape[:2] for _, pixels in images} == KODAK:
        curves["compressai"] = list(PUBLISHED.values())
        for quality, (bpp, db) in PUBLISHED.items():
            yield {"codec": "compressai (published)", "quality": quality, "bpp": bpp, "psnr": db}
    ours = curves.pop("slic")
    for quality, (bpp, db) in zip(model.qualities, ours, strict=True):
        over = {f"over_{name}": above(curve, bpp, db) for name, curve in curves.items()}
        yield {"quality": quality, "bpp": bpp, "psnr": db} | over


def above(curve: Curve, bpp: float, db: float) -> float | None:
    """How far (bpp, db) lies above the curve; None beyond its ends."""
    rates = np.log([rate for rate, _ in curve])
    if not rates[0] <= np.log(bpp) <= rates[-1]:
        return None
    return db - float(np.interp(np.log(bpp), rates, [point for _, point in curve]))


def _point(code: Code, pixels: Pixels) -> tuple[float, float]:
    size, decoded = code(pixels)
    return 8 * size / (pixels.shape[0] * pixels.shape[1]), psnr(decoded, pixels)


def _codecs(model: Model) -> Iterator[tuple[str, list[int], Callable[[int], Code]]]:
    yield "slic", list(model.qualities), lambda quality: _slic(model.at(quality))
    yield "jpeg", list(range(10, 100, 10)), lambda quality: _pillow("JPEG", quality)
    yield "webp", [5, 15, 30, 45, 60, 75, 85, 90, 95, 98], lambda quality: _pillow("WEBP", quality)
    yield "avif", list(range(20, 100, 10)), lambda quality: _pillow("AVIF", quality)


def _slic(model: Model) -> Code:
    codec = Codec(model)

    def code(pixels: Pixels) -> tuple[int, Pixels]:
        data = codec.encode(pixels)
        return len(data), np.asarray(codec.decode(data))

    return code


def _pillow(name: str, quality: int) -> Code:
    def code(pixels: Pixels) -> tuple[int, Pixels]:
        stream = io.BytesIO()
        Image.fromarray(pixels).save(stream, name, quality=quality)
        with Image.open(stream) as image:
            return len(stream.getvalue()), np.asarray(image.convert("RGB"))

    return code


@click.command()
@options
def main(images: Path, limit: int | None, model: str, as_json: bool) -> None:
    show(measure(models.find(model), list(pictures(images, limit))), as_json=as_json)


if __name__ == "__main__":
    main()
