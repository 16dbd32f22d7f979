"""A fleet beside the single machine, on a small scale."""

import pytest

from benchmarks import fleet

pytest.importorskip("ray", reason="ray comes with the extra [ray]")


def test_both_make_the_same_and_say_what_their_start_costs(ask) -> None:  # type: ignore[no-untyped-def]
    single, many = ask(fleet.main, "--pictures", "6", "--few", "2")
    assert single["command"] == "slic encode -r IN -o OUT -j 2"
    assert many["command"] == "slic fleet encode IN OUT --workers 2"
    assert (single["speed"], single["speed_started"]) == (1, 1)
    for row in (single, many):
        assert (row["pictures"], row["other_bytes"]) == (6, 0)
        assert row["seconds"] == pytest.approx(row["start_s"] + 6 * row["picture_s"])
