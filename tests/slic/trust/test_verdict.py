"""Each verdict, and that nothing but what was signed is ever called valid."""

import random
import struct
import zlib
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

import slic
from slic.codec import Codec
from slic.errors import FormatError, VerdictError
from slic.models import Model
from slic.trust import verdict
from slic.trust.keys import PublicKey, SecretKey
from slic.trust.signature import sign_bytes, sign_container
from slic.trust.verdict import Status, Verdict
from slic_formats import Chunk, Container, Signature, parse, serialise
from slic_formats.signing import TableEntry, make_table, signed_message
from tests.formats.samples import FULL, SMALL, WORDS

KEY, OTHER = SecretKey(bytes(range(32))), SecretKey(bytes(32))
ID = "56475aa75463474c"
PRESS = replace(KEY.public, name="press")
SIGNED = sign_container(FULL, KEY, "Example Press")


def judge(container: Container, *keys: PublicKey) -> Verdict:
    return verdict.judge(parse(serialise(container)), keys or (PRESS,))


def test_an_untouched_file_is_valid() -> None:
    found = judge(SIGNED)
    assert found == Verdict(Status.VALID, ID, "press", "Example Press")
    assert str(found) == f'valid: signed by press ({ID}), "Example Press"'
    assert found.valid


@pytest.mark.parametrize(
    ("container", "removed", "said"),
    [
        (replace(SIGNED, exif=None), ("EXIF",), "EXIF removed after signing"),
        (replace(SIGNED, xmp=None), ("XMP",), "XMP removed after signing"),
        (replace(SIGNED, exif=None, xmp=None), ("EXIF", "XMP"), "EXIF and XMP removed after signing"),
    ],
)
def test_exif_and_xmp_may_go_and_that_is_said(
    container: Container, removed: tuple[str, ...], said: str
) -> None:
    found = judge(container)
    assert (found.valid, found.removed) == (True, removed)
    assert str(found) == f'valid: signed by press ({ID}), "Example Press"; {said}'


@pytest.mark.parametrize(
    ("container", "changed"),
    [
        (replace(SIGNED, exif=b"other"), (("exif", "altered"),)),
        (replace(SIGNED, icc=None, exif=None), (("icpr", "removed"),)),
        (replace(SIGNED, c2pa=None), (("c2pa", "removed"),)),
        (replace(SIGNED, latent=WORDS), (("LATN", "altered"),)),
        (replace(SIGNED, header=replace(FULL.header, width=4)), (("HEAD", "altered"),)),
        (replace(SIGNED, unknown=(*FULL.unknown, Chunk("zzzz", b""))), (("zzzz", "added"),)),
        (replace(SMALL, signature=SIGNED.signature, hyper=SMALL.hyper + b"x"), None),
    ],
)
def test_all_else_is_altered(container: Container, changed: tuple[tuple[str, str], ...] | None) -> None:
    found = judge(container)
    assert found.status is Status.ALTERED and not found.valid
    assert changed is None or found.changed == changed
    assert str(found).endswith(f" since press ({ID}) signed it")


def test_a_signature_that_is_not_the_key_s_is_altered() -> None:
    assert SIGNED.signature is not None
    found = judge(replace(SIGNED, signature=replace(SIGNED.signature, comment="Example Press, 2030")))
    assert found == Verdict(Status.ALTERED, ID, "press")  # the comment is nobody's, and not shown
    assert str(found) == f"altered: the signature is not one of press ({ID})"


def test_no_signature_is_unsigned() -> None:
    assert judge(FULL) == Verdict(Status.UNSIGNED)
    assert str(judge(FULL)) == "unsigned: it has no signature"


def test_another_signer_is_unknown_and_may_say_nothing() -> None:
    found = judge(SIGNED, OTHER.public)
    assert found == Verdict(Status.UNKNOWN_SIGNER, ID)
    assert str(found) == f"unknown signer: key {ID} is none of those given"


@pytest.mark.parametrize(
    ("reason", "said"), [("stolen", "whose key was revoked: stolen"), ("", "whose key was revoked")]
)
def test_a_revoked_key_is_revoked(reason: str, said: str) -> None:
    found = judge(SIGNED, replace(PRESS, revoked=reason))
    assert found.status is Status.REVOKED and not found.valid
    assert str(found) == f"revoked: signed by press ({ID}), {said}"


@pytest.mark.parametrize("order", [1, -1])
@pytest.mark.parametrize("reason", ["stolen", ""])
def test_one_file_that_revokes_a_key_is_enough(order: int, reason: str) -> None:
    keys = (PRESS, replace(PRESS, revoked=reason))[::order]
    assert judge(SIGNED, *keys).status is Status.REVOKED


def test_altered_under_a_revoked_key_is_altered() -> None:
    found = judge(replace(SIGNED, latent=WORDS), replace(PRESS, revoked="stolen"))
    assert found.status is Status.ALTERED


def test_another_key_under_the_signer_s_id_changes_nothing() -> None:
    class Liar(PublicKey):
        id = KEY.public.id

    liar = Liar(OTHER.public.raw, name="liar")
    assert judge(SIGNED, liar, PRESS).signer == "press"
    forged = sign_container(FULL, OTHER)
    assert forged.signature is not None
    claimed = replace(forged, signature=replace(forged.signature, key_id=KEY.public.id))
    assert judge(claimed).status is Status.ALTERED


