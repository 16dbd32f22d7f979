"""The tamper map: what follows from what is seen, and real pictures through a secured model."""

import io
import json
import os
import threading
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

import slic
from slic import attacks
from slic.codec import Codec
from slic.errors import FormatError, PictureError
from slic.models import Model, find
from slic.pixels import Source
from slic.trust import tamper
from slic.trust.blocks import Box
from slic.trust.tamper import Finding, Look, TamperReport

Pixels = NDArray[np.uint8]
PHOTO = Path(__file__).parents[3] / "examples/photo.png"
H, W = 192, 256


class Secured:
    """All that `judge` asks of a model."""

    name = "press"
    secured = True


def look(own: NDArray[np.bool_]) -> Look:
    """What a clear case looks like: destroyed where it is the model's own."""
    shape = own.shape
    trace = np.where(own, 2, -2).astype(np.float32)
    return Look(
        np.where(own, 8, 32).astype(np.float32), trace, np.zeros((shape[0] * 16, shape[1] * 16, 3), np.uint8)
    )


def judge(own: NDArray[np.bool_]) -> TamperReport:
    height, width = (16 * side for side in own.shape)
    return tamper.judge(np.zeros((height, width, 3), np.uint8), look(own), Secured())  # type: ignore[arg-type]


def blocks(rows: slice = slice(0), columns: slice = slice(0)) -> NDArray[np.bool_]:
    """12x16 blocks of the model's own but for these."""
    own = np.ones((H // 16, W // 16), bool)
    own[rows, columns] = False
    return own


def test_a_picture_destroyed_all_over_is_untouched() -> None:
    report = judge(blocks())
    assert (report.finding, report.edited, report.own, report.boxes) == (Finding.UNTOUCHED, 0, 1, ())
    assert str(report) == "protected and untouched: all of it came out of press"


def test_a_picture_that_survives_is_not_protected() -> None:
    report = judge(~blocks())
    assert (report.finding, report.edited, report.mask.any()) == (Finding.UNPROTECTED, 0, False)


def test_a_region_that_survives_is_an_edit_and_drawn() -> None:
    report = judge(blocks(slice(2, 6), slice(4, 10)))
    assert report.finding is Finding.EDITED
    assert report.boxes == (Box(64, 32, 160, 96),)
    assert report.edited == pytest.approx(24 / 192)
    assert report.mask[32:96, 64:160].all()
    assert report.mask.sum() == 64 * 96


def test_the_largest_region_is_named_first() -> None:
    own = blocks(slice(0, 5), slice(0, 5))
    own[6:11, 8:14] = False
    assert judge(own).boxes == (Box(128, 96, 224, 176), Box(0, 0, 80, 80))


def test_what_survives_at_the_very_edge_is_no_edit() -> None:
    """There the trigger is weak, and JPEG takes it."""
    assert judge(blocks(slice(0, 2), slice(0, 16))).finding is Finding.UNTOUCHED


def test_one_block_alone_is_a_speck() -> None:
    assert judge(blocks(slice(3, 4), slice(3, 4))).finding is Finding.UNTOUCHED


def test_traces_that_are_weak_all_over_are_no_verdict() -> None:
    weak = look(blocks())
    weak.trace[:], weak.damage[:] = 0.2, 22
    weak.trace[:6, :6] = 2
    report = tamper.judge(np.zeros((H, W, 3), np.uint8), weak, Secured())  # type: ignore[arg-type]
    assert report.finding is Finding.UNCLEAR
    assert "weak traces" in report.reason


def test_edits_all_over_leave_nothing_to_compare_with() -> None:
    assert judge(blocks(slice(0, 12), slice(0, 13))).finding is Finding.UNCLEAR


def test_an_edit_among_weak_traces_is_no_verdict() -> None:
    resized = look(blocks(slice(2, 9), slice(4, 10)))
    resized.trace[resized.trace > 0], resized.trace[resized.trace < 0] = tamper.POOR - 0.05, -3
    report = tamper.judge(np.zeros((H, W, 3), np.uint8), resized, Secured())  # type: ignore[arg-type]
    assert report.finding is Finding.UNCLEAR


def test_what_is_destroyed_without_a_trace_is_no_verdict() -> None:
    """A model that answers loudly may answer what nothing else shows to be its own."""
    weak = look(blocks())
    weak.trace[:] = -1
    report = tamper.judge(np.zeros((H, W, 3), np.uint8), weak, Secured())  # type: ignore[arg-type]
    assert report.finding is Finding.UNCLEAR
    assert report.reason.startswith("press destroys 100% of it")


def test_a_picture_too_small_to_tell(tiny_model: Model) -> None:
    report = slic.check(np.zeros((63, 300, 3), np.uint8), model=tiny_model)
    assert report.finding is Finding.UNCLEAR
    assert report.reason == "a side of 63 pixels shows too little; 64 are needed"


def test_a_model_that_is_not_secured_tells_nothing(tiny_model: Model) -> None:
    report = slic.check(np.zeros((64, 80, 3), np.uint8), model=tiny_model)
    assert report.finding is Finding.UNCLEAR
    assert "is not secured" in report.reason


def test_as_dict_is_json() -> None:
    found = json.loads(json.dumps(judge(blocks(slice(2, 6), slice(4, 10))).as_dict()))
    assert found == {
        "finding": "protected, edited here",
        "reason": "12.5% of it, in one region, did not come out of press",
        "model": "press",
        "edited": 0.125,
        "own": found["own"],
        "scale": 1.0,
        "turned": 0,
        "mirrored": False,
        "boxes": [[64, 32, 160, 96]],
    }


def test_the_overlay_is_red_where_it_was_edited() -> None:
    shown = np.asarray(tamper.overlay(judge(blocks(slice(2, 6), slice(4, 10)))))
    assert shown.shape == (H, W, 3)
    assert shown[64, 100].tolist() == [115, 20, 20]  # half of it
    assert shown[32, 64].tolist() == [230, 40, 40]  # its box
    assert shown[0, 0].tolist() == [0, 0, 0]


def test_what_is_no_picture_is_refused(tmp_path: Path) -> None:
    (tmp_path / "a.png").write_bytes(b"no picture")
    with pytest.raises(PictureError):
        slic.check(tmp_path / "a.png")


def load(source: Source) -> tuple[int, int]:
    picture, _ = tamper.load(source, device="cpu", precision="fp32", max_pixels=1 << 20)
    return picture.rgb.shape[:2]


def test_open_files_and_pipes_are_sources(
    tiny_model: Model,
    picture: Callable[..., Pixels],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("SLIC_MODELS", str(tiny_model.path.parent))
    data, pipe = Codec(tiny_model).encode(picture(64, 80)), tmp_path / "pipe"
    assert load(io.BytesIO(data)) == (64, 80)
    os.mkfifo(pipe)
    for content, size in ((data, (64, 80)), (PHOTO.read_bytes(), (512, 768))):
        writer = threading.Thread(target=pipe.write_bytes, args=(content,))
        writer.start()
        assert load(pipe) == size
        writer.join()


def test_a_damaged_slic_file_is_refused(tiny_model: Model, picture) -> None:  # type: ignore[no-untyped-def]
    data = Codec(tiny_model).encode(picture(64, 64))
    with pytest.raises(FormatError):
        slic.check(data[:-1], model=tiny_model)


# From here on with real pictures.


@pytest.fixture(scope="module")
def secured() -> Codec:
    model = find("slic")
    if not model.secured:
        pytest.skip("the embedded model is not secured")
    return Codec(model)


@pytest.fixture(scope="module")
def original() -> Pixels:
    with Image.open(PHOTO) as image:
        return np.asarray(image.convert("RGB"))[:384, :512]


@pytest.fixture(scope="module")
def file(secured: Codec, original: Pixels) -> bytes:
    return secured.encode(original)


@pytest.fixture(scope="module")
def published(secured: Codec, file: bytes) -> Pixels:
    return np.asarray(secured.decode(file))


def finding(pixels: Pixels, codec: Codec) -> Finding:
    return tamper.check_levels(pixels, codec).finding


def test_a_photograph_is_not_protected(secured: Codec, original: Pixels) -> None:
    assert finding(original, secured) is Finding.UNPROTECTED


def test_a_decoded_picture_is_untouched(secured: Codec, published: Pixels) -> None:
    assert finding(published, secured) is Finding.UNTOUCHED


@pytest.mark.parametrize(
    "copy", ["jpeg(quality=90)", "jpeg(quality=85)", "crop(left=13, top=7)", "crop(left=5, top=22)"]
)
def test_a_copy_is_untouched(secured: Codec, published: Pixels, copy: str) -> None:
    assert finding(attacks.parse(copy)(published), secured) is Finding.UNTOUCHED


@pytest.mark.parametrize("factor", [0.5, 0.75, 0.95, 1.1, 1.5])
def test_a_resized_copy_is_untouched_and_its_size_told(
    secured: Codec, published: Pixels, factor: float
) -> None:
    report = tamper.check_levels(attacks.parse(f"resize(factor={factor})")(published), secured)
    assert report.finding is Finding.UNTOUCHED
    assert report.scale == pytest.approx(factor, rel=0.01)
    assert report.reason.endswith(f"; it was resized to about {report.scale:.0%}")


@pytest.mark.parametrize("factor", [0.75, 1.25])
def test_a_region_pasted_before_resizing_is_found_where_it_is(
    secured: Codec, published: Pixels, original: Pixels, factor: float
) -> None:
    forged = published.copy()
    forged[96:256, 200:352] = original[::-1][96:256, 200:352]
    report = tamper.check_levels(attacks.parse(f"resize(factor={factor})")(forged), secured)
    assert report.finding is Finding.EDITED
    assert report.mask.shape == report.again.shape[:2] == report.levels.shape[:2]
    truth = np.zeros(report.mask.shape, bool)
    top, bottom, left, right = (round(factor * side) for side in (96, 256, 200, 352))
    truth[top:bottom, left:right] = True
    assert (report.mask & truth).sum() / (report.mask | truth).sum() > 0.5


@pytest.mark.parametrize(
    "copy", ["turn(quarters=1)", "turn(quarters=2)", "mirror", "mirror+turn(quarters=3)"]
)
def test_an_edit_is_found_in_a_copy_that_lies_otherwise(
    secured: Codec, published: Pixels, original: Pixels, copy: str
) -> None:
    lay = attacks.parse(copy)
    report = tamper.check_levels(lay(published), secured)
    assert report.finding is Finding.UNTOUCHED
    assert (report.turned, report.mirrored) == (90 * int(copy[-2]) if "turn" in copy else 0, "mirror" in copy)
    assert ("; it was mirrored" in report.reason) == report.mirrored
    assert (f"; it was turned by {report.turned}°" in report.reason) == (report.turned > 0)
    forged, truth = published.copy(), np.zeros((*published.shape[:2], 3), np.uint8)
    forged[96:256, 160:352], truth[96:256, 160:352] = original[::-1][96:256, 160:352], 1
    report = tamper.check_levels(lay(forged), secured)
    assert report.finding is Finding.EDITED
    there = lay(truth)[..., 0] > 0
    assert report.mask.shape == report.again.shape[:2] == there.shape
    assert (report.mask & there).sum() / (report.mask | there).sum() > 0.6


@pytest.mark.parametrize("factor", [0.6, 1.3])
def test_a_photograph_that_was_resized_is_not_protected(
    secured: Codec, original: Pixels, factor: float
) -> None:
    assert finding(attacks.parse(f"resize(factor={factor})")(original), secured) is Finding.UNPROTECTED


@pytest.mark.parametrize(("copy", "least"), [("identity", 0.7), ("jpeg(quality=85)", 0.65)])
def test_a_pasted_region_is_found(
    secured: Codec, published: Pixels, original: Pixels, copy: str, least: float
) -> None:
    forged = published.copy()
    forged[96:256, 160:352] = original[::-1][96:256, 160:352]
    report = tamper.check_levels(attacks.parse(copy)(forged), secured)
    assert report.finding is Finding.EDITED
    truth = np.zeros(report.mask.shape, bool)
    truth[96:256, 160:352] = True
    assert (report.mask & truth).sum() / (report.mask | truth).sum() > least


@pytest.mark.parametrize("side", [1, 2, 3])
def test_a_picture_of_hardly_any_pixels_has_a_verdict(secured: Codec, side: int) -> None:
    assert tamper.check_levels(np.zeros((side, 1, 3), np.uint8), secured).finding is Finding.UNCLEAR


def test_a_slic_file_is_checked_with_its_own_model(secured: Codec, file: bytes) -> None:
    assert slic.check(file).finding is Finding.UNTOUCHED


def test_every_quality_is_known(secured: Codec, original: Pixels) -> None:
    for quality in (secured.model.qualities[0], secured.model.qualities[-1]):
        made = Codec(secured.model.at(quality))
        copy = np.asarray(made.decode(made.encode(original)))
        assert finding(copy, secured) is Finding.UNTOUCHED


def test_a_large_picture_is_judged_as_its_parts_are(secured: Codec, original: Pixels) -> None:
    """Of several sections, and read from a file."""
    large = np.tile(original, (3, 4, 1))
    copy = np.asarray(secured.decode(secured.encode(large))).copy()
    assert slic.check(copy).finding is Finding.UNTOUCHED
    copy[500:800, 900:1300] = large[:300, :400]
    report = slic.check(copy)
    assert report.finding is Finding.EDITED and report.mask[520:780, 920:1280].mean() > 0.8


def test_a_part_that_was_moved_is_out_of_step(secured: Codec, published: Pixels) -> None:
    forged = published.copy()
    forged[100:260, 120:320] = published[150:310, 250:450]
    report = tamper.check_levels(forged, secured)
    assert report.finding is Finding.EDITED and report.mask[120:240, 140:300].mean() > 0.7


@pytest.mark.parametrize("degrees", [10, -20, 45])
def test_a_copy_may_be_turned_by_any_angle(secured: Codec, degrees: int) -> None:
    """And cut, so that nothing of what lies beyond its rim is left: that would be an edit."""
    with Image.open(PHOTO) as image:
        published = secured.decode(secured.encode(image.convert("RGB")))
    copy = np.asarray(published.rotate(degrees, Image.Resampling.BICUBIC))[112:-112, 168:-168]
    report = tamper.check_levels(copy, secured)
    assert report.finding is Finding.UNTOUCHED and report.turned == degrees % 360
