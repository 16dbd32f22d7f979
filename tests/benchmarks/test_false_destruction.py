"""Pictures that were never in a file."""

import numpy as np
import pytest

from benchmarks import false_destruction
from benchmarks.false_destruction import Crop
from slic.models import Model


def test_worst_crops_by_name_then_histories_then_all(ask, tiny_model: Model) -> None:  # type: ignore[no-untyped-def]
    size = ("--count", "40", "--size", "48", "--generated", "2", "--worst", "3")
    rows = ask(false_destruction.main, "--base", str(tiny_model.path), *size)
    worst, histories, everything = rows[:3], rows[3:-1], rows[-1]
    assert worst[0]["lower"] >= worst[1]["lower"] >= worst[2]["lower"]
    assert worst[0]["lower"] == everything["most_lower"] and "48x48+" in worst[0]["crop"]
    assert {"none", "jpeg 20", "jpeg 95", "base 1"} <= {r["history"] for r in histories}
    assert sum(row["crops"] for row in histories) == everything["crops"] == 40
    assert sum(row["destroyed"] for row in histories) == everything["destroyed"] >= everything["seen"]


def test_a_model_does_not_destroy_what_itself_keeps(tiny_model: Model, picture) -> None:  # type: ignore[no-untyped-def]
    crops = [Crop(f"{n}", "none", picture(40, 40 + n % 2, n)) for n in range(5)]
    *rows, last = false_destruction.measure(tiny_model, tiny_model, crops, device="cpu")
    assert all(row["lower"] == 0 and row["bpp"] == row["base_bpp"] for row in rows[:5])
    assert (last["crops"], last["destroyed"], last["most_lower"]) == (5, 0, 0)


@pytest.mark.parametrize(
    ("psnr", "base", "destroyed"), [(32, 34, False), (30, 34, True), (24, 26, False), (24.9, 30.1, True)]
)
def test_three_decibels_below_or_below_twenty_five(psnr: float, base: float, destroyed: bool) -> None:
    crop = Crop("x", "none", np.zeros((2, 2, 3), np.uint8))
    assert false_destruction._row(crop, psnr, 1.0, base, 1.0)["destroyed"] is destroyed


def test_what_nobody_sees_is_counted_apart(tiny_model: Model) -> None:
    crop = Crop("x", "none", np.zeros((2, 2, 3), np.uint8))
    rows = [false_destruction._row(crop, psnr, 1.0, 60.0, 1.0) for psnr in (24, 30, 45, 58)]
    counts = false_destruction._counts(rows)
    assert (counts["destroyed"], counts["seen"], counts["most_lower"]) == (3, 2, 36)


def test_material_is_the_same_every_time_and_lies_where_it_says(tiny_model: Model, picture) -> None:  # type: ignore[no-untyped-def]
    sources = [("wide", picture(90, 200)), ("small", picture(20, 30))]
    first, again = (list(false_destruction.material(sources, tiny_model, 20, 64)) for _ in "ab")
    assert all(a.name == b.name and (a.pixels == b.pixels).all() for a, b in zip(first, again, strict=True))
    name, place = first[0].name.split()
    size, left, top = place.split("+")
    x, y = int(left), int(top)
    assert (name, size) == ("wide", "64x64")
    assert (first[0].pixels == sources[0][1][y : y + 64, x : x + 64]).all()
    assert first[1].pixels.shape == (20, 30, 3)
    assert len({crop.history for crop in first}) == 8


def test_generated_pictures_are_of_every_kind() -> None:
    names = [name for name, _ in false_destruction.generated(9)]
    assert names == [
        "text 0",
        "screen 1",
        "drawing 2",
        "flat 3",
        "gradient 4",
        "pattern 5",
        "noise 6",
        "sign 7",
        "soft 8",
    ]
