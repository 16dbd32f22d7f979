"""Pictures of both classes on equal terms: one crop, one last codec, parts that share nothing.

    DATA/real/SOURCE/*        photographs
    DATA/fake/GENERATOR/*     generated pictures

Format and size tell the classes apart in nearly every collection, so that a detector of JPEG looks like one
of generated pictures. Here all are cropped to one size, never resized, and saved once more in the same way.
What cannot be made equal is what happened to a picture before: see `matched`.
"""

import hashlib
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import numpy as np
from PIL import Image

from slic import attacks
from slic.modes import Levels

Part = Literal["development", "test"]

SUFFIXES = {".png", ".jpg", ".jpeg", ".webp", ".bmp", ".tif", ".tiff"}
TEST = 0.4  # of the groups
SEED = 1

# Real pictures with the same content, size and history as those of a generator.
MATCHED = {"stylegan": "ffhq_256", "stargan": "celeba_128", "cyclegan": "horse_256png"}

REAL = "real"
_FAMILIES = {
    "cyclegan": "gan",
    "stargan": "gan",
    "stylegan": "gan",
    "stylegan3": "gan",
    "latent_diffusion": "diffusion",
    "stable_diffusion": "diffusion",
}

# What pictures of one group share: the picture they were made from, or the prompt. The rest of a name is
# what tells them apart.
_SHARED = (
    re.compile(r"(?P<group>n\d+_\d+)_(real_A|fake_B)"),
    re.compile(r"(?P<group>.+)__ldif-\d+"),
    re.compile(r"(?P<group>.+_r\d+)_c\d+"),
)


def family(source: str, fake: bool) -> str:
    """The kind of generator, or that there was none; a generator that is not known is a kind by itself."""
    return _FAMILIES.get(source, source) if fake else REAL


@dataclass(frozen=True)
class Item:
    """A picture, where it is from, and what it must not be parted from."""

    file: Path
    source: str
    fake: bool

    @property
    def group(self) -> str:
        stem = self.file.stem
        matches = filter(None, (pattern.fullmatch(stem) for pattern in _SHARED))
        return next((match["group"] for match in matches), stem)

    @property
    def part(self) -> Part:
        """Fixed by the group's name, so that adding pictures moves none from one part to the other."""
        return "test" if _share(f"{SEED}/{self.group}") < TEST else "development"

    def fold(self, folds: int) -> int:
        """Which of so many folds of its part it is in."""
        return int(_share(f"fold/{SEED}/{self.group}") * folds)


def _share(text: str) -> float:
    """0 to 1, by chance, always the same."""
    return int.from_bytes(hashlib.sha256(text.encode()).digest()[:8], "big") / 2**64


@dataclass(frozen=True)
class Treatment:
    """What is done to every picture before a detector sees it."""

    side: int = 128
    last: str = "jpeg(quality=90)"
    """The last codec or degradation, as `slic.attacks.parse` reads it."""

    def __call__(self, item: Item) -> Levels | None:
        """(side,side,3), or None if the picture is too small."""
        with Image.open(item.file) as image:
            levels = np.asarray(image.convert("RGB"))
        if min(levels.shape[:2]) < self.side:
            return None
        return attacks.parse(self.last)(crop(levels, self.side))

    def __str__(self) -> str:
        return f"{self.side}, {self.last}"


def crop(levels: Levels, side: int) -> Levels:
    """The middle, on the grid of 8 pixels that an earlier JPEG may have left, as all that were cut before."""
    top, left = ((length - side) // 2 // 8 * 8 for length in levels.shape[:2])
    return np.ascontiguousarray(levels[top : top + side, left : left + side])


def items(data: Path, *, limit: int | None = None) -> list[Item]:
    """Every picture of DATA/real/*/ and DATA/fake/*/; at most `limit` of each source and part."""
    found = [item for kind in ("real", "fake") for item in _of_kind(data, kind)]
    if not any(i.fake for i in found) or all(i.fake for i in found):
        raise FileNotFoundError(f"{data}: needs pictures in real/SOURCE/ and in fake/GENERATOR/")
    return found if limit is None else list(_first(found, limit))


def _of_kind(data: Path, kind: str) -> Iterator[Item]:
    for file in sorted((data / kind).glob("*/*")):
        if file.suffix.lower() in SUFFIXES:
            yield Item(file, file.parent.name, kind == "fake")


def _first(found: Sequence[Item], limit: int) -> Iterator[Item]:
    """By chance, not by name: a source's names may be in an order that means something."""
    taken: dict[tuple[str, Part], int] = {}
    for item in sorted(found, key=lambda i: _share(i.file.name)):
        key = item.source, item.part
        taken[key] = taken.get(key, 0) + 1
        if taken[key] <= limit:
            yield item
