"""Key files: written once, for their owner alone, and refused in one line when they are anything else."""

import os
import shutil
import subprocess
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from slic.errors import KeyFileError, SlicWarning
from slic.trust import keys, pkcs8
from slic.trust.keys import PublicKey, SecretKey
from slic_formats.signing import key_id

KEY = SecretKey(bytes(range(32)))
# RFC 8032, section 7.1, test 2
RFC_SEED = bytes.fromhex("4ccd089b28ff96da9db6c346ec114e0f5b8a319f35aba624da8cf6ed4fb8a6fb")
RFC_PUBLIC = bytes.fromhex("3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c")
TEXT = """untrusted comment: slic public key 56475aa75463474c, Example Press
RWRWR1qnVGNHTAOhB7/zzhC+HXDdGOdLwJln5NYwm6UNXx3chmQSVTG4
"""
PEM = """-----BEGIN PUBLIC KEY-----
MCowBQYDK2VwAyEAA6EHv/POEL4dcN0Y50vAmWfk1jCbpQ1fHdyGZBJVMbg=
-----END PUBLIC KEY-----
"""


def test_it_is_ed25519() -> None:
    key = SecretKey(RFC_SEED)
    assert key.public.raw == RFC_PUBLIC
    assert key.sign(b"\x72").hex().startswith("92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223")
    assert key.public.verifies(b"\x72", key.sign(b"\x72"))
    assert not key.public.verifies(b"\x73", key.sign(b"\x72"))


def test_the_id_follows_from_the_key() -> None:
    assert KEY.public.id == key_id(KEY.public.raw) == bytes.fromhex("56475aa75463474c")


def test_a_public_key_is_two_lines() -> None:
    assert replace(KEY.public, comment="Example Press").text() == TEXT
    assert keys.parse_public(TEXT.encode(), "press") == PublicKey(KEY.public.raw, "Example Press", "press")


@pytest.mark.parametrize(
    "text",
    [
        TEXT,
        TEXT.splitlines()[1],
        TEXT.replace("\n", "\r\n"),
        f"\n{TEXT}\n",
        PEM,
        f"untrusted comment: x\n{PEM}",
    ],
)
def test_public_keys_are_read_in_these_forms(text: str) -> None:
    assert keys.parse_public(text.encode()).raw == KEY.public.raw


@pytest.mark.parametrize("text", [TEXT, PEM])
@pytest.mark.parametrize(("line", "reason"), [("revoked: stolen", "stolen"), ("revoked:", "")])
def test_a_last_line_revokes(text: str, line: str, reason: str) -> None:
    assert keys.parse_public(f"{text}{line}\n".encode()).revoked == reason


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("", "not a public key of slic"),
        ("revoked: all of them", "not a public key of slic"),
        ("hello", "not a public key"),
        (TEXT + TEXT, "not a PEM file of one public key"),
        (PEM + PEM, "base64 is damaged"),
        (TEXT.replace("RWR", "RXR"), "not a public key of slic"),
        (TEXT.replace("VTG4", "VTG5"), "public key is damaged: its id is another key's"),
        (TEXT.replace("VTG4", "VT=="), "not a public key of slic"),
        (PEM.replace("K2VwAyEA", "K2VuAyEA"), "not an Ed25519 public key"),
        (TEXT.replace("Example", "Exa\x1bmple"), "control character in comment"),
        (TEXT.replace("Example", "\u202eExample"), "control character in comment"),
        (TEXT.replace("Example", "x" * 1100), "comment is longer than 1024 bytes"),
        (pkcs8.pack(KEY.seed, None).decode(), "is a private key"),
    ],
)
def test_what_is_no_public_key_is_refused(text: str, reason: str) -> None:
    with pytest.raises(KeyFileError) as refused:
        keys.parse_public(text.encode())
    assert str(refused.value) == reason


LINES = st.text(st.characters(exclude_categories=["C", "Z"]), max_size=30)


RAW = st.binary(min_size=32, max_size=32).filter(lambda raw: not keys._is_weak(raw))


@given(RAW, LINES, st.none() | LINES)
def test_public_keys_come_back_from_their_text(raw: bytes, comment: str, revoked: str | None) -> None:
    key = PublicKey(raw, comment, "a", revoked)
    assert keys.parse_public(key.text().encode(), "a") == key


@given(st.binary(max_size=200) | st.text(max_size=200).map(str.encode))
def test_no_bytes_do_anything_but_parse_or_be_refused(data: bytes) -> None:
    for text in (data, b"untrusted comment:" + data, TEXT.encode() + data, b"RWR" + data):
        try:
            keys.parse_public(text)
        except KeyFileError as error:
            assert "\n" not in str(error)


@pytest.fixture
def pair(tmp_path: Path) -> tuple[Path, Path]:
    return keys.save(KEY, tmp_path / "press", passphrase=None, comment="Example Press")


def test_a_pair_is_written_and_read(pair: tuple[Path, Path]) -> None:
    private, public = pair
    assert (private.name, public.name) == ("press.key", "press.pub")
    assert public.read_text() == TEXT
    assert private.read_text().startswith("slic private key 56475aa75463474c\n-----BEGIN PRIVATE KEY-----\n")
    assert keys.load_secret(private) == KEY
    assert keys.load_public(public) == PublicKey(KEY.public.raw, "Example Press", "press")


@pytest.mark.skipif(os.name != "posix", reason="permissions are another matter there")
def test_only_the_owner_reads_a_private_key(tmp_path: Path) -> None:
    before = os.umask(0)
    try:
        private, _ = keys.save(KEY, tmp_path / "a", passphrase=None)
    finally:
        os.umask(before)
    assert private.stat().st_mode & 0o777 == 0o600


