"""The table, specifications, and what every edit promises."""

import os
import pickle
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from slic import attacks
from slic.attacks import Attack, Chain

ROOT = Path(__file__).parents[3]
Maker = Callable[..., NDArray[np.uint8]]
QUICK = sorted(set(attacks.TABLE) - {"codec"})


@pytest.mark.parametrize("name", QUICK)
def test_an_edit_is_deterministic_and_leaves_its_source(picture: Maker, name: str) -> None:
    x = picture(37, 50)
    before = x.copy()
    first, second = Attack(name)(x), attacks.parse(name)(x)
    assert first.dtype == np.uint8
    assert np.array_equal(first, second)
    assert np.array_equal(x, before)


@pytest.mark.parametrize("name", sorted(attacks.TABLE))
def test_an_edit_is_documented_and_written_as_it_is_read(name: str) -> None:
    assert attacks.TABLE[name].__doc__
    attack = Attack(name)
    assert attacks.parse(str(attack)) == attack
    assert all(
        known.limits is None or not known.complaint(known.default)
        for known in attacks.parameters(name).values()
    )


def test_defaults_are_filled_in_and_named() -> None:
    assert str(attacks.parse("blur")) == "blur(radius=2)"
    assert str(attacks.parse(" jpeg ( quality = 7 ) ")) == "jpeg(quality=7)"
    assert attacks.parse("noise(sigma=1e+1)") == Attack("noise", {"sigma": 10})


def test_edits_join(picture: Maker) -> None:
    x = picture(40, 48)
    both = attacks.parse("affine(degrees=10, scale=0.95)+jpeg(quality=85)")
    assert isinstance(both, Chain)
    assert both.name == "affine+jpeg"
    assert attacks.parse(str(both)) == both
    assert np.array_equal(both(x), Attack("jpeg")(Attack("affine")(x)))


def test_an_attack_travels_and_is_a_key() -> None:
    attack = Attack("blur", {"radius": 1.5})
    assert pickle.loads(pickle.dumps(attack)) == attack
    assert {attack: 1}[Attack("blur", {"radius": 1.5})] == 1


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("blurr", "unknown edit blurr; did you mean blur?"),
        ("xyzzy", "unknown edit xyzzy"),
        ("blur(radus=2)", "blur has no parameter radus; did you mean radius?"),
        ("jpeg+blur(radius=-1)", "blur: radius must be from 0 to 64, not -1"),
        ("blur(radius=nan)", "blur: radius must be from 0 to 64, not nan"),
        ("blur(radius=x)", "blur: radius must be a number, not 'x'"),
        ("median(size=4)", "median: size must be an odd number from 3 to 15, not 4"),
        ("jpeg(quality=8.5)", "jpeg: quality must be a whole number from 1 to 100, not 8.5"),
        ("codec(model=3)", "codec: model must be text, not 3"),
        ("blur(radius=2", "cannot read 'blur(radius=2' as an edit such as jpeg or jpeg(quality=85)"),
        ("jpeg++blur", "cannot read '' as an edit such as jpeg or jpeg(quality=85)"),
        ("jpeg(85)", "cannot read '85' in 'jpeg(85)': write each parameter once, as name=value"),
        (
            "shift(dx=1, dx=2)",
            "cannot read 'dx=2' in 'shift(dx=1, dx=2)': write each parameter once, as name=value",
        ),
    ],
)
def test_what_cannot_be_read_is_refused_in_one_line(text: str, said: str) -> None:
    with pytest.raises(ValueError) as refused:
        attacks.parse(text)
    assert str(refused.value) == said


def test_a_function_checks_its_picture_and_parameters(picture: Maker) -> None:
    with pytest.raises(ValueError, match=r"edits take uint8 of shape \(H,W,3\), not float64 of \(4, 4, 3\)"):
        attacks.TABLE["blur"](np.zeros((4, 4, 3)))
    with pytest.raises(ValueError, match="blur: radius must be from 0 to 64, not 65"):
        attacks.TABLE["blur"](picture(8, 8), 65)


def test_no_torch() -> None:
    path = os.pathsep.join((str(ROOT), str(ROOT / "formats")))
    code = "import sys, slic.attacks; sys.exit('torch' in sys.modules)"
    subprocess.run([sys.executable, "-c", code], env=os.environ | {"PYTHONPATH": path}, check=True)
