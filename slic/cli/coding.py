"""slic encode, slic decode: a command settles what to do, the library does it."""

import os
import sys
import threading
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from slic.cli import options, signing, work
from slic.cli.plan import STREAM, Job, files_of_slic, plan

if TYPE_CHECKING:
    from slic.codec import Codec
    from slic.models import Model
    from slic.transforms import Precision
    from slic.trust.c2pa import Definition
    from slic.trust.keys import PublicKey

FORMATS = ("png", "jpg", "webp", "tiff")


@click.command()
@options.pictures
@options.outputs
@click.option("-q", "--quality", type=click.IntRange(1, 8), help="1 is smallest, 8 is best.")
@click.option("-m", "--model", metavar="MODEL", help="A model's name or file.")
@click.option("--strip", is_flag=True, help="Drop EXIF and XMP; the colour profile stays.")
@options.signer("--sign", required=False)
@click.option("--c2pa", metavar="MANIFEST", help="Claim what this JSON file says, in the file and beside it.")
@options.machine
@options.as_json
@click.pass_context
def encode(
    ctx: click.Context,
    /,
    inputs: tuple[str, ...],
    quality: int | None,
    model: str | None,
    strip: bool,
    c2pa: str | None,
    **shared: Any,
) -> None:
    """Write each of PICTURES as a .slic file.

    \b
    Examples:
      slic encode photo.png                       writes photo.slic
      slic encode -r shoot/ -o out/ -j 4          a folder, four at a time
      slic encode -q 3 - -o - <a.png >a.slic      from and to a pipe
      slic encode --sign press.key photo.png      signed, for slic verify
    """
    settings = replace(_settings(shared), sidecar=c2pa is not None)
    jobs = plan(inputs, shared["output"], ".slic", readable() if shared["recursive"] else None)
    settings.check(jobs)
    if jobs:
        from slic.models import choose

        signed = signing.Signing.chosen(shared)
        encoder = _Encoder(choose(model, quality), strip, signed, _definition(c2pa), shared)
        ctx.exit(work.run(jobs, encoder, settings))


@click.command()
@options.inputs
@options.outputs
@options.verify
@click.option("--format", "format_", type=click.Choice(FORMATS), help="Else from -o, or png.")
@options.machine
@options.as_json
@click.pass_context
def decode(
    ctx: click.Context,
    /,
    inputs: tuple[str, ...],
    format_: str | None,
    verify: tuple[str, ...],
    **shared: Any,
) -> None:
    """Write the picture in each of FILES.

    \b
    Examples:
      slic decode photo.slic                      writes photo.png
      slic decode -r out/ -o seen/ --format jpg   a folder
      slic decode photo.slic -o - | display       to a pipe
      slic decode --verify keys/ photo.slic       only what a key in keys/ has signed
    """
    settings = _settings(shared)
    chosen = _format(format_, shared["output"])
    jobs = plan(inputs, shared["output"], f".{chosen}", files_of_slic(shared["recursive"]))
    settings.check(jobs)
    if jobs:
        from slic.trust.keys import trusted

        keys = trusted(verify) if verify else None
        ctx.exit(work.run(jobs, _Decoder(chosen, keys, shared), settings))


def _settings(shared: dict[str, Any]) -> work.Settings:
    names = ("force", "skip_existing", "as_json", "jobs", "threads", "device")
    return work.Settings(**{name: shared[name] for name in names})


def readable() -> Callable[[str], bool]:
    """Whether a file in a folder is a picture, by its name."""
    from PIL import Image

    Image.init()
    suffixes = {s for s, format_ in Image.registered_extensions().items() if format_ in Image.OPEN}
    return lambda name: os.path.splitext(name)[1].lower() in suffixes - {".slic"}


def _format(chosen: str | None, output: str | None) -> str:
    """The format that --format or the suffix of -o names; png when neither does."""
    suffix = Path(output).suffix.lower() if output and output != STREAM else ""
    named = {".jpeg": "jpg", ".tif": "tiff"}.get(suffix, suffix[1:])
    known = named in FORMATS
    if chosen and known and chosen != named:
        raise click.UsageError(f"--format {chosen} does not fit {output}")
    if not chosen and suffix and not known and output and not os.path.isdir(output):
        raise click.UsageError(f"{output}: {suffix} is no known format; --format says which to write")
    return chosen or (named if known else "png")


def _definition(path: str | None) -> "Definition | None":
    if path is None:
        return None
    from slic.trust.c2pa import load

    return load(path)


def _source(job: Job) -> Any:
    return sys.stdin.buffer.read() if job.source == STREAM else job.source


class _Encoder:
    """One Codec for all inputs."""

    def __init__(
        self,
        model: "Model",
        strip: bool,
        signed: signing.Signing | None,
        definition: "Definition | None",
        shared: dict[str, Any],
    ) -> None:
        from PIL import Image

        from slic.codec import Codec

        Image.MAX_IMAGE_PIXELS = None  # this process is ours: --max-pixels is the limit here
        self._codec = Codec(model, device=shared["device"], precision=shared["precision"])
        self._limits = _limits(shared)
        self._strip = strip
        self._signing = signed
        self._definition = definition

    def __call__(self, job: Job, result: work.Result) -> bytes:
        from slic import pixels

        picture = pixels.load(_source(job), strip=self._strip, **self._limits)
        result.warnings += picture.warnings
        encoded = self._codec.encode_picture(picture)
        result.warnings += encoded.warnings
        data = self._attest(encoded.data, result)
        height, width = picture.rgb.shape[:2]
        work.describe(result, self._codec.model, len(data), width, height)
        return data

    def _attest(self, data: bytes, result: work.Result) -> bytes:
        """With manifest and signature, in the order in which each covers what stands before it."""
        from slic.trust import c2pa

        if self._definition:
            data = c2pa.embed(data, self._definition)
        if self._signing:
            data = self._signing.apply(data, result)
        if self._definition:
            result.sidecar = c2pa.manifest(data, self._definition)
        return data


class _Decoder:
    """A Codec for each model that the inputs name, made when the first file asks for it."""

    def __init__(self, format_: str, keys: "tuple[PublicKey, ...] | None", shared: dict[str, Any]) -> None:
        self._format = format_
        self._keys = keys
        self._device: str = shared["device"]
        self._precision: Precision = shared["precision"]
        self._limits = _limits(shared)
        self._codecs: dict[bytes, Codec] = {}
        self._lock = threading.Lock()

    def __call__(self, job: Job, result: work.Result) -> bytes:
        from slic.cli.saving import save
        from slic.reading import read
        from slic_formats import parse

        data = read(sys.stdin.buffer if job.source == STREAM else job.source)
        container = parse(data)
        result.facts["signed"] = container.signature is not None
        if self._keys is not None:
            from slic.trust.verdict import require

            result.facts |= require(container, self._keys).as_dict()
        codec = self._codec(container.header.model)
        picture = codec.decode_picture(container, **self._limits)
        saved, lost = save(picture, self._format)
        result.warnings += lost
        work.describe(result, codec.model, len(data), container.header.width, container.header.height)
        return saved

    def _codec(self, identity: bytes) -> "Codec":
        from slic import models
        from slic.codec import Codec

        with self._lock:  # to find a model takes a hash of each that is installed: once is enough
            if identity not in self._codecs:
                model = models.find_identity(identity)
                self._codecs[identity] = Codec(model, device=self._device, precision=self._precision)
            return self._codecs[identity]


def _limits(shared: dict[str, Any]) -> dict[str, int]:
    """max_pixels where it was given; its default is the library's."""
    return {} if shared["max_pixels"] is None else {"max_pixels": shared["max_pixels"]}
