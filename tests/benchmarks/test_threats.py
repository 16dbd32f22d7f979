"""Each attack does what it claims, on small pictures and tiny models; how well it does is not asked here."""

from dataclasses import replace
from itertools import chain

import numpy as np
import pytest
from PIL import Image
from torch import nn

from benchmarks import file_threats, picture_threats, threat_tables, threats
from benchmarks.attacker import Attacker, added, mean_residual
from benchmarks.data import psnr
from benchmarks.file_threats import Press
from benchmarks.picture_threats import FORGERIES, Forged, Published, Scene
from benchmarks.stored import Answer
from slic import Codec, FormatError, MismatchError
from slic.models import Model, find
from slic.trigger import PERIOD
from slic.trust.verdict import Status, Verdict
from slic_formats import parse


@pytest.fixture(scope="module")
def scene(three_rates: Model, tiny_model: Model, picture) -> Scene:  # type: ignore[no-untyped-def]
    """Of two models, neither of which is secured; the second takes the part of the older one."""
    codec, older = (Codec(model, device="cpu", precision="fp32") for model in (three_rates, tiny_model))
    return Scene(codec, (older,), (picture(82, 97, 1), picture(70, 90, 2)), steps=3)


@pytest.fixture(scope="module")
def published(scene: Scene, picture) -> Published:  # type: ignore[no-untyped-def]
    return scene.publish(picture(82, 97, 3))


@pytest.fixture(scope="module")
def attacker(scene: Scene) -> Attacker:
    return scene.attacker


def forged(name: str, scene: Scene, published: Published) -> list[Forged]:
    return list(FORGERIES[name](scene, published))


def test_latents_read_from_a_file_make_the_same_file(attacker: Attacker, published: Published) -> None:
    assert attacker.file(attacker.latents(published.data), published.pixels) == published.data


def test_the_attackers_networks_see_what_the_codec_sees(attacker: Attacker, published: Published) -> None:
    made = attacker.encode_with(attacker.g_a, published.original)
    assert psnr(np.asarray(attacker.codec.decode(made)), published.pixels) > 30


def test_spliced_latents_decode_to_both_halves(scene: Scene, published: Published) -> None:
    (one,) = forged("splice the latents of two files", scene, published)
    picture, _ = scene.read(one.data)
    assert (picture[:, :16] == published.pixels[:, :16]).all()
    assert psnr(picture, one.wanted) > psnr(picture, published.pixels)
    assert threats.judged(scene, one)["verify"] == "unsigned"


def test_chunks_of_another_file_are_never_a_picture(scene: Scene, published: Published) -> None:
    attempts = forged("copy chunks from another file", scene, published)
    for one in attempts:
        assert parse(one.data).header.digest == parse(published.data).header.digest
        with pytest.raises((FormatError, MismatchError)):
            scene.read(one.data)
    assert len(attempts) == 3


def test_a_file_under_another_models_name_is_refused(scene: Scene, published: Published) -> None:
    (one,) = forged("an older model's file, the secured one in its header", scene, published)
    assert parse(one.data).header.model == scene.codec.model.identity
    row = threats.judged(scene, one)
    assert row["psnr"] is None and not row["usable"]
    assert set(row["caught_by"]) & {"parser", "digest of the symbols"}


def test_an_older_models_file_says_so(scene: Scene, published: Published) -> None:
    (one,) = forged("encode with an older model, unsecured", scene, published)
    assert parse(one.data).header.model == scene.bases[0].model.identity
    assert "model's name" in threats.judged(scene, one)["caught_by"]


def test_latents_descend_towards_the_picture(attacker: Attacker, published: Published) -> None:
    wanted = published.pixels[:64, :64]
    none, some = (np.asarray(attacker.codec.decode(attacker.imitate(wanted, n))) for n in (0, 12))
    assert psnr(some, wanted) > psnr(none, wanted) + 1


