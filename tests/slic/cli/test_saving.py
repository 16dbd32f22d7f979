import io

import numpy as np
import pytest
from PIL import Image, ImageCms

from slic.cli.saving import PILLOW, save
from slic.pixels import Picture

RGB = np.arange(30 * 40 * 3, dtype=np.uint8).reshape(30, 40, 3)
ICC = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
XMP = b'<x:xmpmeta xmlns:x="adobe:ns:meta/">\xc3\xa9</x:xmpmeta>'


def exif() -> bytes:
    tags = Image.Exif()
    tags[0x010E] = "a harbour"
    return tags.tobytes()


def picture(**more: object) -> Picture:
    return Picture(
        **({"rgb": RGB, "grey": False, "alpha": None, "icc": None, "exif": None, "xmp": None} | more)
    )  # type: ignore[arg-type]


@pytest.mark.parametrize("kind", PILLOW)
def test_metadata_survive(kind: str) -> None:
    data, lost = save(picture(icc=ICC, exif=exif(), xmp=XMP), kind)
    with Image.open(io.BytesIO(data)) as image:
        assert image.info["icc_profile"] == ICC
        assert image.getexif()[0x010E] == "a harbour"
        assert image.info["xmp"] == XMP
    assert lost == []


@pytest.mark.parametrize("kind", ["png", "webp", "tiff"])
def test_pixels_survive(kind: str) -> None:
    with Image.open(io.BytesIO(save(picture(), kind)[0])) as image:
        assert np.array_equal(np.asarray(image), RGB)


def test_jpg_says_that_transparency_is_lost() -> None:
    alpha = np.full((30, 40), 7, np.uint8)
    assert save(picture(alpha=alpha), "jpg")[1] == ["transparency is lost: jpg cannot hold it"]


def test_jpg_says_that_large_metadata_are_lost() -> None:
    large = picture(exif=b"II*\0" + bytes(70_000), xmp=b"x" * 70_000)
    assert save(large, "jpg")[1] == ["EXIF is lost: jpg cannot hold it", "XMP is lost: jpg cannot hold it"]


@pytest.mark.filterwarnings("ignore:Corrupt EXIF data")
@pytest.mark.parametrize("kind", PILLOW)
@pytest.mark.parametrize(
    "bad", [b"\xff", b"II*\0\xff\xff\xff\xff", b"Exif\0\0MM\0*\0\0\0\x08\xff\xff", b"\0" * 40]
)
def test_damaged_metadata_do_no_harm(kind: str, bad: bytes) -> None:
    data, _ = save(picture(exif=bad, xmp=bad, icc=bad), kind)
    with Image.open(io.BytesIO(data)) as image:
        assert image.size == (40, 30)


def test_jpeg_carries_exif_that_other_readers_find() -> None:
    exif = Image.Exif()
    exif[0x010F] = "maker"
    structure = exif.tobytes().removeprefix(b"Exif\0\0")
    picture = Picture(rgb=np.zeros((8, 8, 3), np.uint8), exif=structure)
    data, lost = save(picture, "jpg")
    assert lost == [] and Image.open(io.BytesIO(data)).getexif()[0x010F] == "maker"
