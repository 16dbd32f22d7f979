"""Ways past the codec, and what they cost."""

from benchmarks import launder
from slic.models import Model


def test_attacks_that_succeed_come_first_the_cheapest_of_them_before(  # type: ignore[no-untyped-def]
    ask, monkeypatch, three_rates: Model
) -> None:
    arguments = ["--pairs", "none", "--base", str(three_rates.path)]
    reached = sorted(row["highest_psnr"] for row in ask(launder.main, *arguments))
    monkeypatch.setattr(launder, "USABLE", reached[5])  # the tiny model leaves nothing usable
    rows = ask(launder.main, *arguments)
    assert len(rows) == 11 + 1  # of three qualities, the last one
    assert [row["succeeds"] > 0 for row in rows] == [True] * 6 + [False] * 6
    order = [(row["succeeds"] == 0, -row["laundered_psnr"]) for row in rows]
    assert order == sorted(order)
    assert all(row["images"] == 2 and 0 <= row["succeeds"] <= 1 for row in rows)
    assert {row["attack"] for row in rows} >= {"jpeg(quality=50)", f"{three_rates.path.stem} 3"}


def test_pairs_are_of_different_kinds_in_both_orders(three_rates: Model) -> None:
    alone = launder.single([three_rates])
    pairs = launder.paired(alone, "kinds").keys() - alone.keys()
    assert len(pairs) == 7 * 6
    assert {"jpeg(quality=80) + rescale(factor=0.5)", "rescale(factor=0.5) + jpeg(quality=80)"} <= pairs
    assert len(launder.paired(alone, "all")) == 12 + 12 * 11
    assert launder.paired(alone, "none") == alone


def test_a_pair_is_one_attack_after_the_other(picture) -> None:  # type: ignore[no-untyped-def]
    alone, x = launder.single(), picture(40, 50)
    both = launder.paired(alone, "kinds")["webp(quality=80) + rescale(factor=0.5)"]
    assert (both(x) == alone["rescale(factor=0.5)"](alone["webp(quality=80)"](x))).all()
