"""Writes vectors/container/: for each rule of SPEC.md a file that keeps or breaks it, and what a reader says.

    python formats/vectors/make_vectors.py [FOLDER]

One function a vector, named after its rule, one fault each. The functions build their bytes with the
few lines below and never with slic_formats: a mistake there must not repeat itself here. Where
everything lies is therefore written out: HEAD at 16, HYPR at 68, LATN at 88, what follows at 110.
"""

import hashlib
import json
import struct
import sys
import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

SIGNATURE = b"\x89SLIC\r\n\x1a"


@dataclass(frozen=True)
class Vector:
    data: bytes
    expect: str = "valid"
    chunk: str | None = None
    offset: int | None = None
    states: dict[str, str] = field(default_factory=dict)  # of a signed file's chunks

    def json(self) -> str:
        facts: dict[str, object] = {"expect": self.expect}
        if self.expect != "valid":
            facts |= {"chunk": self.chunk, "offset": self.offset}
        if self.states:
            facts["states"] = self.states
        return json.dumps(facts, indent=2) + "\n"


Generator = Callable[[], Vector]
GENERATORS: list[Generator] = []


def vector(generator: Generator) -> Generator:
    GENERATORS.append(generator)
    return generator


# The writer


def chunk(type: bytes, payload: bytes = b"", *, length: int | None = None, crc_xor: int = 0) -> bytes:
    body = type + payload
    size = len(payload) if length is None else length
    return struct.pack("<I", size) + body + struct.pack("<I", zlib.crc32(body) ^ crc_xor)


def file(*chunks: bytes, signature: bytes = SIGNATURE, extra_length: int = 0) -> bytes:
    body = b"".join(chunks)
    return signature + struct.pack("<Q", 16 + len(body) + extra_length) + body


def head(*, major: int = 1, minor: int = 0, width: int = 3, height: int = 2, mode: int = 1) -> bytes:
    fields = struct.pack("<BBHHBB", major, minor, width, height, mode, 0)
    return fields + bytes(range(16)) + bytes(range(16, 32))  # identity of no model, digest of no symbols


HEAD = chunk(b"HEAD", head())
ONE_PIXEL = chunk(b"HEAD", head(width=1, height=1))
WORDS = b"\x01\x00\x00\x00\x2a\x00\x00\x80"
HYPR = chunk(b"HYPR", WORDS)
LATN = chunk(b"LATN", WORDS + b"\x7f\x00")  # one word, one escape
# Opaque, rows filtered "left", deflate without compression: no two zlibs differ on that.
ALPH = chunk(b"ALPH", b"\x01" + bytes.fromhex("78010106 00f9ffff 0000ff00 0008fd01 ff"))
ICPR, EXIF = chunk(b"icpr", b"a colour profile"), chunk(b"exif", b"II*\0 taken at home")
XMPD, C2PA = chunk(b"xmpd", b"<x:xmpmeta/>"), chunk(b"c2pa", b"a manifest store")
BASE = (HEAD, HYPR, LATN)


def table(*chunks: bytes) -> bytes:
    return b"".join(c[4:8] + hashlib.sha256(c).digest() for c in chunks)


def sign(
    *chunks: bytes,
    scheme: int = 1,
    entries: bytes | None = None,
    count: int | None = None,
    comment: bytes = b"Example Press",
    comment_length: int | None = None,
    value: bytes = b"S" * 64,
) -> bytes:
    listed = table(*chunks) if entries is None else entries
    counted = len(listed) // 36 if count is None else count
    length = len(comment) if comment_length is None else comment_length
    start = struct.pack("<B8sB", scheme, b"key-id-8", counted) + listed
    return chunk(b"sign", start + struct.pack("<H", length) + comment + value)


# Valid files


@vector
def minimal_grey() -> Vector:
    return Vector(file(chunk(b"HEAD", head(mode=0)), HYPR, LATN))


@vector
def rgb_all_chunks() -> Vector:
    chunks = (*BASE, ALPH, ICPR, EXIF, XMPD, C2PA, chunk(b"note", b"hello"))
    states = {c[4:8].decode(): "intact" for c in chunks}
    return Vector(file(*chunks, sign(*chunks)), states=states)


