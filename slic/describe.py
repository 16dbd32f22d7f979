"""What a file says of itself, without decoding it: loads no torch, no numpy."""

from dataclasses import asdict, dataclass
from typing import Any

from slic import models
from slic.errors import ModelError
from slic.models import Model
from slic.reading import FileSource, read
from slic_formats import Container, Mode, parse
from slic_formats.container import MAJOR
from slic_formats.signing import pack


@dataclass(frozen=True)
class Info:
    """A valid `.slic` file, described."""

    bytes: int
    width: int
    height: int
    mode: str
    """L, LA, RGB or RGBA, as Pillow calls them."""
    bits_per_pixel: float
    format_version: str
    model: str
    """Identity of the model that made the file, hexadecimal."""
    model_name: str | None
    """None when that model is not installed; then `secured` is unknown too."""
    secured: bool | None
    quality: int | None
    digest: str
    """Of the symbols, hexadecimal."""
    icc: int
    """Bytes of the colour profile, like exif, xmp and c2pa; 0 when there is none."""
    exif: int
    xmp: int
    c2pa: int
    signed: bool
    """Whether there is a signature; `slic verify` says whether it holds."""
    chunks: tuple[tuple[str, int], ...]
    """Type and payload bytes, in file order."""
    unknown: tuple[str, ...]
    """Types of chunks that this version keeps but does not know."""

    def as_dict(self) -> dict[str, Any]:
        """For JSON."""
        return asdict(self)

    def __str__(self) -> str:
        rows = {
            "size": f"{self.bytes} bytes, {self.bits_per_pixel:.3f} bits per pixel",
            "picture": f"{self.width}x{self.height} {self.mode}",
            "format": self.format_version,
            "model": self._model(),
            "symbols": self.digest,
            "metadata": self._metadata(),
            "signed": "yes (slic verify says whether the signature holds)" if self.signed else "no",
            "chunks": ", ".join(f"{type} {size}" for type, size in self.chunks),
            "unknown": ", ".join(self.unknown),
        }
        return "\n".join(f"  {name:<10}{text}" for name, text in rows.items() if text)

    def _model(self) -> str:
        if self.model_name is None:
            return f"{self.model} (not installed)"
        secured = "secured" if self.secured else "not secured"
        return f"{self.model} ({self.model_name}, quality {self.quality}, {secured})"

    def _metadata(self) -> str:
        sizes = {"ICC": self.icc, "EXIF": self.exif, "XMP": self.xmp, "C2PA": self.c2pa}
        return ", ".join(f"{name} {size} bytes" for name, size in sizes.items() if size) or "none"


def info(source: FileSource) -> Info:
    """What the file says of itself; raises FormatError unless all of it is valid."""
    data = read(source)
    container = parse(data)
    header = container.header
    model = _installed(header.model)
    return Info(
        bytes=len(data),
        width=header.width,
        height=header.height,
        mode=("L" if header.mode is Mode.GREY else "RGB") + ("A" if container.alpha is not None else ""),
        bits_per_pixel=8 * len(data) / (header.width * header.height),
        format_version=f"{MAJOR}.{header.minor}",
        model=header.model.hex(),
        model_name=model.name if model else None,
        secured=model.secured if model else None,
        quality=header.quality or model.quality if model else None,
        digest=header.digest.hex(),
        icc=len(container.icc or b""),
        exif=len(container.exif or b""),
        xmp=len(container.xmp or b""),
        c2pa=len(container.c2pa or b""),
        signed=container.signature is not None,
        chunks=_chunks(container),
        unknown=tuple(chunk.type for chunk in container.unknown),
    )


def _chunks(container: Container) -> tuple[tuple[str, int], ...]:
    sizes = [(chunk.type, len(chunk.data)) for chunk in container.chunks()]
    if container.signature is not None:
        sizes.append(("sign", len(pack(container.signature))))
    return tuple(sizes)


def _installed(identity: bytes) -> Model | None:
    try:
        return models.find_identity(identity)
    except ModelError:
        return None
