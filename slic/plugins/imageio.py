"""`.slic` files in imageio.

import slic.plugins.imageio
slic.plugins.imageio.register()

array = iio.imread("photo.slic")             # (H,W), (H,W,2), (H,W,3) or (H,W,4), uint8
iio.imwrite("photo.slic", array, quality=6)  # or model=…
"""

import warnings
from collections.abc import Iterator
from types import EllipsisType
from typing import Any

import numpy as np
from imageio import config
from imageio.core.request import (
    URI_BYTES,
    InitializationError,
    IOMode,
    Request,
)
from imageio.core.v3_plugin_api import ImageProperties, PluginV3
from numpy.typing import NDArray

from slic.plugins.pillow import os_errors
from slic_formats import FILE_SIGNATURE, Container, Mode, parse

NAME = "SLIC"
EXTENSION = ".slic"
Index = int | EllipsisType | None  # imageio's: the picture, all pictures in one array, as it comes


def register() -> None:
    """Teach this process's imageio to read and write `.slic`; to do so twice changes nothing."""
    if NAME in config.known_plugins:
        return
    # First in line for what has no name: our signature is quickly told, and some others warn or import much.
    others = dict(config.known_plugins)
    config.known_plugins.clear()
    config.known_plugins |= {NAME: config.PluginConfig(NAME, "SlicPlugin", __name__)} | others
    extension = config.FileExtension(name="slic learned image", extension=EXTENSION, priority=[NAME])
    config.extension_list.append(extension)
    config.known_extensions[EXTENSION] = [extension]


class SlicPlugin(PluginV3):
    """One picture a file. Properties and metadata load no torch."""

    def __init__(self, request: Request) -> None:
        super().__init__(request)
        if request.mode.io_mode == IOMode.read:
            if not request.firstbytes.startswith(FILE_SIGNATURE):
                raise InitializationError("not a slic file")
            self._data: bytes = request.get_file().read()
        elif request.extension != EXTENSION:
            raise InitializationError(f"writes {EXTENSION} only")

    def read(self, *, index: Index = None) -> NDArray[np.uint8]:
        from slic import codec  # brings torch

        _require_only(index)
        with os_errors():
            array = np.array(codec.decode(self._data))
        return array[None] if index is ... else array

    def iter(self) -> Iterator[NDArray[np.uint8]]:
        yield self.read()

    def write(
        self,
        ndimage: Any,
        *,
        is_batch: bool | None = None,
        quality: int | None = None,
        model: Any = None,
        **metadata: bytes,
    ) -> bytes | None:
        """Write one picture; `metadata` is any of icc_profile, exif, xmp. Returns bytes for `<bytes>`."""
        with os_errors():
            data = _encode(_one(ndimage, is_batch), quality, model, metadata)
        self._request.get_file().write(data)
        return data if self._request._uri_type == URI_BYTES else None

    def properties(self, index: Index = None) -> ImageProperties:
        _require_only(index)
        container = self._container()
        header = container.header
        channels = (1 if header.mode is Mode.GREY else 3) + (container.alpha is not None)
        shape: tuple[int, ...] = (header.height, header.width, *([channels] if channels > 1 else []))
        if index is ...:
            return ImageProperties(shape=(1, *shape), dtype=np.dtype(np.uint8), n_images=1, is_batch=True)
        return ImageProperties(shape=shape, dtype=np.dtype(np.uint8))

    def metadata(self, index: Index = None, exclude_applied: bool = True) -> dict[str, Any]:
        """What the file carries; nothing of it is applied by `read`."""
        _require_only(index)
        container = self._container()
        found = {
            "icc_profile": container.icc,
            "exif": container.exif,
            "xmp": container.xmp,
            "model": container.header.model.hex(),
            "quality": container.header.quality,
        }
        return {name: value for name, value in found.items() if value is not None}

    def _container(self) -> Container:
        with os_errors():
            return parse(self._data)


def _require_only(index: Index) -> None:
    if index not in (0, None, ...):
        raise ValueError(f"a slic file holds one picture, there is none at index {index}")


def _one(ndimage: Any, is_batch: bool | None) -> NDArray[Any]:
    """The picture in an array, or in a batch or list of one."""
    array = np.asarray(ndimage)
    if is_batch or isinstance(ndimage, list | tuple) or (is_batch is None and array.ndim == 4):
        if len(array) != 1:
            raise ValueError(f"a slic file holds one picture, not {len(array)}")
        array = array[0]
    return array  # `pixels.load` says what is wrong with another dtype or shape


def _encode(array: NDArray[Any], quality: int | None, model: Any, metadata: dict[str, Any]) -> bytes:
    from slic import models, pixels
    from slic.codec import Codec

    if unknown := metadata.keys() - {"icc_profile", "exif", "xmp"}:
        raise TypeError(f"no such option: {', '.join(sorted(unknown))}")
    chosen = models.choose(model, quality)
    image = pixels.to_image(pixels.load(array))
    image.info.update(metadata)
    picture = pixels.load(image)
    encoded = Codec(chosen).encode_picture(picture)
    for text in (*picture.warnings, *encoded.warnings):
        warnings.warn(text, stacklevel=4)
    return encoded.data
