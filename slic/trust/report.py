"""A page that explains a check to people: one HTML file that loads nothing from elsewhere.

Whatever comes from a file (names, comments, EXIF) is text: `_fill` escapes all that is not `_Html`, and the
page's own policy lets no script run but the one in page.html.
"""

import base64
import hashlib
import html
import io
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from string import Template
from typing import Any

import numpy as np
from PIL import ExifTags, Image

import slic
from slic import opening
from slic.errors import ModelError, PictureError
from slic.trust import c2pa, tamper
from slic.trust.blocks import Box
from slic.trust.keys import Keys, trusted
from slic.trust.tamper import Finding, TamperReport
from slic.trust.verdict import Status, Verdict, judge
from slic_formats import FILE_SIGNATURE, parse

SHOWN = 1600  # pixels of a picture's longer side on the page
_LONGEST = 300  # characters of a text from a file
_TAGS = {
    "ImageDescription": "Description",
    "Artist": "Artist",
    "Copyright": "Copyright",
    "Make": "Camera made by",
    "Model": "Camera",
    "Software": "Software",
    "DateTime": "Date",
}
TEMPLATE = Path(__file__).with_name("page.html")


class _Html(str):
    """Text that is markup already, and made here."""


@dataclass(frozen=True)
class Verdicts:
    """The head of the page."""

    tone: str
    badge: str
    headline: str
    meaning: str


_HEADS = {
    Finding.UNTOUCHED: Verdicts(
        "good",
        "Protected and untouched",
        "This picture is as it was published",
        "All of it came out of a slic file, and no larger part was changed since. Anybody can make such a "
        "file: who did, only a signature says.",
    ),
    Finding.EDITED: Verdicts(
        "bad",
        "Edited",
        "Parts of this picture were changed after it was published",
        "Most of it came out of a slic file. The regions below did not: they were added or altered later.",
    ),
    Finding.UNPROTECTED: Verdicts(
        "open",
        "Not protected",
        "This picture shows no trace of slic",
        "It may be genuine or forged: it never was in a slic file of this model, or nothing of that is left.",
    ),
    Finding.UNCLEAR: Verdicts(
        "open",
        "Cannot tell",
        "There is not enough to judge this picture by",
        "What was measured fits neither an untouched nor an ordinary picture.",
    ),
}
_BROKEN = Verdicts(
    "bad",
    "Signature broken",
    "This file is not what was signed",
    "It names a signer you trust, and it was changed after signing, or the signature was made up.",
)
_PLACES = {"embedded": "In the file", "sidecar": "Beside it"}
_STATES = {
    "trusted": "It holds, under a certificate that you trust.",
    "untrusted": "It holds, but under a certificate that anybody can make, with any name in it.",
    "invalid": "It does not hold: it is about another file, or was changed.",
    "unreadable": "It cannot be read.",
    "unchecked": "It was not checked.",
}


def report(
    source: str | Path | bytes,
    *,
    name: str | None = None,
    keys: Keys | None = None,
    sidecar: bytes | None = None,
    anchors: bytes | None = None,
    model: str | Path | None = None,
    **machine: Any,
) -> tuple[str, TamperReport]:
    """The page, and the check that it shows. `keys` say whose signature counts.

    `sidecar`: the C2PA manifest that lies beside the file, of a path read if it is there. `anchors`: PEM
    certificates whose holders' manifests are trusted. `machine`: device, precision and max_pixels, as
    `slic.check` takes them.
    """
    if isinstance(source, bytes):
        data, shown = source, name or "picture"
    else:
        data, shown = Path(source).read_bytes(), name or Path(source).name
        sidecar = sidecar or c2pa.read_sidecar(Path(source))
    picture, found = tamper.examine(data, model=model, **machine)
    looks = _detected(found, model, machine)
    if not _is_slic(data):
        return page(shown, data, found, exif=picture.exif, looks=looks), found
    signed = judge(parse(data), trusted(keys)) if keys is not None else None
    manifests = c2pa.check(data, sidecar, anchors)
    return page(shown, data, found, signed, manifests, picture.exif, looks), found


