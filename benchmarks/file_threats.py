"""Attacks that need no picture: on the file, on its signature and keys, on the reader's memory.

Each gives what the reader is shown, in words; threats.py says what that is worth.
"""

import base64
import multiprocessing
import struct
import time
import zlib
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import NamedTuple

import numpy as np

from benchmarks.data import Pixels, Row
from benchmarks.hostile import repaired
from slic import Codec, SlicError
from slic.models import Model
from slic.trust import keys
from slic.trust.keys import PublicKey, SecretKey
from slic.trust.signature import sign_bytes, sign_container
from slic.trust.verdict import verify
from slic_formats import Container, pack_words, parse, serialise

KEY = SecretKey(bytes(range(32)))
"""The press's, in every run: what is measured depends on no chance."""
FORGER = SecretKey(b"forger".ljust(32))
WEAK = PublicKey(b"\x01" + bytes(31))  # the neutral point: R = S·B − h·A is the same for every message


class Press(NamedTuple):
    """Who signs, and two of the files that it has signed, one with EXIF."""

    file: bytes
    other: bytes

    @classmethod
    def founded(cls, codec: Codec, pixels: Pixels) -> "Press":
        rich = replace(parse(codec.encode(pixels)), exif=b"II*\0\x08\0\0\0\0\0")
        other = codec.encode(np.ascontiguousarray(pixels[::-1]))
        return cls(sign_bytes(serialise(rich), KEY, "Example Press"), sign_bytes(other, KEY))


_QUEUE = "multiprocessing.Queue[list[Row]]"

Claim = tuple[bytes, tuple[PublicKey, ...]]
"""A file that is not the press's, and the keys of who reads it."""


def said(claim: Callable[[], Claim]) -> str:
    """The verdict, or the error that comes before it."""
    try:
        data, trusted = claim()
        return verify(data, trusted).status.value
    except SlicError as error:
        return f"refused: {without_names(str(error))}"


def without_names(text: str) -> str:
    """An error's reason; the folder that a file lay in is nobody's business."""
    return text.rpartition(": ")[2] if text.startswith("/") else text


def signature_attacks(press: Press) -> dict[str, Callable[[], Claim]]:
    """What may pass for a file that the press has signed as it is."""
    readers = (replace(KEY.public, name="press"),)
    container, other = parse(press.file), parse(press.other)
    signature = container.signature
    assert signature is not None

    def changed(**fields: object) -> Callable[[], Claim]:
        return lambda: (serialise(replace(container, **fields)), readers)  # type: ignore[arg-type]

    def named(id: bytes, trusted: tuple[PublicKey, ...]) -> Callable[[], Claim]:
        """The forger's own signature, or a command that lies about the key it used."""
        forged = parse(sign_bytes(press.other, FORGER)).signature
        assert forged is not None
        return lambda: (serialise(replace(other, signature=replace(forged, key_id=id))), trusted)

    both = (*readers, FORGER.public)
    revoked = (replace(readers[0], revoked="the laptop was stolen"),)
    return {
        "none: the press's own file": lambda: (press.file, readers),
        "strip the signature": changed(signature=None),
        "sign with a key of one's own": lambda: (sign_bytes(press.file, FORGER), readers),
        "the same, with the press's name as comment": lambda: (
            sign_bytes(press.file, FORGER, "Example Press"),
            readers,
        ),
        "a signature of one's own under the press's key id": named(KEY.public.id, readers),
        "the press's signature from another file": changed(signature=other.signature),
        "the press's signature under another trusted key's id": lambda: (
            serialise(replace(container, signature=replace(signature, key_id=FORGER.public.id))),
            both,
        ),
        "latents of another file under the signature": changed(
            header=other.header, hyper=other.hyper, latent=other.latent
        ),
        "EXIF of one's own under the signature": changed(exif=b"II*\0\x08\0\0\0\0\1"),
        "another model named in the header": changed(header=replace(container.header, model=bytes(16))),
        "the public key's bytes as a private key": lambda: (
            sign_bytes(press.file, SecretKey(KEY.public.raw)),
            readers,
        ),
        "a public key's file as a private one": lambda: (sign_bytes(press.file, _loaded()), readers),
        "one's own key in a key file under the press's id": lambda: (
            sign_bytes(press.file, FORGER),
            (keys.parse_public(_under_id(FORGER.public, KEY.public.id)),),
        ),
        "a stolen key that the reader has revoked": lambda: (press.file, revoked),
        "a key that takes signatures of nobody": lambda: (
            _signed_by_nobody(other, WEAK),
            (*readers, keys.parse_public(WEAK.text().encode())),
        ),
        "an old file, shown as new": lambda: (press.other, readers),
    }


