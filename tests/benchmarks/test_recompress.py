"""Destruction through whole files."""

import numpy as np

from benchmarks import recompress
from slic import attacks
from slic.models import Model


def test_blocks_below_fifteen_decibels_are_destroyed() -> None:
    a = np.zeros((40, 33, 3), np.uint8)  # 2 x 2 whole blocks
    b = a.copy()
    b[:16, :16] = 60  # 12.6 dB
    b[16:32, :16] = 40  # 16.1 dB
    assert recompress.destroyed(a, b) == 0.25


def test_every_edit_of_every_picture_and_then_the_means(tiny_model: Model) -> None:
    noise = np.random.default_rng(0).integers(0, 256, (2, 48, 64, 3)).astype(np.uint8)
    edits = [attacks.parse("crop(left=3, top=5)"), attacks.parse("jpeg(quality=50)")]
    rows = list(recompress.measure(tiny_model, iter([("a", noise[0]), ("b", noise[1])]), edits))
    assert [row["edit"] for row in rows[:3]] == ["none", str(edits[0]), "jpeg(quality=50)"]
    assert len(rows) == 2 * 3 + 3
    last = rows[-1]
    assert last["images"] == 2 and last["highest_psnr"] >= last["recompress_psnr"]