def _detected(found: TamperReport, model: str | Path | None, machine: Mapping[str, Any]) -> str | None:
    """What the detector says; nothing of what carries slic's trace, which it cannot look through."""
    if found.finding in (Finding.UNTOUCHED, Finding.EDITED):
        return None
    from slic.detection.detect import NO_PROOF, Examiner, Sample

    try:
        (detection,) = Examiner(model, **machine)([Sample.take(found.levels)])
    except ModelError as error:
        return f"Not judged: {error}."
    return f"{str(detection).capitalize()}; {NO_PROOF}."


def page(
    name: str,
    data: bytes,
    found: TamperReport,
    signed: Verdict | None = None,
    manifests: Iterable[c2pa.Report] = (),
    exif: bytes | None = None,
    looks: str | None = None,
) -> str:
    """HTML from what is known already. `looks`: whether it looks generated."""
    template = TEMPLATE.read_text(encoding="utf-8")
    head = _BROKEN if signed and signed.status is Status.ALTERED else _HEADS[found.finding]
    width, height = _fit(found.width, found.height)
    return _fill(
        template,
        policy=policy(template),
        title=f"{head.badge}: {name}",
        name=name,
        tone=head.tone,
        badge=head.badge,
        headline=head.headline,
        meaning=head.meaning,
        detail=f"slic check says: {found}.",
        signature=_signature(signed, data),
        manifests=_manifests(manifests),
        map=_map(found),
        looks=_looks(looks),
        picture=_image(Image.fromarray(found.levels)),
        again=_image(Image.fromarray(found.again)),
        againalt=_again_text(found),
        width=str(width),
        height=str(height),
        numbers=_numbers(found, data),
        metadata=_metadata(exif),
        version=slic.__version__,
    )


def _is_slic(data: bytes) -> bool:
    return data.startswith(FILE_SIGNATURE)


def _fill(template: str, **values: str) -> _Html:
    """Every value escaped unless it is markup; a place without a value is an error."""
    return _Html(Template(template).substitute({k: _escape(v) for k, v in values.items()}))


def _escape(value: str) -> str:
    if isinstance(value, _Html):
        return value
    kept = "".join(c if c.isprintable() else "�" for c in value[: _LONGEST + 1])
    return html.escape(kept if len(kept) <= _LONGEST else kept[:_LONGEST] + "…", quote=True)


def policy(*pages: str, more: str = "") -> str:
    """Nothing loads from anywhere; only the pages' own scripts and styles, by their digests, count."""

    def digests(tag: str) -> str:
        bodies = re.findall(rf"<{tag}>(.*?)</{tag}>", "".join(pages), re.DOTALL)
        sums = (base64.b64encode(hashlib.sha256(body.encode()).digest()).decode() for body in bodies)
        return " ".join(f"'sha256-{sum}'" for sum in sums)

    own = f"script-src {digests('script')}; style-src {digests('style')}"
    return _Html(f"default-src 'none'; img-src data:; {own}; base-uri 'none'; form-action 'none'{more}")


def _signature(signed: Verdict | None, data: bytes) -> str:
    if not _is_slic(data):
        return "None: this is a copy in another format. Only a .slic file can be signed."
    if signed is None:
        return "Not checked: nobody said whose signature to trust (--key)."
    return f"{str(signed)[0].upper()}{str(signed)[1:]}."


def _manifests(reports: Iterable[c2pa.Report]) -> str:
    rows = [(_PLACES[r.place], f"{_STATES[r.state]} {str(r).partition(': ')[2]}.") for r in reports]
    if not rows:
        return _Html("")
    caption = "C2PA manifests: what the publisher claims, by C2PA's own signatures"
    table = "<table><caption>$caption</caption><tbody>$rows</tbody></table>"
    return _fill(table, caption=caption, rows=_rows(rows))


def _looks(said: str | None) -> str:
    if said is None:
        return _Html("")
    return _fill(
        '<section aria-labelledby="looks"><h2 id="looks">Does it look generated?</h2><p>$said</p></section>',
        said=said,
    )


