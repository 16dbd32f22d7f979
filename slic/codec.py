"""Pictures to files and back: the only place that knows the whole way.

source ─pixels─► Picture ─engine─► payloads ─slic_formats─► bytes          and back
"""

import itertools
import os
import threading
import warnings
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import TypeVar, get_args

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image

from slic import allocator, alpha, files, models, pixels, transforms
from slic.engine import CHUNK_OVERHEAD, HYPER_OFFSET, Coded, Engine, Seen, Study
from slic.errors import ModelError, PictureError, SlicWarning
from slic.evidence import Evidence
from slic.models import Model
from slic.pixels import MAX_PIXELS, Picture, Source
from slic.reading import FileSource, read
from slic.transforms import Precision
from slic.trust.keys import Keys, Signer, trusted
from slic.trust.signature import KeyFile, open_key, sign_bytes
from slic.trust.verdict import require
from slic_formats import Container, Header, Mode, parse, serialise
from slic_formats.limits import max_entropy_bytes

T = TypeVar("T")

BATCH_PIXELS = 1 << 20  # pictures of one size are coded together up to this many pixels

DESTROYED_DB = 16.0  # wreckage has 5 to 12; strong noise at the lowest quality 20
WRECKAGE = "came out of a .slic file, or is taken for one that did"


@dataclass(frozen=True)
class Encoded:
    data: bytes
    """Of a `.slic` file."""
    warnings: tuple[str, ...]
    """What the user must be told."""


