"""Mutated, cut and spliced files: FormatError or one byte form, and soon; the fuzz target in short."""

import random
import time
from pathlib import Path

from formats.fuzz_parse import check, mend
from slic_formats import Chunk

FOLDER = Path(__file__).parents[2] / "formats" / "vectors" / "container"
SEEDS = [path.read_bytes() for path in sorted(FOLDER.glob("*.slic"))]
SLOWEST = 0.05  # seconds for one parse and its way back
SECONDS = 3.0


def check_quickly(data: bytes) -> None:
    # Processor time: another process on the same cores is not the parser's fault.
    start = time.process_time()
    check(data)
    assert time.process_time() - start < SLOWEST, data[:200].hex()


def mutate(rng: random.Random, seed: bytes) -> bytes:
    data = bytearray(seed)
    for _ in range(rng.randint(1, 4)):
        at = rng.randrange(len(data) + 1)
        kind = rng.randrange(4)
        if kind == 0:
            data[at : at + 1] = rng.randbytes(1)
        elif kind == 1:
            data[at : at + 4] = rng.choice([b"\xff" * 4, bytes(4), b"\x00\x00\x00\x80", b"\x01\x00\x00\x00"])
        elif kind == 2:
            del data[at : at + rng.randint(1, 40)]
        else:
            other = rng.choice(SEEDS)
            cut = rng.randrange(len(other) + 1)
            data[at:at] = other[cut : cut + rng.randint(1, 200)]
    return bytes(data)


def test_no_mutation_does_more_than_raise_format_error() -> None:
    rng = random.Random(1)
    end = time.monotonic() + SECONDS
    while time.monotonic() < end:
        data = mutate(rng, rng.choice(SEEDS))
        check_quickly(data)
        check_quickly(mend(data))  # nearly every mutation breaks a checksum: mended, it goes further


def test_no_start_of_one_file_joined_to_the_end_of_another() -> None:
    for seed in SEEDS:
        for at in (16, 68, 88, 110):
            check_quickly(mend(SEEDS[0][:at] + seed[at:]))


def test_many_empty_chunks_are_refused_soon() -> None:
    chunks = b"".join(Chunk("x" + f"{i:03d}", b"").frame() for i in range(1000)) * 300
    whole = (FOLDER / "minimal_grey.slic").read_bytes() + chunks
    for stated in (110, len(whole), len(whole) + 1):  # trailing, counted, cut
        check_quickly(whole[:8] + stated.to_bytes(8, "little") + whole[16:])
