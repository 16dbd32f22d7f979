"""imageio reads and writes `.slic`.

    import imageio.v3 as iio
    import slic.plugins.imageio

    slic.plugins.imageio.register()
    array = iio.imread("photo.slic")                    # (H,W) or (H,W,C) uint8
    iio.imwrite("copy.slic", array, quality=6)          # also model, icc_profile, exif, xmp
    iio.improps("photo.slic").shape                     # loads no torch
"""

from collections.abc import Iterator
from io import BytesIO
from types import EllipsisType
from typing import Any

import numpy as np
from imageio import config
from imageio.core.request import URI_BYTES, InitializationError, IOMode, Request
from imageio.core.v3_plugin_api import ImageProperties, PluginV3
from numpy.typing import ArrayLike, NDArray
from PIL import Image

from slic.errors import SlicError
from slic.plugins.pillow import SlicImageFile, encode, one_line

UInt8s = NDArray[np.uint8]
Index = int | EllipsisType | None
_EXTENSION = ".slic"


def register() -> None:
    """Make `.slic` one of imageio's formats; a second time changes nothing."""
    if "slic" in config.known_plugins:
        return
    config.known_plugins["slic"] = config.PluginConfig("slic", "SlicPlugin", __name__)
    extension = config.FileExtension(extension=_EXTENSION, priority=["slic"], name="slic learned image")
    config.known_extensions.setdefault(_EXTENSION, []).append(extension)
    config.extension_list.append(extension)


class SlicPlugin(PluginV3):
    """A `.slic` file, which holds one picture: index 0, or `...` for a batch of one."""

    def __init__(self, request: Request) -> None:
        super().__init__(request)
        self._image: SlicImageFile | None = None
        if request.mode.io_mode is IOMode.read:
            self._open()
        elif (request.extension or request.format_hint) != _EXTENSION:
            raise InitializationError(f"slic writes {_EXTENSION} only")

    def _open(self) -> None:
        try:
            self._image = SlicImageFile(BytesIO(self.request.get_file().read()))
        except SyntaxError as error:  # not ours: imageio asks its next plugin
            raise InitializationError(str(error)) from error
        except OSError:  # ours, and damaged
            self.request.finish()
            raise

    def read(self, *, index: Index = 0, mode: str | None = None) -> UInt8s:
        """(H,W) or (H,W,C); `mode` is one of Pillow's, to convert to."""
        image: Image.Image = self._at(index)
        array = np.array(image.convert(mode) if mode else image)
        return array[None] if index is ... else array

    def iter(self, *, mode: str | None = None) -> Iterator[UInt8s]:
        yield self.read(mode=mode)

    def write(self, ndimage: ArrayLike | list[ArrayLike], **options: Any) -> bytes | None:
        """One picture of uint8, (H,W) or (H,W,C) with C from 1 to 4; `options` as for Pillow's `save`."""
        try:
            data = encode(Image.fromarray(_one_picture(ndimage)), **options)
        except SlicError as error:
            raise ValueError(one_line(error)) from error
        self.request.get_file().write(data)  # not before: it empties the file that was there
        return data if self.request._uri_type == URI_BYTES else None

    def properties(self, index: Index = 0) -> ImageProperties:
        image = self._at(index)
        bands = len(image.getbands())
        shape = (image.height, image.width, *([bands] if bands > 1 else []))
        batch = index is ...
        return ImageProperties(
            shape=(1, *shape) if batch else shape,
            dtype=np.dtype(np.uint8),
            n_images=1 if batch else None,
            is_batch=batch,
        )

    def metadata(self, index: Index = 0, exclude_applied: bool = True) -> dict[str, Any]:
        """icc_profile, exif and xmp, as far as the file has them, then mode and shape."""
        image = self._at(index)
        return image.info | {"mode": image.mode, "shape": image.size}

    def _at(self, index: Index) -> SlicImageFile:
        if index not in (0, None, ...):
            raise ValueError(f"no picture {index!r}: a slic file holds one")
        if self._image is None:
            raise ValueError("opened for writing")
        return self._image


def _one_picture(ndimage: ArrayLike | list[ArrayLike]) -> UInt8s:
    array = np.asarray(ndimage)
    if array.ndim == 4 and len(array) == 1:
        array = array[0]
    if array.dtype != np.uint8 or array.ndim not in (2, 3) or (array.ndim == 3 and not 1 <= array.shape[2] <= 4):
        raise ValueError(f"cannot write {array.dtype} {array.shape}; give uint8 (H,W) or (H,W,C), C from 1 to 4")
    return array[:, :, 0] if array.ndim == 3 and array.shape[2] == 1 else array
