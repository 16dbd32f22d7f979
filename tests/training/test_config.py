"""Settings."""

import json
from dataclasses import asdict
from pathlib import Path

import pytest

from training import config
from training.config import ConfigError

FILE = Path(__file__).parents[2] / "training" / "configs" / "base.toml"


def test_overrides_reach_into_sections() -> None:
    settings = config.load(FILE, ("steps=7", "data.crop=128", "name=other"))
    assert (settings.steps, settings.data.crop, settings.name) == (7, 128, "other")


def test_every_complaint_at_once_with_the_nearest_name() -> None:
    with pytest.raises(ConfigError) as refused:
        config.load(FILE, ("data.corp=128", "steps=many", "optimiser.rate=fast"))
    assert str(refused.value).splitlines() == [
        "steps must be int, not 'many'",
        "unknown setting data.corp; did you mean data.crop?",
        "optimiser.rate must be float, not 'fast'",
    ]


@pytest.mark.parametrize(
    ("override", "reason"),
    [
        ("data.draw=[1.0, 0.0]", "data.draw must hold eight weights, not all zero"),
        ("data.draw=[0, 0, 0, 0, 0, 0, 0, 0]", "data.draw must hold eight weights, not all zero"),
        ("model.gains=false", "several qualities need model.gains = true"),
        ("data.crop=100", "data.crop must be a multiple of 64"),
        ("judge=[0]", "judge must hold qualities from 1 to 8"),
        ("data.batch=0", "data.batch must be above 0"),
        ("model.architecture=vgg", "model.architecture must be one of bmshj2018-hyperprior, mbt2018"),
        ("secure.block=999", "secure.block must not exceed data.crop"),
        ("steps.x=3", "steps.x: steps is no section"),
        ("data=3", "data must be a section, not 3"),
        ("precision=fp8", "precision must be auto, bf16 or fp32"),
        ("model.answers=true", "model.answers is for training.secure to set, which takes the run of a base"),
    ],
)
def test_settings_that_contradict_are_refused(override: str, reason: str) -> None:
    with pytest.raises(ConfigError, match=reason):
        config.load(FILE, (override,))


def test_a_run_folder_is_read_though_a_setting_of_then_is_gone(tmp_path: Path) -> None:
    """A base outlives the training that made it."""
    settings = config.load(FILE, ("data.crop=128",))
    old = asdict(settings) | {"machine": {"device": "CPU"}}
    old["secure"] |= {"cost": 0.0}
    (tmp_path / "config.json").write_text(json.dumps(old))
    assert config.of_run(tmp_path) == settings
