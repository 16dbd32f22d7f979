"""Detectors that learn from pixels, by name, as small as a CPU trains them in minutes.

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

    return DeepFeatureX(SQUEEZENET, pretrained=True, head=head)


def _squeezenet() -> Learner:
    from training.detectors.classifier import Classifier
    from training.detectors.fitting import Schedule

    return Classifier(SQUEEZENET, pretrained=True, schedule=Schedule(epochs=6, rate=1e-4))


def _scratch() -> Learner:
    from training.detectors.classifier import Classifier

    return Classifier()


LEARNERS: Mapping[str, Callable[[], Learner]] = {
    "quality-mlp": partial(_quality, "mlp"),
    "quality-boosting": partial(_quality, "boosting"),
    "deepfeaturex": partial(_deepfeaturex, "1d"),
    "deepfeaturex-linear": partial(_deepfeaturex, "linear"),
    "squeezenet": _squeezenet,
    "scratch": _scratch,
}
