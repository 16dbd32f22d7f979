"""The compression-quality detector (Algorithms 2024): which of two kinds of codec suits a picture better?

    picture ─bior4.4─► A, H, V, D ─┬─ codecs trained on real pictures ──────► 24 + 3 measures ─┐
                                   └─ codecs trained on generated pictures ─► 24 + 3 measures ─┴─► classifier

For each kind of codec the six measures of each band, then PSNR, SSIM and MS-SSIM of the picture that the
decoded bands make: 54 in all. Folds CODECS of what is known train the codecs, the others the classifier,
which so learns how codecs do on pictures that they have not seen.

Not as published: measures are on the bands' own range (on 255 most of them saturate), features are scaled,
the classifier stops by pictures set apart for that, and everything has a seed.
"""

import hashlib
import warnings
from dataclasses import dataclass, field
from typing import Any, Literal

import numpy as np
import torch
from numpy.typing import NDArray

from slic.modes import Levels
from training.detectors import subbands
from training.detectors.band_codecs import MEASURES, Workshop, similarities
from training.detectors.learner import Score
from training.detectors.linear import Examples
from training.detectors.protocol import crop
from training.detectors.subbands import BANDS

Floats = NDArray[np.float64]

CODECS = (0, 1)
NAMES = tuple(
    f"{kind}.{name}"
    for kind in ("real", "generated")
    for name in (
        *(f"{band}.{measure}" for band in BANDS for measure in MEASURES),
        *(f"picture.{measure}" for measure in MEASURES[3:]),
    )
)
"""Of the features, in their order."""


@dataclass(frozen=True)
class Quality:
    classifier: Literal["mlp", "boosting"] = "mlp"
    workshop: Workshop = field(default_factory=Workshop)

    def __call__(self, known: Examples) -> Score:
        side = subbands.largest(known.x.shape[1])
        features = self.features(known, side)
        others = ~np.isin(known.fold, CODECS)
        fitted = _classifier(self.classifier, self.workshop.settings.seed)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", _unconverged())  # the number of epochs is what was asked for
            fitted.fit(features(known.x[others]), known.fake[others])
        return lambda levels: fitted.predict_proba(features(levels))[:, 1]

    def features(self, known: Examples, side: int) -> Score:
        """Levels → (n,54) of NAMES, by codecs of what is known, on the middle of so many pixels a side."""
        chosen = np.isin(known.fold, CODECS)
        kinds = [known.x[chosen & (known.fake == fake)] for fake in (False, True)]
        codecs = [[self.workshop.codec(band) for band in subbands.split(_middle(k, side))] for k in kinds]

        def measure(levels: Levels) -> Floats:
            middle = _middle(levels, side)
            return np.concatenate([self._of_kind(kind, middle) for kind in codecs], 1)

        return measure

    def _of_kind(self, codecs: list[torch.nn.Module], middle: Levels) -> Floats:
        """(n,27), measured where it was not before."""
        found = self.workshop.found
        keys = [(id(codecs[0]), hashlib.sha256(picture).digest()) for picture in middle]
        new = {key: i for i, key in enumerate(keys) if key not in found}
        if new:
            found |= zip(new, self._measured(codecs, middle[list(new.values())]), strict=True)
        return np.stack([found[key] for key in keys])

    def _measured(self, codecs: list[torch.nn.Module], middle: Levels) -> Floats:
        bands = subbands.split(middle)
        measured = [
            self.workshop.measures(codec, band, name)
            for codec, band, name in zip(codecs, bands, BANDS, strict=True)
        ]
        decoded = torch.from_numpy(subbands.join(torch.stack([pixels for pixels, _ in measured])))
        pictures = torch.from_numpy(middle).permute(0, 3, 1, 2).float()
        whole = torch.stack(similarities(decoded.permute(0, 3, 1, 2), pictures, 255.0), 1)
        return np.concatenate([*(values for _, values in measured), whole.double().numpy()], 1)


def _middle(levels: Levels, side: int) -> Levels:
    """(n,H,W,3) → (n,side,side,3)"""
    return np.stack([crop(picture, side) for picture in levels])


def _classifier(kind: Literal["mlp", "boosting"], seed: int) -> Any:
    """scikit-learn's, features scaled first."""
    from sklearn.ensemble import GradientBoostingClassifier
    from sklearn.neural_network import MLPClassifier
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler

    if kind == "boosting":
        return make_pipeline(StandardScaler(), GradientBoostingClassifier(random_state=seed))
    mlp = MLPClassifier(
        (12, 8), batch_size=16, max_iter=300, early_stopping=True, n_iter_no_change=30, random_state=seed
    )
    return make_pipeline(StandardScaler(), mlp)


def _unconverged() -> type[Warning]:
    from sklearn.exceptions import ConvergenceWarning

    unconverged: type[Warning] = ConvergenceWarning
    return unconverged
