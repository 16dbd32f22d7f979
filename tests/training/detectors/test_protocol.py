"""Both classes come out of the protocol alike, and its parts share nothing."""

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from training.detectors import protocol
from training.detectors.protocol import Item, Treatment


@pytest.fixture
def data(tmp_path: Path, picture) -> Path:  # type: ignore[no-untyped-def]
    """Real pictures as large JPEG files, generated ones as small PNG files: the usual confound."""
    for kind, source, side, suffix in (("real", "press", 300, "jpg"), ("fake", "gan", 140, "png")):
        folder = tmp_path / kind / source
        folder.mkdir(parents=True)
        for i in range(6):
            Image.fromarray(picture(side, side, i)).save(folder / f"{i}.{suffix}")
    (tmp_path / "real" / "press" / "notes.txt").write_text("no picture")
    return tmp_path


def test_folders_become_items(data: Path) -> None:
    found = protocol.items(data)
    assert [(i.source, i.fake) for i in found] == [("press", False)] * 6 + [("gan", True)] * 6


def test_a_limit_is_for_each_source_and_part(data: Path) -> None:
    found = protocol.items(data, limit=1)
    assert len({(i.source, i.part) for i in found}) == len(found)


def test_one_class_alone_is_refused(data: Path) -> None:
    with pytest.raises(FileNotFoundError, match=r"needs pictures in real/SOURCE/ and in fake/GENERATOR/"):
        protocol.items(data / "real")


def test_both_classes_get_one_size_and_one_last_codec(data: Path) -> None:
    treated = [Treatment(128, "jpeg(quality=75)")(item) for item in protocol.items(data)]
    assert {x.shape for x in treated if x is not None} == {(128, 128, 3)}
    assert len(treated) == 12


def test_a_picture_is_cropped_and_never_resized(data: Path) -> None:
    item = protocol.items(data)[-1]
    with Image.open(item.file) as image:
        whole = np.asarray(image)
    treated = Treatment(128, "identity")(item)
    assert treated is not None and np.array_equal(treated, whole[:128, :128])  # 140: 6 pixels round to 0


def test_a_picture_that_is_too_small_is_left_out(data: Path) -> None:
    assert [Treatment(256)(item) is None for item in protocol.items(data)] == [False] * 6 + [True] * 6


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("real/horse_256png/n02381460_20_real_A.png", "fake/cyclegan/n02381460_20_fake_B.png"),
        ("fake/latent_diffusion/an-ogre-99__ldif-1.png", "fake/latent_diffusion/an-ogre-99__ldif-4.png"),
        ("fake/stargan/7-images_r03_c1.png", "real/celeba_128/7-images_r03_c0.png"),
    ],
)
def test_pictures_that_share_their_origin_stay_together(one: str, other: str) -> None:
    a, b = (Item(Path(name), Path(name).parent.name, name.startswith("fake")) for name in (one, other))
    assert a.file.stem != b.file.stem
    assert (a.group, a.part, a.fold(5)) == (b.group, b.part, b.fold(5))


def test_parts_are_about_as_large_as_they_should_be() -> None:
    parts = [Item(Path(f"{i}.png"), "press", False).part for i in range(2000)]
    assert parts.count("test") / 2000 == pytest.approx(protocol.TEST, abs=0.03)


def test_the_collection_has_every_source_in_both_parts(shared: Path) -> None:
    found = protocol.items(shared / "data" / "realfake")
    assert {(i.source, i.part) for i in found} == {
        (source, part) for source in {i.source for i in found} for part in ("development", "test")
    }
    assert set(protocol.MATCHED) <= {i.source for i in found if i.fake}
