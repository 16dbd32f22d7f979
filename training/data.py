"""One packed file of pictures, and random crops drawn from it.

    python -m training.data FOLDER pack.safetensors --limit-mb 900 --boost sr=3

The pack is a safetensors file: `pixels` (all pictures, RGB rows one after the other), `sizes`
(height, width of each) and `weights` (how often each is drawn). It is memory-mapped, so training
starts at once, and it travels to another machine as one file.
"""

import json
import struct
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Literal

import click
import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image
from safetensors.numpy import save_file
from torch import Tensor
from tqdm import tqdm

HELD_OUT = 40  # every 40th picture judges and never trains

Split = Literal["train", "held-out"]


def pack(files: Iterable[Path], target: Path, limit_mb: int, boost: dict[str, float]) -> None:
    """Write the pictures, in a fixed random order, until `limit_mb` is reached."""
    order = sorted(files)
    np.random.default_rng(0).shuffle(order)  # type: ignore[arg-type]
    pixels, sizes, weights, room = [], [], [], limit_mb << 20
    for file in tqdm(order, unit="picture", disable=None):
        rgb = np.asarray(Image.open(file).convert("RGB"))  # (H, W, 3)
        if rgb.nbytes > room:
            break
        room -= rgb.nbytes
        pixels.append(rgb.reshape(-1))
        sizes.append(rgb.shape[:2])
        favour = next((f for prefix, f in boost.items() if file.name.startswith(prefix)), 1.0)
        weights.append(favour * rgb.shape[0] * rgb.shape[1])
    save_file(
        {
            "pixels": np.concatenate(pixels),
            "sizes": np.array(sizes, np.int32),
            "weights": np.array(weights, np.float64),
        },
        target,
    )


class Crops:
    """Random square crops, flipped, a quarter of them transposed.

    The generator's state is the position in the data: `state()` and `restore()` make a resumed run
    see the crops that an uninterrupted one would have seen.
    """

    def __init__(self, file: Path, split: Split = "train", seed: int = 0) -> None:
        self._pixels, sizes, weights = _open(file)
        starts = np.concatenate([[0], np.cumsum(sizes.prod(1, dtype=np.int64) * 3)])
        judge = np.arange(len(sizes)) % HELD_OUT == 0
        chosen = np.flatnonzero(judge if split == "held-out" else ~judge)
        self._pictures = [(int(starts[i]), int(sizes[i, 0]), int(sizes[i, 1])) for i in chosen]
        self._share = weights[chosen] / weights[chosen].sum()
        self._random = np.random.default_rng(seed)

    def batch(self, count: int, size: int) -> Tensor:
        """(count, 3, size, size) in [0, 1], channels last."""
        crops: list[NDArray[np.uint8]] = []
        while len(crops) < count:
            start, height, width = self._pictures[self._random.choice(len(self._pictures), p=self._share)]
            if min(height, width) < size:
                continue
            picture = self._pixels[start : start + height * width * 3].reshape(height, width, 3)
            y, x = self._random.integers(0, (height - size + 1, width - size + 1))
            crop = picture[y : y + size, x : x + size]
            crop = crop[:, ::-1] if self._random.random() < 0.5 else crop
            crops.append(crop.transpose(1, 0, 2) if self._random.random() < 0.25 else crop)
        batch = torch.from_numpy(np.ascontiguousarray(np.stack(crops))).permute(0, 3, 1, 2)
        return batch.float().div(255).contiguous(memory_format=torch.channels_last)

    def state(self) -> dict[str, object]:
        return dict(self._random.bit_generator.state)

    def restore(self, state: dict[str, object]) -> None:
        self._random.bit_generator.state = state


def _open(file: Path) -> tuple[NDArray[np.uint8], NDArray[np.int32], NDArray[np.float64]]:
    """The three arrays of a pack, mapped rather than read."""
    with file.open("rb") as stream:
        (length,) = struct.unpack("<Q", stream.read(8))
        header = json.loads(stream.read(length))

    def array(name: str, dtype: type) -> np.ndarray:
        begin, end = header[name]["data_offsets"]
        count = (end - begin) // np.dtype(dtype).itemsize
        return np.memmap(file, dtype, "r", 8 + length + begin, (count,))

    return array("pixels", np.uint8), array("sizes", np.int32).reshape(-1, 2), array("weights", np.float64)


def _boosts(_: click.Context, __: click.Parameter, values: tuple[str, ...]) -> dict[str, float]:
    return {prefix: float(factor) for prefix, factor in (v.split("=", 1) for v in values)}


@click.command()
@click.argument("folder", type=click.Path(exists=True, file_okay=False, path_type=Path))
@click.argument("target", type=click.Path(dir_okay=False, path_type=Path))
@click.option("--limit-mb", default=900, show_default=True, help="Stop before the pack grows past this.")
@click.option(
    "--boost", multiple=True, metavar="PREFIX=FACTOR", callback=_boosts, help="Draw these more often."
)
def main(folder: Path, target: Path, limit_mb: int, boost: dict[str, float]) -> None:
    """Pack the pictures of FOLDER into TARGET."""
    pack(_pictures(folder), target, limit_mb, boost)


def _pictures(folder: Path) -> Iterator[Path]:
    known = Image.registered_extensions()
    return (f for f in folder.rglob("*") if f.suffix.lower() in known)


if __name__ == "__main__":
    main()