@vector
def entropy_words_none() -> Vector:
    empty = b"\x00\x00\x00\x00"
    return Vector(file(HEAD, chunk(b"HYPR", empty), chunk(b"LATN", empty)))


@vector
def entropy_at_limit() -> Vector:
    rest = 3 + 4096 - len(WORDS)
    return Vector(file(ONE_PIXEL, HYPR, chunk(b"LATN", WORDS + bytes(rest - len(WORDS)))))


@vector
def alpha_at_limit() -> Vector:
    return Vector(file(ONE_PIXEL, HYPR, LATN, chunk(b"ALPH", bytes(1 + 0 + 1024))))


@vector
def head_largest_size() -> Vector:
    return Vector(file(chunk(b"HEAD", head(width=65535, height=65535)), HYPR, LATN))


@vector
def head_minor_unknown() -> Vector:
    return Vector(file(chunk(b"HEAD", head(minor=255)), HYPR, LATN))


@vector
def unknown_ancillary() -> Vector:
    return Vector(file(*BASE, chunk(b"a0X9", b"\x00\xff"), chunk(b"note"), chunk(b"zzzz", b"last")))


@vector
def unknown_sixteen() -> Vector:
    return Vector(file(*BASE, *(chunk(b"x%03d" % i) for i in range(16))))


@vector
def signed() -> Vector:
    states = {"HEAD": "intact", "HYPR": "intact", "LATN": "intact"}
    return Vector(file(*BASE, sign(*BASE)), states=states)


@vector
def signed_comment_empty() -> Vector:
    states = {"HEAD": "intact", "HYPR": "intact", "LATN": "intact"}
    return Vector(file(*BASE, sign(*BASE, comment=b"")), states=states)


@vector
def signed_comment_longest() -> Vector:
    states = {"HEAD": "intact", "HYPR": "intact", "LATN": "intact"}
    return Vector(file(*BASE, sign(*BASE, comment="é".encode() * 512)), states=states)


@vector
def signed_then_exif_removed() -> Vector:
    states = {"HEAD": "intact", "HYPR": "intact", "LATN": "intact", "exif": "removed", "xmpd": "intact"}
    return Vector(file(*BASE, XMPD, sign(*BASE, EXIF, XMPD)), states=states)


@vector
def signed_then_altered() -> Vector:
    states = {"HEAD": "intact", "HYPR": "intact", "LATN": "altered"}
    return Vector(file(*BASE, sign(HEAD, HYPR, chunk(b"LATN", WORDS))), states=states)


@vector
def signed_then_added() -> Vector:
    states = {"HEAD": "intact", "HYPR": "intact", "LATN": "intact", "ALPH": "added", "icpr": "removed"}
    return Vector(file(*BASE, ALPH, sign(*BASE, ICPR)), states=states)


# File signature and length


@vector
def signature_other() -> Vector:
    return Vector(b"\x89PNG\r\n\x1a\n" + file(*BASE)[8:], "not a slic file", None, 0)


@vector
def signature_crlf_to_lf() -> Vector:
    data = file(*BASE).replace(b"\r\n", b"\n")
    return Vector(data, "damaged by a text-mode or 7-bit transfer", None, 0)


@vector
def signature_lf_to_crlf() -> Vector:
    data = file(*BASE).replace(b"\n", b"\r\n")
    return Vector(data, "damaged by a text-mode or 7-bit transfer", None, 0)


@vector
def signature_seven_bits() -> Vector:
    data = bytes(b & 0x7F for b in file(*BASE))
    return Vector(data, "damaged by a text-mode or 7-bit transfer", None, 0)


@vector
def empty_file() -> Vector:
    return Vector(b"", "truncated", None, 0)


@vector
def truncated_in_signature() -> Vector:
    return Vector(file(*BASE)[:5], "truncated", None, 5)


@vector
def truncated_in_file_length() -> Vector:
    return Vector(file(*BASE)[:12], "truncated", None, 12)


@vector
def truncated_before_head() -> Vector:
    return Vector(file(*BASE)[:16], "truncated", None, 16)


@vector
def truncated_in_chunk_length() -> Vector:
    return Vector(file(*BASE)[:70], "truncated", None, 70)


