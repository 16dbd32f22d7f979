"""How good is a picture for its bytes, against the formats people use and CompressAI's published models?

    python -m benchmarks.rate_distortion --images DIR [--base FILE] [--device cpu] [--json]

Means over the pictures, from whole files and 8-bit levels, with the median seconds from pixels to bytes and
back; the others at Pillow's defaults (4:2:0, JPEG XL 4:4:4), all with the threads that they take unasked.
`--base` is a model to compare with, such as the one that a secured model was made from; JPEG XL takes part
where `pillow-jxl-plugin` is installed.

`over_*` is how many decibels slic lies above that codec at the same rate, between whose two nearest points
we interpolate (PSNR over the logarithm of the rate); empty where the other one has no point beyond.
`bd_rate` is Bjøntegaard's: by how many percent the other's files are larger (negative: smaller) than slic's
at the same PSNR, over the `shared_db` that both reach. CompressAI's points are those it publishes for
Kodak, of strings without a container, with 8-bit levels: on other pictures they mean nothing, and are
left out.
"""

import importlib
import importlib.util
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import click
import numpy as np

from benchmarks.data import Pixels, Row, options, pictures, progress, psnr, show
from benchmarks.passes import Coder, bits_per_pixel, pillow_coder, slic_coder
from slic import Codec, models
from slic.models import Model

PUBLISHED = {  # quality 1, 2, …: bits per pixel, PSNR
    "bmshj2018-hyperprior": [
        (0.1313, 27.578), (0.2089, 29.192), (0.3199, 30.964), (0.4784, 32.827),
        (0.6687, 34.509), (0.9388, 36.716), (1.2592, 38.543), (1.6602, 40.493),
    ],
    "mbt2018": [
        (0.1105, 28.085), (0.1870, 29.640), (0.2877, 31.354), (0.4323, 33.074),
        (0.6388, 35.075), (0.8853, 36.960), (1.2004, 38.890), (1.5873, 40.574),
    ],
    "cheng2020-anchor": [
        (0.1196, 28.578), (0.1838, 29.963), (0.2710, 31.334), (0.4174, 33.377),
        (0.5945, 35.100), (0.8057, 36.677),
    ],
}  # fmt: skip
KODAK = {(512, 768), (768, 512)}

Curve = list[tuple[float, float]]  # (bits per pixel, PSNR), rising


def measure(
    model: Model, images: list[tuple[str, Pixels]], *, base: Model | None = None, device: str = "auto"
) -> Iterator[Row]:
    curves: dict[str, Curve] = {}
    for name, qualities, make in _codecs(model, base, device):
        for quality in progress(qualities, name):
            code = make(quality)
            points = np.array([_point(code, pixels) for _, pixels in images])
            bpp, db, *_ = points.mean(0).tolist()
            curves.setdefault(name, []).append((bpp, db))
            encode, decode = np.median(points[:, 2:], 0).tolist()
            yield {
                "codec": name,
                "quality": quality,
                "bpp": bpp,
                "psnr": db,
                "encode_s": encode,
                "decode_s": decode,
            }
    if len(images) == 24 and {pixels.shape[:2] for _, pixels in images} == KODAK:
        for architecture, points in PUBLISHED.items():
            curves[architecture] = points
            for quality, (bpp, db) in enumerate(points, 1):
                yield {"codec": architecture, "quality": quality, "bpp": bpp, "psnr": db}
    yield from compare(curves, model.qualities)


def compare(curves: dict[str, Curve], qualities: tuple[int, ...]) -> Iterator[Row]:
    """slic's curve against each of the others: decibels at each of its points, then bits over all."""
    ours = curves["slic"]
    others = {name: curve for name, curve in curves.items() if name != "slic"}
    for quality, (bpp, db) in zip(qualities, ours, strict=True):
        over = {f"over_{name}": above(curve, bpp, db) for name, curve in others.items()}
        yield {"quality": quality, "bpp": bpp, "psnr": db} | over
    for name, curve in others.items():
        yield {"against": name} | bjontegaard(ours, curve)


def above(curve: Curve, bpp: float, db: float) -> float | None:
    """How far (bpp, db) lies above the curve; None beyond its ends."""
    rates = np.log([rate for rate, _ in curve])
    if not rates[0] <= np.log(bpp) <= rates[-1]:
        return None
    return db - float(np.interp(np.log(bpp), rates, [point for _, point in curve]))


def bjontegaard(ours: Curve, theirs: Curve) -> Row:
    """`bd_rate` in percent and the decibels it is over; None where the curves have too little in common."""
    try:
        from bjontegaard import bd_rate
    except ImportError as error:
        raise click.ClickException('the BD-rate needs: pip install -e ".[bench]"') from error

    (r1, d1), (r2, d2) = (np.array(curve).T for curve in (ours, theirs))
    shared = min(d1[-1], d2[-1]) - max(d1[0], d2[0])
    rising = all(len(d) > 2 and (np.diff(d) > 0).all() for d in (d1, d2))
    if not rising or shared < 1:
        return {"bd_rate": None, "shared_db": None}
    rate = bd_rate(r1, d1, r2, d2, method="akima", require_matching_points=False, min_overlap=0)
    return {"bd_rate": float(rate), "shared_db": float(shared)}


def _point(code: Coder, pixels: Pixels) -> tuple[float, float, float, float]:
    """Bits per pixel, PSNR, and the seconds to encode and to decode."""
    encode, decode = code
    began = time.perf_counter()
    data = encode(pixels)
    halfway = time.perf_counter()
    decoded = decode(data)
    ended = time.perf_counter()
    return bits_per_pixel(data, pixels), psnr(decoded, pixels), halfway - began, ended - halfway


def _codecs(
    model: Model, base: Model | None, device: str
) -> Iterator[tuple[str, list[int], Callable[[int], Coder]]]:
    yield "slic", list(model.qualities), lambda quality: slic_coder(Codec(model.at(quality), device=device))
    if base is not None:
        yield "base", list(base.qualities), lambda quality: slic_coder(Codec(base.at(quality), device=device))
    yield "jpeg", list(range(10, 100, 10)), lambda quality: pillow_coder("JPEG", quality)
    yield "webp", [5, 15, 30, 45, 60, 75, 85, 90, 95, 98], lambda quality: pillow_coder("WEBP", quality)
    yield "avif", list(range(20, 100, 10)), lambda quality: pillow_coder("AVIF", quality)
    if importlib.util.find_spec("pillow_jxl"):
        importlib.import_module("pillow_jxl")  # Pillow learns of the format
        yield "jxl", [10, 20, 30, 40, 50, 60, 70, 80, 90, 95], lambda quality: pillow_coder("JXL", quality)


@click.command()
@options
@click.option("--base", help="A model's name or file, to compare with.")
def main(images: Path, limit: int | None, model: str, as_json: bool, device: str, base: str | None) -> None:
    chosen = list(pictures(images, limit))
    other = models.find(base) if base else None
    show(measure(models.find(model), chosen, base=other, device=device), as_json=as_json)


if __name__ == "__main__":
    main()
