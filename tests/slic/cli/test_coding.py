import io
import json
import re
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from calls import MODEL, WARNING, Slic, tree  # type: ignore[import-not-found]
from numpy.typing import NDArray
from PIL import Image

from slic.codec import Codec

EXISTS = "slic: hint: --force overwrites it, --skip-existing leaves it\n"


def test_a_picture_becomes_a_file_beside_it(photo: Path, encode: Slic) -> None:
    result = encode("photo.png")
    size = Path("photo.slic").stat().st_size
    assert result.stdout == f"photo.slic: 40x30, {size} bytes, {8 * size / 1200:.3f} bpp\n"
    assert (result.stderr, result.exit_code) == (WARNING, 0)
    assert tree() == ["photo.png", "photo.slic"]


def test_a_file_becomes_a_picture_beside_it(file: Path, slic: Slic) -> None:
    result = slic("decode", "photo.slic")
    assert (result.stdout, result.stderr, result.exit_code) == ("photo.png: 40x30, unsigned\n", WARNING, 0)
    with Image.open("photo.png") as decoded:
        assert (decoded.format, decoded.size) == ("PNG", (40, 30))


def test_the_command_writes_what_the_library_decodes(file: Path, slic: Slic) -> None:
    slic("decode", "photo.slic")
    wanted = Codec(MODEL).decode(file)
    with Image.open("photo.png") as decoded:
        assert np.array_equal(np.asarray(decoded), np.asarray(wanted))


@pytest.mark.parametrize(
    ("name", "kind"),
    [("a.png", "PNG"), ("a.jpg", "JPEG"), ("a.JPEG", "JPEG"), ("a.webp", "WEBP"), ("a.tif", "TIFF")],
)
def test_the_suffix_of_the_output_names_the_format(file: Path, slic: Slic, name: str, kind: str) -> None:
    assert slic("decode", "photo.slic", "-o", name).exit_code == 0
    with Image.open(name) as decoded:
        assert decoded.format == kind


def test_format_names_the_suffix(file: Path, slic: Slic) -> None:
    assert slic("decode", "photo.slic", "--format", "webp").stdout == "photo.webp: 40x30, unsigned\n"


def test_a_format_that_contradicts_the_output_is_refused(file: Path, slic: Slic) -> None:
    result = slic("decode", "photo.slic", "-o", "a.png", "--format", "jpg")
    assert result.stderr == "slic: --format jpg does not fit a.png\nslic: hint: slic decode --help\n"
    assert result.exit_code == 2


def test_an_unknown_format_is_refused(file: Path, slic: Slic) -> None:
    result = slic("decode", "photo.slic", "-o", "a.xyz")
    assert result.stderr.startswith("slic: a.xyz: .xyz is no known format; --format says which to write\n")
    assert result.exit_code == 2


def test_pipes_carry_files(photo: Path, encode: Slic, slic: Slic) -> None:
    packed = encode("-", input=photo.read_bytes())
    seen = slic("decode", "-", "-o", "-", input=packed.stdout_bytes)
    with Image.open(io.BytesIO(seen.stdout_bytes)) as decoded:
        assert decoded.size == (40, 30)
    assert tree() == ["photo.png"]


