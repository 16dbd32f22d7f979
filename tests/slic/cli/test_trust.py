"""slic keygen, sign, strip, verify, and what encode and decode do with keys."""

import json
import os
import shlex
import shutil
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from calls import WARNING, Slic, tree  # type: ignore[import-not-found]
from numpy.typing import NDArray
from PIL import Image

from slic.trust import keys
from slic.trust.keys import SecretKey
from slic.trust.signature import sign_container
from slic_formats import parse, serialise
from tests.slic.trust import certificates

KEY, OTHER = SecretKey(bytes(range(32))), SecretKey(bytes(32))
ID = "56475aa75463474c"


@pytest.fixture
def press(slic: Slic) -> None:
    """press.key, and press.pub in the folder trusted."""
    _, public = keys.save(KEY, Path("press"), passphrase=None)
    Path("trusted").mkdir()
    public.rename("trusted/press.pub")


@pytest.fixture
def signed(press: None, file: Path, slic: Slic) -> Path:
    """photo.slic, signed."""
    assert slic("sign", "photo.slic", "--key", "press.key", "--comment", "Example Press").exit_code == 0
    os.replace("photo.signed.slic", "photo.slic")
    return Path("photo.slic")


def verify(slic: Slic, *args: str) -> tuple[str, int]:
    result = slic("verify", *args, "--keys", "trusted")
    assert result.stderr == ""
    return result.stdout, result.exit_code


def test_keygen_makes_a_pair(slic: Slic) -> None:
    result = slic("keygen", "press", "--no-passphrase", "--comment", "Example Press")
    key = keys.load_secret("press.key").public.id.hex()
    assert result.stdout == (
        "press.key: private key, not locked: keep it secret, and keep a copy\n"
        f"press.pub: public key {key}, for all who verify\n"
    )
    assert (result.stderr, result.exit_code) == ("", 0)
    assert (
        Path("press.pub").read_text().startswith(f"untrusted comment: slic public key {key}, Example Press\n")
    )


def test_keygen_locks_with_the_passphrase_of_a_file(slic: Slic) -> None:
    Path("passphrase").write_text("correct horse\nnot this\n")
    result = slic("keygen", "press", "--passphrase-file", "passphrase")
    assert result.stdout.startswith("press.key: private key, locked by the passphrase: ")
    assert keys.load_secret("press.key", "correct horse")