@vector
def truncated_in_chunk_type() -> Vector:
    return Vector(file(*BASE)[:75], "truncated", None, 75)


@vector
def truncated_in_head() -> Vector:
    return Vector(file(*BASE)[:40], "truncated", "HEAD", 40)


@vector
def truncated_in_payload() -> Vector:
    return Vector(file(*BASE)[:100], "truncated", "LATN", 100)


@vector
def truncated_in_crc() -> Vector:
    return Vector(file(*BASE)[:109], "truncated", "LATN", 109)


@vector
def truncated_between_chunks() -> Vector:
    return Vector(file(*BASE, EXIF)[:110], "truncated", None, 110)


@vector
def truncated_in_sign() -> Vector:
    return Vector(file(*BASE, sign(*BASE))[:200], "truncated", "sign", 200)


@vector
def trailing_byte() -> Vector:
    return Vector(file(*BASE) + b"\x00", "bytes after the end of the file", None, 110)


@vector
def trailing_byte_counted() -> Vector:
    return Vector(file(*BASE, b"\x00"), "too few bytes for a chunk", None, 110)


@vector
def trailing_file() -> Vector:
    return Vector(file(*BASE) * 2, "bytes after the end of the file", None, 110)


@vector
def file_length_overflow() -> Vector:
    data = file(*BASE)
    return Vector(data[:8] + b"\xff" * 8 + data[16:], "truncated", None, 110)


# Chunks


@vector
def chunk_length_overflow() -> Vector:
    latn = chunk(b"LATN", WORDS + b"\x7f\x00", length=0xFFFFFFFF)
    return Vector(file(HEAD, HYPR, latn), "chunk is longer than the rest of the file", "LATN", 88)


@vector
def chunk_length_one_too_long() -> Vector:
    latn = chunk(b"LATN", WORDS + b"\x7f\x00", length=11)
    return Vector(file(HEAD, HYPR, latn), "chunk is longer than the rest of the file", "LATN", 88)


@vector
def chunk_length_one_too_short() -> Vector:
    latn = chunk(b"LATN", WORDS + b"\x7f\x00", length=9)
    return Vector(file(HEAD, HYPR, latn), "checksum differs", "LATN", 105)


@vector
def chunk_type_not_a_letter_first() -> Vector:
    reason = "chunk type is not a letter and three letters or digits"
    return Vector(file(*BASE, chunk(b"1abc")), reason, None, 114)


@vector
def chunk_type_not_ascii() -> Vector:
    reason = "chunk type is not a letter and three letters or digits"
    return Vector(file(*BASE, chunk(b"ab\xe9c")), reason, None, 114)


def wrong_crc(changed: bytes, offset: int, *before: bytes) -> Vector:
    type, payload = changed[4:8], changed[8:-4]
    broken = chunk(type, payload, crc_xor=1)
    after = BASE[len(before) + 1 :]
    return Vector(file(*before, broken, *after), "checksum differs", type.decode(), offset)


@vector
def crc_head() -> Vector:
    return wrong_crc(HEAD, 64)


@vector
def crc_hypr() -> Vector:
    return wrong_crc(HYPR, 84, HEAD)


@vector
def crc_latn() -> Vector:
    return wrong_crc(LATN, 106, HEAD, HYPR)


@vector
def crc_alph() -> Vector:
    return wrong_crc(ALPH, 110 + len(ALPH) - 4, *BASE)


@vector
def crc_exif() -> Vector:
    return wrong_crc(EXIF, 110 + len(EXIF) - 4, *BASE)


@vector
def crc_unknown() -> Vector:
    return wrong_crc(chunk(b"note", b"hello"), 123, *BASE)


@vector
def crc_sign() -> Vector:
    return wrong_crc(sign(*BASE), 315, *BASE)


@vector
def crc_without_type() -> Vector:
    # The CRC covers the type: else LATN could be renamed and still look whole.
    latn = LATN[:-4] + struct.pack("<I", zlib.crc32(WORDS + b"\x7f\x00"))
    return Vector(file(HEAD, HYPR, latn), "checksum differs", "LATN", 106)


@vector
def missing_head() -> Vector:
    return Vector(file(HYPR, LATN), "expected chunk HEAD", "HYPR", 20)