class Codec:
    """Encodes with one model; decodes files of any installed one. Threads may share it."""

    def __init__(
        self,
        model: str | Path | Model | None = None,
        *,
        quality: int | None = None,
        device: str = "auto",
        precision: Precision = "auto",
    ) -> None:
        """`quality` is 1 (smallest) to 8 (best); without a model, one that has it is found."""
        self.model = models.choose(model, quality)
        self.device = _device(device)
        self.precision = _precision(precision)
        self._engine = _engine(self.model.path, self.model.identity, self.device, precision)

    def encode(
        self,
        source: Source,
        *,
        strip: bool = False,
        max_pixels: int = MAX_PIXELS,
        key: Signer | None = None,
        comment: str = "",
    ) -> bytes:
        """The bytes of a `.slic` file; `strip` drops EXIF and XMP, the colour profile stays; `key` signs."""
        if comment and key is None:
            raise ValueError("a comment needs a key that signs it")
        data = _warned(self.encode_picture(_load(source, strip, max_pixels)))
        return data if key is None else sign_bytes(data, key, comment)

    def encode_picture(self, picture: Picture) -> Encoded:
        return self.encode_pictures([picture])[0]

    def encode_batch(
        self, sources: Iterable[Source], *, strip: bool = False, max_pixels: int = MAX_PIXELS
    ) -> Iterator[bytes]:
        """Files in the order of the sources; neighbours of one size go through the networks together."""
        pictures = (_load(source, strip, max_pixels) for source in sources)
        for group in _batches(pictures, lambda p: (p.rgb.shape[0], p.rgb.shape[1])):
            yield from map(_warned, self.encode_pictures(group))

    def again(self, levels: NDArray[np.uint8]) -> NDArray[np.uint8]:
        """What one more pass through the networks makes of a picture (H,W,3)."""
        return self._engine.again(levels, self.model.index)

    @property
    def evidence(self) -> Evidence | None:
        """What looks for the model's trigger; None of one without."""
        return self._engine.evidence

    def latents(self, levels: NDArray[np.uint8]) -> NDArray[np.float32]:
        """(H,W,3) → (M,⌈H/16⌉,⌈W/16⌉): how the model sees a picture."""
        return self._engine.latents(levels)

    def study(self, pictures: list[NDArray[np.uint8]], qualities: Sequence[int], shown: int) -> list[Study]:
        """Pictures (H,W,3) of one size as the model sees them at some qualities, decoded at `shown`."""
        indices = [self.model.at(quality).index for quality in qualities]
        return self._engine.study(pictures, indices, self.model.at(shown).index)

    def decode(self, source: FileSource, *, max_pixels: int = MAX_PIXELS) -> Image.Image:
        """The picture in a `.slic` file; raises rather than show a wrong one."""
        return pixels.to_image(self.decode_picture(parse(read(source)), max_pixels=max_pixels))

    def decode_picture(self, container: Container, *, max_pixels: int = MAX_PIXELS) -> Picture:
        return self.decode_pictures([container], max_pixels=max_pixels)[0]

    def decode_batch(
        self, sources: Iterable[FileSource], *, max_pixels: int = MAX_PIXELS
    ) -> Iterator[Image.Image]:
        """Pictures in the order of the sources; neighbours of one size, mode and model go together."""
        containers = (parse(read(source)) for source in sources)
        for group in _batches(containers, kind):
            yield from map(pixels.to_image, self.decode_pictures(group, max_pixels=max_pixels))

    def encode_pictures(self, pictures: list[Picture]) -> list[Encoded]:
        """Of one size: they go through the networks together."""
        coded = self._engine.encode([p.rgb for p in pictures], self.model.index, look=self.model.secured)
        return [Encoded(self._contain(p, c), _wreckage(c.seen)) for p, c in zip(pictures, coded, strict=True)]

    def _contain(self, picture: Picture, coded: Coded) -> bytes:
        height, width = picture.rgb.shape[:2]
        limit = max_entropy_bytes(width, height)
        if len(coded.hyper) + len(coded.latent) > limit:
            raise PictureError(
                "picture is too noisy for this model: it would take more bytes than its raw pixels",
                hint="keep it in a lossless format such as PNG",
            )
        header = Header(
            width=width,
            height=height,
            mode=Mode.GREY if picture.grey else Mode.RGB,
            quality=self.model.index,
            model=self.model.identity,
            digest=coded.digest,
        )
        plane = None if picture.alpha is None else alpha.pack(picture.alpha)
        return serialise(
            Container(
                header,
                coded.hyper,
                coded.latent,
                alpha=plane,
                icc=picture.icc,
                exif=picture.exif,
                xmp=picture.xmp,
            )
        )

    def decode_pictures(self, containers: list[Container], *, max_pixels: int = MAX_PIXELS) -> list[Picture]:
        """Of one `kind`: they go through the networks together."""
        header = containers[0].header
        if header.width * header.height > max_pixels:
            raise PictureError(
                f"picture of {header.width}x{header.height} is beyond the limit of {max_pixels} pixels",
                hint="raise max_pixels (--max-pixels) if you trust the file",
            )
        planes = [_alpha_plane(c) for c in containers]
        coded = [Coded(c.hyper, c.latent, c.header.digest) for c in containers]
        grey = header.mode is Mode.GREY
        decoded = self._engine_for(header).decode(
            coded, header.height, header.width, header.quality, grey=grey
        )
        return [
            Picture(
                rgb=np.repeat(levels[:, :, None], 3, 2) if grey else levels,
                grey=grey,
                alpha=plane,
                icc=c.icc,
                exif=c.exif,
                xmp=c.xmp,
                warnings=(),
            )
            for c, levels, plane in zip(containers, decoded, planes, strict=True)
        ]

    def _engine_for(self, header: Header) -> Engine:
        if header.model == self.model.identity:
            return self._engine
        model = models.find_identity(header.model)
        return _engine(model.path, model.identity, self.device, self.precision)


def kind(container: Container) -> tuple[int, ...]:
    """Files of one kind, which begins with height and width, can be decoded together."""
    h = container.header
    return h.height, h.width, int(h.mode), h.quality, int.from_bytes(h.model, "big")


def _load(source: Source, strip: bool, max_pixels: int) -> Picture:
    """The picture; what was converted or dropped becomes a warning of Python's."""
    picture = pixels.load(source, strip=strip, max_pixels=max_pixels)
    for message in picture.warnings:
        warnings.warn(message, SlicWarning, stacklevel=3)
    return picture


def _wreckage(seen: Sequence[Seen]) -> tuple[str, ...]:
    """What to say of places that come out destroyed."""
    destroyed = [place for place in seen if place.decibels < DESTROYED_DB]
    if not destroyed:
        return ()
    if len(destroyed) == len(seen):
        return (f"what was encoded is wreckage: the picture {WRECKAGE}",)
    worst = min(destroyed)
    place = f"{worst.left},{worst.top}"
    return (f"a part of what was encoded, at pixel {place}, is wreckage: that part {WRECKAGE}",)


