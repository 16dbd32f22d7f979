"""Containers that the tests share, by hand and by hypothesis."""

from hypothesis import strategies as st

from slic_formats import Chunk, Container, Header, Mode, Signature, pack_words
from slic_formats.signing import TableEntry, make_table

HEADER = Header(3, 2, Mode.RGB, 0, bytes(range(16)), bytes(range(16, 32)))
WORDS = pack_words(bytes.fromhex("2a000080"), b"")
SMALL = Container(HEADER, WORDS, WORDS)
FULL = Container(
    HEADER,
    WORDS,
    WORDS + b"\x7f\x00",
    alpha=b"\x01\x78",
    icc=b"icc",
    exif=b"exif",
    xmp=b"xmp",
    c2pa=b"c2pa",
    unknown=(Chunk("aaaa", b""), Chunk("note", b"hello")),
)


def signed(container: Container, comment: str = "Example Press") -> Signature:
    return Signature(b"key-id-8", make_table(container.chunks()), comment, b"S" * 64)


_few = st.binary(min_size=1, max_size=40)
_headers = st.builds(
    Header,
    width=st.integers(1, 65535),
    height=st.integers(1, 65535),
    mode=st.sampled_from(Mode),
    quality=st.integers(0, 255),
    model=st.binary(min_size=16, max_size=16),
    digest=st.binary(min_size=16, max_size=16),
    minor=st.integers(0, 255),
)
_words = st.builds(
    lambda words, last, escapes: pack_words(words + last.to_bytes(4, "little"), escapes),
    words=st.integers(0, 5).flatmap(lambda n: st.binary(min_size=4 * n, max_size=4 * n)),
    last=st.integers(1, 2**32 - 1),
    escapes=st.binary(max_size=10),
) | st.binary(max_size=10).map(lambda escapes: pack_words(b"", escapes))
_types = st.from_regex(r"\A[a-z][0-9A-Za-z]{3}\Z").filter(
    lambda t: t not in {"icpr", "exif", "xmpd", "c2pa", "sign"}
)
_unknown = st.dictionaries(_types, st.binary(max_size=20), max_size=16).map(
    lambda chunks: tuple(Chunk(t, chunks[t]) for t in sorted(chunks))
)
_entries = st.builds(
    lambda digest, more: tuple(TableEntry(t, digest) for t in ("HEAD", "HYPR", "LATN", *more)),
    digest=st.binary(min_size=32, max_size=32),
    more=st.sampled_from([(), ("exif",), ("ALPH", "c2pa"), ("icpr", "note")]),
)
_signatures = st.builds(
    Signature,
    key_id=st.binary(min_size=8, max_size=8),
    table=_entries,
    comment=st.text(st.characters(exclude_categories=["C", "Z"]), max_size=100),
    value=st.binary(min_size=64, max_size=64),
)

containers = st.builds(
    Container,
    _headers,
    _words,
    _words,
    alpha=st.none() | st.builds(lambda f, rest: bytes([f]) + rest, st.integers(0, 2), _few),
    icc=st.none() | _few,
    exif=st.none() | _few,
    xmp=st.none() | _few,
    c2pa=st.none() | _few,
    unknown=_unknown,
    signature=st.none() | _signatures,
)
