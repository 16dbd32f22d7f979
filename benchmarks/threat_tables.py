"""What THREATS.md says of attacks, from stored rows alone."""

from collections.abc import Callable, Mapping, Sequence

from benchmarks import stored
from benchmarks.data import Row
from benchmarks.stored import Answer

Answers = Mapping[str, Answer]
Cells = Callable[[Row], Sequence[str]]


def source(answers: Answers) -> str:
    """What was measured."""
    if "threats" not in answers:
        return ""
    answer = answers["threats"]
    name = next((row["model"] for row in answer.rows), "")
    which = "" if answer.model == stored.embedded() else ", which is not the embedded one"
    return f"Measured by `{answer.command}`, on model {name} (`{answer.model}`){which}."


def intact(answers: Answers) -> str:
    titles = (
        "attack",
        "tries",
        "succeeds",
        "laundered",
        "kept",
        "`check` says",
        "`verify` says",
        "caught by",
    )
    return _table(answers, "intact", titles, _intact)


def innocent(answers: Answers) -> str:
    titles = "attack", "tries", "destroyed when encoded", "passes for untouched", "change", "its encode"
    return _table(answers, "innocent", titles, _innocent)


def genuine(answers: Answers) -> str:
    return _table(answers, "genuine", ("attack", "tries", "succeeds", "`verify` says"), _genuine)


def exhaust(answers: Answers) -> str:
    titles = "file", "bytes", "decoder says", "after", "memory"
    return _table(answers, "exhaust", titles, _exhaust)


BLOCKS: Mapping[str, Callable[[Answers], str]] = {
    "threats_source": source,
    "threats_intact": intact,
    "threats_innocent": innocent,
    "threats_genuine": genuine,
    "threats_exhaust": exhaust,
}


def _table(answers: Answers, goal: str, titles: Sequence[str], cells: Cells) -> str:
    if "threats" not in answers:
        return ""
    rows = [row for row in answers["threats"].rows if row["goal"] == goal]
    lines = [titles, ["---"] * len(titles), *map(cells, rows)]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def _intact(row: Row) -> Sequence[str]:
    kept = _db(row["psnr"])
    if row["tried"] > 1 and kept:
        kept += f", {row['highest_psnr']:.1f} at best"
    return (
        row["attack"],
        str(row["tried"]),
        _lost(row),
        _db(row["laundered_psnr"]),
        kept or "refused",
        row["check"],
        row["verify"],
        row["caught_by"],
    )


def _innocent(row: Row) -> Sequence[str]:
    shares = _share(row["destroyed"]), _share(row["passes_check"])
    return row["attack"], str(row["tried"]), *shares, _db(row["framed_psnr"]), _db(row["recompress_psnr"])


def _genuine(row: Row) -> Sequence[str]:
    return row["attack"], str(row["tried"]), _share(row["succeeds"]), row["says"]


def _exhaust(row: Row) -> Sequence[str]:
    return row["attack"], f"{row['bytes']:,}", row["says"], f"{row['seconds']:.1f} s", f"{row['mb']:.0f} MB"


def _lost(row: Row) -> str:
    """`no`, `yes`, or of how many pictures, for who tries everything needs one way."""
    if row["succeeds"] in (0, 1):
        return _share(row["succeeds"])
    return f"**{row['images_lost']} of {row['images']} pictures**, {row['succeeds']:.0%} of tries"


def _share(share: float) -> str:
    if share in (0, 1):
        return "**yes**" if share else "no"
    return f"**{share:.0%}**"


def _db(value: float | None) -> str:
    return "" if value is None else f"{value:.1f} dB"