@pytest.mark.skipif(os.name != "posix", reason="permissions are another matter there")
def test_a_private_key_that_others_may_read_is_said(pair: tuple[Path, Path]) -> None:
    pair[0].chmod(0o640)
    with pytest.warns(SlicWarning, match=r"others may read this private key; chmod 600"):
        keys.load_secret(pair[0])


@pytest.mark.parametrize("there", ["press.key", "press.pub"])
def test_a_key_is_never_written_over(tmp_path: Path, there: str) -> None:
    (tmp_path / there).write_text("precious")
    with pytest.raises(FileExistsError):
        keys.save(KEY, tmp_path / "press", passphrase=None)
    assert [p.name for p in tmp_path.iterdir()] == [there]
    assert (tmp_path / there).read_text() == "precious"


def test_a_passphrase_locks_and_is_asked_for_only_then(tmp_path: Path, pair: tuple[Path, Path]) -> None:
    private, _ = keys.save(KEY, tmp_path / "locked", passphrase="a")
    asked: list[str] = []

    def ask() -> str:
        asked.append("asked")
        return "a"

    assert keys.load_secret(pair[0], ask) == KEY and asked == []
    assert keys.load_secret(private, ask) == KEY and asked == ["asked"]
    with pytest.raises(KeyFileError, match=r"locked\.key: wrong passphrase"):
        keys.load_secret(private, "b")


def test_one_wrong_byte_never_gives_another_key(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pkcs8, "_COST", (2, 8, 1))
    private, _ = keys.save(KEY, tmp_path / "a", passphrase="a")
    data, opened = private.read_bytes(), 0
    for at in range(len(data)):
        for flip in (1, 4, 0x80):
            changed = data[:at] + bytes([data[at] ^ flip]) + data[at + 1 :]
            private.write_bytes(changed)
            try:
                assert keys.load_secret(private, "a") == KEY
                opened += 1
            except KeyFileError as error:
                assert "\n" not in str(error)
    assert opened < 10  # line ends may differ


def test_a_private_key_is_not_shown() -> None:
    assert repr(KEY) == "SecretKey()"


@settings(max_examples=50)
@given(data=st.binary(max_size=300))
def test_no_private_file_does_anything_but_load_or_be_refused(tmp_path_factory, data: bytes) -> None:  # type: ignore[no-untyped-def]
    path = tmp_path_factory.getbasetemp() / "some.key"
    path.write_bytes(data)
    path.chmod(0o600)
    with pytest.raises(KeyFileError):
        keys.load_secret(path, "a")


def test_public_and_private_are_told_apart(pair: tuple[Path, Path]) -> None:
    private, public = pair
    with pytest.raises(KeyFileError, match=r"press\.pub: is a public key") as refused:
        keys.load_secret(public)
    assert refused.value.hint == "the private one signs, its file ends in .key"
    with pytest.raises(KeyFileError, match=r"press\.key: is a private key"):
        keys.load_public(private)


def test_a_large_file_is_no_key(tmp_path: Path) -> None:
    path = tmp_path / "a.pub"
    path.write_bytes(bytes(1 << 20))
    with pytest.raises(KeyFileError, match="not a key: larger than 16384 bytes"):
        keys.load_public(path)


def test_trusted_keys_are_given_in_any_way(tmp_path: Path, pair: tuple[Path, Path]) -> None:
    (tmp_path / "notes.txt").write_text("no key")
    (tmp_path / "b.pub").write_text(SecretKey(RFC_SEED).public.text())
    both = [k.name for k in keys.trusted(tmp_path)]
    assert both == ["b", "press"]
    assert keys.trusted(str(pair[1])) == keys.trusted([pair[1]]) == (keys.load_public(pair[1]),)
    assert keys.trusted([tmp_path, KEY.public])[-1] == KEY.public


def test_a_folder_with_a_damaged_key_is_refused(tmp_path: Path, pair: tuple[Path, Path]) -> None:
    (tmp_path / "damaged.pub").write_text("who knows whom this would have revoked")
    with pytest.raises(KeyFileError, match=r"damaged\.pub: not a public key"):
        keys.trusted(tmp_path)


def test_a_folder_without_keys_is_a_mistake(tmp_path: Path) -> None:
    with pytest.raises(KeyFileError, match="holds no public key"):
        keys.trusted(tmp_path)


@pytest.mark.skipif(shutil.which("openssl") is None, reason="needs the openssl command")
def test_keys_of_openssl_work(tmp_path: Path) -> None:
    private, public = tmp_path / "o.key", tmp_path / "o.pub"
    subprocess.run(["openssl", "genpkey", "-algorithm", "ed25519", "-out", private], check=True)
    subprocess.run(["openssl", "pkey", "-in", private, "-pubout", "-out", public], check=True)
    private.chmod(0o600)
    assert keys.load_secret(private).public.raw == keys.load_public(public).raw


def test_a_key_that_takes_signatures_of_nobody_is_refused() -> None:
    """All the encodings of small order that the library takes, those above the prime among them."""
    nobody = b"\x01" + bytes(63)  # R the neutral point, S zero
    prime = 2**255 - 19
    weak = 0
    for y in {value + over for value in keys._WEAK for over in (0, prime) if value + over < 2**255}:
        for sign in (0, 1 << 255):
            key = PublicKey((y | sign).to_bytes(32, "little"))
            weak += any(key.verifies(bytes([n]), nobody) for n in range(64))
            with pytest.raises(KeyFileError, match="public key is weak"):
                keys.parse_public(key.text().encode())
    assert weak == 14
