"""A secured model without what secures it is its base."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch
from click.testing import CliRunner
from numpy.typing import NDArray

from benchmarks.unsecured import main, unsecured
from benchmarks.variants import as_converted
from slic import Codec, models
from tests import tiny

Maker = Callable[..., NDArray[np.uint8]]


def test_it_sees_and_shows_what_the_secured_one_does(tmp_path: Path, picture: Maker) -> None:
    secured = tiny.model("bmshj2018-hyperprior", tmp_path, rates=3, trigger=True)
    base = unsecured(secured, tmp_path / "base.safetensors")
    assert not base.secured and not [name for name in base.tensors if name.startswith("trigger.")]
    ours, theirs = (Codec(m, device="cpu", precision="fp32")._engine for m in (secured, base))
    kept = torch.from_numpy(secured.tensors["trigger.answer"] == 0)
    assert 0 < kept.sum() < len(kept)
    y = ours._analyse(torch.from_numpy(picture(64, 80))[None])
    assert not y[:, ~kept].any(), "nothing is answered"
    torch.testing.assert_close(theirs._analyse(torch.from_numpy(picture(64, 80))[None]), y[:, kept])
    assert (
        ours._hyper_symbols(ours._transforms.analyse_hyper(y)[0])
        == theirs._hyper_symbols(theirs._transforms.analyse_hyper(y[:, kept])[0])
    ).all()
    shown = ours._transforms.synthesise(y.round()), theirs._transforms.synthesise(y[:, kept].round())
    torch.testing.assert_close(*shown)


def test_the_embedded_model_s_base_is_a_model(tmp_path: Path) -> None:
    target = tmp_path / "base.safetensors"
    if not models.find("slic").secured:
        pytest.skip("the embedded model is not secured")
    assert CliRunner().invoke(main, [str(target)], catch_exceptions=False).exit_code == 0
    assert models.open_file(target).qualities == models.find("slic").qualities


def test_as_converted_it_rounds_to_the_nearest_with_gaussian_tables(tmp_path: Path, picture: Maker) -> None:
    own = tiny.model("bmshj2018-hyperprior", tmp_path, rates=3, worth=12.0)
    plain = tiny.model("bmshj2018-hyperprior", tmp_path, rates=3)
    made = as_converted(own, tmp_path / "converted.safetensors")
    assert made.identity == plain.identity != own.identity
