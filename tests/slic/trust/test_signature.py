"""Signing and stripping, as Python calls them."""

import io
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given, settings

import slic
from slic.errors import KeyFileError, PictureError
from slic.trust import keys, signature
from slic.trust.keys import SecretKey
from slic_formats import Container, parse, serialise
from tests.formats.samples import FULL, SMALL, containers

KEY = SecretKey(bytes(range(32)))


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "a.slic"
    path.write_bytes(serialise(FULL))
    return path


def test_bytes_are_given_without_a_target(file: Path) -> None:
    data = slic.sign(file, key=KEY, comment="Example Press")
    assert data == slic.sign(file.read_bytes(), key=KEY, comment="Example Press")
    assert data == slic.sign(io.BytesIO(file.read_bytes()), key=KEY, comment="Example Press")
    assert data is not None and slic.verify(data, KEY.public).comment == "Example Press"


def test_a_target_is_written_and_an_old_one_stays(file: Path, tmp_path: Path) -> None:
    private, public = keys.save(KEY, tmp_path / "press", passphrase="a")
    target = tmp_path / "b.slic"
    assert slic.sign(file, target, key=private, passphrase="a") is None
    assert slic.verify(target, public).valid
    with pytest.raises(FileExistsError):
        slic.sign(file, target, key=KEY)
    slic.sign(file, target, key=KEY, force=True)


def test_input_and_output_differ(file: Path, tmp_path: Path) -> None:
    (tmp_path / "link.slic").symlink_to(file)
    with pytest.raises(PictureError, match="input and output are the same file"):
        slic.sign(file, tmp_path / "link.slic", key=KEY, force=True)


@settings(max_examples=50)
@given(containers)
def test_only_the_signature_changes(container: Container) -> None:
    signed = signature.sign_container(container, KEY, "c")
    assert replace(signed, signature=None) == replace(container, signature=None)
    assert parse(serialise(signed)) == signed
    assert slic.verify(serialise(signed), KEY.public).valid


def test_signing_again_gives_the_same_bytes() -> None:
    once = signature.sign_bytes(serialise(FULL), KEY)
    assert signature.sign_bytes(once, KEY) == once


@pytest.mark.parametrize("comment", ["two\nlines", "\x1b[2K", "a\u202eb", "\ud800", "x" * 1025, "é" * 513])
def test_a_comment_is_one_honest_line(comment: str) -> None:
    with pytest.raises(ValueError, match="comment"):
        signature.sign_container(SMALL, KEY, comment)


def test_the_longest_comment_fits() -> None:
    assert signature.sign_bytes(serialise(SMALL), KEY, "é" * 512)


def test_a_revoked_key_signs_nothing() -> None:
    class Revoked:
        public = replace(KEY.public, revoked="stolen")
        sign = KEY.sign

    with pytest.raises(KeyFileError, match="key 56475aa75463474c is revoked: stolen"):
        signature.sign_container(SMALL, Revoked())


def test_strip_says_what_went() -> None:
    assert signature.strip(FULL, exif=True) == (replace(FULL, exif=None), ["EXIF"])
    assert signature.strip(FULL, exif=True, xmp=True) == (replace(FULL, exif=None, xmp=None), ["EXIF", "XMP"])
    assert signature.strip(SMALL, exif=True, xmp=True) == (SMALL, [])
