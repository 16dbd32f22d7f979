"""Examples of pixels whose classes differ in a way that anything which learns must find."""

from collections.abc import Callable

import numpy as np
import pytest

from training.detectors.linear import FOLDS, Examples


@pytest.fixture(scope="session")
def pixels(picture) -> Callable[..., Examples]:  # type: ignore[no-untyped-def]
    """Two real sources and two generators: pictures of these are smooth, `each` of every source."""

    def make(each: int = 10, side: int = 128, seed: int = 0) -> Examples:
        sources = np.repeat(["a", "b", "stylegan", "stable_diffusion"], each)
        fake = ~np.isin(sources, ["a", "b"])
        levels = []
        for number, smooth in enumerate(fake):
            x = picture(side + 1, side + 1, seed * 1000 + number).astype(float)
            means = (x[1:, 1:] + x[:-1, 1:] + x[1:, :-1] + x[:-1, :-1]) / 4
            levels.append((means if smooth else x[1:, 1:]).round().astype(np.uint8))
        return Examples(np.stack(levels), fake, sources, np.arange(len(fake)) % FOLDS)

    return make
