"""One packed file of pictures, and random crops drawn from it.

    python -m training.data FOLDER... pack.safetensors --limit-mb 900 --boost sr=3

The pack is a safetensors file: `pixels` (all pictures, RGB rows one after the other), `sizes`
(height, width of each) and `weights` (how often each is drawn). It is memory-mapped, so training
starts at once, and it travels to another machine as one file.
"""

import json
import struct
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Literal, NamedTuple

import click
import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image
from safetensors.numpy import save_file
from torch import Tensor
from tqdm import tqdm

from training.config import ConfigError

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


class Place(NamedTuple):
    """Where a crop lies, and how it is turned."""

    picture: int
    row: int
    column: int
    mirrored: bool
    transposed: bool


class Crops:
    """Random square crops, half of them mirrored, a quarter transposed.

    What is drawn depends on the seed and the step alone: a resumed run sees the crops that an
    uninterrupted one would have seen, and each of several processes can tell its share of a step.
    """

    def __init__(self, file: Path, split: Split = "train", seed: int = 0) -> None:
        self._pixels, sizes, weights = _open(file)
        starts = np.concatenate([[0], np.cumsum(sizes.prod(1, dtype=np.int64) * 3)])
        judge = np.arange(len(sizes)) % HELD_OUT == 0
        chosen = np.flatnonzero(judge if split == "held-out" else ~judge)
        self._pictures = [(int(starts[i]), int(sizes[i, 0]), int(sizes[i, 1])) for i in chosen]
        self._share = weights[chosen] / weights[chosen].sum()
        self._split, self._seed = split, seed

    def draw(self, step: int, count: int, size: int) -> list[Place]:
        if not any(min(height, width) >= size for _, height, width in self._pictures):
            raise ConfigError(f"no {self._split} picture of the pack is {size} pixels high and wide")
        random = np.random.default_rng((self._seed, step))
        return [self._place(random, size) for _ in range(count)]

    def read(self, places: list[Place], size: int) -> Tensor:
        """(len(places), 3, size, size) in [0, 1], channels last."""
        crops = np.stack([self._crop(place, size) for place in places])
        batch = torch.from_numpy(crops).permute(0, 3, 1, 2)
        return batch.float().div(255).contiguous(memory_format=torch.channels_last)

    def _place(self, random: np.random.Generator, size: int) -> Place:
        while True:
            picture = int(random.choice(len(self._pictures), p=self._share))
            _, height, width = self._pictures[picture]
            if min(height, width) >= size:
                break
        row, column = random.integers(0, (height - size + 1, width - size + 1))
        return Place(picture, int(row), int(column), random.random() < 0.5, random.random() < 0.25)

    def _crop(self, place: Place, size: int) -> NDArray[np.uint8]:
        start, height, width = self._pictures[place.picture]
        picture = self._pixels[start : start + height * width * 3].reshape(height, width, 3)
        crop = picture[place.row : place.row + size, place.column : place.column + size]
        crop = crop[:, ::-1] if place.mirrored else crop
        return np.ascontiguousarray(crop.transpose(1, 0, 2) if place.transposed else crop)


def _open(file: Path) -> tuple[NDArray[np.uint8], NDArray[np.int32], NDArray[np.float64]]:
    """The three arrays of a pack, mapped rather than read."""
    if not file.is_file():
        raise ConfigError(f"data.pack: there is no {file}; python -m training.data makes one")
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
@click.argument(
    "folders", nargs=-1, required=True, type=click.Path(exists=True, file_okay=False, path_type=Path)
)
@click.argument("target", type=click.Path(dir_okay=False, path_type=Path))
@click.option("--limit-mb", default=900, show_default=True, help="Stop before the pack grows past this.")
@click.option(
    "--boost", multiple=True, metavar="PREFIX=FACTOR", callback=_boosts, help="Draw these more often."
)
def main(folders: tuple[Path, ...], target: Path, limit_mb: int, boost: dict[str, float]) -> None:
    """Pack the pictures of all FOLDERS into TARGET."""
    pack((file for folder in folders for file in _pictures(folder)), target, limit_mb, boost)


def _pictures(folder: Path) -> Iterator[Path]:
    known = Image.registered_extensions()
    return (f for f in folder.rglob("*") if f.suffix.lower() in known)


if __name__ == "__main__":
    main()
