"""Edits are where they say, and what counts them counts right."""

import numpy as np
import pytest

from benchmarks import splice


def test_rows_for_copies_kinds_quartiles_and_cost(ask) -> None:  # type: ignore[no-untyped-def]
    rows = ask(splice.main)
    alarms = [row for row in rows if "copy" in row]
    assert [row["copy"] for row in alarms] == [*splice.UNPROTECTED, *splice.UNTOUCHED]
    assert all(row["false"] == row["unclear"] == 2 for row in alarms)  # the model is not secured
    kinds = {row["edit"] for row in rows if "edit" in row}
    assert {"paste", "copy-move", "blur", "caption", "letters"} <= kinds
    quartiles = [row for row in rows if "replaced" in row]
    assert [row["trained"] for row in quartiles] == [0.24, 0.74, 0.90, 0.97]
    assert all(row["edits"] == 2 * (len(kinds) - 2) and row["recall"] == 0 for row in quartiles)
    assert rows[-1]["pictures"] == 2 and rows[-1]["encodes_a_check"] > 0


@pytest.mark.parametrize("share", [0.01, 0.08, 0.36])
def test_a_region_has_the_share_it_should(share: float) -> None:
    random = np.random.default_rng(0)
    for shape in ((200, 300), (64, 64), (480, 100)):
        for _ in range(10):
            assert splice.region(shape, share, random).mean() == pytest.approx(share, rel=0.25)


def test_every_edit_changes_its_region_and_nothing_else(picture, monkeypatch: pytest.MonkeyPatch) -> None:  # type: ignore[no-untyped-def]
    monkeypatch.setattr(splice, "FEATHERS", (0,))
    monkeypatch.setattr(splice, "COPIES", ("identity",))
    published, other = picture(96, 128), picture(70, 90, 1)
    for edit in splice.edits(published, other, np.random.default_rng(0)):
        changed = (edit.pixels != published).any(2)
        assert not changed[~edit.truth].any()
        assert changed[edit.truth].mean() > (0.1 if edit.kind == "letters" else 0.8)


def test_a_pasted_block_stands_out_for_the_baselines(picture) -> None:  # type: ignore[no-untyped-def]
    pixels = np.full((96, 96, 3), 128, np.uint8)
    pixels[32:48, 48:64] = picture(16, 16)
    for score in (splice.error_level, splice.residual):
        assert np.argmax(score(pixels)) == 2 * 6 + 3


def test_iou() -> None:
    a, b = np.array([1, 1, 0, 0], bool), np.array([0, 1, 1, 0], bool)
    assert splice.iou(a, b) == pytest.approx(1 / 3)
    assert splice.iou(a & b & ~a, b & ~b) == 0
