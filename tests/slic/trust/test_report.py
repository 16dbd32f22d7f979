"""The page: what it says, and that nothing from a file becomes markup."""

import base64
import hashlib
import re
from collections.abc import Callable
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from slic.codec import Codec
from slic.errors import PictureError
from slic.models import Model
from slic.trust import keys, report
from slic.trust.c2pa import Report
from slic.trust.keys import SecretKey
from slic.trust.signature import sign_bytes
from slic.trust.tamper import Finding
from slic.trust.verdict import Status, Verdict
from tests.slic.trust.pages import HOSTILE, KINDS, found, page


class Reader(HTMLParser):
    """Elements with their attributes, and the text."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.text = ""
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))

    def handle_data(self, data: str) -> None:
        self.text += data


def exif(text: str) -> bytes:
    block = Image.Exif()
    block[270], block[315] = text, text
    return block.tobytes()


def test_a_copy_s_pose_is_among_the_numbers() -> None:
    moved = replace(found("untouched"), scale=0.5, turned=270, mirrored=True)
    text, as_it_was = (Reader(report.page("a", b"", f)).text for f in (moved, found("untouched")))
    for row in ("about 50%", "Mirrored since", "270°"):
        assert row in text and row not in as_it_was


def test_the_kinds_are_what_they_are_called() -> None:
    assert [found(kind).finding.name.lower() for kind in KINDS] == list(KINDS)


@pytest.mark.parametrize(
    ("kind", "badge"),
    [
        ("untouched", "Protected and untouched"),
        ("edited", "Edited"),
        ("unprotected", "Not protected"),
        ("unclear", "Cannot tell"),
    ],
)
def test_each_finding_has_its_words(kind: str, badge: str) -> None:
    read = Reader(page(kind))
    assert f">{badge}</span>" in page(kind)
    assert str(found(kind)) in read.text


def test_the_map_names_its_regions() -> None:
    read = Reader(page("edited"))
    assert "middle right: 80 × 64 pixels, from 144 pixels right and 32 down" in read.text
    assert "10.4% of the picture, in one region" in read.text
    alts = [attributes.get("alt") for tag, attributes in read.elements if tag == "img"]
    assert "The picture in grey, with one region in red: middle right." in alts
    assert "Where it was edited" not in Reader(page("untouched")).text


def test_manifests_say_in_plain_words_what_they_are_worth() -> None:
    said = Report("embedded", "trusted", signer="Photo desk"), Report("sidecar", "invalid")
    text = Reader(page("untouched", manifests=said)).text
    assert "It holds, under a certificate that you trust. trusted; signed as Photo desk." in text
    assert "It does not hold: it is about another file, or was changed. invalid." in text
    assert "C2PA" not in Reader(page("untouched")).text


@pytest.mark.parametrize("kind", KINDS)
def test_nothing_is_loaded_from_elsewhere(kind: str) -> None:
    for tag, attributes in Reader(page(kind)).elements:
        assert tag not in ("link", "iframe", "object", "form", "a")
        assert attributes.get("src", "data:").startswith("data:image/jpeg;base64,") or "src" not in attributes
    assert "http:" not in page(kind) and "https:" not in page(kind)


def test_only_its_own_script_and_style_may_run() -> None:
    text = page("edited")
    (policy,) = (a["content"] for _, a in Reader(text).elements if a.get("http-equiv"))
    assert policy is not None and policy.startswith("default-src 'none'; img-src data:; ")
    for tag in ("script", "style"):
        (body,) = re.findall(rf"<{tag}>(.*?)</{tag}>", text, re.DOTALL)
        digest = base64.b64encode(hashlib.sha256(body.encode()).digest()).decode()
        assert f"{tag}-src 'sha256-{digest}'" in policy


def test_hostile_text_stays_text_wherever_it_comes_from() -> None:
    signed = Verdict(Status.VALID, "0" * 16, HOSTILE, HOSTILE)
    claim, claimed = Report("embedded", "untrusted"), Report("embedded", "untrusted", signer=HOSTILE)
    plain = Reader(page("edited", manifests=(claim,)))
    hostile = Reader(page("edited", name=HOSTILE, signed=signed, manifests=(claimed,), exif=exif(HOSTILE)))
    assert (
        hostile.text.count("document.title=") == 2 * 5
    )  # title, name, manifest and two tags; there is no signature
    assert [tag for tag, _ in hostile.elements if tag in ("script", "img")] == [
        tag for tag, _ in plain.elements if tag in ("script", "img")
    ]
    assert not [a for _, a in hostile.elements if any(key.startswith("on") for key in a)]


@pytest.mark.parametrize("text", ["$name ${policy} $$", "a\u202eb\x1b[31m\u2028", "x" * 5000, "\0\0"])
def test_odd_text_moves_nothing(text: str) -> None:
    read = Reader(page("edited", name=text, exif=exif(text.encode("ascii", "replace").decode())))
    assert all(character.isprintable() or character == "\n" for character in read.text)
    assert "x" * 301 not in read.text


@pytest.mark.filterwarnings("ignore:Corrupt EXIF")
@pytest.mark.parametrize("block", [b"", b"Exif\0\0", b"Exif\0\0II*\0\xff\xff\xff\xff", bytes(100)])
def test_damaged_exif_has_no_table(block: bytes) -> None:
    assert "What the file says of itself" not in page("edited", exif=block)


def test_what_the_detector_says_has_a_place_of_its_own() -> None:
    made = report.page("a", b"", found("unprotected"), looks="Unsure: <too small>; no proof.")
    assert "Does it look generated?" in Reader(made).text
    assert "Unsure: <too small>; no proof." in Reader(made).text
    assert "Does it look generated?" not in Reader(page("untouched")).text


def test_a_model_without_a_detector_judges_nothing(
    tiny_model: Model, picture: Callable[..., NDArray[np.uint8]], tmp_path: Path
) -> None:
    Image.fromarray(picture(64, 80)).save(tmp_path / "a.png")
    html, _ = report.report(tmp_path / "a.png", model=str(tiny_model.path))
    assert "Not judged: the detector was fitted on model" in Reader(html).text


def test_a_large_picture_is_shown_smaller() -> None:
    image = report._image(Image.new("RGB", (4000, 1000)))
    assert report._fit(4000, 1000) == (1600, 400)
    assert len(image) < 20_000


def test_a_signed_file(
    tiny_model: Model,
    picture: Callable[..., NDArray[np.uint8]],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("SLIC_MODELS", str(tiny_model.path.parent))
    key = SecretKey(bytes(range(32)))
    _, public = keys.save(key, tmp_path / "press", passphrase=None)
    data = sign_bytes(Codec(tiny_model, device="cpu").encode(picture(64, 80)), key, "Example Press")
    html, checked = report.report(data, keys=public)
    assert checked.finding is Finding.UNCLEAR
    assert 'Valid: signed by press (56475aa75463474c), "Example Press".' in Reader(html).text
    html, _ = report.report(data)
    assert "Not checked: nobody said whose signature to trust (--key)." in Reader(html).text


def test_a_broken_signature_is_the_headline() -> None:
    text = report.page(
        "a", b"\x89SLIC\r\n\x1a", found("untouched"), Verdict(Status.ALTERED, "0" * 16, "press")
    )
    assert "This file is not what was signed" in text


def test_what_is_no_picture_has_no_page() -> None:
    with pytest.raises(PictureError):
        report.report(b"no picture")
