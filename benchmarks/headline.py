"""What the README says of costs and gains, from stored rows alone; and how documents' blocks are filled.

A block stands between `<!-- measured: NAME -->` and `<!-- /measured -->`, on a line of its own or within one.
"""

import re
from collections.abc import Mapping

import numpy as np

from benchmarks import threat_tables
from benchmarks.data import Row
from benchmarks.plots import Curves, curves
from benchmarks.stored import Answer

Answers = Mapping[str, Answer]

PEERS = {
    "base": "slic, not secured",
    "bmshj2018-hyperprior": "CompressAI's weights for the same architecture",
    "avif": "AVIF",
    "jxl": "JPEG XL",
    "webp": "WebP",
    "jpeg": "JPEG",
}
SURVIVES = 15.0  # dB that a second encode leaves: more is no wreckage
RATE = 1.0  # bits per pixel, at which codecs are compared
DEFAULT_QUALITY = 6

_BLOCK = re.compile(r"(<!-- measured: (\w+) -->)(.*?)(<!-- /measured -->)", re.S)


def fill(text: str, answers: Answers) -> str:
    """The text with every block as the answers give it."""
    known = {"table": table, "losses": losses, "sheet": sheet, "bf16": bf16, **threat_tables.BLOCKS}

    def block(match: re.Match[str]) -> str:
        opening, name, before, closing = match.groups()
        made = known[name](answers) or "not measured yet"
        return f"{opening}\n{made}\n{closing}" if "\n" in before else f"{opening}{made}{closing}"

    return _BLOCK.sub(block, text)


def table(answers: Answers) -> str:
    """Codecs as rows; a column only where something was measured."""
    if "rate-distortion" not in answers:
        return ""
    points = curves(answers["rate-distortion"].rows)
    columns = {
        f"PSNR at {RATE:g} bit per pixel": {name: _psnr_at(points, name) for name in points},
        "bytes for the same PSNR": {"slic": "", **_bytes(answers["rate-distortion"])},
        "encode, decode": _seconds(answers),
        "second encode against the first": _second_encodes(answers),
    }
    columns = {title: cells for title, cells in columns.items() if any(cells.values())}
    lines = ["| | " + " | ".join(columns) + " |", "|---|" + "---|" * len(columns)]
    for name, label in {"slic": "**slic**", **PEERS}.items():
        if name in points:
            cells = [column.get(name, "") for column in columns.values()]
            lines.append(f"| {label} | " + " | ".join(cells) + " |")
    return "\n\n".join(["\n".join(lines), *_against_compressai(answers), *_after_edits(answers)])


def losses(answers: Answers) -> str:
    """Which codecs take fewer bytes than slic, and which more."""
    if "rate-distortion" not in answers:
        return ""
    rates = {name: rate for name, rate in _rates(answers["rate-distortion"]).items() if name != "base"}
    by_rate = sorted(rates, key=lambda name: rates[name])
    fewer = [f"{PEERS[name]} ({-rates[name]:.0f}%)" for name in by_rate if rates[name] < 0]
    more = [f"{PEERS[name]} ({rates[name]:.0f}%)" for name in by_rate[::-1] if rates[name] >= 0]
    parts = [f"fewer bytes with {_and(fewer)}"] if fewer else []
    parts += [f"more with {_and(more)}"] if more else []
    return f"On Kodak, slic's PSNR takes {'; '.join(parts)}."


def sheet(answers: Answers) -> str:
    """What the contact sheet shows, in numbers."""
    if "contact-sheet" not in answers:
        return ""
    first, *again = (row["psnr"] for row in answers["contact-sheet"].rows if "psnr" in row)
    return (
        f"The example, encoded ({first:.1f} dB); then edited in nine ways, and encoded again, "
        f"which leaves {min(again):.1f} to {max(again):.1f} dB:"
    )