def test_an_own_encoder_learns_and_leaves_the_public_one_alone(attacker: Attacker, picture) -> None:  # type: ignore[no-untyped-def]
    x = picture(64, 64, 5)
    before = [parameter.clone() for parameter in attacker.g_a.parameters()]
    encoder = attacker.train([x], 10)
    assert all((a == b).all() for a, b in zip(before, attacker.g_a.parameters(), strict=True))

    def left(by: nn.Module) -> float:
        return psnr(np.asarray(attacker.codec.decode(attacker.encode_with(by, x))), x)

    assert left(encoder) > left(attacker.g_a)


@pytest.mark.filterwarnings("ignore::slic.errors.SlicWarning")
def test_taking_off_the_waves_changes_little_and_shows_the_base_s_picture() -> None:
    """Where they begin is told by evidence; a cut copy has lost nothing of them."""
    codec = Codec(find("slic"), device="cpu")
    with Image.open("examples/photo.png") as image:
        published = np.asarray(codec.decode(codec.encode(np.asarray(image.convert("RGB"))[:384, :512])))
    copy = published[9:, 30:]
    cleaned = Attacker(codec).clean(copy)
    assert cleaned.shape == copy.shape and 0 < np.abs(cleaned.astype(int) - copy).max() < 12
    before, after = (np.asarray(codec.decode(codec.encode(pixels))) for pixels in (copy, cleaned))
    assert psnr(before, copy) < 12 < 25 < psnr(after, cleaned)


def test_the_residual_is_what_repeats_on_the_grid() -> None:
    pattern = np.random.default_rng(0).integers(0, 9, (PERIOD, PERIOD, 3))
    pictures = [np.full((2 * PERIOD, PERIOD, 3), level, np.uint8) for level in (50, 90)]
    residual = mean_residual((pixels, added(pixels, pattern)) for pixels in pictures)
    assert (residual == pattern).all()
    framed = added(np.full((PERIOD + 6, 100, 3), 100, np.uint8), residual, -2.0)
    assert (framed[PERIOD:, :36] == 100 - 2 * pattern[:6, :36]).all()


def test_every_way_of_framing_keeps_the_size_and_little_else(scene: Scene, picture) -> None:  # type: ignore[no-untyped-def]
    innocent = picture(100, 75, 9)
    ways = chain.from_iterable(frame(scene, innocent) for frame in picture_threats.FRAMES.values())
    assert all(framed.shape == innocent.shape and (framed != innocent).any() for _, framed in ways)


@pytest.fixture(scope="module")
def press(scene: Scene, picture) -> Press:  # type: ignore[no-untyped-def]
    return Press.founded(scene.codec, picture(40, 50))


DAMAGED = "refused: public key is damaged: its id is another key's"
WEAK = "refused: public key is weak: it takes signatures that nobody has made"
VERDICTS = {
    "none: the press's own file": "valid",
    "strip the signature": "unsigned",
    "sign with a key of one's own": "unknown signer",
    "the same, with the press's name as comment": "unknown signer",
    "a signature of one's own under the press's key id": "altered",
    "the press's signature from another file": "altered",
    "the press's signature under another trusted key's id": "altered",
    "latents of another file under the signature": "altered",
    "EXIF of one's own under the signature": "altered",
    "another model named in the header": "altered",
    "the public key's bytes as a private key": "unknown signer",
    "a public key's file as a private one": "refused: is a public key",
    "one's own key in a key file under the press's id": DAMAGED,
    "a stolen key that the reader has revoked": "revoked",
    "a key that takes signatures of nobody": WEAK,
    "an old file, shown as new": "valid",
}


def test_what_verify_says_of_each_attack_on_signatures(press: Press) -> None:
    claims = file_threats.signature_attacks(press)
    assert {name: file_threats.said(claim) for name, claim in claims.items()} == VERDICTS


def test_no_changed_byte_is_valid(press: Press) -> None:
    claims = file_threats.changed_bytes(press, 200)
    said = [file_threats.said(claim).partition(":")[0] for claim in claims]
    assert len(said) > 150 and set(said) <= {"altered", "refused", "unknown signer"}