def _map(found: TamperReport) -> str:
    if not found.boxes:
        return _Html("")
    rows = _rows(
        (
            f"Region {i}",
            f"{_place(box, found)}: {_size(box)}, from {box.left} pixels right and {box.top} down",
        )
        for i, box in enumerate(found.boxes[:20], 1)
    )
    regions = len(found.boxes)
    text = "one region" if regions == 1 else f"{regions} regions"
    places = ", ".join(_place(box, found) for box in found.boxes[:5])
    return _fill(
        '<section aria-labelledby="map"><h2 id="map">Where it was edited</h2>'
        "<p>Red is what did not come out of the slic file: $share of the picture, in $regions.</p>"
        '<img class="map" src="$image" alt="$alt" width="$width" height="$height">'
        "<table><caption>Regions, the largest first</caption><tbody>$rows</tbody></table></section>",
        share=f"{found.edited:.1%}",
        regions=text,
        image=_image(tamper.overlay(found)),
        alt=f"The picture in grey, with {text} in red: {places}.",
        width=str(_fit(found.width, found.height)[0]),
        height=str(_fit(found.width, found.height)[1]),
        rows=rows,
    )


def _place(box: Box, found: TamperReport) -> str:
    rows, columns = ("upper", "middle", "lower"), ("left", "centre", "right")
    row = rows[min(2, 3 * (box.top + box.bottom) // (2 * found.height))]
    column = columns[min(2, 3 * (box.left + box.right) // (2 * found.width))]
    return "centre" if (row, column) == ("middle", "centre") else f"{row} {column}"


def _size(box: Box) -> str:
    return f"{box.right - box.left} × {box.bottom - box.top} pixels"


def _again_text(found: TamperReport) -> str:
    return {
        Finding.UNTOUCHED: "The same picture encoded again: destroyed all over.",
        Finding.EDITED: "The same picture encoded again: destroyed but for the edited regions.",
        Finding.UNPROTECTED: "The same picture encoded again: it looks as before.",
        Finding.UNCLEAR: "The same picture encoded again.",
    }[found.finding]


def _numbers(found: TamperReport, data: bytes) -> str:
    return _rows(
        [
            ("Picture", f"{found.width} × {found.height} pixels"),
            ("File", f"{'.slic file' if _is_slic(data) else 'another format'}, {len(data)} bytes"),
            ("SHA-256 of the file", hashlib.sha256(data).hexdigest()),
            ("Checked with model", found.model),
            ("Surely out of that model", f"{found.own:.1%} of the picture"),
            ("Edited", f"{found.edited:.1%} of the picture"),
            *([("Size, of that when published", f"about {found.scale:.0%}")] if found.scale != 1 else []),
            *([("Mirrored since", "yes")] if found.mirrored else []),
            *([("Turned since, against the clock", f"{found.turned}°")] if found.turned else []),
            (
                "After one more encode, median",
                f"{float(np.median(found.damage)):.1f} dB (below 20: destroyed)",
            ),
        ]
    )


def _metadata(exif: bytes | None) -> str:
    entries = list(_entries(exif)) if exif else []
    if not entries:
        return _Html("")
    return _fill(
        '<section aria-labelledby="metadata"><h2 id="metadata">What the file says of itself</h2>'
        "<table><caption>EXIF: anybody can write this, and no check covers what it says</caption>"
        "<tbody>$rows</tbody></table></section>",
        rows=_rows(entries),
    )


def _entries(exif: bytes) -> Iterable[tuple[str, str]]:
    """The texts that people look for first; a damaged block has none."""
    tags = Image.Exif()
    try:
        tags.load(exif)
        found = {ExifTags.TAGS.get(tag, ""): value for tag, value in tags.items()}
    except opening.DAMAGE:
        return
    yield from ((name, str(found[tag]).strip("\0 ")) for tag, name in _TAGS.items() if tag in found)


def _rows(rows: Iterable[tuple[str, str]]) -> _Html:
    cells = '<tr><th scope="row">$head</th><td>$text</td></tr>'
    return _Html("".join(_fill(cells, head=head, text=text) for head, text in rows))


def _fit(width: int, height: int) -> tuple[int, int]:
    share = min(1.0, SHOWN / max(width, height))
    return max(1, round(width * share)), max(1, round(height * share))


def _image(image: Image.Image) -> _Html:
    """As a data URL, no larger than is shown."""
    stream = io.BytesIO()
    image.resize(_fit(*image.size), Image.Resampling.LANCZOS).save(stream, "JPEG", quality=88)
    if not stream.tell():
        raise PictureError("the picture cannot be shown")
    return _Html("data:image/jpeg;base64," + base64.b64encode(stream.getvalue()).decode())
