"""Formats, in memory."""

from collections.abc import Callable
from io import BytesIO

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from slic import attacks
from slic.codec import Codec
from slic.models import Model

Maker = Callable[..., NDArray[np.uint8]]


def test_the_papers_jpeg(picture: Maker) -> None:
    x = picture(61, 83)
    buffer = BytesIO()
    Image.fromarray(x).save(buffer, "JPEG", quality=85)  # 4:2:0 is Pillow's default
    jpeg = next(a for a in attacks.PAPER if a.name == "jpeg")
    assert np.array_equal(jpeg(x), np.asarray(Image.open(buffer)))


def test_quality_matters(picture: Maker) -> None:
    x = picture(64, 64)
    for name in ("jpeg", "webp", "avif"):
        low, high = (attacks.Attack(name, {"quality": q})(x).astype(float) for q in (20, 90))
        assert ((high - x) ** 2).mean() < ((low - x) ** 2).mean()


def test_codec_is_an_encode_and_a_decode(picture: Maker, tiny_model: Model) -> None:
    x = picture(40, 70)
    ours = Codec(tiny_model)
    again = attacks.parse(f"codec(model={tiny_model.path})")(x)
    assert np.array_equal(again, np.asarray(ours.decode(ours.encode(x))))


def test_codec_returns_colour_for_grey(picture: Maker, tiny_model: Model) -> None:
    grey = picture(20, 20)[:, :, :1].repeat(3, 2)
    assert attacks.parse(f"codec(model={tiny_model.path})")(grey).shape == (20, 20, 3)