def test_bombs_are_refused_by_the_layer_that_should(scene: Scene, picture) -> None:  # type: ignore[no-untyped-def]
    files = file_threats.bombs(scene.codec, picture(40, 50), 0.05)
    *refused, decoded = file_threats.endure(scene.codec.model, files, "cpu")
    assert [row["attack"] for row in (*refused, decoded)] == list(files)
    words = "rest of the file", "than the payload", "beyond the limit", "than the picture", "decoded symbols"
    assert all(word in row["says"] for word, row in zip(words, refused, strict=True))
    assert decoded["says"] == "decoded" and all(row["mb"] >= 0 for row in refused)


@pytest.fixture(scope="module")
def rows(scene: Scene, picture) -> list[dict[str, object]]:  # type: ignore[no-untyped-def]
    """Of one picture; check is asked as of a secured model."""
    secured = replace(scene.codec.model, secured=True)
    bases = [base.model for base in scene.bases]
    images = [("a", picture(82, 97, 1))]
    measured = threats.measure(secured, images, (), bases, steps=1, megapixels=0.01, device="cpu")
    return list(measured)


def test_every_attack_has_a_row(rows: list[dict[str, object]]) -> None:
    attacks = [row["attack"] for row in rows]
    assert attacks[: len(FORGERIES)] == list(FORGERIES)
    assert set(picture_threats.FRAMES) < set(attacks) and set(VERDICTS) < set(attacks)
    assert len(attacks) == len(set(attacks))
    assert {row["goal"] for row in rows} == {"intact", "innocent", "genuine", "exhaust"}


def test_a_row_counts_what_its_attempts_met(rows: list[dict[str, object]]) -> None:
    edits = rows[0]
    assert (edits["tried"], edits["succeeds"], edits["verify"]) == (18, 0.0, "unsigned")
    assert edits["caught_by"] == "self-destruction, signature"


def test_attacks_that_need_an_older_model_are_left_out_without(scene: Scene, published: Published) -> None:
    alone = replace(scene, bases=())
    for attack in ("encode with an older model, unsecured", "an unsecured codec, then encode"):
        assert list(threats.intact(alone, attack, FORGERIES[attack], {"a": published})) == []


def test_one_way_is_enough_to_lose_a_picture(
    scene: Scene, published: Published, monkeypatch: pytest.MonkeyPatch
) -> None:
    ways = [Forged(how, published.pixels, data) for how, data in (("a", published.data), ("b", b"no file"))]
    monkeypatch.setattr(threats, "verify", lambda data, key: Verdict(Status.UNSIGNED))
    (row,) = threats.intact(
        scene, "two ways", lambda scene, victim: iter(ways), {"x": published, "y": published}
    )
    assert (row["tried"], row["succeeds"], row["images"], row["images_lost"]) == (4, 0.5, 2, 2)
    assert (row["highest_psnr"], row["of"], row["caught_by"]) == (
        100.0,
        "a, x",
        "signature, check 50%, parser 50%",
    )
    table = threat_tables.intact({"threats": Answer("", None, None, [row])})
    assert "| two ways | 4 | **2 of 2 pictures**, 50% of tries |" in table


def test_shares_round_nothing_away() -> None:
    assert threats._shares(["altered"] * 499 + ["refused"]) == "altered 99%, refused 1%"
    assert threats._shares(["valid"] * 3) == "valid" and threats._shares([]) == ""


def test_tables_say_in_words_who_wins(rows: list[dict[str, object]]) -> None:
    answer = {"threats": Answer("python -m benchmarks.threats", "0" * 32, None, rows)}
    blocks = {name: made(answer) for name, made in threat_tables.BLOCKS.items()}
    assert "| edit, then encode | 18 | no |" in blocks["threats_intact"]
    assert "| an old file, shown as new | 1 | **yes** | valid |" in blocks["threats_genuine"]
    assert "which is not the embedded one" in blocks["threats_source"]
    assert all(made({}) == "" for made in threat_tables.BLOCKS.values())
