"""The wheel holds slic, slic_formats and weights, nothing else. `SLIC_WHEEL` names it; .ci/run builds it."""

import os
import zipfile

import pytest


@pytest.fixture(scope="module")
def names() -> list[str]:
    wheel = os.environ.get("SLIC_WHEEL")
    if wheel is None:
        pytest.skip("SLIC_WHEEL names no wheel; .ci/run builds one")
    with zipfile.ZipFile(wheel) as archive:
        return archive.namelist()


def test_only_the_two_packages(names: list[str]) -> None:
    tops = {name.split("/")[0] for name in names}
    assert {t for t in tops if not t.endswith(".dist-info")} == {"slic", "slic_formats"}
    assert not [n for n in names if "__pycache__" in n or "test" in n]


@pytest.mark.parametrize(
    "name",
    [
        "slic/py.typed",
        "slic_formats/py.typed",
        "slic/weights/slic.safetensors",
        "slic/weights/detector.json",
        "slic/__main__.py",
        "slic/cli/__init__.py",
        "slic/plugins/pillow.py",
        "slic/trust/page.html",
        "slic/serve/page.html",
        "slic_formats/container.py",
    ],
)
def test_holds(names: list[str], name: str) -> None:
    assert name in names


def test_small_enough(names: list[str]) -> None:
    assert os.path.getsize(os.environ["SLIC_WHEEL"]) < 40 << 20
