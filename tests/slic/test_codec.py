"""Pictures to files and back, through the public face."""

import io
import subprocess
import sys
import threading
import warnings
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

import slic
from slic import codec as codec_module
from slic.engine import Seen
from slic.models import Model
from slic_formats import Mode, parse

Maker = Callable[..., NDArray[np.uint8]]


@pytest.fixture
def codec(tiny_model: Model) -> slic.Codec:
    return slic.Codec(tiny_model, device="cpu")


def test_every_public_name_is_there() -> None:
    assert [name for name in slic.__all__ if getattr(slic, name) is None] == []
    assert set(slic.__all__) <= set(dir(slic))
    with pytest.raises(AttributeError, match="module 'slic' has no attribute 'decoed'"):
        slic.decoed  # noqa: B018


def test_encode_writes_a_file_and_decode_reads_it(tmp_path: Path, picture: Maker) -> None:
    target = tmp_path / "a.slic"
    assert slic.encode(picture(40, 50), target) is None
    assert slic.decode(target).size == (50, 40)
    assert slic.decode(io.BytesIO(target.read_bytes())).mode == "RGB"
    with pytest.raises(FileExistsError):
        slic.encode(picture(40, 50), target)


def test_without_a_target_the_bytes_come_back(picture: Maker) -> None:
    data = slic.encode(picture(16, 16))
    assert data is not None and parse(data).header.width == 16


def test_wreckage_is_said_of_a_secured_model(
    tiny_model: Model, picture: Maker, monkeypatch: pytest.MonkeyPatch
) -> None:
    """All that a random model encodes is bad; for this test, bad enough."""
    monkeypatch.setattr(codec_module, "DESTROYED_DB", 60.0)
    secured = slic.Codec(replace(tiny_model, secured=True), device="cpu")
    with pytest.warns(slic.SlicWarning, match="what was encoded is wreckage"):
        data = secured.encode(picture(40, 50))
    with pytest.warns(slic.SlicWarning, match="wreckage"):
        assert list(secured.encode_batch([picture(40, 50)])) == [data]
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert slic.Codec(tiny_model, device="cpu").encode(picture(40, 50)) == data


def test_wreckage_in_a_part_is_said_with_its_place() -> None:
    seen = [Seen(30, 0, 0), Seen(12, 480, 160), Seen(9, 512, 176), Seen(25, 0, 320)]
    (said,) = codec_module._wreckage(seen)
    assert said.startswith("a part of what was encoded, at pixel 512,176, is wreckage: that part came out of")
    assert codec_module._wreckage(seen[::3]) == codec_module._wreckage([]) == ()
    assert codec_module._wreckage(seen[1:3])[0].startswith("what was encoded is wreckage: the picture came")


def test_mode_and_alpha_survive(codec: slic.Codec, picture: Maker) -> None:
    rgb = picture(30, 20)
    alpha = rgb[:, :, 2:]
    for array, mode in ((rgb, "RGB"), (rgb[:, :, 0], "L"), (np.dstack([rgb, alpha]), "RGBA")):
        decoded = codec.decode(codec.encode(array))
        assert decoded.mode == mode
    assert np.array_equal(np.asarray(decoded)[:, :, 3:], alpha)


def test_grey_is_marked_grey(codec: slic.Codec, picture: Maker) -> None:
    assert parse(codec.encode(picture(16, 16)[:, :, 0])).header.mode is Mode.GREY


def test_metadata_is_carried_byte_for_byte(codec: slic.Codec, picture: Maker) -> None:
    exif = Image.Exif()
    exif[0x010F] = "maker"
    stream = io.BytesIO()
    Image.fromarray(picture(16, 16)).save(stream, "PNG", exif=exif)
    assert codec.decode(codec.encode(stream.getvalue())).info["exif"] == exif.tobytes()
    assert "exif" not in codec.decode(codec.encode(stream.getvalue(), strip=True)).info


def test_batches_give_the_files_that_single_pictures_give(codec: slic.Codec, picture: Maker) -> None:
    pictures = [picture(32, 48, 0), picture(32, 48, 1), picture(48, 32, 2), picture(32, 48, 3)]
    files = list(codec.encode_batch(pictures))
    assert files == [codec.encode(p) for p in pictures]
    decoded = [np.asarray(p) for p in codec.decode_batch(files)]
    for one, file in zip(decoded, files, strict=True):
        assert np.abs(one.astype(int) - np.asarray(codec.decode(file))).max() <= 1


def test_a_batch_of_colour_and_grey_keeps_both(codec: slic.Codec, picture: Maker) -> None:
    files = [codec.encode(picture(32, 32)), codec.encode(picture(32, 32)[:, :, 0])]
    assert [p.mode for p in codec.decode_batch(files)] == ["RGB", "L"]


