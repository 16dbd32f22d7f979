"""Plots of stored rows, as SVG. A plot carries the digest of the points it shows, so that none is stale."""

import hashlib
import json
from collections.abc import Sequence
from pathlib import Path

from benchmarks.data import Row

NAMES = {
    "slic": "slic",
    "base": "slic, not secured",
    "bmshj2018-hyperprior": "CompressAI, same architecture",
    "mbt2018": "CompressAI, mbt2018",
    "cheng2020-anchor": "CompressAI, cheng2020-anchor",
    "avif": "AVIF",
    "jxl": "JPEG XL",
    "webp": "WebP",
    "jpeg": "JPEG",
}
_STYLES = {
    "slic": {"color": "#c1121f", "linewidth": 2.4, "marker": "o", "markersize": 4},
    "base": {"color": "#c1121f", "linestyle": ":"},
    "bmshj2018-hyperprior": {"color": "#444444", "linestyle": "--"},
    "mbt2018": {"color": "#888888", "linestyle": "--"},
    "cheng2020-anchor": {"color": "#bbbbbb", "linestyle": "--"},
    "avif": {"color": "#1d6fa5"},
    "jxl": {"color": "#6a3d9a"},
    "webp": {"color": "#2a9d3a"},
    "jpeg": {"color": "#d98c00"},
}

Curves = dict[str, list[tuple[float, float]]]


def curves(rows: Sequence[Row]) -> Curves:
    """Of the rows of rate_distortion, in the order of NAMES: bits per pixel, PSNR."""
    found: Curves = {}
    for name in NAMES:
        points = [(row["bpp"], row["psnr"]) for row in rows if row.get("codec") == name]
        if points:
            found[name] = points
    return found


def digest(points: Curves) -> str:
    return hashlib.sha256(json.dumps(points).encode()).hexdigest()


def shows(file: Path, points: Curves) -> bool:
    """Whether the plot in this file is of these points."""
    return file.exists() and digest(points) in file.read_text()


def rate_distortion(points: Curves, file: Path) -> None:
    """PSNR over bits per pixel, up to where slic ends and a bit beyond."""
    import matplotlib

    matplotlib.use("svg")
    from matplotlib import pyplot as plt

    with plt.rc_context({"svg.hashsalt": "slic", "font.size": 9}):
        figure, axes = plt.subplots(figsize=(6.4, 4.2), layout="constrained")
        for name, curve in points.items():
            axes.plot(*zip(*curve, strict=True), label=NAMES[name], **_STYLES[name])
        ours = points.get("slic") or next(iter(points.values()))
        axes.set_xlim(0, 1.15 * ours[-1][0])
        axes.set_ylim(ours[0][1] - 2, ours[-1][1] + 4)
        axes.set(xlabel="bits per pixel, whole files", ylabel="PSNR, dB")
        axes.grid(alpha=0.3)
        axes.legend(loc="lower right")
        figure.savefig(
            file, format="svg", facecolor="white", metadata={"Date": None, "Description": digest(points)}
        )
        plt.close(figure)