@vector
def missing_hypr() -> Vector:
    return Vector(file(HEAD, LATN), "expected chunk HYPR", "LATN", 72)


@vector
def missing_latn() -> Vector:
    return Vector(file(HEAD, HYPR), "missing chunk LATN", None, 88)


@vector
def missing_everything() -> Vector:
    return Vector(file(), "too few bytes for a chunk", None, 16)


@vector
def repeated_head() -> Vector:
    return Vector(file(HEAD, HEAD, HYPR, LATN), "repeated chunk", "HEAD", 72)


@vector
def repeated_exif() -> Vector:
    return Vector(file(*BASE, EXIF, EXIF), "repeated chunk", "exif", 110 + len(EXIF) + 4)


@vector
def repeated_exif_apart() -> Vector:
    data = file(*BASE, EXIF, XMPD, EXIF)
    return Vector(data, "repeated chunk", "exif", 110 + len(EXIF + XMPD) + 4)


@vector
def repeated_unknown() -> Vector:
    return Vector(file(*BASE, chunk(b"note"), chunk(b"note")), "repeated chunk", "note", 126)


@vector
def repeated_sign() -> Vector:
    signature = sign(*BASE)
    data = file(*BASE, signature, signature)
    return Vector(data, "repeated chunk", "sign", 110 + len(signature) + 4)


@vector
def order_latn_before_hypr() -> Vector:
    return Vector(file(HEAD, LATN, HYPR), "expected chunk HYPR", "LATN", 72)


@vector
def order_xmp_before_exif() -> Vector:
    return Vector(file(*BASE, XMPD, EXIF), "chunk out of order", "exif", 110 + len(XMPD) + 4)


@vector
def order_alpha_after_icc() -> Vector:
    return Vector(file(*BASE, ICPR, ALPH), "chunk out of order", "ALPH", 110 + len(ICPR) + 4)


@vector
def order_unknown_descending() -> Vector:
    return Vector(file(*BASE, chunk(b"note"), chunk(b"abcd")), "chunk out of order", "abcd", 126)


@vector
def order_unknown_before_known() -> Vector:
    return Vector(file(*BASE, chunk(b"aaaa"), EXIF), "chunk out of order", "exif", 126)


@vector
def order_chunk_after_sign() -> Vector:
    signature = sign(*BASE)
    data = file(*BASE, signature, chunk(b"zzzz"))
    return Vector(data, "chunk out of order", "zzzz", 110 + len(signature) + 4)


@vector
def unknown_critical() -> Vector:
    reason = "unknown critical chunk needs a newer slic"
    return Vector(file(*BASE, chunk(b"Anim")), reason, "Anim", 114)


@vector
def unknown_critical_second() -> Vector:
    reason = "unknown critical chunk needs a newer slic"
    return Vector(file(HEAD, chunk(b"TILE"), HYPR, LATN), reason, "TILE", 72)


@vector
def unknown_seventeen() -> Vector:
    chunks = (chunk(b"x%03d" % i) for i in range(17))
    return Vector(file(*BASE, *chunks), "more than 16 unknown chunks", "x016", 110 + 16 * 12 + 4)


# HEAD


@vector
def head_major_future() -> Vector:
    # Nothing else of this chunk is as version 1 has it: not its length, not its checksum.
    future = chunk(b"HEAD", b"\x02" + b"other fields " * 5, crc_xor=1)
    return Vector(file(future), "format version 2 needs a newer slic", "HEAD", 24)


@vector
def head_major_zero() -> Vector:
    data = file(chunk(b"HEAD", head(major=0)), HYPR, LATN)
    return Vector(data, "format version 0 does not exist", "HEAD", 24)


@vector
def head_empty() -> Vector:
    return Vector(file(chunk(b"HEAD"), HYPR, LATN), "payload is not 40 bytes", "HEAD", 16)


@vector
def head_short() -> Vector:
    data = file(chunk(b"HEAD", head()[:-1]), HYPR, LATN)
    return Vector(data, "payload is not 40 bytes", "HEAD", 16)


@vector
def head_long() -> Vector:
    data = file(chunk(b"HEAD", head() + b"\x00"), HYPR, LATN)
    return Vector(data, "payload is not 40 bytes", "HEAD", 16)


