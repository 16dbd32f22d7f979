"""Any source → Picture."""

import io
import os
import struct
from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageCms

from slic import pixels
from slic.errors import PictureError
from slic.pixels import load, to_image

RAMP = np.arange(24, dtype=np.uint8).reshape(4, 6) * 10
COLOURS = np.stack([RAMP, RAMP[::-1], RAMP[:, ::-1]], 2)


def image(mode: str) -> Image.Image:
    base = Image.fromarray(COLOURS)
    if mode.endswith("A") or mode.endswith("a"):
        rgba = base.convert("RGBA")
        rgba.putalpha(Image.fromarray(RAMP + 10))
        straight = rgba if mode.startswith("RGB") else rgba.convert("LA")
        return straight.convert("PA") if mode == "PA" else straight.convert(mode)
    converted = base.convert(mode)
    converted.info.clear()  # Pillow gives LAB a profile
    return converted


@pytest.mark.parametrize(
    ("mode", "becomes", "warning"),
    [
        ("1", "L", None),
        ("L", "L", None),
        ("LA", "LA", None),
        ("La", "LA", "premultiplied colours were divided by alpha"),
        ("P", "RGB", None),
        ("PA", "RGBA", None),
        ("RGB", "RGB", None),
        ("RGBX", "RGB", None),
        ("RGBA", "RGBA", None),
        ("RGBa", "RGBA", "premultiplied colours were divided by alpha"),
        ("CMYK", "RGB", "converted from CMYK to sRGB without a profile"),
        ("LAB", "RGB", "converted from LAB to sRGB without a profile"),
        ("YCbCr", "RGB", "converted from YCbCr to RGB"),
        ("HSV", "RGB", "converted from HSV to RGB"),
    ],
)
def test_every_mode_has_its_fate(mode: str, becomes: str, warning: str | None) -> None:
    original = image(mode)
    picture = load(original)
    assert picture.warnings == ((warning,) if warning else ())
    assert to_image(picture).mode == becomes
    assert np.array_equal(np.asarray(to_image(picture)), np.asarray(original.convert(becomes)))


def test_a_profile_leads_lab_to_srgb_and_goes() -> None:
    picture = load(Image.fromarray(COLOURS).convert("LAB"))
    assert picture.warnings == ("converted from LAB to sRGB by its profile",)
    assert picture.icc is None
    assert np.abs(picture.rgb.astype(int) - COLOURS).mean() < 4


def test_16_bits_are_rounded_to_nearest() -> None:
    values = np.array([[0, 128, 129, 257, 65_535, 65_407]], np.uint16)
    picture = load(Image.fromarray(values))
    assert picture.rgb[0, :, 0].tolist() == [0, 0, 1, 1, 255, 255]
    assert picture.grey and picture.warnings == ("16 bits a channel reduced to 8, rounded to nearest",)


@pytest.mark.parametrize("values", [[[-1, 5]], [[0, 70_000]]])
def test_integers_beyond_16_bits_are_refused(values: list[list[int]]) -> None:
    with pytest.raises(PictureError, match="are no 16-bit picture"):
        load(Image.fromarray(np.array(values, np.int32)))


def test_floats_are_refused() -> None:
    with pytest.raises(PictureError, match="pictures of mode F are not supported"):
        load(Image.fromarray(np.zeros((2, 2), np.float32)))


def png(original: Image.Image, **options: object) -> bytes:
    stream = io.BytesIO()
    original.save(stream, "PNG", **options)
    return stream.getvalue()


@pytest.mark.parametrize(("mode", "becomes"), [("L", "LA"), ("RGB", "RGBA"), ("P", "RGBA")])
def test_a_transparent_colour_becomes_alpha(mode: str, becomes: str) -> None:
    original = image(mode)
    picture = load(png(original, transparency=original.getpixel((0, 0))))
    assert to_image(picture).mode == becomes
    assert picture.alpha is not None and picture.alpha.min() == 0 and picture.alpha.max() == 255


def test_opaque_alpha_stays_alpha() -> None:
    opaque = Image.fromarray(COLOURS).convert("RGBA")
    assert to_image(load(opaque)).mode == "RGBA"


def test_16_bit_colour_is_said() -> None:
    header = struct.pack(">IIBBBBB", 1, 1, 16, 2, 0, 0, 0)
    import zlib

    def chunk(name: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))

    body = zlib.compress(b"\0" + b"\x80\x00" * 3)
    file = b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", body) + chunk(b"IEND", b"")
    assert load(file).warnings == ("16 bits a channel reduced to 8",)


@pytest.mark.parametrize("orientation", range(1, 9))
def test_orientation_is_applied_once(orientation: int) -> None:
    upright = Image.fromarray(COLOURS)
    exif = Image.Exif()
    exif[0x0112], exif[0x010F] = orientation, "maker"
    turned = {
        1: None, 2: Image.Transpose.FLIP_LEFT_RIGHT, 3: Image.Transpose.ROTATE_180,
        4: Image.Transpose.FLIP_TOP_BOTTOM, 5: Image.Transpose.TRANSPOSE, 6: Image.Transpose.ROTATE_90,
        7: Image.Transpose.TRANSVERSE, 8: Image.Transpose.ROTATE_270,
    }[orientation]  # fmt: skip
    stored = upright if turned is None else upright.transpose(turned)
    picture = load(png(stored, exif=exif))
    assert np.array_equal(picture.rgb, COLOURS)
    again = to_image(picture).getexif()
    assert (again[0x0112], again[0x010F]) == (1, "maker")


