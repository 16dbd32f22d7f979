"""Destruction through whole files."""

import click
import pytest

from benchmarks import recompress
from benchmarks.passes import decibels, slic
from benchmarks.recompress import NAMED
from slic import Codec, attacks
from slic.models import Model


def test_every_edit_of_every_picture_and_then_the_means(ask) -> None:  # type: ignore[no-untyped-def]
    edits = "crop(left=3, top=5); jpeg(quality=50)"
    rows = ask(recompress.main, "--edits", edits, "--quality", "2")
    assert len(rows) == 2 * 3 + 3 + 1
    none, crop, jpeg = rows[:3]
    assert list(none) == [
        "image", "model", "quality", "edit", "bpp", "first_psnr", "first_ms_ssim", "first_lpips",
        "recompress_psnr", "recompress_ms_ssim", "recompress_lpips", "recompress_bpp", "blocks_destroyed",
    ]  # fmt: skip
    assert (none["edit"], crop["edit"]) == ("none", "crop(left=3, top=5, right=0, bottom=0)")
    assert jpeg["edit"] == "jpeg(quality=50)" and jpeg["quality"] == 2 and jpeg["first_lpips"] is None


def test_figures_are_of_the_edited_picture_and_its_encode(tiny_model: Model, picture) -> None:  # type: ignore[no-untyped-def]
    x, edit, code = picture(60, 70), attacks.parse("darken"), slic(Codec(tiny_model, device="cpu"))
    rows = recompress.measure(tiny_model, [("x", x)], [edit], device="cpu", judged=False)
    _, row, *_ = rows
    first, bpp = code(x)
    again, again_bpp = code(edit(first))
    assert (row["first_psnr"], row["bpp"]) == (decibels(x, first), bpp)
    assert (row["recompress_psnr"], row["recompress_bpp"]) == (decibels(edit(first), again), again_bpp)


def test_means_name_the_picture_that_is_left_best(ask) -> None:  # type: ignore[no-untyped-def]
    *rows, none, blur, all_edits = ask(recompress.main, "--edits", "blur(radius=3)")
    both = [row["recompress_psnr"] for row in rows if row["edit"] == "none"]
    assert none["images"] == 2 and none["recompress_psnr"] == pytest.approx(sum(both) / 2)
    assert none["worst_psnr"] == max(both) and none["worst_image"] == "ab"[both.index(max(both))]
    assert none["first_lpips"] is None
    worst = max(rows, key=lambda row: row["recompress_psnr"])
    assert all_edits["edit"] == "all" and all_edits["images"] == 2
    assert (all_edits["worst_edit"], all_edits["worst_image"]) == (worst["edit"], worst["image"])
    assert blur["edit"] == "blur(radius=3)"


def test_edits_have_names() -> None:
    assert recompress.edits_named("paper") == attacks.PAPER
    assert len(set(recompress.edits_named("all"))) == 30
    with pytest.raises(click.BadParameter, match="did you mean blur"):
        recompress.edits_named("blurr(radius=2)")


def test_offsets_meet_every_row_and_column_of_the_grid() -> None:
    corners = [(edit.parameters["left"], edit.parameters["top"]) for edit in NAMED["offsets"]]
    assert sorted(x for x, _ in corners) == sorted(y for _, y in corners) == list(range(64))


def test_crops_reach_odd_sizes_and_leave_a_small_picture_something(picture) -> None:  # type: ignore[no-untyped-def]
    shapes = {edit(picture(128, 192)).shape[:2] for edit in NAMED["crops"]}
    assert (127, 191) in shapes and (128, 192) in shapes and all(min(shape) > 32 for shape in shapes)
