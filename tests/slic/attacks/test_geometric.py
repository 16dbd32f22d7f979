"""The paper's edits of places, against Pillow itself; literals for the others."""

from collections.abc import Callable

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from slic import attacks
from slic.attacks import geometric

Maker = Callable[..., NDArray[np.uint8]]
PAPER = {attack.name: attack for attack in attacks.PAPER}
ROW = np.arange(6, dtype=np.uint8)[None, :, None].repeat(3, 2)  # (1,6,3)


@pytest.mark.parametrize("size", [(61, 83), (96, 64)])
def test_the_papers_affine(picture: Maker, size: tuple[int, int]) -> None:
    x = picture(*size)
    height, width = size
    turned = Image.fromarray(x).rotate(10, resample=Image.Resampling.BILINEAR)
    canvas = Image.new("RGB", (width, height))
    canvas.paste(turned.resize((int(0.95 * width), int(0.95 * height))), (10, 0))
    assert np.array_equal(PAPER["affine"](x), np.asarray(canvas))


@pytest.mark.parametrize(("size", "border"), [((61, 83), 8), ((90, 70), 9), ((30, 29), 3), ((29, 20), 2)])
def test_the_papers_copy(picture: Maker, size: tuple[int, int], border: int) -> None:
    x = picture(*size)
    height, width = size
    image = Image.fromarray(x)
    canvas = Image.new("RGB", (width, height))
    canvas.paste(image.crop((border, border, width - border, height - border)), (border, border))
    assert np.array_equal(PAPER["frame"](x), np.asarray(canvas))


def test_affine_moves_by_shares_and_pixels() -> None:
    moved = geometric.affine(ROW, degrees=0, scale=1, shift_x=0.4, left=-1)[0, :, 0]  # round(2.4) − 1
    assert moved.tolist() == [0, 0, 1, 2, 3, 4]


def test_crop_cuts_each_side(picture: Maker) -> None:
    x = picture(20, 30)
    assert np.array_equal(geometric.crop(x, left=3, top=5, right=2, bottom=1), x[5:19, 3:28])
    with pytest.raises(ValueError, match="crop: nothing would be left of 30x20 pixels"):
        geometric.crop(x, left=20, right=10)


def test_shift_repeats_the_edge() -> None:
    assert geometric.shift(ROW, dx=2, dy=0)[0, :, 0].tolist() == [0, 0, 0, 1, 2, 3]
    assert geometric.shift(ROW, dx=-2, dy=5)[0, :, 0].tolist() == [2, 3, 4, 5, 5, 5]


def test_mirror_swaps_left_and_right(picture: Maker) -> None:
    x = picture(40, 24)
    assert np.array_equal(
        geometric.mirror(x), np.asarray(Image.fromarray(x).transpose(Image.Transpose.FLIP_LEFT_RIGHT))
    )


def test_turn_is_against_the_clock(picture: Maker) -> None:
    x = picture(20, 30)
    assert np.array_equal(
        geometric.turn(x), np.asarray(Image.fromarray(x).transpose(Image.Transpose.ROTATE_90))
    )
    assert np.array_equal(geometric.turn(geometric.turn(x, 1), 3), x)


def test_resize_changes_the_size_and_rescale_does_not(picture: Maker) -> None:
    x = picture(33, 50)
    small = Image.fromarray(x).resize((25, 16))
    assert np.array_equal(geometric.resize(x, 0.5), np.asarray(small))
    assert np.array_equal(geometric.rescale(x, 0.5), np.asarray(small.resize((50, 33))))


def test_paste_covers_its_share_and_nothing_else(picture: Maker) -> None:
    x, foreign = picture(40, 60), 255 - picture(40, 60, 1)
    out = geometric.paste(x, share=0.25, seed=4, foreign=foreign)
    changed = (out != x).any(2)
    rows, columns = np.flatnonzero(changed.any(1)), np.flatnonzero(changed.any(0))
    assert (np.ptp(rows) + 1, np.ptp(columns) + 1) == (20, 30)
    assert np.array_equal(out[changed], foreign[changed])
    assert not np.array_equal(geometric.paste(x, seed=1), geometric.paste(x, seed=2))
    with pytest.raises(ValueError, match=r"paste: foreign must be of shape \(40, 60, 3\), not \(8, 8, 3\)"):
        geometric.paste(x, foreign=picture(8, 8))


def test_a_generated_texture_is_not_flat() -> None:
    out = geometric.paste(np.zeros((64, 64, 3), np.uint8), share=1)
    assert out.std() > 20
