"""Reports of every kind, from arrays: no model is needed."""

import numpy as np

from slic.trust import report, tamper
from slic.trust.c2pa import Report
from slic.trust.tamper import Look, TamperReport
from slic.trust.verdict import Verdict

HOSTILE = (
    """</title></td><script>document.title="owned"</script><img src=x onerror="document.title='owned'">"""
)
KINDS = ("untouched", "edited", "unprotected", "unclear")


class Secured:
    """All that `judge` asks of a model."""

    name = "press"
    secured = True


def found(kind: str) -> TamperReport:
    """A finding on a picture of 256x192."""
    random = np.random.default_rng(0)
    levels = random.integers(0, 256, (192, 256, 3), np.uint8)
    trace = np.full(
        (12, 16), {"untouched": 2, "edited": 2, "unprotected": -2, "unclear": 0}[kind], np.float32
    )
    if kind == "edited":
        trace[2:6, 9:14] = -3
    if kind == "unclear":
        trace[:7, :7] = 1
    return tamper.judge(levels, Look(20 - 6 * trace, trace, levels[::-1].copy()), Secured())  # type: ignore[arg-type]


def page(
    kind: str,
    *,
    name: str = "photo.png",
    signed: Verdict | None = None,
    manifests: tuple[Report, ...] = (),
    exif: bytes | None = None,
) -> str:
    return report.page(name, b"not a .slic file", found(kind), signed, manifests, exif)
