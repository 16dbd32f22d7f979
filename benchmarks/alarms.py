"""How often does `slic check` raise a false alarm?

    python -m benchmarks.alarms --images DIR [--model FILE] [--each N] [--side PIXELS] [--json]

Squares of pictures, spread evenly over each. As they are, none came out of the model: to call one protected,
edited or not, is an alarm. Encoded and decoded, each did: whatever is not "untouched" is an alarm. `at_most`
is what the share of alarms may be and still give so few, at odds of 1 in 20 (Clopper and Pearson).
"""

import math
import warnings
from collections.abc import Iterable, Iterator
from pathlib import Path

import click
import numpy as np

from benchmarks.data import Pixels, Row, options, pictures, show
from benchmarks.passes import levels, quality_option
from slic import Codec, attacks, models
from slic.errors import SlicWarning
from slic.trust import tamper
from slic.trust.tamper import Finding

COPIES = ("identity", "jpeg(quality=90)")
RIGHT = {
    "never encoded": (Finding.UNPROTECTED, Finding.UNCLEAR),
    "freshly decoded": (Finding.UNTOUCHED,),
}
ODDS = 0.05


def measure(codec: Codec, named: Iterable[tuple[str, Pixels]], each: int, side: int) -> Iterator[Row]:
    found: dict[tuple[str, str], list[Finding]] = {}
    for _, pixels in named:
        for square in squares(pixels, each, side):
            with warnings.catch_warnings():
                warnings.simplefilter("ignore", SlicWarning)  # a square may be one that the model destroys
                decoded = levels(codec.decode(codec.encode(square)))
            for what, shown in (("never encoded", square), ("freshly decoded", decoded)):
                for copy in COPIES:
                    report = tamper.check_levels(attacks.parse(copy)(shown), codec)
                    found.setdefault((what, copy), []).append(report.finding)
    for (what, copy), findings in found.items():
        alarms = sum(finding not in RIGHT[what] for finding in findings)
        yield {
            "squares": what,
            "copy": copy,
            "checked": len(findings),
            "alarms": alarms,
            "share": alarms / len(findings),
            "at_most": at_most(alarms, len(findings)),
        } | {f.name.lower(): findings.count(f) for f in Finding}


def squares(pixels: Pixels, each: int, side: int) -> Iterator[Pixels]:
    """At most `each`, side by side as far as they fit, spread over the picture."""
    rows, columns = (length // side for length in pixels.shape[:2])
    for place in np.linspace(0, rows * columns, min(each, rows * columns), endpoint=False).astype(int):
        top, left = (side * int(at) for at in divmod(place, columns))
        yield pixels[top : top + side, left : left + side]


def at_most(alarms: int, checked: int) -> float:
    """The largest share of which so few come about once in 1 / ODDS times; by halving."""

    def odds(share: float) -> float:
        return math.fsum(
            math.comb(checked, k) * share**k * (1 - share) ** (checked - k) for k in range(alarms + 1)
        )

    low, high = alarms / checked, 1.0
    for _ in range(40):
        middle = (low + high) / 2
        low, high = (middle, high) if odds(middle) > ODDS else (low, middle)
    return high


@click.command()
@options
@quality_option
@click.option("--each", default=160, show_default=True, help="Squares of each picture, at most.")
@click.option("--side", default=256, show_default=True, help="Pixels a side of a square.")
def main(
    images: Path,
    limit: int | None,
    model: str,
    as_json: bool,
    device: str,
    quality: int | None,
    each: int,
    side: int,
) -> None:
    """How often does slic check raise a false alarm?"""
    codec = Codec(models.choose(model, quality), device=device)
    show(measure(codec, pictures(images, limit), each, side), as_json=as_json)


if __name__ == "__main__":
    main()
