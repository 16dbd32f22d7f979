"""Encodes in a row."""

import pytest

from benchmarks import generations
from benchmarks.passes import pillow
from slic.models import Model


def test_every_codec_at_one_quality_and_two_in_turn(ask, tiny_model: Model) -> None:  # type: ignore[no-untyped-def]
    rows = ask(generations.main, "--count", "3", "--quality", "2", "--base", str(tiny_model.path))
    kinds = list(dict.fromkeys((row["codec"], row["qualities"]) for row in rows))
    formats = [(f, q) for f, q in (("jpeg", "85"), ("jpeg", "85 75"), ("webp", "80"), ("webp", "80 70"))]
    formats += [("avif", "60"), ("avif", "60 50")]
    assert kinds == [("slic", "2"), ("slic", "2 1"), ("base", "1"), *formats]
    assert [row["generation"] for row in rows[:6]] == [1, 2, 3, 1, 2, 3]
    assert all(r["to_first"] == 100 and r["growth"] == 1 for r in rows if r["generation"] == 1)
    assert all(row["to_first"] < 100 for row in rows if row["generation"] == 2 and row["codec"] == "slic")


def test_a_generation_encodes_what_the_one_before_left(picture) -> None:  # type: ignore[no-untyped-def]
    x = picture(48, 64)
    good, poor = pillow("JPEG", 90), pillow("JPEG", 30)
    first, second, third = generations._generations(x, [good, poor], 3)
    decoded, bpp = poor(good(x)[0])
    assert second[2] == bpp and second[3] == pytest.approx(bpp / first[2])
    assert third[2] == good(decoded)[1]
    assert first[0] > second[0]
