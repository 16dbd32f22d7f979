"""Any source → Picture."""

import io
import os
import struct
import zlib
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis.extra.numpy import array_shapes, arrays
from PIL import Image, ImageCms
from PIL.PngImagePlugin import PngInfo

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
        ("P", "RGB", None),
        ("PA", "RGBA", None),
        ("RGB", "RGB", None),
        ("RGBX", "RGB", None),
        ("RGBA", "RGBA", None),
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


@pytest.mark.parametrize(
    ("mode", "pixels", "straight"),
    [
        ("La", [10, 30, 200, 100, 7, 0], [[85, 30], [255, 100], [255, 0]]),
        ("RGBa", [10, 20, 29, 30, 0, 9, 1, 9], [[85, 170, 247, 30], [0, 255, 28, 9]]),
    ],
)
def test_premultiplied_colours_are_divided_to_nearest(
    mode: str, pixels: list[int], straight: list[list[int]]
) -> None:
    size = len(straight), 1
    picture = load(Image.frombytes(mode, size, bytes(pixels)))
    assert picture.warnings == ("premultiplied colours were divided by alpha",)
    assert np.asarray(to_image(picture))[0].tolist() == straight


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


def raw_png(bits: int, colour: int, row: bytes, width: int = 1, transparent: bytes = b"") -> bytes:
    """A PNG of one row, as no writer of Pillow's makes it."""

    def chunk(name: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))

    header = chunk(b"IHDR", struct.pack(">IIBBBBB", width, 1, bits, colour, 0, 0, 0))
    key = chunk(b"tRNS", transparent) if transparent else b""
    body = chunk(b"IDAT", zlib.compress(b"\0" + row)) + chunk(b"IEND", b"")
    return b"\x89PNG\r\n\x1a\n" + header + key + body


DEEP = (255, 511, 65_279)  # the high bytes are 0, 1, 254; the nearest of 0 … 255 are
NEAREST = [1, 2, 254]


@pytest.mark.parametrize("as_image", [False, True], ids=["file", "image"])
def test_16_bit_colour_is_rounded_to_nearest(as_image: bool) -> None:
    for colour, levels in ((2, DEEP), (6, (*DEEP, 129))):
        file = raw_png(16, colour, struct.pack(f">{len(levels)}H", *levels))
        picture = load(Image.open(io.BytesIO(file)) if as_image else file)
        assert picture.rgb[0, 0].tolist() == NEAREST
        assert picture.alpha is None if colour == 2 else picture.alpha == [[1]]
        assert picture.warnings == ("16 bits a channel reduced to 8, rounded to nearest",)


def test_16_bit_grey_with_alpha_stays_grey() -> None:
    picture = load(raw_png(16, 4, struct.pack(">4H", 129, 65_407, 257, 65_535), width=2))
    assert picture.grey
    assert picture.rgb[0, :, 0].tolist() == [1, 1]
    assert picture.alpha is not None and picture.alpha.tolist() == [[255, 255]]


def tiff(order: str, levels: tuple[int, ...], deflated: bool) -> bytes:
    """16-bit RGB of one pixel; deflated, it is read by libtiff."""
    pixel = struct.pack(f"{order}3H", *levels)
    data = zlib.compress(pixel) if deflated else pixel
    entries = [
        (256, 3, 1, 1), (257, 3, 1, 1), (258, 3, 3, 200), (259, 3, 1, 8 if deflated else 1), (262, 3, 1, 2),
        (273, 4, 1, 300), (277, 3, 1, 3), (278, 3, 1, 1), (279, 4, 1, len(data)),
    ]  # fmt: skip
    out = struct.pack(f"{order}2sHI", b"II" if order == "<" else b"MM", 42, 8)
    out += struct.pack(f"{order}H", len(entries))
    for tag, kind, count, value in entries:
        short = kind == 3 and count == 1
        out += struct.pack(f"{order}HHI", tag, kind, count)
        out += struct.pack(f"{order}HH", value, 0) if short else struct.pack(f"{order}I", value)
    out = (out + bytes(4)).ljust(200, b"\0") + struct.pack(f"{order}3H", 16, 16, 16)
    return out.ljust(300, b"\0") + data


@pytest.mark.parametrize("order", ["<", ">"])
@pytest.mark.parametrize("deflated", [False, True])
def test_16_bit_colour_in_a_tiff_is_rounded_to_nearest(order: str, deflated: bool) -> None:
    assert load(tiff(order, DEEP, deflated)).rgb[0, 0].tolist() == NEAREST


@pytest.mark.parametrize(
    ("bits", "colour", "row", "width", "key", "alpha"),
    [
        (1, 0, b"\x40", 2, b"\0\1", [255, 0]),
        (2, 0, b"\x1b", 4, b"\0\1", [255, 0, 255, 255]),
        (4, 0, b"\x1f", 2, b"\0\x0f", [255, 0]),
        (8, 0, b"\x01\x0f", 2, b"\0\x0f", [255, 0]),
        (16, 0, b"\x03\xe8\x03\xe9", 2, b"\x03\xe8", [0, 255]),
        (8, 2, b"\1\2\3\1\2\4", 2, b"\0\1\0\2\0\3", [0, 255]),
        (16, 2, b"\1\2\3\4\5\6\1\2\3\4\5\7", 2, b"\1\2\3\4\5\6", [0, 255]),
    ],
)
def test_only_the_level_that_is_marked_is_transparent(
    bits: int, colour: int, row: bytes, width: int, key: bytes, alpha: list[int]
) -> None:
    picture = load(raw_png(bits, colour, row, width, key))
    assert picture.alpha is not None and picture.alpha[0].tolist() == alpha


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