def test_a_table_of_another_file_does_not_help() -> None:
    other = sign_container(replace(FULL, latent=WORDS), KEY)
    assert judge(replace(FULL, signature=other.signature)).status is Status.ALTERED


def test_a_signature_for_something_else_is_none() -> None:
    """The key has signed the very table, but not as slic does."""
    bare = Signature(KEY.public.id, make_table(FULL.chunks()), "", b"")
    message = signed_message(bare).removeprefix(b"slic signature 1\x00")
    assert judge(replace(FULL, signature=replace(bare, value=KEY.sign(message)))).status is Status.ALTERED


def test_a_table_that_lists_more_than_the_file_is_altered() -> None:
    table = (*make_table(SMALL.chunks()), TableEntry("c2pa", bytes(32)))
    bare = Signature(KEY.public.id, table, "", b"")
    signed = replace(SMALL, signature=replace(bare, value=KEY.sign(signed_message(bare))))
    assert judge(signed).changed == (("c2pa", "removed"),)


@pytest.fixture(scope="module")
def photo(tiny_model: Model, picture: Callable[..., NDArray[np.uint8]]) -> bytes:
    """A real file, with alpha and EXIF, signed."""
    image = Image.fromarray(picture(30, 40))
    image.putalpha(Image.fromarray(picture(30, 40, seed=1)[:, :, 0]))
    exif = Image.Exif()
    exif[0x010F] = "a camera"
    image.info["exif"] = exif.tobytes()
    return Codec(tiny_model).encode(image, key=KEY, comment="Example Press")


def frames(data: bytes) -> Iterator[tuple[int, int]]:
    """Where each chunk's type begins and its checksum stands."""
    at = 16
    while at < len(data):
        (length,) = struct.unpack_from("<I", data, at)
        yield at + 4, at + 8 + length
        at += 12 + length


def mended(data: bytearray) -> bytes:
    """With the checksums right again, as whoever forges a file would make them."""
    for start, end in frames(bytes(data)):
        struct.pack_into("<I", data, end, zlib.crc32(data[start:end]))
    return bytes(data)


def status(data: bytes) -> str:
    try:
        return slic.verify(data, PRESS).status.value
    except FormatError:
        return "no file"


def test_ten_thousand_changes_of_a_byte_never_verify(photo: bytes) -> None:
    assert status(photo) == "valid"
    choose = random.Random(12)
    every = [(at, 1 << choose.randrange(8)) for at in range(len(photo))]
    changes = every + [(choose.randrange(len(photo)), choose.randrange(1, 256)) for _ in range(10_000)]
    seen = {"no file": 0}
    for at, flip in changes:
        changed = bytearray(photo)
        changed[at] ^= flip
        said = status(bytes(changed))
        seen[said] = seen.get(said, 0) + 1
    assert len(changes) >= 10_000
    assert seen == {"no file": len(changes)}  # the checksums see each of them


def test_ten_thousand_changes_with_mended_checksums_never_verify(photo: bytes) -> None:
    """Every byte of every chunk, the signature's own too, by someone who knows the format."""
    places = [at for start, end in frames(photo) for at in range(start, end)]
    choose = random.Random(13)
    changes = [(at, 1 << choose.randrange(8)) for at in places]
    changes += [(choose.choice(places), choose.randrange(1, 256)) for _ in range(10_000 - len(places))]
    seen: dict[str, int] = {}
    for at, flip in changes:
        changed = bytearray(photo)
        changed[at] ^= flip
        said = status(mended(changed))
        seen[said] = seen.get(said, 0) + 1
    assert "valid" not in seen
    assert seen["altered"] > 5_000 and seen["unknown signer"] >= 8  # so the signature itself was asked


def test_python_says_so_too(photo: bytes, tmp_path: Path) -> None:
    (tmp_path / "press.pub").write_text(KEY.public.text())
    path = tmp_path / "a.slic"
    path.write_bytes(photo)
    found = slic.verify(path, tmp_path)
    assert isinstance(found, slic.Verdict) and found.valid and found.signer == "press"


def test_decode_refuses_before_a_model_is_looked_for(photo: bytes, tiny_model: Model) -> None:
    unsigned = serialise(
        replace(parse(photo), signature=None, header=replace(parse(photo).header, model=b"?" * 16))
    )
    with pytest.raises(VerdictError, match="not decoded, as its signature does not hold: unsigned: "):
        slic.decode(unsigned, verify=KEY.public)


def test_decode_shows_what_is_signed(
    photo: bytes, tiny_model: Model, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SLIC_MODELS", str(tiny_model.path.parent))
    assert slic.decode(photo, verify=KEY.public).size == (40, 30)
    with pytest.raises(VerdictError, match="unknown signer"):
        slic.decode(photo, verify=OTHER.public)


def test_encode_signs(tiny_model: Model, picture: Callable[..., NDArray[np.uint8]]) -> None:
    plain = slic.encode(picture(30, 40), model=tiny_model.path)
    signed = slic.encode(picture(30, 40), model=tiny_model.path, key=KEY, comment="c")
    assert plain is not None and signed == sign_bytes(plain, KEY, "c")