def bf16(answers: Answers) -> str:
    if "file-size" not in answers:
        return ""
    (mean,) = (row for row in answers["file-size"].rows if row["image"] == "mean")
    worst = min(row["bf16_db"] for row in answers["file-size"].rows)
    lost, most = (_short(max(0.0, -change)) for change in (mean["bf16_db"], worst))
    return f"{lost} dB ({most} at worst)"


def _psnr_at(points: Curves, name: str) -> str:
    rates, levels = zip(*points[name], strict=True)
    if not rates[0] <= RATE <= rates[-1]:
        return ""
    return f"{np.interp(np.log(RATE), np.log(rates), levels):.1f} dB"


def _rates(answer: Answer) -> dict[str, float]:
    found = {row["against"]: row["bd_rate"] for row in answer.rows if "against" in row}
    return {name: rate for name, rate in found.items() if name in PEERS and rate is not None}


def _bytes(answer: Answer) -> dict[str, str]:
    return {name: f"{rate:+.0f}%".replace("-", "−") for name, rate in _rates(answer).items()}


def _seconds(answers: Answers) -> dict[str, str]:
    """At the quality that slic has by default, and where the others come nearest to its rate."""
    timed = [row for row in answers["rate-distortion"].rows if "encode_s" in row]
    ours = next((r for r in timed if (r["codec"], r["quality"]) == ("slic", DEFAULT_QUALITY)), None)
    if ours is None:
        return {}
    nearest: dict[str, Row] = {}
    for row in sorted(timed, key=lambda row: abs(row["bpp"] - ours["bpp"])):
        nearest.setdefault(row["codec"], row)
    times = {name: (row["encode_s"], row["decode_s"]) for name, row in nearest.items()}
    return {name: f"{1e3 * encode:.0f} ms, {1e3 * decode:.0f} ms" for name, (encode, decode) in times.items()}


def _second_encodes(answers: Answers) -> dict[str, str]:
    if "generations" not in answers:
        return {}
    rows = answers["generations"].rows
    seconds = [row for row in rows if row["generation"] == 2 and " " not in row["qualities"]]
    return {row["codec"]: f"{row['to_first']:.1f} dB" for row in seconds}


def _against_compressai(answers: Answers) -> list[str]:
    """With the same weights: those that it publishes for the upper qualities are of a larger network."""
    if "speed" not in answers:
        return []
    rows = [row for row in answers["speed"].rows if row["precision"] == "bf16"]
    encode, decode = (
        float(np.median([row[f"{direction}_faster"] for row in rows])) for direction in ("encode", "decode")
    )
    return [
        f"CompressAI takes {encode:.1f} times as long as slic to encode with the same weights, "
        f"{decode:.1f} times as long to decode."
    ]


def _after_edits(answers: Answers) -> list[str]:
    if "recompress" not in answers:
        return []
    rows = [r for r in answers["recompress"].rows if "worst_psnr" in r and r["edit"] != "all"]
    gone = [row for row in rows if row["recompress_psnr"] <= SURVIVES]
    left = [row for row in rows if row not in gone]
    psnr, blocks = (float(np.mean([r[key] for r in gone])) for key in ("recompress_psnr", "blocks_destroyed"))
    said = (
        f"A decoded picture that is encoded again, as it is or after one of {len(gone) - 1} edits, keeps "
        f"{psnr:.1f} dB in the mean, {max(row['worst_psnr'] for row in gone):.1f} dB where it fares best; "
        f"{100 * blocks:.0f}% of its blocks are destroyed."
    )
    those = _and([f"`{r['edit']}` ({r['recompress_psnr']:.1f} dB)" for r in left]) if left else ""
    return [said + (f" **It survives** {those}." if left else "")]


def _and(parts: list[str]) -> str:
    return parts[0] if len(parts) == 1 else ", ".join(parts[:-1]) + " and " + parts[-1]


def _short(value: float) -> str:
    """.03, 1.2: two digits, no zero before the point."""
    digits = 2 if abs(value) < 0.995 else 1
    return f"{value:.{digits}f}".replace("-0.", "−.").lstrip("0") or "0"
