"""What a run leaves to read."""

import json
from pathlib import Path

import pytest
import torch

from training import journal
from training.journal import Journal
from training.objective import Losses


def losses(total: float, errors: list[float], **more: object) -> Losses:
    return Losses(torch.tensor(total), torch.tensor(errors), torch.ones(len(errors)), **more)  # type: ignore[arg-type]


def secured(second: list[float], attacks: list[str]) -> Losses:
    errors = [0.01] * len(second)
    return losses(1.0, errors, second_error=torch.tensor(second), second_bpp=torch.ones(len(second)),
                  attacks=attacks)  # fmt: skip


def rows(folder: Path) -> list[dict[str, float]]:
    return [json.loads(line) for line in (folder / "log.jsonl").read_text().splitlines()]


@pytest.fixture(autouse=True)
def no_board(monkeypatch: pytest.MonkeyPatch) -> None:
    """As on a machine without tensorboard."""
    monkeypatch.setattr(journal, "SummaryWriter", None)


def test_a_row_has_the_means_since_the_last(tmp_path: Path) -> None:
    with Journal(tmp_path, 4, 0, leads=True) as made:
        made.step([losses(1.0, [0.1, 0.01])])
        made.step([losses(2.0, [0.01, 0.001])])
        made.note_means(2, 1.26)
        made.step([losses(7.0, [0.1])])
        made.note_means(3, 2.0)
    assert rows(tmp_path) == [
        {"step": 2, "seconds": 1.3, "train/loss": 1.5, "train/first PSNR": 20.0, "train/bpp": 1.0},
        {"step": 3, "seconds": 2.0, "train/loss": 7.0, "train/first PSNR": 10.0, "train/bpp": 1.0},
    ]


def test_each_attack_has_a_mean_of_its_own(tmp_path: Path) -> None:
    with Journal(tmp_path, 4, 0, leads=True) as made:
        made.step([secured([0.1, 0.001], ["blur", "jpeg"]), secured([0.01, 1.0], ["blur", "blur"])])
        made.note_means(1, 0.0)
    (row,) = rows(tmp_path)
    assert {k: v for k, v in row.items() if "again" in k} == {
        "train/again PSNR": 15.0, "train/again bpp": 1.0, "train/again blur": 10.0, "train/again jpeg": 30.0,
    }  # fmt: skip


def test_a_resumed_run_goes_on_in_the_same_file(tmp_path: Path) -> None:
    for step in (1, 2):
        with Journal(tmp_path, 4, step - 1, leads=True) as made:
            made.note(step, 0.0, {"score": 1.234567})
    assert rows(tmp_path) == [{"step": s, "seconds": 0.0, "score": 1.23457} for s in (1, 2)]


def test_rows_are_there_before_the_end(tmp_path: Path) -> None:
    with Journal(tmp_path, 4, 0, leads=True) as made:
        made.note(1, 0.0, {"score": 1.0})
        assert len(rows(tmp_path)) == 1


def test_those_who_do_not_lead_are_silent(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    with Journal(tmp_path, 4, 0, leads=False) as made:
        made.step([losses(1.0, [0.1])])
        made.note_means(1, 0.0)
        made.note(1, 0.0, {"score": 1.0})
    assert not list(tmp_path.iterdir())
    assert capfd.readouterr() == ("", "")


def test_equal_pictures_do_not_break_the_logarithm(tmp_path: Path) -> None:
    with Journal(tmp_path, 4, 0, leads=True) as made:
        made.step([losses(1.0, [0.0])])
        made.note_means(1, 0.0)
    assert rows(tmp_path)[0]["train/first PSNR"] == 100.0


def test_tensorboard_gets_the_same_figures(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    said: list[tuple[object, ...]] = []

    class Board:
        def __init__(self, *arguments: object, **options: object) -> None:
            said.append((*arguments, options))

        def add_scalar(self, *arguments: object) -> None:
            said.append(arguments)

        def close(self) -> None:
            said.append(("closed",))

    monkeypatch.setattr(journal, "SummaryWriter", Board)
    with Journal(tmp_path, 9, 5, leads=True) as made:
        made.note(6, 0.0, {"score": 1.5})
    folder = str(tmp_path / "tensorboard")
    assert said == [(folder, {"purge_step": 5}), ("score", 1.5, 6), ("closed",)]