@vector
def head_width_zero() -> Vector:
    return Vector(file(chunk(b"HEAD", head(width=0)), HYPR, LATN), "width is zero", "HEAD", 26)


@vector
def head_height_zero() -> Vector:
    return Vector(file(chunk(b"HEAD", head(height=0)), HYPR, LATN), "height is zero", "HEAD", 28)


@vector
def head_mode_unknown() -> Vector:
    return Vector(file(chunk(b"HEAD", head(mode=2)), HYPR, LATN), "unknown mode", "HEAD", 30)


# HYPR, LATN, ALPH, metadata


@vector
def hypr_empty() -> Vector:
    return Vector(file(HEAD, chunk(b"HYPR"), LATN), "payload ends early", "HYPR", 76)


@vector
def latn_count_cut() -> Vector:
    data = file(HEAD, HYPR, chunk(b"LATN", b"\x00\x00\x00"))
    return Vector(data, "payload ends early", "LATN", 99)


@vector
def hypr_words_missing() -> Vector:
    hypr = chunk(b"HYPR", b"\x02\x00\x00\x00" + WORDS[4:])
    return Vector(file(HEAD, hypr, LATN), "more words than the payload holds", "HYPR", 76)


@vector
def latn_words_overflow() -> Vector:
    # 4 + 4·n is 4 in 32 bits: a reader that overflows would take this for no words at all.
    latn = chunk(b"LATN", b"\x00\x00\x00\x40" + WORDS[4:])
    return Vector(file(HEAD, HYPR, latn), "more words than the payload holds", "LATN", 96)


@vector
def hypr_last_word_zero() -> Vector:
    hypr = chunk(b"HYPR", b"\x02\x00\x00\x00" + WORDS[4:] + bytes(4))
    return Vector(file(HEAD, hypr, LATN), "last word is zero", "HYPR", 84)


@vector
def latn_last_word_zero() -> Vector:
    latn = chunk(b"LATN", b"\x01\x00\x00\x00" + bytes(4) + b"\x7f\x00")
    return Vector(file(HEAD, HYPR, latn), "last word is zero", "LATN", 100)


@vector
def hypr_over_limit() -> Vector:
    hypr = chunk(b"HYPR", WORDS + bytes(3 + 4096 - len(WORDS) + 1))
    return Vector(file(ONE_PIXEL, hypr, LATN), "chunk is larger than its limit", "HYPR", 68)


@vector
def latn_over_limit() -> Vector:
    # Only together with HYPR's 8 bytes is it one byte too large.
    latn = chunk(b"LATN", WORDS + bytes(3 + 4096 - 2 * len(WORDS) + 1))
    return Vector(file(ONE_PIXEL, HYPR, latn), "chunk is larger than its limit", "LATN", 88)


@vector
def alph_over_limit() -> Vector:
    data = file(ONE_PIXEL, HYPR, LATN, chunk(b"ALPH", bytes(1 + 0 + 1024 + 1)))
    return Vector(data, "chunk is larger than its limit", "ALPH", 110)


@vector
def alph_empty() -> Vector:
    return Vector(file(*BASE, chunk(b"ALPH")), "payload ends early", "ALPH", 118)


@vector
def alph_filter_only() -> Vector:
    return Vector(file(*BASE, chunk(b"ALPH", b"\x01")), "payload ends early", "ALPH", 119)


@vector
def alph_filter_unknown() -> Vector:
    return Vector(file(*BASE, chunk(b"ALPH", b"\x03\x78")), "unknown alpha filter", "ALPH", 118)


@vector
def icpr_empty() -> Vector:
    return Vector(file(*BASE, chunk(b"icpr")), "chunk is empty", "icpr", 110)


@vector
def exif_empty() -> Vector:
    return Vector(file(*BASE, chunk(b"exif")), "chunk is empty", "exif", 110)


@vector
def xmpd_empty() -> Vector:
    return Vector(file(*BASE, chunk(b"xmpd")), "chunk is empty", "xmpd", 110)


@vector
def c2pa_empty() -> Vector:
    return Vector(file(*BASE, chunk(b"c2pa")), "chunk is empty", "c2pa", 110)


