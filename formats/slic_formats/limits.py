"""How large each part may be; every limit is checked before a byte of the part is used."""

MIB = 1 << 20

MAX_UNKNOWN_CHUNKS = 16  # room for a decade of extensions, too few to make a reader slow
MAX_METADATA = 16 * MIB  # colour profiles reach 4 MiB; JPEG's EXIF ends at 64 KiB, raw files' near 10 MiB
MAX_C2PA = 64 * MIB  # a manifest store holds its ingredients' manifests and their thumbnails
MAX_COMMENT = 1024  # a line on a screen, in any script
MAX_TABLE = 8 + MAX_UNKNOWN_CHUNKS  # all that may stand before the signature: eight known types, the unknown

_METADATA = {"icpr": MAX_METADATA, "exif": MAX_METADATA, "xmpd": MAX_METADATA, "c2pa": MAX_C2PA}


def max_entropy_bytes(width: int, height: int) -> int:
    """HYPR and LATN together: a file larger than its raw pixels is a fault, not a picture.

    The constant leaves room for tiny pictures, whose latents cover far more than their pixels.
    """
    return 3 * width * height + 4096


def max_alpha_bytes(width: int, height: int) -> int:
    """ALPH: one byte a pixel, deflate's cost for what it cannot compress (0.03 %), row filters, its ends."""
    return width * height + width * height // 1000 + 1024


def max_metadata_bytes(type: str) -> int:
    return _METADATA.get(type, MAX_METADATA)
