"""Settings."""

from pathlib import Path

import pytest

from training import config
from training.config import ConfigError

FILE = Path(__file__).parents[2] / "training" / "configs" / "base-q6.toml"


def test_overrides_reach_into_sections() -> None:
    settings = config.load(FILE, ("steps=7", "data.crop=128", "name=other"))
    assert (settings.steps, settings.data.crop, settings.name) == (7, 128, "other")


def test_every_complaint_at_once_with_the_nearest_name() -> None:
    with pytest.raises(ConfigError) as refused:
        config.load(FILE, ("data.corp=128", "steps=many", "optimiser.rate=fast"))
    assert str(refused.value).splitlines() == [
        "steps must be int, not 'many'",
        "optimiser.rate must be float, not 'fast'",
        "unknown setting data.corp; did you mean data.crop?",
    ]