def test_xmp_is_not_left_to_turn_the_picture_again() -> None:
    exif = Image.Exif()
    exif[0x0112] = 6
    xmp = '<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:Description tiff:Orientation="6" a="6"/></x:xmpmeta>'
    stream = io.BytesIO()
    Image.fromarray(COLOURS).save(stream, "JPEG", exif=exif, xmp=xmp.encode())
    picture = load(stream.getvalue())
    assert picture.xmp == xmp.replace('Orientation="6"', 'Orientation="1"').encode()


def test_damaged_exif_is_dropped_and_said() -> None:
    damaged = Image.fromarray(COLOURS)
    damaged.info["exif"] = b"Exif\0\0MM\0\x2a\0\0\xff\xff"
    picture = load(damaged)
    assert picture.exif is None and picture.warnings == ("EXIF dropped: it is damaged",)


def test_strip_drops_exif_and_xmp_but_turns_the_picture() -> None:
    exif = Image.Exif()
    exif[0x0112] = 3
    srgb = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    picture = load(png(Image.fromarray(COLOURS[::-1, ::-1]), exif=exif, icc_profile=srgb), strip=True)
    assert picture.exif is None and picture.icc == srgb
    assert np.array_equal(picture.rgb, COLOURS)


def test_profiles_are_kept_byte_for_byte() -> None:
    srgb = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    assert load(png(Image.fromarray(COLOURS), icc_profile=srgb)).icc == srgb


def test_a_profile_of_another_space_is_dropped_and_said() -> None:
    foreign = bytearray(ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes())
    foreign[16:20] = b"CMYK"
    wrong = Image.fromarray(COLOURS)
    wrong.info["icc_profile"] = bytes(foreign)
    picture = load(wrong)
    assert picture.icc is None
    assert picture.warnings == ("colour profile dropped: it is for CMYK, the picture is RGB",)


def test_only_the_first_frame_is_kept_and_that_is_said() -> None:
    stream = io.BytesIO()
    frames = [Image.fromarray(COLOURS + i).convert("P") for i in range(2)]
    frames[0].save(stream, "GIF", save_all=True, append_images=frames[1:])
    assert load(stream.getvalue()).warnings == ("only the first frame is kept",)


@pytest.mark.parametrize("channels", [None, 1, 2, 3, 4])
def test_arrays(channels: int | None) -> None:
    array = RAMP if channels is None else np.stack([RAMP] * channels, 2)
    picture = load(array)
    assert picture.rgb.shape == (4, 6, 3)
    assert picture.grey == (channels in (None, 1, 2))
    assert (picture.alpha is not None) == (channels in (2, 4))


@pytest.mark.parametrize(
    "array", [np.zeros((2, 2), np.float32), np.zeros((2, 2, 5), np.uint8), np.zeros(3, np.uint8)]
)
def test_other_arrays_are_refused(array: np.ndarray) -> None:
    with pytest.raises(PictureError, match="is no picture"):
        load(array)


def test_empty_and_huge_are_refused() -> None:
    with pytest.raises(PictureError, match="has no pixels"):
        load(np.zeros((0, 5), np.uint8))
    with pytest.raises(PictureError, match="a side has at most 65535"):
        load(np.zeros((1, 65_536), np.uint8))
    with pytest.raises(PictureError, match="beyond the limit of 10 pixels"):
        load(RAMP, max_pixels=10)


def test_path_bytes_and_a_stream_that_cannot_seek(tmp_path: Path) -> None:
    data = png(Image.fromarray(COLOURS))
    path = tmp_path / "a.png"
    path.write_bytes(data)
    read_end, write_end = os.pipe()
    os.write(write_end, data)
    os.close(write_end)
    with os.fdopen(read_end, "rb") as stream:
        sources = [path, str(path), data, bytearray(data), memoryview(data), io.BytesIO(data), stream]
        assert all(np.array_equal(load(source).rgb, COLOURS) for source in sources)


def test_what_is_no_picture_is_refused_in_one_line(tmp_path: Path) -> None:
    with pytest.raises(PictureError, match=r"^not a picture of a known format$"):
        load(b"words")
    with pytest.raises(FileNotFoundError):
        load(tmp_path / "missing.png")


def test_every_cut_of_a_picture_is_an_error_of_ours_or_a_picture() -> None:
    for original in (png(Image.fromarray(COLOURS)),):
        for end in range(len(original)):
            try:
                load(original[:end])
            except PictureError as error:
                assert "\n" not in str(error)


def test_pillows_own_limit_is_one_line(monkeypatch: pytest.MonkeyPatch) -> None:
    data = png(Image.fromarray(COLOURS))
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 5)
    with pytest.raises(PictureError, match="beyond Pillow's limit"):
        load(data)


def test_turns_are_what_pillow_does() -> None:
    assert sorted(pixels._TURNS) == list(range(1, 9))
