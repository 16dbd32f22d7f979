"""Writes vectors/decode/: tiny models, files made with them, and the pixels that a decoder must give.

    python formats/vectors/make_decode_vectors.py [FOLDER]

The models' weights are random, from a seed (tests/tiny.py). They are stored, not made anew by the tests:
a file written once must decode for ever, whatever becomes of torch's generators. So must those of
models that nothing makes any more: bmshj2018-hyperprior-offsets is stored, and not written anew.
"""

import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]
sys.path[:0] = [str(ROOT), str(ROOT / "formats"), str(ROOT / "tests")]

import json

import numpy as np
import tiny
from PIL import Image

from slic import Codec
from slic.transforms import ARCHITECTURES
from slic_formats import parse

SIZES = {
    "bmshj2018-hyperprior": (90, 75),
    "mbt2018": (70, 100),
    "cheng2020-anchor": (65, 33),
    "cheng2020-attn": (48, 64),
}


def scene(height: int, width: int) -> np.ndarray:
    """(H,W,4): waves, a disc, an edge, and alpha that fades."""
    y, x = np.mgrid[:height, :width].astype(float)
    waves = 128 + 60 * np.sin(x / 5 + y / 9) + 40 * np.cos(y / 3.5)
    disc = 90.0 * ((x - width / 2) ** 2 + (y - height / 2) ** 2 < (min(height, width) / 4) ** 2)
    planes = [waves + disc, waves * 0.7 + 0.5 * x, 200 - disc - y, 255 * x / width]
    return np.stack(planes, 2).round().clip(0, 255).astype(np.uint8)


def main(folder: Path) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    for architecture in ARCHITECTURES:
        codec = Codec(tiny.model(architecture, folder), device="cpu", precision="fp32")
        rgba = scene(*SIZES[architecture])
        for name, picture in {"rgb": rgba[:, :, :3], "rgba": rgba, "grey": rgba[:, :, 0]}.items():
            write(folder / f"{architecture}-{name}", codec, Image.fromarray(np.ascontiguousarray(picture)))
    write(
        folder / "bmshj2018-hyperprior-one-pixel",
        Codec(tiny.model(ARCHITECTURES[0], folder)),
        Image.new("RGB", (1, 1), "teal"),
    )
    several = tiny.model(ARCHITECTURES[0], folder, rates=3)
    for quality in several.qualities:
        codec = Codec(several, quality=quality, device="cpu", precision="fp32")
        scene_rgb = Image.fromarray(np.ascontiguousarray(scene(60, 50)[:, :, :3]))
        write(folder / f"bmshj2018-hyperprior-quality-{quality}", codec, scene_rgb)
    secured = tiny.model(ARCHITECTURES[0], folder, rates=3, trigger=True)
    codec = Codec(secured, quality=2, device="cpu", precision="fp32")
    beyond_one_period = Image.fromarray(np.ascontiguousarray(scene(130, 120)[:, :, :3]))
    write(folder / "bmshj2018-hyperprior-trigger", codec, beyond_one_period)


def write(stem: Path, codec: Codec, picture: Image.Image) -> None:
    data = codec.encode(picture)
    Path(f"{stem}.slic").write_bytes(data)
    codec.decode(data).save(f"{stem}.png")
    header = parse(data).header
    facts = {"model": header.model.hex(), "digest": header.digest.hex(), "mode": codec.decode(data).mode}
    Path(f"{stem}.json").write_text(json.dumps(facts, indent=2) + "\n")


if __name__ == "__main__":
    main(Path(sys.argv[1]) if len(sys.argv) > 1 else Path(__file__).parent / "decode")
