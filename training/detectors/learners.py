"""Detectors that learn from pixels, by name, as small as a CPU trains them in minutes.

colour, file-size                    trivial: what the collection gives away
npr, noise, spectrum                 cheap features and a linear detector (baselines.py)
rigid, codec                         the same with features that the embedded model's codec gives
quality-mlp, quality-boosting        codecs of real and of generated pictures, two classifiers
deepfeaturex, deepfeaturex-linear    SqueezeNet for each kind of generator; its 1-D head, the control
squeezenet                           SqueezeNet alone, pretrained
scratch                              a small network that knows nothing before
"""

from collections.abc import Callable, Mapping
from functools import cache, partial
from typing import TYPE_CHECKING, Literal

from training.detectors.learner import Learner

if TYPE_CHECKING:
    from torch import nn

    from training.detectors.band_codecs import Workshop

SQUEEZENET = "squeezenet1_1"


@cache
def _workshop() -> "Workshop":
    """One for both classifiers, which ask for the same codecs."""
    from training.detectors.band_codecs import Workshop

    return Workshop()


def _quality(classifier: Literal["mlp", "boosting"]) -> Learner:
    from training.detectors.quality import Quality

    return Quality(classifier, _workshop())


def _deepfeaturex(head: Literal["1d", "linear"]) -> Learner:
    from training.detectors.deepfeaturex import DeepFeatureX

    return DeepFeatureX(SQUEEZENET, pretrained=True, head=head, made=_base_models())


@cache
def _base_models() -> "dict[bytes, list[nn.Module]]":
    """For both heads, which ask for the same."""
    return {}


def _squeezenet() -> Learner:
    from training.detectors.classifier import Classifier
    from training.detectors.fitting import Schedule

    return Classifier(SQUEEZENET, pretrained=True, schedule=Schedule(epochs=6, rate=1e-4))


def _scratch() -> Learner:
    from training.detectors.classifier import Classifier

    return Classifier()


def _featured(name: str) -> Learner:
    from training.detectors.baselines import PIXELS
    from training.detectors.featured import Featured

    return Featured(PIXELS[name])


def _with_codec(name: str) -> Learner:
    from slic.codec import Codec
    from training.detectors.baselines import WITH_CODEC
    from training.detectors.featured import Featured

    return Featured(WITH_CODEC[name](Codec()))


LEARNERS: Mapping[str, Callable[[], Learner]] = {
    "colour": partial(_featured, "colour"),
    "file-size": partial(_featured, "file size"),
    "npr": partial(_featured, "npr"),
    "noise": partial(_featured, "noise"),
    "spectrum": partial(_featured, "spectrum"),
    "rigid": partial(_with_codec, "rigid"),
    "codec": partial(_with_codec, "codec"),
    "quality-mlp": partial(_quality, "mlp"),
    "quality-boosting": partial(_quality, "boosting"),
    "deepfeaturex": partial(_deepfeaturex, "1d"),
    "deepfeaturex-linear": partial(_deepfeaturex, "linear"),
    "squeezenet": _squeezenet,
    "scratch": _scratch,
}