@pytest.mark.parametrize(("data", "reason"), [(b"", "is empty"), (b"abc", "not a picture of a known format")])
def test_a_file_of_few_bytes_is_no_picture(data: bytes, reason: str) -> None:
    with pytest.raises(PictureError, match=f"^{reason}$"):
        load(data)


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


def test_pillows_own_limit_is_neither_asked_nor_changed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 5)
    data = png(Image.fromarray(COLOURS))
    assert load(data).rgb.shape == COLOURS.shape
    assert Image.MAX_IMAGE_PIXELS == 5
    with pytest.raises(PictureError, match="beyond the limit of 23 pixels"):
        load(data, max_pixels=23)


def test_size_is_checked_before_anything_is_decoded() -> None:
    huge = raw_png(8, 2, b"").replace(struct.pack(">II", 1, 1), struct.pack(">II", 60_000, 60_000), 1)
    huge = huge[:29] + struct.pack(">I", zlib.crc32(huge[12:29])) + huge[33:]
    with pytest.raises(PictureError, match="beyond the limit"):
        load(huge)


def test_no_other_program_is_started(monkeypatch: pytest.MonkeyPatch) -> None:
    stream = io.BytesIO()
    Image.fromarray(COLOURS).save(stream, "EPS")
    with pytest.raises(PictureError, match="not a picture of a known format"):
        load(stream.getvalue())


def test_a_tiffs_own_exif_is_carried_and_it_is_turned_once() -> None:
    tags = Image.Exif()
    tags[0x010F], tags[0x0112] = "maker", 6
    tags.get_ifd(0x8769)[0x9003] = "2024:01:02 03:04:05"
    stream = io.BytesIO()
    written = Image.Exif()
    written.load(tags.tobytes())  # Pillow's TIFF writer takes folders only from EXIF that was read
    Image.fromarray(np.rot90(COLOURS)).save(stream, "TIFF", exif=written)
    picture = load(stream.getvalue())
    assert np.array_equal(picture.rgb, COLOURS)
    again = to_image(picture).getexif()
    assert (again[0x010F], again.get(0x0112, 1)) == ("maker", 1)
    assert again.get_ifd(0x8769)[0x9003] == "2024:01:02 03:04:05"


def test_orientation_in_xmp_alone_is_applied_once_and_said() -> None:
    turned = Image.fromarray(np.ascontiguousarray(np.rot90(COLOURS)))
    turned.info["xmp"] = b"<x><tiff:Orientation>6</tiff:Orientation></x>"
    picture = load(turned)
    assert np.array_equal(picture.rgb, COLOURS)
    assert picture.xmp == b"<x><tiff:Orientation>1</tiff:Orientation></x>"
    assert picture.warnings == ("turned as its XMP says; its EXIF says nothing",)


def test_what_has_no_place_in_a_file_is_named() -> None:
    stream = io.BytesIO()
    Image.fromarray(COLOURS).save(stream, "JPEG", comment=b"hello", dpi=(300, 300))
    data = stream.getvalue()
    manifest = data[:2] + b"\xff\xeb\x00\x06JP\0\1" + data[2:]  # APP11
    lost = "dropped, as a slic file has no place for it: comment, C2PA, resolution"
    assert load(manifest).warnings == (lost,)
    assert load(manifest, strip=True).warnings == ()
    text = PngInfo()
    text.add_text("Author", "me")
    found = load(png(Image.fromarray(COLOURS), pnginfo=text)).warnings
    assert found == ("dropped, as a slic file has no place for it: text (Author)",)


def test_other_sources_are_refused_in_one_line() -> None:
    with pytest.raises(PictureError, match="cannot take a int as a picture"):
        load(5)  # type: ignore[arg-type]
    with pytest.raises(PictureError, match="open in text mode"):
        load(io.StringIO("x"))  # type: ignore[arg-type]
    with pytest.raises(PictureError, match=r"is a \.slic file already"):
        load(b"\x89SLIC\r\n\x1a" + bytes(100))


def test_a_file_is_read_from_its_start() -> None:
    stream = io.BytesIO(png(Image.fromarray(COLOURS)))
    stream.seek(7)
    assert load(stream).rgb.shape == COLOURS.shape
    assert not stream.closed


def test_a_damaged_image_of_pillows_is_one_line() -> None:
    noise = np.random.default_rng(0).integers(0, 256, (90, 90, 3), np.uint8)
    with pytest.raises(PictureError, match="picture is damaged: "):
        load(Image.open(io.BytesIO(png(Image.fromarray(noise))[:9000])))


@settings(max_examples=40, deadline=None)
@given(arrays(np.uint8, array_shapes(min_dims=2, max_dims=3, min_side=1, max_side=4)))
def test_arrays_come_back(array: np.ndarray) -> None:
    back = np.asarray(to_image(load(array)))
    assert np.array_equal(back.reshape(array.shape), array)


def test_turns_are_what_pillow_does() -> None:
    assert sorted(pixels._TURNS) == list(range(1, 9))
