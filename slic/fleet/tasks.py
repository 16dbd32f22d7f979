"""What is done with each file: bytes in, bytes out, several at a time. One lives in each worker."""

import json
from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar, Protocol, TypeVar

from slic.attempt import attempt, each
from slic.pixels import MAX_PIXELS
from slic.trust.keys import PublicKey

if TYPE_CHECKING:
    from slic.detection.detect import Sample
    from slic.transforms import Precision  # torch: who only fetches files does without

Item = TypeVar("Item")


@dataclass(frozen=True)
class Options:
    model: str | None = None
    quality: int | None = None
    strip: bool = False
    keys: tuple[PublicKey, ...] = ()
    device: str = "auto"
    precision: "Precision" = "auto"
    max_pixels: int = MAX_PIXELS


@dataclass(frozen=True)
class Made:
    """The content of an output."""

    data: bytes
    well: bool = True
    """Whether a verdict is positive."""
    warnings: tuple[str, ...] = ()


Result = Made | Exception


class Task(Protocol):
    suffix: ClassVar[str]
    """Of outputs; instead of the input's, or after it where that says what was judged."""
    replaces: ClassVar[bool]

    def __init__(self, options: Options) -> None: ...

    @staticmethod
    def takes(name: str) -> bool: ...

    def __call__(self, datas: list[bytes]) -> list[Result]: ...


class Encode:
    suffix: ClassVar[str] = ".slic"
    replaces: ClassVar[bool] = True

    def __init__(self, options: Options) -> None:
        from slic.codec import Codec

        self._options = options
        self._codec = Codec(
            options.model, quality=options.quality, device=options.device, precision=options.precision
        )

    @staticmethod
    def takes(name: str) -> bool:
        return _is_picture(name)

    def __call__(self, datas: list[bytes]) -> list[Result]:
        from slic import pixels

        def load(data: bytes) -> pixels.Picture:
            return pixels.load(data, strip=self._options.strip, max_pixels=self._options.max_pixels)

        def encode(pictures: list[pixels.Picture]) -> list[Made]:
            made = self._codec.encode_pictures(pictures)
            return [
                Made(m.data, warnings=(*p.warnings, *m.warnings)) for p, m in zip(pictures, made, strict=True)
            ]

        return _by_kind(each(load, datas), lambda picture: picture.rgb.shape[:2], encode)


class Decode:
    suffix: ClassVar[str] = ".png"
    replaces: ClassVar[bool] = True

    def __init__(self, options: Options) -> None:
        from slic.codec import Codec

        self._options = options
        self._codec = Codec(options.model, device=options.device, precision=options.precision)

    @staticmethod
    def takes(name: str) -> bool:
        return name.lower().endswith(".slic")

    def __call__(self, datas: list[bytes]) -> list[Result]:
        from slic.cli.saving import save
        from slic.codec import kind
        from slic_formats import Container, parse

        def decode(containers: list[Container]) -> list[Made]:
            limit = self._options.max_pixels
            pictures = self._codec.decode_pictures(containers, max_pixels=limit)
            saved = (save(picture, "png") for picture in pictures)
            return [Made(data, warnings=tuple(lost)) for data, lost in saved]

        return _by_kind(each(parse, datas), kind, decode)


class Check:
    suffix: ClassVar[str] = ".json"
    replaces: ClassVar[bool] = False

    def __init__(self, options: Options) -> None:
        o = options
        self._model = o.model
        self._machine: dict[str, Any] = {"device": o.device, "precision": o.precision}
        self._machine["max_pixels"] = o.max_pixels

    @staticmethod
    def takes(name: str) -> bool:
        return _is_picture(name) or Decode.takes(name)

    def __call__(self, datas: list[bytes]) -> list[Result]:
        from slic.trust import tamper

        def check(data: bytes) -> Made:
            found = tamper.check(data, model=self._model, **self._machine)
            return _verdict(found.untouched, found.as_dict())

        return each(check, datas)


class Detect:
    suffix: ClassVar[str] = ".json"
    replaces: ClassVar[bool] = False

    def __init__(self, options: Options) -> None:
        from slic.detection.detect import Examiner

        o = options
        self._examine = Examiner(o.model, device=o.device, precision=o.precision, max_pixels=o.max_pixels)

    @staticmethod
    def takes(name: str) -> bool:
        return Check.takes(name)

    def __call__(self, datas: list[bytes]) -> list[Result]:
        def detect(samples: "list[Sample]") -> list[Made]:
            return [_verdict(True, found.as_dict()) for found in self._examine(samples)]

        return _by_kind(each(self._examine.read, datas), lambda sample: (sample.height, sample.width), detect)


class Verify:
    suffix: ClassVar[str] = ".json"
    replaces: ClassVar[bool] = False

    def __init__(self, options: Options) -> None:
        self._keys = options.keys

    @staticmethod
    def takes(name: str) -> bool:
        return Decode.takes(name)

    def __call__(self, datas: list[bytes]) -> list[Result]:
        from slic.trust import verdict
        from slic_formats import parse

        def verify(data: bytes) -> Made:
            found = verdict.judge(parse(data), self._keys)
            return _verdict(found.valid, found.as_dict())

        return each(verify, datas)


TASKS: dict[str, type[Task]] = {
    "encode": Encode,
    "decode": Decode,
    "check": Check,
    "detect": Detect,
    "verify": Verify,
}


def _by_kind(
    items: Sequence[Item | Exception],
    kind: Callable[[Item], Sequence[Any]],
    work: Callable[[list[Item]], list[Made]],
) -> list[Result]:
    """Alike ones together, up to what the codec takes in a batch; results in the order of the items."""
    from slic.codec import BATCH_PIXELS

    alike: dict[tuple[Any, ...], list[int]] = defaultdict(list)
    for index, item in enumerate(items):
        if not isinstance(item, Exception):
            alike[tuple(kind(item))].append(index)
    results: dict[int, Result] = {i: item for i, item in enumerate(items) if isinstance(item, Exception)}
    for (height, width, *_), indices in alike.items():
        most = max(1, BATCH_PIXELS // (height * width))
        for start in range(0, len(indices), most):
            batch = indices[start : start + most]
            together = [item for i in batch if not isinstance(item := items[i], Exception)]
            made = attempt(work, together)
            results |= zip(batch, made, strict=True)
    return [results[i] for i in range(len(items))]


def _verdict(well: bool, facts: dict[str, Any]) -> Made:
    return Made(json.dumps({"ok": well, **facts}).encode() + b"\n", well)


def _is_picture(name: str) -> bool:
    from slic.cli.coding import readable

    return readable()(name)
