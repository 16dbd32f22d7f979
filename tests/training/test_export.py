"""A finished run becomes a model that the codec takes, with a card that says how it was made."""

import json
from pathlib import Path

import numpy as np
from click.testing import CliRunner

import slic
from training import export


def test_the_codec_takes_it(base_run: Path, tmp_path: Path) -> None:
    made = export.export(base_run, tmp_path / "m.safetensors", name="mine", quality=5)
    assert (made.name, made.quality, made.qualities, made.secured) == ("mine", 5, tuple(range(1, 9)), False)
    picture = np.full((40, 50, 3), 90, np.uint8)
    data = slic.encode(picture, model=made.path, quality=2)
    assert data is not None and slic.Codec(made).decode(data).size == (50, 40)


def test_the_card_says_how_it_was_made(base_run: Path, packed: Path, tmp_path: Path) -> None:
    made = export.export(
        base_run, tmp_path / "m.safetensors", name="mine", quality=6, figures={"kodak": [1, 2]}
    )
    card = made.card
    assert (card["steps"], card["pixels"], card["figures"]) == (2, 2 * 64 * 64, {"kodak": [1, 2]})
    assert card["machine"]["precision"] == "fp32"
    assert card["settings"]["optimiser"]["rate"] == 0.001 and "machine" not in card["settings"]
    assert card["held_out"]["step"] == 2 and card["held_out"]["loss6"] > 0
    assert card["data"]["pack"] == packed.name and len(card["data"]["sha256"]) == 64


def test_an_existing_file_stays(base_run: Path, tmp_path: Path) -> None:
    command = [str(base_run), str(tmp_path / "m.safetensors"), "--name", "mine"]
    assert CliRunner().invoke(export.main, command).exit_code == 0
    refused = CliRunner().invoke(export.main, command)
    assert refused.exit_code == 1 and refused.output.startswith("Error: ") and refused.output.count("\n") == 1
    assert CliRunner().invoke(export.main, [*command, "--force", "--best"]).exit_code == 0


def test_figures_come_from_a_file(base_run: Path, tmp_path: Path) -> None:
    (tmp_path / "f.json").write_text(json.dumps({"kodak": 36.0}))
    command = [
        str(base_run),
        str(tmp_path / "m.safetensors"),
        "--name",
        "x",
        "--figures",
        str(tmp_path / "f.json"),
    ]
    assert CliRunner().invoke(export.main, command).exit_code == 0
    assert slic.Codec(tmp_path / "m.safetensors").model.card["figures"] == {"kodak": 36.0}
