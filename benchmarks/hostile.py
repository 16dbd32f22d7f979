"""What do damaged and hostile files do to the reader?

    python -m benchmarks.hostile [--parse 200000] [--decode 3000] [--json]

Files of the embedded model are mutated, cut and spliced; half of the mutants get a good CRC and length again,
so that they reach the layers below. Anything but slic's own errors ends the benchmark with a traceback.
"""

import struct
import time
import tracemalloc
import zlib
from collections import Counter
from collections.abc import Iterator

import click
import numpy as np

from benchmarks.data import EXAMPLES, Row, pictures, show
from slic import Codec, SlicError
from slic_formats import Chunk, parse, serialise
from slic_formats.container import Container

Random = np.random.Generator


def seeds(codec: Codec) -> list[bytes]:
    """Small good files: colour, grey and alpha, with metadata and a chunk nobody knows."""
    (_, photo), *_ = pictures(EXAMPLES)
    out = [codec.encode(np.ascontiguousarray(photo[300:360, 300:390]))]
    out.append(codec.encode(photo[100:117, 200:231, 0].copy()))
    out.append(codec.encode(np.dstack([photo[:40, :40], photo[:40, :40, :1]])))
    rich = parse(out[0])
    fields = {"exif": b"II*\0\x08\0\0\0\0\0", "icc": bytes(128), "unknown": (Chunk("note", b"hi"),)}
    out.append(serialise(Container(rich.header, rich.hyper, rich.latent, **fields)))
    return out


def mutant(files: list[bytes], random: Random) -> bytes:
    """One of the files, changed in one to four ways."""
    data = bytearray(files[random.integers(len(files))])
    for _ in range(random.integers(1, 5)):
        place = int(random.integers(len(data))) if data else 0
        kind = random.integers(6)
        if kind == 0 and data:
            data[place] ^= 1 << random.integers(8)
        elif kind == 1 and data:
            data[place] = random.integers(256)
        elif kind == 2:
            del data[place:]
        elif kind == 3:
            data[place:place] = random.bytes(random.integers(1, 9))
        elif kind == 4:
            other = files[random.integers(len(files))]
            data[place:] = other[int(random.integers(len(other))) :]
        elif len(data) > 4:
            struct.pack_into(
                "<I", data, min(place, len(data) - 4), int(random.choice([0, 1, 2**31, 2**32 - 1]))
            )
    return repaired(data) if random.random() < 0.5 else bytes(data)


def repaired(data: bytearray) -> bytes:
    """With the file's length and the CRCs of those chunks that can be found."""
    if len(data) >= 16:
        struct.pack_into("<Q", data, 8, len(data))
    place = 16
    while place + 12 <= len(data):
        (size,) = struct.unpack_from("<I", data, place)
        if place + 12 + size > len(data):
            break
        struct.pack_into("<I", data, place + 8 + size, zlib.crc32(data[place + 4 : place + 8 + size]))
        place += 12 + size
    return bytes(data)


def measure(parses: int, decodes: int) -> Iterator[Row]:
    codec = Codec(device="cpu", precision="fp32")
    files, random = seeds(codec), np.random.default_rng(0)
    yield _run("parse", parses, files, random, parse)
    yield _run("decode", decodes, files, random, lambda data: codec.decode(data, max_pixels=1 << 20))


def _run(name: str, count: int, files: list[bytes], random: Random, read) -> Row:  # type: ignore[no-untyped-def]
    outcomes: Counter[str] = Counter()
    slowest, memory = 0.0, 0
    for i in range(count):
        data = mutant(files, random)
        traced = i % 50 == 0
        if traced:
            tracemalloc.start()
        began = time.perf_counter()
        try:
            read(data)
            outcomes["accepted"] += 1
        except SlicError as error:
            outcomes[type(error).__name__] += 1
        taken = time.perf_counter() - began
        if traced:
            memory = max(memory, tracemalloc.get_traced_memory()[1] - len(data))
            tracemalloc.stop()
        else:
            slowest = max(slowest, taken)
    return {
        "layer": name,
        "files": count,
        "slowest_ms": slowest * 1e3,
        "most_mb_beyond_file": memory / 1e6,
        "outcomes": ", ".join(f"{k} {v}" for k, v in outcomes.most_common()),
    }


@click.command()
@click.option("--parse", "parses", default=200_000, show_default=True)
@click.option("--decode", "decodes", default=3000, show_default=True)
@click.option("--json", "as_json", is_flag=True, help="One JSON object a row.")
def main(parses: int, decodes: int, as_json: bool) -> None:
    show(measure(parses, decodes), as_json=as_json)


if __name__ == "__main__":
    main()
