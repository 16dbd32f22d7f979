"""What the tests of the command line share besides fixtures."""

from collections.abc import Callable
from pathlib import Path

from click.testing import Result

MODEL = "tiny-bmshj2018-hyperprior"
WARNING = f"slic: warning: model {MODEL} is not secured: re-encoding an edited copy will not destroy it\n"

Slic = Callable[..., Result]


def tree() -> list[str]:
    """Every file below the current folder."""
    return sorted(str(p) for p in Path().rglob("*") if p.is_file())