# sign: its payload begins at 118, its table at 128; with three entries its comment's length at 236


def refused(signature: bytes, reason: str, offset: int) -> Vector:
    return Vector(file(*BASE, signature), reason, "sign", offset)


@vector
def sign_empty() -> Vector:
    return refused(chunk(b"sign"), "payload ends early", 118)


@vector
def sign_over_limit() -> Vector:
    return refused(chunk(b"sign", bytes(1965)), "chunk is larger than its limit", 110)


@vector
def sign_scheme_unknown() -> Vector:
    return refused(sign(*BASE, scheme=2), "unknown signature scheme needs a newer slic", 118)


@vector
def sign_table_short() -> Vector:
    return refused(sign(HEAD, HYPR), "table has not 3 to 24 entries", 127)


@vector
def sign_table_long() -> Vector:
    return refused(sign(*BASE, count=25), "table has not 3 to 24 entries", 127)


@vector
def sign_table_cut() -> Vector:
    entries = table(*BASE)[:-1]
    payload = b"\x01key-id-8\x03" + entries
    return refused(chunk(b"sign", payload), "payload ends early", 235)


@vector
def sign_table_without_latn() -> Vector:
    return refused(sign(HEAD, HYPR, EXIF), "table: expected chunk LATN", 200)


@vector
def sign_table_out_of_order() -> Vector:
    return refused(sign(*BASE, XMPD, EXIF), "table: chunk out of order", 272)


@vector
def sign_table_repeats() -> Vector:
    return refused(sign(*BASE, EXIF, EXIF), "table: repeated chunk", 272)


@vector
def sign_table_type_malformed() -> Vector:
    reason = "table: chunk type is not a letter and three letters or digits"
    return refused(sign(*BASE, chunk(b"ab-c")), reason, 236)


@vector
def sign_table_unknown_critical() -> Vector:
    reason = "table: unknown critical chunk needs a newer slic"
    return refused(sign(*BASE, chunk(b"Anim")), reason, 236)


@vector
def sign_table_lists_sign() -> Vector:
    return refused(sign(*BASE, chunk(b"sign")), "table: sign cannot sign itself", 236)


@vector
def sign_comment_too_long() -> Vector:
    # From a table of three: the payload as a whole stays within its limit.
    return refused(sign(*BASE, comment=b"c" * 1025), "comment is longer than 1024 bytes", 236)


@vector
def sign_comment_cut() -> Vector:
    signature = sign(*BASE, comment=b"cut", comment_length=1000, value=b"")
    return refused(signature, "payload ends early", 241)


@vector
def sign_comment_not_utf8() -> Vector:
    return refused(sign(*BASE, comment=b"caf\xe9 au lait"), "comment is not utf-8", 241)


@vector
def sign_comment_overlong_utf8() -> Vector:
    return refused(sign(*BASE, comment=b"\xc1\x81"), "comment is not utf-8", 238)


@vector
def sign_comment_surrogate() -> Vector:
    return refused(sign(*BASE, comment=b"\xed\xa0\x80"), "comment is not utf-8", 238)


@vector
def sign_comment_control() -> Vector:
    return refused(sign(*BASE, comment=b"ok\x1b[2J"), "control character in comment", 240)


@vector
def sign_comment_bidi() -> Vector:
    comment = "é\u202egpj".encode()
    return refused(sign(*BASE, comment=comment), "control character in comment", 240)


@vector
def sign_value_short() -> Vector:
    return refused(sign(*BASE, value=b"S" * 63), "signature is not 64 bytes", 251)


@vector
def sign_value_long() -> Vector:
    return refused(sign(*BASE, value=b"S" * 65), "signature is not 64 bytes", 251)


def make_all() -> Iterator[tuple[str, bytes]]:
    """File name and content of everything in the folder."""
    for generator in GENERATORS:
        made = generator()
        yield f"{generator.__name__}.slic", made.data
        yield f"{generator.__name__}.json", made.json().encode()


def main(folder: Path) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    for name, content in make_all():
        (folder / name).write_bytes(content)


if __name__ == "__main__":
    main(Path(sys.argv[1]) if len(sys.argv) > 1 else Path(__file__).parent / "container")
