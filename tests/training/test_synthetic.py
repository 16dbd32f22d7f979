"""Pictures that no camera took."""

from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner
from PIL import Image

from training import synthetic


@pytest.mark.parametrize("kind", synthetic.KINDS, ids=lambda kind: kind.__name__)
def test_a_seed_draws_the_same_picture(kind) -> None:  # type: ignore[no-untyped-def]
    first, second, other = (np.asarray(kind(np.random.default_rng(seed))) for seed in (1, 1, 2))
    assert first.shape == (synthetic.SIZE, synthetic.SIZE, 3) and first.dtype == np.uint8
    assert np.array_equal(first, second) and not np.array_equal(first, other)


def test_every_kind_is_written(tmp_path: Path) -> None:
    done = CliRunner().invoke(synthetic.main, [str(tmp_path / "new"), "--count", "10"])
    assert done.exit_code == 0, done.output
    names = sorted(file.name for file in (tmp_path / "new").iterdir())
    assert names[0] == "synthetic-00000-text.png" and names[9] == "synthetic-00009-text.png"
    with Image.open(tmp_path / "new" / names[0]) as image:
        assert image.size == (synthetic.SIZE, synthetic.SIZE)
