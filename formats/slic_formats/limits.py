"""What a file may ask of its reader, each limit with its reason."""

MAX_SIDE = 65_535
"""A side is stored in 16 bits."""

MAX_METADATA = 16 << 20
"""ICC, EXIF, XMP and every chunk that is not known: more than any camera or profile was seen to write."""

MAX_C2PA = 64 << 20
"""A manifest may carry thumbnails of its ingredients."""

MAX_UNKNOWN = 16
"""Unknown ancillary chunks: room for the future, not for a denial of service."""

MAX_COMMENT = 1024
"""A trusted comment is a line for people to read."""


def max_entropy_bytes(width: int, height: int) -> int:
    """HYPR and LATN together: no more than raw pixels; what needs more is better kept as pixels."""
    return 3 * width * height + 4096


def max_alpha_bytes(width: int, height: int) -> int:
    """Deflate at its worst adds 5 bytes to every 16 KiB."""
    return width * height + width * height // 1000 + 1024
