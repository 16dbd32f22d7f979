"""Who destroys whose pictures."""

from benchmarks import family
from benchmarks.passes import decibels, slic
from slic import Codec
from slic.models import Model


def test_a_row_for_each_writer_and_the_highest_cell(ask, tiny_model: Model) -> None:  # type: ignore[no-untyped-def]
    *rows, last = ask(family.main, "--also", str(tiny_model.path), "--qualities", "1,3")
    names = ["tiny-bmshj2018-hyperprior-3-rates 1", "tiny-bmshj2018-hyperprior-3-rates 3"]
    names.append("tiny-bmshj2018-hyperprior 1")
    assert [row["wrote"] for row in rows] == names
    assert all(list(row) == ["wrote", *names] for row in rows)
    highest = max(row[name] for row in rows for name in names)
    assert last["highest_psnr"] == highest and last["images"] == 2
    assert next(row for row in rows if row["wrote"] == last["wrote"])[last["encodes_again"]] == highest


def test_a_cell_is_of_what_the_row_wrote_and_the_column_encoded(  # type: ignore[no-untyped-def]
    tiny_model: Model, three_rates: Model, picture
) -> None:
    x = picture(60, 70)
    row, *_ = family.measure([tiny_model, three_rates.at(2)], [("x", x)], device="cpu")
    first, _ = slic(Codec(tiny_model, device="cpu"))(x)
    again, _ = slic(Codec(three_rates.at(2), device="cpu"))(first)
    assert row[f"{three_rates.name} 2"] == decibels(first, again)
