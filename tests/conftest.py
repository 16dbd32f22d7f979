"""What many tests share: tiny models and pictures of noise that photographs resemble."""

import signal
import sys
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

sys.path.insert(0, str(Path(__file__).parent))

import tiny

from slic.models import Model
from slic.transforms import ARCHITECTURES

# A shell's background jobs ignore SIGINT, and hand that down to the programs that tests interrupt.
signal.signal(signal.SIGINT, signal.default_int_handler)

SHARED = Path(__file__).parents[2] / "shared"


@pytest.fixture(scope="session")
def model_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder of tiny models, one for each architecture, to put into SLIC_MODELS."""
    folder = tmp_path_factory.mktemp("models")
    for architecture in ARCHITECTURES:
        tiny.model(architecture, folder)
    return folder


@pytest.fixture(scope="session")
def tiny_models(model_folder: Path) -> dict[str, Model]:
    from slic.models import open_file

    return {a: open_file(model_folder / f"tiny-{a}-0.safetensors") for a in ARCHITECTURES}


@pytest.fixture(scope="session")
def tiny_model(tiny_models: dict[str, Model]) -> Model:
    """The plain hyperprior, tiny."""
    return tiny_models["bmshj2018-hyperprior"]


def picture(height: int, width: int, seed: int = 0) -> NDArray[np.uint8]:
    """(H,W,3): smooth noise of several sizes, coloured."""
    random = np.random.default_rng(seed)
    out = np.full((height, width, 3), 128.0)
    for step in (32, 16, 8, 4, 2, 1):
        coarse = random.normal(size=(height // step + 2, width // step + 2, 3))
        out += 2.5 * step**0.5 * np.kron(coarse, np.ones((step, step, 1)))[:height, :width]
    return out.round().clip(0, 255).astype(np.uint8)


@pytest.fixture(name="picture", scope="session")
def picture_maker():  # type: ignore[no-untyped-def]
    return picture


@pytest.fixture(scope="session")
def shared() -> Path:
    """The data of those who work on the project; a user's clone has none."""
    if not SHARED.is_dir():
        pytest.skip("needs ../shared, which only those who work on slic have")
    return SHARED