def test_no_binary_on_a_terminal(photo: Path, encode: Slic, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("slic.cli.work.on_terminal", lambda stream: True)
    result = encode("photo.png", "-o", "-")
    assert result.stderr.startswith("slic: a file on a terminal is of no use; give -o FILE, or a pipe\n")
    assert (result.stdout, result.exit_code) == ("", 2)


def test_an_existing_output_stays(photo: Path, encode: Slic) -> None:
    Path("photo.slic").write_text("precious")
    result = encode("photo.png")
    assert result.stderr == f"slic: photo.png: photo.slic exists already\n{EXISTS}"
    assert (result.stdout, result.exit_code) == ("", 1)
    assert Path("photo.slic").read_text() == "precious"


def test_force_overwrites(photo: Path, encode: Slic) -> None:
    Path("photo.slic").write_text("old")
    assert encode("photo.png", "--force").exit_code == 0
    assert Path("photo.slic").read_bytes().startswith(b"\x89SLIC")


def test_skip_existing_is_success(photo: Path, encode: Slic) -> None:
    Path("photo.slic").write_text("precious")
    result = encode("photo.png", "--skip-existing")
    assert (result.stdout, result.stderr, result.exit_code) == ("photo.slic: exists, skipped\n", "", 0)
    assert Path("photo.slic").read_text() == "precious"


def test_force_and_skip_existing_exclude_each_other(photo: Path, encode: Slic) -> None:
    result = encode("photo.png", "--force", "--skip-existing")
    assert result.stderr.startswith("slic: --force and --skip-existing exclude each other\n")
    assert result.exit_code == 2


@pytest.fixture
def album(slic: Slic, picture: Callable[..., NDArray[np.uint8]]) -> Path:
    """Five pictures of different sizes in a tree."""
    for i, name in enumerate(["0.png", "1.png", "a/2.png", "a/3.jpg", "a/b/4.png"]):
        path = Path("album", name)
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(picture(70 - 12 * i, 40 + i, seed=i)).save(path)
    return Path("album")


@pytest.mark.parametrize("jobs", ["1", "3", "0"])
def test_a_folder_goes_there_and_back_in_order(album: Path, encode: Slic, slic: Slic, jobs: str) -> None:
    there = encode("-r", "album", "-o", "out", "-j", jobs)
    back = slic("decode", "-r", "out", "-o", "seen", "-j", jobs)
    assert (there.exit_code, back.exit_code) == (0, 0)
    assert back.stdout == (
        "seen/0.png: 40x70, unsigned\nseen/1.png: 41x58, unsigned\n"
        "seen/a/2.png: 42x46, unsigned\nseen/a/3.png: 43x34, unsigned\nseen/a/b/4.png: 44x22, unsigned\n"
    )
    assert there.stderr == WARNING  # once a run


def test_jobs_do_not_change_a_file(album: Path, encode: Slic) -> None:
    encode("-r", "album", "-o", "one")
    encode("-r", "album", "-o", "three", "-j", "3")
    for path in Path("one").rglob("*.slic"):
        assert path.read_bytes() == Path("three", path.relative_to("one")).read_bytes()


def test_a_folder_needs_leave(album: Path, photo: Path, encode: Slic) -> None:
    result = encode("album", "photo.png")
    assert result.stderr == f"slic: album: is a folder\nslic: hint: -r goes through it\n{WARNING}"
    assert result.exit_code == 1
    assert Path("photo.slic").exists()


def test_an_empty_folder_is_success(encode: Slic) -> None:
    Path("empty").mkdir()
    result = encode("-r", "empty")
    assert (result.output, result.exit_code) == ("", 0)


@pytest.mark.parametrize("jobs", ["1", "2"])
def test_the_others_go_on_after_a_failure(file: Path, slic: Slic, jobs: str) -> None:
    Path("cut.slic").write_bytes(file.read_bytes()[:90])
    result = slic("decode", "cut.slic", "gone.slic", "photo.slic", "-j", jobs)
    assert result.stdout == "photo.png: 40x30, unsigned\n"
    assert result.stderr == (
        "slic: cut.slic: truncated in chunk HYPR at byte 90\n"
        f"slic: gone.slic: no such file or directory\n{WARNING}"
    )
    assert result.exit_code == 1
    assert tree() == ["cut.slic", "photo.png", "photo.slic"]


def test_json_says_how_each_went(file: Path, slic: Slic) -> None:
    result = slic("decode", "--json", "gone.slic", "photo.slic", "-o", "out")
    gone, done = map(json.loads, result.stdout.splitlines())
    size = file.stat().st_size
    assert done.pop("seconds") >= 0
    assert done == {
        "input": "photo.slic",
        "output": "out/photo.png",
        "ok": True,
        "signed": False,
        "bytes": size,
        "bpp": round(8 * size / 1200, 4),
        "width": 40,
        "height": 30,
        "model": MODEL,
        "warnings": [f"model {MODEL} is not secured: re-encoding an edited copy will not destroy it"],
    }
    error = {"input": "gone.slic", "output": "out/gone.png", "ok": False, "hint": None}
    assert gone == error | {"error": "no such file or directory"}


def test_json_and_the_file_do_not_share_standard_output(photo: Path, encode: Slic) -> None:
    result = encode("--json", "photo.png", "-o", "-")
    assert result.stderr.startswith("slic: --json and the file itself cannot both go to standard output\n")
    assert (result.stdout, result.exit_code) == ("", 2)


def test_json_of_a_skipped_input(photo: Path, encode: Slic) -> None:
    Path("photo.slic").touch()
    result = encode("--json", "--skip-existing", "photo.png")
    expected = {"input": "photo.png", "output": "photo.slic", "ok": True, "skipped": True}
    assert json.loads(result.stdout) == expected


def test_quality_finds_the_model(photo: Path, slic: Slic) -> None:
    assert slic("encode", "-q", "1", "photo.png").exit_code == 0


def test_a_model_is_also_a_file(photo: Path, slic: Slic, tmp_path: Path) -> None:
    path = str(tmp_path / "models" / "tiny.safetensors")
    assert slic("encode", "-m", path, "photo.png").exit_code == 0


def test_a_quality_that_the_model_lacks_is_said(photo: Path, encode: Slic) -> None:
    result = encode("-q", "2", "photo.png")
    assert result.stderr == f"slic: model {MODEL} has no quality 2\nslic: hint: it has 1\n"
    assert result.exit_code == 1


def test_a_model_that_is_not_installed_is_named(photo: Path, slic: Slic) -> None:
    result = slic("encode", "-m", "news-9", "photo.png")
    assert result.stderr.startswith("slic: model news-9 is not installed\nslic: hint: installed: ")
    assert result.exit_code == 1


def test_a_machine_without_cuda_says_so(photo: Path, encode: Slic, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("torch.cuda.is_available", lambda: False)
    result = encode("photo.png", "--device", "cuda")
    hint = "slic: hint: --device auto takes what there is\n"
    assert result.stderr == f"slic: this machine has no CUDA device\n{hint}"
    assert result.exit_code == 1


def test_a_picture_beyond_max_pixels_is_refused(file: Path, slic: Slic) -> None:
    result = slic("decode", "photo.slic", "--max-pixels", "1199")
    assert re.match(r"slic: photo.slic: .*1199 pixels\nslic: hint: ", result.stderr)
    assert (result.exit_code, tree()) == (1, ["photo.slic"])


def test_an_output_folder_that_is_missing_is_named(photo: Path, encode: Slic) -> None:
    result = encode("photo.png", "-o", "no/such/x.slic")
    assert result.stderr == f"slic: photo.png: no/such/x.slic: no such file or directory\n{WARNING}"
    assert result.exit_code == 1


OUT_OF_MEMORY = [MemoryError(), RuntimeError("DefaultCPUAllocator: can't allocate memory: you tried")]


@pytest.mark.parametrize("error", OUT_OF_MEMORY, ids=["python", "torch"])
def test_memory_that_runs_out_stops_one_input(
    file: Path, slic: Slic, monkeypatch: pytest.MonkeyPatch, error: Exception
) -> None:
    def fail(*args: object, **options: object) -> None:
        raise error

    monkeypatch.setattr(Codec, "decode_picture", fail)
    result = slic("decode", "photo.slic", "gone.slic")
    assert (
        result.stderr == "slic: photo.slic: not enough memory\nslic: gone.slic: no such file or directory\n"
    )
    assert result.exit_code == 1
