import json
from pathlib import Path

from calls import MODEL, Slic  # type: ignore[import-not-found]

from slic.describe import info


def test_info_describes_a_file(file: Path, slic: Slic) -> None:
    said = info(file)
    result = slic("info", "photo.slic")
    sizes = dict(said.chunks)
    assert result.stdout == (
        "photo.slic\n"
        f"  size      {said.bytes} bytes, {said.bits_per_pixel:.3f} bits per pixel\n"
        "  picture   40x30 RGB\n"
        "  format    1.0\n"
        f"  model     {said.model} ({MODEL}, quality 1, not secured)\n"
        f"  symbols   {said.digest}\n"
        "  metadata  none\n"
        "  signed    no\n"
        f"  chunks    HEAD 40, HYPR {sizes['HYPR']}, LATN {sizes['LATN']}\n"
    )
    assert (result.stderr, result.exit_code) == ("", 0)


def test_info_reads_standard_input(file: Path, slic: Slic) -> None:
    assert slic("info", "-", input=file.read_bytes()).stdout.startswith("-\n  size ")


def test_info_goes_on_after_a_failure(file: Path, slic: Slic) -> None:
    Path("text.slic").write_text("no picture")
    result = slic("info", "text.slic", "gone.slic", ".", "photo.slic")
    assert result.stderr == (
        "slic: text.slic: not a slic file at byte 0\n"
        "slic: gone.slic: no such file or directory\n"
        "slic: .: is a folder\n"
        "slic: hint: -r goes through it\n"
    )
    assert result.stdout.startswith("photo.slic\n")
    assert result.exit_code == 1


def test_info_goes_through_a_folder(file: Path, slic: Slic) -> None:
    Path("text.txt").write_text("no picture")
    result = slic("info", "-r", "--json", ".")
    assert [json.loads(line)["input"] for line in result.stdout.splitlines()] == ["photo.slic"]


def test_json_has_one_object_a_file(file: Path, slic: Slic) -> None:
    result = slic("info", "--json", "gone.slic", "photo.slic")
    gone, there = map(json.loads, result.stdout.splitlines())
    assert gone == {"input": "gone.slic", "ok": False, "error": "no such file or directory", "hint": None}
    assert (there["ok"], there["width"], there["secured"]) == (True, 40, False)
    assert [type for type, _ in there["chunks"]] == ["HEAD", "HYPR", "LATN"]