def _warned(encoded: Encoded) -> bytes:
    """The file; what must be said of it becomes a warning of Python's."""
    for message in encoded.warnings:
        warnings.warn(message, SlicWarning, stacklevel=3)
    return encoded.data


def _alpha_plane(container: Container) -> NDArray[np.uint8] | None:
    if container.alpha is None:
        return None
    place = HYPER_OFFSET + len(container.hyper) + len(container.latent) + 2 * CHUNK_OVERHEAD
    return alpha.unpack(container.alpha, container.header.width, container.header.height, offset=place)


def _device(name: str) -> torch.device:
    if name == "auto":
        return torch.device("cuda" if torch.cuda.is_available() else "cpu")
    if name.startswith("cuda") and not torch.cuda.is_available():
        raise ModelError("no CUDA device is available", hint="use device auto or cpu")
    try:
        return torch.device(name)
    except RuntimeError:
        raise ModelError(f"device {name} is unknown", hint="use auto, cpu or cuda") from None


def _precision(name: Precision) -> Precision:
    if name not in get_args(Precision):
        raise ModelError(f"precision {name} is unknown", hint="use auto, fp32 or bf16")
    return name


def _engine(path: Path, identity: bytes, device: torch.device, precision: Precision) -> Engine:
    """One engine for each model, device and precision, however many Codecs and threads share it."""
    with _making:  # so that two threads do not both make it
        return _make_engine(path, identity, device, precision)


_making = threading.Lock()


@lru_cache(maxsize=4)
def _make_engine(path: Path, identity: bytes, device: torch.device, precision: Precision) -> Engine:
    if device.type == "cpu":
        allocator.keep_freed_memory()
    model = models.open_file(path)
    chosen = transforms.choose_precision(precision, device, validated=model.bf16)
    return Engine(model.architecture, model.tensors, device, chosen)


def _batches(items: Iterable[T], kind: Callable[[T], tuple[int, ...]]) -> Iterator[list[T]]:
    """Neighbours of one kind, up to BATCH_PIXELS together; a kind begins with height and width."""
    for (height, width, *_), group in itertools.groupby(items, kind):
        size = max(1, BATCH_PIXELS // (height * width))
        while batch := list(itertools.islice(group, size)):
            yield batch


def encode(
    source: Source,
    target: str | os.PathLike[str] | None = None,
    *,
    model: str | Path | None = None,
    quality: int | None = None,
    device: str = "auto",
    precision: Precision = "auto",
    strip: bool = False,
    max_pixels: int = MAX_PIXELS,
    key: KeyFile | Signer | None = None,
    comment: str = "",
    force: bool = False,
) -> bytes | None:
    """Write `source` as the `.slic` file `target`; without a target, give its bytes.

    `quality` is 1 (smallest) to 8 (best), `model` a name or a file; each has its default. `key` signs the
    file, and `comment` with it.
    """
    if target is not None and isinstance(source, str | os.PathLike) and files.same_file(source, target):
        raise PictureError("input and output are the same file", hint="give another target")
    signer = None if key is None else open_key(key)
    codec = Codec(model, quality=quality, device=device, precision=precision)
    data = codec.encode(source, strip=strip, max_pixels=max_pixels, key=signer, comment=comment)
    if target is None:
        return data
    files.write(Path(target), data, force=force)
    return None


def decode(
    source: FileSource,
    *,
    device: str = "auto",
    precision: Precision = "auto",
    max_pixels: int = MAX_PIXELS,
    verify: Keys | None = None,
) -> Image.Image:
    """The picture in a `.slic` file, decoded with the installed model that it names.

    With `verify`, only if one of these keys has signed it; else a VerdictError, before any model is loaded.
    """
    container = parse(read(source))
    if verify is not None:
        require(container, trusted(verify))
    codec = Codec(models.find_identity(container.header.model), device=device, precision=precision)
    return pixels.to_image(codec.decode_picture(container, max_pixels=max_pixels))
