"""slic/plugins/pillow.py: `.slic` as one more of Pillow's formats."""

import io
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image, ImageCms, UnidentifiedImageError

import slic.plugins.pillow as plugin
from slic import models
from slic.codec import Codec
from slic.models import Model
from slic_formats import FILE_SIGNATURE, parse

ROOT = Path(__file__).parents[3]
SRGB = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
XMP = b"<x:xmpmeta xmlns:x='adobe:ns:meta/'/>"
Maker = Callable[..., NDArray[np.uint8]]


@pytest.fixture(autouse=True)
def only_tiny_models(model_folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SLIC_MODELS", str(model_folder))


@pytest.fixture(autouse=True)
def registered() -> Iterator[None]:
    """Pillow as it was, once the test is over."""
    registries = Image.OPEN, Image.SAVE, Image.EXTENSION, Image.MIME
    before = [dict(registry) for registry in registries]
    names = list(Image.ID)
    plugin.register()
    yield
    Image.ID[:] = names
    for registry, content in zip(registries, before, strict=True):
        registry.clear()
        registry.update(content)


@pytest.fixture
def colours(picture: Maker) -> Image.Image:
    return Image.fromarray(picture(20, 30))


def saved(image: Image.Image, model: Model, **options: object) -> bytes:
    stream = io.BytesIO()
    image.save(stream, "SLIC", model=str(model.path), **options)
    return stream.getvalue()


def exif(orientation: int = 1) -> Image.Exif:
    tags = Image.Exif()
    tags[0x010F], tags[0x0112] = "maker", orientation
    return tags


def test_to_register_twice_changes_nothing() -> None:
    before = list(Image.ID)
    plugin.register()
    assert before == Image.ID
    assert Image.ID.count("SLIC") == 1
    assert Image.registered_extensions()[".slic"] == "SLIC"
    assert Image.MIME["SLIC"] == "image/x-slic"


@pytest.mark.parametrize("mode", ["L", "LA", "RGB", "RGBA"])
def test_what_is_saved_is_what_the_codec_decodes(colours: Image.Image, mode: str, tiny_model: Model) -> None:
    data = saved(colours.convert(mode), tiny_model)
    with Image.open(io.BytesIO(data)) as back:
        assert (back.format, back.mode, back.size) == ("SLIC", mode, (30, 20))
        assert back.get_format_mimetype() == "image/x-slic"
        assert np.array_equal(np.asarray(back), np.asarray(Codec(tiny_model).decode(data)))


def test_a_path_with_the_suffix_is_enough(colours: Image.Image, tiny_model: Model, tmp_path: Path) -> None:
    colours.save(tmp_path / "photo.slic", model=str(tiny_model.path))
    with Image.open(tmp_path / "photo.slic") as back:
        back.load()
    assert back.size == (30, 20)


def test_quality_names_the_model(colours: Image.Image, tiny_model: Model) -> None:
    stream = io.BytesIO()
    colours.save(stream, "SLIC", quality=1)
    chosen = parse(stream.getvalue()).header.model
    assert chosen == models.find_quality(1).identity


def test_a_quality_that_the_model_lacks_is_one_line(colours: Image.Image, tiny_model: Model) -> None:
    with pytest.raises(OSError, match="model tiny-bmshj2018-hyperprior has no quality 2"):
        saved(colours, tiny_model, quality=2)


def test_an_unknown_quality_is_one_line(colours: Image.Image) -> None:
    with pytest.raises(OSError, match="no model of quality 95 is installed"):
        colours.save(io.BytesIO(), "SLIC", quality=95)


def test_metadata_that_is_given_is_kept(colours: Image.Image, tiny_model: Model) -> None:
    data = saved(colours, tiny_model, exif=exif(), icc_profile=SRGB, xmp=XMP)
    with Image.open(io.BytesIO(data)) as back:
        assert back.info["icc_profile"] == SRGB
        assert back.info["xmp"] == XMP
        assert back.getexif()[0x010F] == "maker"


def test_metadata_of_the_image_itself_is_kept(colours: Image.Image, tiny_model: Model) -> None:
    colours.info.update(exif=exif().tobytes(), icc_profile=SRGB, xmp=XMP)
    container = parse(saved(colours, tiny_model))
    assert (container.icc, container.xmp) == (SRGB, XMP)
    assert container.exif == exif().tobytes()[6:]


def test_what_is_given_stands_in_place_of_the_images_own(colours: Image.Image, tiny_model: Model) -> None:
    colours.info.update(exif=exif(6).tobytes(), icc_profile=SRGB, xmp=b"old")
    container = parse(saved(colours, tiny_model, exif=b"", icc_profile=None, xmp=XMP))
    assert (container.icc, container.exif, container.xmp) == (None, None, XMP)
    assert (container.header.width, container.header.height) == (30, 20)
    assert colours.info["xmp"] == b"old"


def test_orientation_is_applied_once(colours: Image.Image, tiny_model: Model) -> None:
    data = saved(colours, tiny_model, exif=exif(6))
    with Image.open(io.BytesIO(data)) as back:
        assert back.size == (20, 30)
        assert back.getexif()[0x0112] == 1


def test_what_is_lost_is_said(colours: Image.Image, tiny_model: Model) -> None:
    with pytest.warns(UserWarning, match="converted from CMYK"):
        saved(colours.convert("CMYK"), tiny_model)


def test_another_file_is_left_to_the_next_plugin(colours: Image.Image) -> None:
    with pytest.raises(SyntaxError, match="not a slic file"):
        plugin.SlicImageFile(io.BytesIO(b"\x89PNG\r\n\x1a\n" + bytes(100)))
    stream = io.BytesIO()
    colours.save(stream, "PNG")
    with Image.open(stream) as back:
        assert back.format == "PNG"
    with pytest.raises(UnidentifiedImageError):
        Image.open(io.BytesIO(b"\x89SLIC\r\n\0" + bytes(100)))


@pytest.mark.parametrize("cut", [8, 40, 90, -1])
def test_a_damaged_file_says_where(colours: Image.Image, tiny_model: Model, cut: int) -> None:
    data = saved(colours, tiny_model)
    with pytest.raises(OSError, match=r"^damaged slic file: truncated .*at byte \d+$"):
        Image.open(io.BytesIO(data[:cut]))


@pytest.mark.parametrize("cut", [None, 0, 5, 8, 40, -1])
def test_no_file_stays_open(
    colours: Image.Image, tiny_model: Model, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, cut: int | None
) -> None:
    path = tmp_path / "a.slic"
    path.write_bytes(saved(colours, tiny_model)[:cut])
    opened = []
    real = open

    def watched(*args: object, **options: object) -> object:
        opened.append(real(*args, **options))  # type: ignore[call-overload]
        return opened[-1]

    monkeypatch.setattr("builtins.open", watched)
    if cut is None:
        Image.open(path).load()
    else:
        with pytest.raises(OSError):
            Image.open(path)
    monkeypatch.undo()
    assert opened
    assert all(file.closed for file in opened)


def test_a_file_of_the_callers_stays_open(colours: Image.Image, tiny_model: Model) -> None:
    stream = io.BytesIO(saved(colours, tiny_model))
    Image.open(stream).load()
    assert not stream.closed


def test_a_loaded_picture_can_be_changed_and_saved_again(colours: Image.Image, tiny_model: Model) -> None:
    for mode in ("L", "RGBA"):
        image = Image.open(io.BytesIO(saved(colours.convert(mode), tiny_model)))
        image.putpixel((0, 0), 7 if mode == "L" else (7, 8, 9, 10))
        assert Image.open(io.BytesIO(saved(image, tiny_model))).mode == mode


def test_without_its_model_only_the_pixels_are_missing(
    colours: Image.Image, tiny_model: Model, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    data = bytearray(saved(colours, tiny_model))
    monkeypatch.setattr("slic.codec.models.find_identity", unknown_model)
    with Image.open(io.BytesIO(bytes(data))) as back:
        assert back.size == (30, 20)
        with pytest.raises(OSError, match="which is not installed"):
            back.load()


def unknown_model(identity: bytes) -> Model:
    from slic.errors import ModelError

    raise ModelError(f"needs model {identity.hex()}, which is not installed")


def test_to_open_a_file_loads_no_torch(colours: Image.Image, tiny_model: Model, tmp_path: Path) -> None:
    (tmp_path / "a.slic").write_bytes(saved(colours, tiny_model, exif=exif()))
    code = f"""if True:
        import sys
        sys.path[:0] = [{str(ROOT)!r}, {str(ROOT / "formats")!r}]
        import slic.plugins.pillow
        from PIL import Image
        slic.plugins.pillow.register()
        image = Image.open({str(tmp_path / "a.slic")!r})
        print(image.size, image.mode, image.getexif()[0x010F], "torch" in sys.modules)
    """
    said = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
    assert said == "(30, 20) RGB maker False\n"


def test_the_signature_is_that_of_the_format() -> None:
    assert plugin._accept(FILE_SIGNATURE + b"more")
    assert not plugin._accept(FILE_SIGNATURE[:7])