def test_what_was_converted_is_a_warning(codec: slic.Codec, picture: Maker) -> None:
    with pytest.warns(slic.SlicWarning, match="converted from YCbCr to RGB"):
        codec.encode(Image.fromarray(picture(16, 16)).convert("YCbCr"))


def test_a_codec_decodes_files_of_other_installed_models(
    codec: slic.Codec,
    tiny_models: dict[str, Model],
    model_folder: Path,
    monkeypatch: pytest.MonkeyPatch,
    picture: Maker,
) -> None:
    foreign = slic.Codec(tiny_models["mbt2018"]).encode(picture(20, 20))
    with pytest.raises(slic.ModelError, match=r"needs model [0-9a-f]{8}, which is not installed"):
        codec.decode(foreign)
    monkeypatch.setenv("SLIC_MODELS", str(model_folder))
    assert codec.decode(foreign).size == (20, 20)


def test_a_picture_that_would_blow_up_is_refused(
    codec: slic.Codec, picture: Maker, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(codec_module, "max_entropy_bytes", lambda width, height: 20)
    with pytest.raises(slic.PictureError, match="more bytes than its raw pixels"):
        codec.encode(picture(64, 64))


@pytest.mark.filterwarnings("ignore:.*wreckage")
def test_noise_stays_below_raw_pixels() -> None:
    noise = np.random.default_rng(0).integers(0, 256, (256, 256, 3)).astype(np.uint8)
    checks = np.tile(np.array([[0, 255], [255, 0]], np.uint8), (128, 128))
    for hard in (noise, checks, np.where(noise > 127, 255, 0).astype(np.uint8)):
        data = slic.encode(hard)
        assert data is not None and len(data) < 3 * 256 * 256


def test_pixels_beyond_the_limit_are_refused_before_decoding(codec: slic.Codec, picture: Maker) -> None:
    with pytest.raises(slic.PictureError, match="beyond the limit of 100 pixels"):
        codec.decode(codec.encode(picture(16, 16)), max_pixels=100)


def test_the_limit_of_pixels_is_the_callers(codec: slic.Codec, picture: Maker) -> None:
    data = slic.encode(picture(16, 16), max_pixels=256)
    assert data is not None and slic.decode(data, max_pixels=256).size == (16, 16)
    for refuses in (
        lambda: slic.encode(picture(16, 16), max_pixels=255),
        lambda: slic.decode(data, max_pixels=255),
        lambda: codec.encode(picture(16, 16), max_pixels=255),
        lambda: list(codec.encode_batch([picture(16, 16)], max_pixels=255)),
    ):
        with pytest.raises(slic.PictureError, match="beyond the limit of 255 pixels"):
            refuses()


def test_a_picture_is_not_written_over_by_its_own_file(tmp_path: Path, picture: Maker) -> None:
    source = tmp_path / "a.png"
    Image.fromarray(picture(16, 16)).save(source)
    with pytest.raises(slic.PictureError, match="input and output are the same file"):
        slic.encode(source, source, force=True)


def test_threads_share_a_codec(codec: slic.Codec, picture: Maker) -> None:
    expected = codec.encode(picture(64, 64))
    results: list[bytes] = []
    threads = [
        threading.Thread(target=lambda: results.append(codec.encode(picture(64, 64)))) for _ in range(4)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert results == [expected] * 4


def test_the_same_model_is_loaded_once(tiny_model: Model) -> None:
    assert slic.Codec(tiny_model)._engine is slic.Codec(tiny_model)._engine


def test_missing_cuda_is_said(tiny_model: Model) -> None:
    import torch

    if torch.cuda.is_available():
        pytest.skip("this machine has CUDA")
    with pytest.raises(slic.ModelError, match="no CUDA device is available"):
        slic.Codec(tiny_model, device="cuda")


@pytest.mark.parametrize("wrong", [{"device": "abacus"}, {"precision": "fp16"}])
def test_a_machine_that_nobody_knows_is_said(tiny_model: Model, wrong: dict[str, Any]) -> None:
    ((name, value),) = wrong.items()
    with pytest.raises(slic.ModelError, match=f"^{name} {value} is unknown$"):
        slic.Codec(tiny_model, **wrong)


def test_a_comment_that_nobody_signs_is_refused(codec: slic.Codec, picture: Maker) -> None:
    with pytest.raises(ValueError, match="a comment needs a key that signs it"):
        codec.encode(picture(16, 16), comment="Example Press")


def test_python_m_slic() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "slic", "--version"], capture_output=True, text=True, check=True
    )
    assert slic.__version__ in done.stdout
