"""Packs and the crops drawn from them."""

from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from safetensors.numpy import load_file

from training.config import ConfigError
from training.data import Crops, pack


def flat(folder: Path, sizes: list[int]) -> list[Path]:
    """A square of one grey for each size: its own number."""
    for i, side in enumerate(sizes):
        Image.new("RGB", (side, side), (i, i, i)).save(folder / f"{i:03}.png")
    return sorted(folder.glob("*.png"))


def greys(crops: Crops, count: int) -> set[int]:
    read = crops.read(crops.draw(0, count, 8), 8)
    return set(read[:, 0, 0, 0].mul(255).round().int().tolist())


def test_a_pack_ends_before_its_limit(tmp_path: Path) -> None:
    pack(flat(tmp_path, [590] * 3), tmp_path / "p", 2, {})  # 1.04 MB each
    packed = load_file(tmp_path / "p")
    assert packed["sizes"].tolist() == [[590, 590]] * 2
    assert packed["pixels"].size == 2 * 590 * 590 * 3


def test_boosted_pictures_weigh_more_than_their_area(tmp_path: Path) -> None:
    pack(flat(tmp_path, [8, 16]), tmp_path / "p", 1, {"001": 3.0})
    packed = load_file(tmp_path / "p")
    by_side = dict(zip(packed["sizes"][:, 0].tolist(), packed["weights"].tolist(), strict=True))
    assert by_side == {8: 64.0, 16: 768.0}


def test_the_order_of_files_changes_nothing(tmp_path: Path) -> None:
    files = flat(tmp_path, [8] * 20)
    for name, order in (("a", files), ("b", files[::-1])):
        pack(order, tmp_path / name, 1, {})
    assert (tmp_path / "a").read_bytes() == (tmp_path / "b").read_bytes()


def test_held_out_pictures_never_train(tmp_path: Path) -> None:
    pack(flat(tmp_path, [8] * 120), tmp_path / "p", 1, {})
    train, judge = greys(Crops(tmp_path / "p"), 3000), greys(Crops(tmp_path / "p", "held-out"), 100)
    assert (len(train), len(judge)) == (117, 3)
    assert not train & judge


def test_crops_depend_on_seed_and_step_alone(packed: Path) -> None:
    crops = Crops(packed, seed=1)
    expected = crops.draw(5, 4, 64)
    np.random.default_rng(0).random()
    crops.draw(9, 2, 128)
    assert crops.draw(5, 4, 64) == Crops(packed, seed=1).draw(5, 4, 64) == expected
    assert crops.draw(6, 4, 64) != expected != Crops(packed, seed=2).draw(5, 4, 64)


def test_fewer_crops_are_the_first_of_more(packed: Path) -> None:
    crops = Crops(packed)
    assert crops.draw(0, 7, 64)[:3] == crops.draw(0, 3, 64)


def test_crops_are_pixels_of_the_picture_mirrored_and_transposed(tmp_path: Path) -> None:
    pixels = np.random.default_rng(0).integers(0, 256, (24, 20, 3)).astype(np.uint8)
    for name in ("a.png", "b.png"):  # one of them is held out
        Image.fromarray(pixels).save(tmp_path / name)
    pack([tmp_path / "a.png", tmp_path / "b.png"], tmp_path / "p", 1, {})
    crops = Crops(tmp_path / "p")
    places = crops.draw(0, 40, 16)
    for place, crop in zip(places, crops.read(places, 16), strict=True):
        expected = pixels[place.row : place.row + 16, place.column : place.column + 16]
        expected = expected[:, ::-1] if place.mirrored else expected
        expected = expected.transpose(1, 0, 2) if place.transposed else expected
        assert torch.equal(crop, torch.from_numpy(expected.copy()).permute(2, 0, 1).float() / 255)
    assert {(p.mirrored, p.transposed) for p in places} == {(a, b) for a in (0, 1) for b in (0, 1)}


def test_small_pictures_are_passed_over(tmp_path: Path) -> None:
    pack(flat(tmp_path, [4] * 30 + [8] * 30), tmp_path / "p", 1, {})
    assert min(greys(Crops(tmp_path / "p"), 200)) >= 30


def test_a_pack_without_a_picture_large_enough_is_refused(packed: Path) -> None:
    with pytest.raises(ConfigError, match="no train picture of the pack is 320 pixels high and wide"):
        Crops(packed).draw(0, 1, 320)


def test_a_pack_that_is_not_there_is_one_line(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"there is no .*nothing; python -m training.data makes one"):
        Crops(tmp_path / "nothing")
