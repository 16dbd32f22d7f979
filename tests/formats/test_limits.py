"""The numbers that SPEC.md states."""

import re
from pathlib import Path

from slic_formats import limits, signing

SPEC = (Path(__file__).parents[2] / "formats" / "SPEC.md").read_text(encoding="utf-8")


def test_entropy_payloads_take_no_more_than_the_raw_pixels() -> None:
    assert limits.max_entropy_bytes(1, 1) == 4099
    assert limits.max_entropy_bytes(768, 512) == 1183744


def test_alpha_limit_holds_what_deflate_cannot_compress() -> None:
    assert limits.max_alpha_bytes(1, 1) == 1025
    assert limits.max_alpha_bytes(1000, 1000) == 1_002_024


def test_metadata_limits() -> None:
    assert limits.max_metadata_bytes("exif") == 16 * 2**20
    assert limits.max_metadata_bytes("c2pa") == 64 * 2**20
    assert limits.max_metadata_bytes("note") == 16 * 2**20


def test_largest_sign_payload_has_a_full_table_and_the_longest_comment() -> None:
    assert signing.MAX_SIGN == 1 + 8 + 1 + 24 * 36 + 2 + 1024 + 64


def test_spec_states_these_limits() -> None:
    rows = dict(re.findall(r"^\| ([^|]+) \| ([^|]+) \| [^|]+ \|$", SPEC.split("## Limits")[1], re.M))
    assert rows["HYPR + LATN payloads"] == "3 · width · height + 4096"
    assert rows["icpr, exif, xmpd, each unknown"] == f"{limits.MAX_METADATA >> 20} MiB"
    assert rows["c2pa"] == f"{limits.MAX_C2PA >> 20} MiB"
    assert rows["unknown chunks"] == str(limits.MAX_UNKNOWN_CHUNKS)
    assert rows["table of `sign`"] == str(limits.MAX_TABLE)
    assert rows["comment"] == f"{limits.MAX_COMMENT} bytes"