def test_keygen_asks_twice_on_a_terminal(slic: Slic, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("slic.cli.signing.on_terminal", lambda stream: True)
    assert slic("keygen", "a", input=b"one\nother\none\none\n").exit_code == 0
    assert keys.load_secret("a.key", "one")


def test_keygen_without_a_terminal_says_how(slic: Slic) -> None:
    result = slic("keygen", "press")
    assert result.stderr.startswith("slic: a passphrase is needed; --passphrase-file or --no-passphrase ")
    assert (result.exit_code, tree()) == (2, [])


@pytest.mark.parametrize(
    ("args", "said", "code"),
    [
        (["--comment", "two\nlines"], "invalid value for --comment: control character in comment", 2),
        (["--passphrase-file", "f"], "--no-passphrase and --passphrase-file exclude each other", 2),
    ],
)
def test_keygen_refuses_nonsense(slic: Slic, args: list[str], said: str, code: int) -> None:
    result = slic("keygen", "press", "--no-passphrase", *args)
    assert result.stderr.startswith(f"slic: {said}\n")
    assert (result.exit_code, tree()) == (code, [])


def test_keygen_never_overwrites(slic: Slic) -> None:
    Path("press.key").write_text("precious")
    result = slic("keygen", "press", "--no-passphrase")
    assert result.stderr == (
        "slic: press.key exists already\nslic: hint: keys are never overwritten; give another name\n"
    )
    assert result.exit_code == 1
    assert (tree(), Path("press.key").read_text()) == (["press.key"], "precious")


def test_an_empty_passphrase_is_none(slic: Slic) -> None:
    Path("passphrase").write_text("\n")
    result = slic("keygen", "press", "--passphrase-file", "passphrase")
    assert result.stderr.startswith("slic: passphrase: its first line is empty or longer than 1024 ")
    assert result.exit_code == 2


def test_sign_writes_beside(file: Path, press: None, slic: Slic) -> None:
    result = slic("sign", "photo.slic", "--key", "press.key")
    assert result.stdout.startswith("photo.signed.slic: 40x30, ") and result.stdout.endswith(
        f", signed by {ID}\n"
    )
    assert (result.stderr, result.exit_code) == ("", 0)
    assert verify(slic, "photo.signed.slic") == (f"photo.signed.slic: valid: signed by press ({ID})\n", 0)
    assert verify(slic, "photo.slic") == ("photo.slic: unsigned: it has no signature\n", 3)


def test_sign_keeps_names_in_another_folder(file: Path, press: None, slic: Slic) -> None:
    Path("in").mkdir()
    file.rename("in/photo.slic")
    assert slic("sign", "-r", "in", "-o", "out", "--key", "press.key").exit_code == 0
    assert Path("out/photo.slic").exists()


def test_sign_goes_through_a_folder_again(file: Path, press: None, slic: Slic) -> None:
    args = ("sign", "-r", ".", "--key", "press.key", "--skip-existing")
    assert slic(*args).exit_code == 0
    again = slic(*args)
    assert (again.stdout, again.exit_code) == ("photo.signed.slic: exists, skipped\n", 0)


def test_sign_never_writes_over_its_input(file: Path, press: None, slic: Slic) -> None:
    result = slic("sign", "photo.slic", "-o", "photo.slic", "--key", "press.key", "--force")
    assert result.stderr.startswith("slic: photo.slic: input and output are the same file\n")
    assert result.exit_code == 2


def test_signing_again_says_whose_signature_goes(signed: Path, slic: Slic) -> None:
    result = slic("sign", "photo.slic", "--key", "press.key")
    assert result.stderr == f"slic: warning: photo.slic: replaces the signature of key {ID}\n"
    assert result.exit_code == 0


def test_sign_goes_through_pipes(file: Path, press: None, slic: Slic) -> None:
    result = slic("sign", "-", "--key", "press.key", input=file.read_bytes())
    assert result.stdout_bytes == serialise(parse(result.stdout_bytes))
    found = slic("verify", "-", "--keys", "trusted", "--json", input=result.stdout_bytes)
    assert json.loads(found.stdout)["verdict"] == "valid"


def test_sign_unlocks_the_key(file: Path, slic: Slic, monkeypatch: pytest.MonkeyPatch) -> None:
    keys.save(KEY, Path("press"), passphrase="correct horse")
    locked = slic("sign", "photo.slic", "--key", "press.key")
    assert locked.stderr == (
        "slic: press.key: key is locked by a passphrase\nslic: hint: --passphrase-file FILE unlocks it\n"
    )
    assert locked.exit_code == 1
    Path("right").write_text("correct horse")
    Path("wrong").write_text("battery staple")
    monkeypatch.setenv("SLIC_PASSPHRASE_FILE", "wrong")
    wrong = slic("sign", "photo.slic", "--key", "press.key")
    assert wrong.stderr == "slic: press.key: wrong passphrase, or the key is damaged\n"
    monkeypatch.setenv("SLIC_PASSPHRASE_FILE", "right")
    assert slic("sign", "photo.slic", "--key", "press.key").exit_code == 0


def test_sign_asks_on_a_terminal(file: Path, slic: Slic, monkeypatch: pytest.MonkeyPatch) -> None:
    keys.save(KEY, Path("press"), passphrase="a")
    monkeypatch.setattr("slic.cli.signing.on_terminal", lambda stream: True)
    result = slic("sign", "photo.slic", "--key", "press.key", input=b"a\n")
    assert (result.stderr, result.exit_code) == ("passphrase of press.key: \n", 0)


@pytest.mark.parametrize(
    ("key", "said"),
    [
        ("gone.key", "slic: gone.key: no such file or directory\n"),
        ("photo.slic", "slic: photo.slic: not a PEM file of one private key\n"),
        (
            "trusted/press.pub",
            "slic: trusted/press.pub: is a public key\n"
            "slic: hint: the private one signs, its file ends in .key\n",
        ),
        (".", "slic: .: is a directory\n"),
    ],
)
def test_a_key_that_is_none_is_said(file: Path, press: None, slic: Slic, key: str, said: str) -> None:
    result = slic("sign", "photo.slic", "--key", key)
    assert (result.stdout, result.stderr, result.exit_code) == ("", said, 1)


@pytest.fixture
def token() -> str:
    """A command that signs with KEY, as a token would."""
    code = (
        "import sys\n"
        "from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey\n"
        f"key = Ed25519PrivateKey.from_private_bytes({KEY.seed!r})\n"
        "sys.stdout.buffer.write(key.sign(sys.stdin.buffer.read()))"
    )
    return shlex.join((sys.executable, "-c", code))


def test_a_command_signs(file: Path, press: None, slic: Slic, token: str) -> None:
    args = ["--key", "trusted/press.pub", "--sign-with", token]
    assert slic("sign", "photo.slic", *args).exit_code == 0
    assert verify(slic, "photo.signed.slic")[1] == 0


def test_a_command_with_another_key_signs_nothing(file: Path, press: None, slic: Slic, token: str) -> None:
    Path("other.pub").write_text(OTHER.public.text())
    result = slic("sign", "photo.slic", "--key", "other.pub", "--sign-with", token)
    said = f"slic: photo.slic: the signature made is not one of key {OTHER.public.id.hex()}\n"
    assert (result.stderr, result.exit_code) == (said, 1)
    assert not Path("photo.signed.slic").exists()


def test_encode_signs(photo: Path, press: None, encode: Slic, slic: Slic) -> None:
    result = encode("photo.png", "--sign", "press.key", "--comment", "by night")
    assert result.stdout.endswith(f" bpp, signed by {ID}\n") and result.stderr == WARNING
    assert verify(slic, "photo.slic") == (f'photo.slic: valid: signed by press ({ID}), "by night"\n', 0)


def test_encode_says_in_json_who_signed(photo: Path, press: None, encode: Slic) -> None:
    said = json.loads(encode("photo.png", "--sign", "press.key", "--json").stdout)
    assert said["signed_by"] == ID
    assert said["bytes"] == Path("photo.slic").stat().st_size


@pytest.mark.parametrize("option", ["--comment", "--sign-with"])
def test_encode_takes_no_comment_without_a_key(photo: Path, encode: Slic, option: str) -> None:
    result = encode("photo.png", option, "x")
    assert result.stderr.startswith("slic: --sign-with and --comment need --sign KEY\n")
    assert (result.exit_code, tree()) == (2, ["photo.png"])


@pytest.fixture
def album(press: None, signed: Path) -> dict[str, str]:
    """A file for each verdict, by name."""
    good = parse(signed.read_bytes())
    Path("altered.slic").write_bytes(serialise(replace(good, icc=b"another profile")))
    Path("unsigned.slic").write_bytes(serialise(replace(good, signature=None)))
    for name, key in (("unknown", OTHER), ("revoked", SecretKey(b"r" * 32))):
        keys.save(key, Path(name), passphrase=None)
        Path(f"{name}.slic").write_bytes(serialise(sign_container(good, key)))
    Path("trusted/old.pub").write_text(Path("revoked.pub").read_text() + "revoked: laptop stolen\n")
    revoked = SecretKey(b"r" * 32).public.id.hex()
    return {
        "photo": f'valid: signed by press ({ID}), "Example Press"',
        "altered": f"altered: icpr added since press ({ID}) signed it",
        "unsigned": "unsigned: it has no signature",
        "unknown": f"unknown signer: key {OTHER.public.id.hex()} is none of those given",
        "revoked": f"revoked: signed by old ({revoked}), whose key was revoked: laptop stolen",
    }


def test_each_verdict_is_a_line(album: dict[str, str], slic: Slic) -> None:
    names = [f"{name}.slic" for name in album]
    expected = "".join(f"{name}.slic: {said}\n" for name, said in album.items())
    assert verify(slic, *names) == (expected, 3)


@pytest.mark.parametrize(
    ("names", "code"),
    [
        (["photo"], 0),
        (["photo", "photo"], 0),
        (["altered"], 3),
        (["unsigned"], 3),
        (["unknown"], 3),
        (["revoked"], 3),
        (["gone"], 1),
        (["gone", "photo"], 1),
        (["gone", "unsigned", "photo"], 3),
    ],
)
def test_only_valid_files_end_well(album: dict[str, str], slic: Slic, names: list[str], code: int) -> None:
    result = slic("verify", *[f"{name}.slic" for name in names], "--keys", "trusted")
    assert result.exit_code == code
    assert result.stdout.count("\n") == len([n for n in names if n != "gone"])


def test_json_has_one_object_a_file(album: dict[str, str], slic: Slic) -> None:
    Path("cut.slic").write_bytes(Path("photo.slic").read_bytes()[:90])
    result = slic("verify", "photo.slic", "altered.slic", "cut.slic", "--keys", "trusted", "--json")
    good, altered, cut = map(json.loads, result.stdout.splitlines())
    assert good == {
        "input": "photo.slic",
        "ok": True,
        "verdict": "valid",
        "key": ID,
        "signer": "press",
        "comment": "Example Press",
        "removed": [],
        "changed": [],
        "reason": None,
        "c2pa": [],
        "seconds": good["seconds"],
    }
    assert (altered["ok"], altered["changed"]) == (False, [{"chunk": "icpr", "state": "added"}])
    truncated = "truncated in chunk HYPR at byte 90"
    assert cut == {"input": "cut.slic", "ok": False, "error": truncated, "hint": None}
    assert (result.stderr, result.exit_code) == (f"slic: cut.slic: {truncated}\n", 3)


def test_verify_goes_through_a_folder(signed: Path, slic: Slic) -> None:
    Path("out").mkdir()
    shutil.copy(signed, "out/a.slic")
    said = f'out/a.slic: valid: signed by press ({ID}), "Example Press"\n'
    assert verify(slic, "-r", "out") == (said, 0)
    assert slic("verify", "out", "--keys", "trusted").stderr.endswith("slic: hint: -r goes through it\n")


def test_verify_needs_to_know_whom_to_trust(signed: Path, slic: Slic) -> None:
    result = slic("verify", "photo.slic")
    assert result.stderr.startswith("slic: --key or --keys must say who is trusted: ")
    assert (result.stdout, result.exit_code) == ("", 2)


def test_the_environment_may_say_whom_to_trust(
    signed: Path, slic: Slic, monkeypatch: pytest.MonkeyPatch
) -> None:
    Path("none").mkdir()
    monkeypatch.setenv("SLIC_KEYS", "trusted")
    assert slic("verify", "photo.slic").exit_code == 0
    Path("other.pub").write_text(OTHER.public.text())
    assert slic("verify", "photo.slic", "--key", "other.pub").exit_code == 3  # what is named counts alone


def test_a_name_cannot_pretend_to_be_a_verdict(file: Path, press: None, slic: Slic) -> None:
    name = "a: valid\nb\x1b[2K.slic"
    shutil.copy(file, name)
    said, code = verify(slic, name)
    assert (said, code) == ("a: valid\\u000ab\\u001b[2K.slic: unsigned: it has no signature\n", 3)


@pytest.fixture
def with_exif(press: None, encode: Slic, picture: Callable[..., NDArray[np.uint8]]) -> Path:
    """shot.slic, with EXIF, signed."""
    exif = Image.Exif()
    exif[0x010F] = "a camera"
    Image.fromarray(picture(30, 40)).save("shot.png", exif=exif)
    assert encode("shot.png", "--sign", "press.key").exit_code == 0
    return Path("shot.slic")


def test_exif_goes_and_the_signature_holds(with_exif: Path, slic: Slic) -> None:
    result = slic("strip", "--exif", "shot.slic")
    assert result.stdout.endswith(" bpp, EXIF removed\n") and (result.stderr, result.exit_code) == ("", 0)
    assert b"a camera" not in Path("shot.stripped.slic").read_bytes()
    said = f"shot.stripped.slic: valid: signed by press ({ID}); EXIF removed after signing\n"
    assert verify(slic, "shot.stripped.slic") == (said, 0)
    assert verify(slic, "shot.slic") == (f"shot.slic: valid: signed by press ({ID})\n", 0)


def test_strip_says_what_was_not_there(with_exif: Path, slic: Slic) -> None:
    result = slic("strip", "--exif", "--xmp", "shot.slic", "--json")
    assert json.loads(result.stdout)["removed"] == ["EXIF"]
    assert result.stderr == "slic: warning: shot.slic: there is no XMP to drop\n"


def test_strip_needs_to_know_what(file: Path, slic: Slic) -> None:
    result = slic("strip", "photo.slic")
    assert result.stderr.startswith("slic: --exif or --xmp says what to drop\n")
    assert (result.exit_code, tree()) == (2, ["photo.slic"])


def test_decode_shows_only_what_is_signed(album: dict[str, str], slic: Slic) -> None:
    names = [f"{name}.slic" for name in album]
    result = slic("decode", *names, "-o", "seen", "--verify", "trusted")
    assert result.stdout == "seen/photo.png: 40x30, signed by press\n"
    assert result.stderr == WARNING + "".join(
        f"slic: {name}.slic: not decoded, as its signature does not hold: {said}\n"
        for name, said in list(album.items())[1:]
    )
    assert result.exit_code == 3


def test_decode_refuses_before_any_network_is_loaded(
    file: Path, press: None, slic: Slic, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("slic.models.find_identity", lambda identity: pytest.fail("a model is looked for"))
    result = slic("decode", "photo.slic", "--verify", "trusted")
    assert result.stderr == (
        "slic: photo.slic: not decoded, as its signature does not hold: unsigned: it has no signature\n"
    )
    assert (result.exit_code, "photo.png" in tree()) == (3, False)


def test_decode_says_what_nobody_verified(signed: Path, slic: Slic) -> None:
    assert slic("decode", "photo.slic").stdout == "photo.png: 40x30, signed, not verified\n"
    assert json.loads(slic("decode", "photo.slic", "--force", "--json").stdout)["signed"] is True


def test_decode_says_the_verdict_in_json(signed: Path, slic: Slic) -> None:
    said = json.loads(slic("decode", "photo.slic", "--verify", "trusted", "--json").stdout)
    assert (said["verdict"], said["signer"], said["ok"]) == ("valid", "press", True)


@pytest.fixture
def claimed(photo: Path, press: None, encode: Slic) -> Path:
    """photo.slic, signed, with a manifest in it and photo.c2pa beside it; root.pem."""
    pytest.importorskip("c2pa", reason="needs c2pa-python: pip install 'slic[c2pa]'")
    certificates.make().write(Path())
    result = encode("photo.png", "--sign", "press.key", "--c2pa", "manifest.json")
    assert (result.stderr, result.exit_code) == (WARNING, 0)
    return Path("photo.slic")


SAID = "signed as Photo desk, Example Press; c2pa.created, c2pa.transcoded; source digitalCapture\n"


def test_verify_reports_the_manifest_inside_and_the_one_beside(claimed: Path, slic: Slic) -> None:
    assert verify(slic, "photo.slic", "--c2pa-anchors", "root.pem") == (
        f"photo.slic: valid: signed by press ({ID})\n"
        f"  c2pa embedded: trusted; {SAID}  c2pa sidecar: trusted; {SAID}",
        0,
    )
    found = json.loads(verify(slic, "photo.slic", "--json")[0])["c2pa"]
    assert [(r["place"], r["state"]) for r in found] == [("embedded", "untrusted"), ("sidecar", "untrusted")]


def test_manifests_never_make_a_verdict(claimed: Path, slic: Slic) -> None:
    Path("unsigned.slic").write_bytes(serialise(replace(parse(claimed.read_bytes()), signature=None)))
    said, code = verify(slic, "unsigned.slic", "--c2pa-anchors", "root.pem")
    assert said == f"unsigned.slic: unsigned: it has no signature\n  c2pa embedded: trusted; {SAID}"
    assert code == 3
    Path("photo.c2pa").write_text("no manifest")
    said, code = verify(slic, "photo.slic")
    assert (said.splitlines()[2][:28], code) == ("  c2pa sidecar: unreadable; ", 0)


def test_an_old_sidecar_stays(photo: Path, press: None, encode: Slic, claimed: Path) -> None:
    os.remove("photo.slic")
    Path("photo.c2pa").write_text("precious")
    result = encode("photo.png", "--c2pa", "manifest.json")
    assert result.stderr.startswith("slic: photo.png: photo.c2pa exists already\n")
    assert (result.exit_code, Path("photo.slic").exists()) == (1, False)
    assert Path("photo.c2pa").read_text() == "precious"
    assert encode("photo.png", "--c2pa", "manifest.json", "--force").exit_code == 0
    assert Path("photo.c2pa").read_bytes() != b"precious"


def test_an_old_sidecar_is_seen_before_the_work(
    photo: Path, press: None, encode: Slic, claimed: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    os.remove("photo.slic")
    monkeypatch.setattr("slic.pixels.load", lambda *_, **__: pytest.fail("encoded, and then not written"))
    result = encode("photo.png", "--c2pa", "manifest.json", "--skip-existing")
    assert result.stderr.startswith("slic: photo.png: photo.c2pa exists already\n")


def test_a_sidecar_goes_when_its_file_cannot_be_written(
    photo: Path, claimed: Path, encode: Slic, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(target: Path, data: bytes, *, force: bool = False) -> None:
        if target.suffix == ".slic":
            raise OSError(28, "No space left on device")
        target.write_bytes(data)

    monkeypatch.setattr("slic.files.write", fail)
    result = encode("photo.png", "-o", "new.slic", "--c2pa", "manifest.json")
    assert result.stderr.startswith("slic: photo.png: new.slic: no space left on device\n")
    assert (result.exit_code, [n for n in tree() if n.startswith("new")]) == (1, [])


def test_a_sidecar_is_never_its_input(photo: Path, claimed: Path, encode: Slic) -> None:
    photo.rename("shot.c2pa")
    result = encode("shot.c2pa", "--c2pa", "manifest.json", "--force")
    assert result.stderr.startswith("slic: shot.c2pa: input and output are the same file\n")
    with Image.open("shot.c2pa") as picture:
        assert picture.size == (40, 30)


def test_a_sidecar_needs_a_file_to_lie_beside(photo: Path, claimed: Path, encode: Slic) -> None:
    result = encode("photo.png", "-o", "-", "--c2pa", "manifest.json")
    assert result.stderr.startswith("slic: --c2pa writes a file beside the output; -o must name a file\n")
    assert (result.stdout, result.exit_code) == ("", 2)


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="needs pipes with names")
def test_a_pipe_in_a_sidecar_s_place_does_not_hold_verify_up(signed: Path, slic: Slic) -> None:
    os.mkfifo("photo.c2pa")
    assert verify(slic, "photo.slic")[1] == 0


def test_a_manifest_without_its_package_is_said(
    photo: Path, encode: Slic, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "c2pa", None)
    result = encode("photo.png", "--c2pa", "manifest.json")
    assert result.stderr == (
        "slic: C2PA needs the package c2pa-python\nslic: hint: pip install 'slic[c2pa]'\n"
    )
    assert (result.exit_code, tree()) == (1, ["photo.png"])
