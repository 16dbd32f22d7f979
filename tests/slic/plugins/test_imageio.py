"""slic/plugins/imageio.py: `.slic` through imageio's v3 interface."""

import io
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

imageio = pytest.importorskip("imageio", reason="needs the extra slic[plugins]")
iio = pytest.importorskip("imageio.v3")

import slic.plugins.imageio as plugin  # noqa: E402
from slic.codec import Codec  # noqa: E402
from slic.models import Model  # noqa: E402
from slic_formats import parse  # noqa: E402

Maker = Callable[..., NDArray[np.uint8]]
TIFF = b"II*\0\x08\0\0\0\0\0"  # EXIF without entries


@pytest.fixture(autouse=True)
def only_tiny_models(model_folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SLIC_MODELS", str(model_folder))


@pytest.fixture(autouse=True)
def registered() -> Iterator[None]:
    """imageio as it was, once the test is over."""
    plugin.register()
    yield
    del imageio.config.known_plugins["SLIC"], imageio.config.known_extensions[".slic"]
    imageio.config.extension_list.pop()


@pytest.fixture
def colours(picture: Maker) -> NDArray[np.uint8]:
    return picture(20, 30)


def encoded(array: NDArray[np.uint8], model: Model, **options: object) -> bytes:
    data = iio.imwrite("<bytes>", array, extension=".slic", model=model.path, **options)
    assert isinstance(data, bytes)
    return data


def test_to_register_twice_changes_nothing() -> None:
    before = len(imageio.config.extension_list)
    plugin.register()
    assert len(imageio.config.extension_list) == before


@pytest.mark.parametrize("channels", [None, 2, 3, 4])
def test_what_is_written_is_what_the_codec_decodes(
    colours: NDArray[np.uint8], channels: int | None, tiny_model: Model, tmp_path: Path
) -> None:
    array = colours[:, :, 0] if channels is None else np.dstack((colours, colours))[:, :, :channels]
    path = tmp_path / "photo.slic"
    assert iio.imwrite(path, array, model=tiny_model.path) is None
    back = iio.imread(path)
    assert back.shape == array.shape
    assert back.dtype == np.uint8
    assert np.array_equal(back, np.asarray(Codec(tiny_model).decode(path)))
    properties = iio.improps(path)
    assert (properties.shape, properties.dtype, properties.is_batch) == (array.shape, np.uint8, False)


def test_bytes_are_read_without_a_name(colours: NDArray[np.uint8], tiny_model: Model) -> None:
    data = encoded(colours, tiny_model)
    assert iio.imread(data).shape == (20, 30, 3)
    assert iio.imread(io.BytesIO(data), extension=".slic").shape == (20, 30, 3)


def test_one_picture_stands_for_all(colours: NDArray[np.uint8], tiny_model: Model) -> None:
    data = encoded(colours, tiny_model)
    assert iio.imread(data, index=0, plugin="SLIC").shape == (20, 30, 3)
    assert iio.imread(data, index=..., plugin="SLIC").shape == (1, 20, 30, 3)
    assert [a.shape for a in iio.imiter(data, plugin="SLIC")] == [(20, 30, 3)]
    properties = iio.improps(data, index=..., plugin="SLIC")
    assert (properties.shape, properties.n_images, properties.is_batch) == ((1, 20, 30, 3), 1, True)
    with pytest.raises(ValueError, match="there is none at index 1"):
        iio.imread(data, index=1, plugin="SLIC")


def test_metadata_comes_back(colours: NDArray[np.uint8], tiny_model: Model) -> None:
    data = encoded(colours, tiny_model, exif=TIFF, xmp=b"<x/>")
    assert iio.immeta(data, plugin="SLIC") == {
        "exif": TIFF,
        "xmp": b"<x/>",
        "model": tiny_model.identity.hex(),
        "quality": 0,
    }


@pytest.mark.parametrize("batch", ["list", "array"])
def test_a_batch_of_one_is_a_picture(colours: NDArray[np.uint8], tiny_model: Model, batch: str) -> None:
    one = [colours] if batch == "list" else colours[None]
    assert parse(encoded(one, tiny_model)).header.width == 30


def test_a_batch_of_two_is_refused(colours: NDArray[np.uint8], tiny_model: Model) -> None:
    with pytest.raises(ValueError, match="one picture, not 2"):
        encoded([colours, colours], tiny_model)


def test_a_refused_picture_leaves_the_old_file(tmp_path: Path, tiny_model: Model) -> None:
    path = tmp_path / "photo.slic"
    path.write_bytes(b"old")
    with pytest.raises(Exception, match="uint8"):
        iio.imwrite(path, np.zeros((4, 4, 7), np.float32), model=tiny_model.path)
    assert path.read_bytes() == b"old"


def test_unknown_options_are_refused(colours: NDArray[np.uint8], tiny_model: Model) -> None:
    with pytest.raises(TypeError, match="no such option: qualty"):
        encoded(colours, tiny_model, qualty=3)


def test_other_files_are_left_to_other_plugins(colours: NDArray[np.uint8], tmp_path: Path) -> None:
    png = iio.imwrite("<bytes>", colours, extension=".png")
    assert iio.immeta(png)["mode"] == "RGB"
    with pytest.raises(OSError, match="can not handle"):
        iio.imread(png, plugin="SLIC")
    with pytest.raises(OSError, match="can not handle"):
        iio.imwrite(tmp_path / "a.png", colours, plugin="SLIC")
