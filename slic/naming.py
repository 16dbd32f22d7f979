"""What outputs are called: `a.slic` for `a.png`, or `a.png.slic` where `a.jpg` lies beside it."""

from collections import Counter
from collections.abc import Sequence


def distinct(names: Sequence[tuple[str, str]]) -> list[str]:
    """Of the short and the long name of each output the short one, unless another would have it, too.

    Then each of them has its long one, so that none depends on which comes first. Names that differ in case
    alone count as one: many file systems, and those who copy to them, know no difference.
    """
    chosen = [short for short, _ in names]
    while True:
        taken = Counter(map(str.casefold, chosen))
        shared = [
            i for i, (_, long) in enumerate(names) if taken[chosen[i].casefold()] > 1 and chosen[i] != long
        ]
        if not shared:
            return chosen
        for i in shared:  # a long name may be the short one of another: a.png.tiff beside a.png and a.jpg
            chosen[i] = names[i][1]
