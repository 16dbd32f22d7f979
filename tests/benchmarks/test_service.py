"""A service under load, on a small scale."""

import pytest

from benchmarks import service

pytest.importorskip("fastapi", reason="fastapi comes with the extra [serve]")


def test_a_full_service_answers_all_and_the_same_with_batches_or_without(ask) -> None:  # type: ignore[no-untyped-def]
    together, alone = ask(service.main, "--requests", "40", "--clients", "20")
    assert (together["batch"], alone["batch"]) == (8, 1)
    for row in (together, alone):
        assert (row["lost"], row["wrong"]) == (0, 0)
        assert 0 < row["p50_ms"] <= row["p90_ms"] <= row["p99_ms"]
        assert row["refused_first"] > 0 and row["rss_most_mb"] >= row["rss_end_mb"] > 50
    assert together["mean_batch"] > alone["mean_batch"] == 1
