"""Fuzz target: whatever the bytes, `parse` refuses them with FormatError or gives back a file of one form.

    pip install atheris
    mkdir -p runs/fuzz
    PYTHONPATH=formats python formats/fuzz_parse.py runs/fuzz formats/vectors/container \\
        -max_total_time=60 -max_len=8192 -artifact_prefix=runs/fuzz/

What it finds interesting goes to the first folder, which therefore must not be that of the vectors,
the seeds. A crash is written to runs/fuzz/crash-…: make it a vector first, then mend the parser.
tests/formats/test_hostile.py makes the same claim for a few seconds in every test run.
"""

import struct
import sys
import zlib

from slic_formats import HEADER_BYTES, FormatError, parse, parse_header, serialise


def check(data: bytes) -> None:
    """The claim itself; any exception out of here is a fault of the parser."""
    try:
        container = parse(data)
    except FormatError:
        return
    assert serialise(container) == data
    assert parse_header(data[:HEADER_BYTES]) == container.header


def mend(data: bytes) -> bytes:
    """The same bytes with a right signature, file length and CRCs, as far as their chunks can be followed.

    Nearly every mutation breaks a checksum; mended, it reaches the rules behind them.
    """
    out = bytearray(b"\x89SLIC\r\n\x1a" + struct.pack("<Q", max(16, len(data))) + data[16:])
    at = 16
    while at + 12 <= len(out):
        crc = at + 8 + int.from_bytes(out[at : at + 4], "little")
        if crc + 4 > len(out):
            break
        out[crc : crc + 4] = struct.pack("<I", zlib.crc32(out[at + 4 : crc]))
        at = crc + 4
    return bytes(out)


def check_both(data: bytes) -> None:
    check(data)
    check(mend(data))


def main() -> None:
    try:
        import atheris
    except ImportError:
        sys.exit("fuzz_parse: atheris is not installed\nfuzz_parse: hint: pip install atheris")
    atheris.instrument_all()
    atheris.Setup(sys.argv, check_both)
    atheris.Fuzz()


if __name__ == "__main__":
    main()