def changed_bytes(press: Press, count: int) -> list[Callable[[], Claim]]:
    """The signed file with a byte changed and its checksums repaired, so that no CRC helps the reader."""
    random = np.random.default_rng(0)
    out = []
    for place in random.choice(len(press.file), count):
        data = bytearray(press.file)
        data[place] ^= int(random.integers(1, 256))
        if (mended := repaired(data)) != press.file:  # a changed checksum is mended away
            out.append(partial(_as_it_is, mended))
    return out


def _as_it_is(data: bytes) -> Claim:
    return data, (KEY.public,)


def _loaded() -> SecretKey:
    with TemporaryDirectory() as folder:
        file = Path(folder) / "press.pub"
        file.write_text(KEY.public.text())
        return keys.load_secret(file)


def _under_id(public: PublicKey, id: bytes) -> bytes:
    return base64.b64encode(b"Ed" + id + public.raw)


def _signed_by_nobody(container: Container, key: PublicKey) -> bytes:
    """With a signature that no private key has made."""
    signed = sign_container(container, FORGER)
    assert signed.signature is not None
    value = key.raw + bytes(32)
    return serialise(replace(signed, signature=replace(signed.signature, key_id=key.id, value=value)))


def bombs(codec: Codec, pixels: Pixels, megapixels: float) -> dict[str, bytes]:
    """Small files that ask for much; those that take least come first, for memory is taken only once."""
    good = parse(codec.encode(pixels))
    side = round((megapixels * 1e6) ** 0.5)
    nothing = pack_words(b"", b"")
    height, width = pixels.shape[:2]

    def sized(width: int, height: int) -> bytes:
        head = replace(good.header, width=width, height=height)
        return serialise(replace(good, header=head, hyper=nothing, latent=nothing))

    alpha = b"\0" + zlib.compress(bytes(100 * height * width), 9)
    endless, words = (bytearray(serialise(good)) for _ in range(2))
    at = endless.index(b"HYPR")
    struct.pack_into("<I", endless, at - 4, 2**32 - 1)
    struct.pack_into("<I", words, at + 4, 2**32 - 1)
    return {
        "a chunk of 2³² − 1 bytes": bytes(endless),
        "2³² − 1 words of latents": repaired(words),
        "65535x65535 pixels in 100 bytes": sized(65535, 65535),
        "alpha that inflates to 100 times the picture": serialise(replace(good, alpha=alpha)),
        f"{megapixels:g} megapixels in 100 bytes": sized(side, side),
        f"{megapixels:g} megapixels of one colour": codec.encode(np.full((side, side, 3), 128, np.uint8)),
    }


def endure(model: Model, files: dict[str, bytes], device: str = "auto") -> list[Row]:
    """What decoding each of these takes, in a process of its own: memory is what that grows by."""
    context = multiprocessing.get_context("spawn")
    queue = context.Queue()
    process = context.Process(target=_endure, args=(queue, model.path, files, device))
    process.start()
    rows: list[Row] = queue.get()
    process.join()
    return rows


def _endure(queue: _QUEUE, model: Path, files: dict[str, bytes], device: str) -> None:
    codec = Codec(model, device=device)
    codec.decode(codec.encode(np.zeros((512, 512, 3), np.uint8)))  # what every decoder takes
    rows = []
    for name, data in files.items():
        before, began = _peak(), time.perf_counter()
        try:
            codec.decode(data)
            says = "decoded"
        except SlicError as error:
            says = f"refused: {error}"
        taken = time.perf_counter() - began
        rows.append(
            {"attack": name, "bytes": len(data), "seconds": taken, "mb": _peak() - before, "says": says}
        )
    queue.put(rows)


def _peak() -> float:
    """MB that were ever resident here; Linux's getrusage would count the parent's too."""
    status = Path("/proc/self/status").read_text()
    return float(status.partition("VmHWM:")[2].split()[0]) / 1e3
