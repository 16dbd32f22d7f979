"""C2PA manifests (c2pa.org) for a file: one inside it, one beside it. Needs c2pa-python, `slic[c2pa]`.

A manifest binds itself to an asset by a hash, and cannot lie within the bytes that it hashes. Others leave
out a range, and forgeries came in through such ranges. Here is none:

- the *embedded* manifest, in chunk c2pa, hashes the whole file as it is without the chunks c2pa and sign; a
  file has one byte form, so whoever verifies can make just these bytes again;
- the *sidecar*, NAME.c2pa, hashes the finished file, signature and embedded manifest included. Any tool of
  C2PA can check it.

The signature of slic is made between the two, and covers the embedded manifest.
"""

import io
import json
import os
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import slic
from slic.errors import ManifestError
from slic_formats import Container, parse, serialise
from slic_formats.limits import MAX_C2PA

MIME = "image/x-slic"
SUFFIX = ".c2pa"
# The terms of digitalSourceType: IPTC's, and the two that C2PA adds.
_SOURCES = ("http://cv.iptc.org/newscodes/digitalsourcetype/", "http://c2pa.org/digitalsourcetype/")
_CREDENTIALS = ("alg", "private_key", "sign_cert", "ta_url")  # as c2patool has them
_UNTRUSTED = "signingCredential.untrusted"
_MAX_FILE = 1 << 20
_HINT = "pip install 'slic[c2pa]'"
# Nothing that a stranger's file names is ever fetched.
_OFFLINE = {"remote_manifest_fetch": False, "ocsp_fetch": False}


@dataclass(frozen=True)
class Definition:
    """What to claim, as c2pa's Builder takes it, and who claims it."""

    claim: dict[str, Any]
    algorithm: str
    certificates: bytes
    key: bytes
    time_stamps: str | None = None
    """Address of a time stamp authority, asked when a manifest is made."""


@dataclass(frozen=True)
class Report:
    """What one manifest says, and whether it holds. It never makes a file valid."""

    place: str
    """embedded or sidecar."""
    state: str
    """trusted, untrusted (it holds, under anyone's certificate), invalid, unreadable or unchecked."""
    signer: str | None = None
    """As its certificate says, like issuer."""
    issuer: str | None = None
    actions: tuple[str, ...] = ()
    sources: tuple[str, ...] = ()
    """IPTC's digital source types, without their address."""
    failures: tuple[str, ...] = ()
    """C2PA's codes of what does not hold, or one line."""

    def as_dict(self) -> dict[str, Any]:
        """For JSON."""
        return {name: list(v) if isinstance(v, tuple) else v for name, v in vars(self).items()}

    def __str__(self) -> str:
        names = ", ".join(filter(None, (self.signer, self.issuer)))
        said = [f"signed as {names}"] if names else []
        said += [", ".join(self.actions)] if self.actions else []
        said += [f"source {', '.join(self.sources)}"] if self.sources else []
        said += [", ".join(self.failures)] if self.failures else []
        return f"c2pa {self.place}: {self.state}" + "".join(f"; {part}" for part in said)


def load(path: str | os.PathLike[str]) -> Definition:
    """The definition in a JSON file; names of files in it count from its folder, as in c2patool."""
    _library()
    try:
        claim = json.loads(_read(Path(path)))
    except (ValueError, RecursionError) as error:
        raise ManifestError(f"{path}: not JSON: {error}") from None
    if not isinstance(claim, dict):
        raise ManifestError(f"{path}: not a JSON object")
    said = {name: claim.pop(name, None) for name in _CREDENTIALS}
    if missing := [name for name in _CREDENTIALS[:3] if not isinstance(said[name], str)]:
        raise ManifestError(
            f"{path}: {' and '.join(missing)} missing",
            hint='"alg": "es256" and the names of two PEM files, as c2patool has them',
        )
    if not isinstance(said["ta_url"], str | None):
        raise ManifestError(f"{path}: ta_url is no address")
    _check_actions(path, claim)
    folder = Path(path).parent
    return Definition(
        _completed(claim),
        said["alg"],
        _read(folder / said["sign_cert"]),
        _read(folder / said["private_key"]),
        said["ta_url"],
    )


def embed(data: bytes, definition: Definition) -> bytes:
    """The `.slic` file with a manifest in it, unsigned: a signature of slic must come after."""
    asset = without_manifest(parse(data))
    return serialise(replace(parse(asset), c2pa=manifest(asset, definition)))


def manifest(asset: bytes, definition: Definition) -> bytes:
    """A manifest store over these bytes, the content of their sidecar; checked before it is given."""
    c2pa = _library()
    out = io.BytesIO()  # the asset comes out again as it went in
    settings = {"builder": {"thumbnail": {"enabled": False}}, "verify": _OFFLINE}
    time_stamps = definition.time_stamps.encode() if definition.time_stamps else None
    try:
        info = c2pa.C2paSignerInfo(
            definition.algorithm.encode(), definition.certificates, definition.key, time_stamps
        )
        with (
            c2pa.Context(c2pa.Settings.from_dict(settings)) as context,
            c2pa.Builder(json.dumps(definition.claim), context) as builder,
            c2pa.Signer.from_info(info) as signer,
        ):
            builder.set_no_embed()
            made: bytes = builder.sign(signer, MIME, io.BytesIO(asset), out)
    except (c2pa.C2paError, ValueError) as error:
        raise ManifestError(f"no C2PA manifest could be made: {_line(error)}") from None
    found = _check("sidecar", made, asset, None)
    if found.state not in ("trusted", "untrusted"):
        raise ManifestError(f"the C2PA manifest made does not hold: {', '.join(found.failures)}")
    return made


def without_manifest(container: Container) -> bytes:
    """What an embedded manifest is about: the file as it is without it and without a signature."""
    return serialise(replace(container, c2pa=None, signature=None))


def sidecar_of(path: str | os.PathLike[str]) -> Path:
    return Path(path).with_suffix(SUFFIX)


def check(data: bytes, sidecar: bytes | None = None, anchors: bytes | None = None) -> tuple[Report, ...]:
    """A report for each manifest that there is. `anchors`: certificates, PEM, whose holders are trusted."""
    container = parse(data)
    reports = []
    if container.c2pa is not None:
        reports.append(_check("embedded", container.c2pa, without_manifest(container), anchors))
    if sidecar is not None:
        reports.append(_check("sidecar", sidecar, data, anchors))
    return tuple(reports)


def read_sidecar(path: Path) -> bytes | None:
    """The sidecar of a file, if it has one; never much more than a manifest may have."""
    beside = sidecar_of(path)
    if not beside.is_file():  # a folder or a pipe of that name is none
        return None
    with beside.open("rb") as stream:
        return stream.read(MAX_C2PA + 1)


def load_anchors(path: str | os.PathLike[str]) -> bytes:
    """Certificates in PEM, checked."""
    c2pa, data = _library(), _read(Path(path))
    try:
        _context(c2pa, data).close()
    except (c2pa.C2paError, UnicodeDecodeError):
        raise ManifestError(f"{path}: not a list of certificates in PEM") from None
    return data


def _check(place: str, store: bytes, asset: bytes, anchors: bytes | None) -> Report:
    try:
        c2pa = _library()
    except ManifestError:
        return Report(place, "unchecked", failures=("c2pa-python is not installed",))
    if not store or len(store) > MAX_C2PA:
        return Report(place, "unreadable", failures=("empty" if not store else "larger than its limit",))
    try:
        with (
            _context(c2pa, anchors) as context,
            c2pa.Reader(MIME, io.BytesIO(asset), store, context) as reader,
        ):
            return _report(place, json.loads(reader.json()))
    except (c2pa.C2paError, ValueError) as error:
        return Report(place, "unreadable", failures=(_line(error),))


def _report(place: str, said: dict[str, Any]) -> Report:
    """From the reader's JSON, of which nothing is sure to be there."""
    active = _dict(_dict(said, "manifests"), str(said.get("active_manifest")))
    who = _dict(active, "signature_info")
    actions = [a for each in _list(active, "assertions") for a in _list(_dict(each, "data"), "actions")]
    failures = _list(_dict(_dict(said, "validation_results"), "activeManifest"), "failure")
    codes = dict.fromkeys(str(f.get("code")) for f in failures if f.get("code") != _UNTRUSTED)
    state = {"Trusted": "trusted", "Valid": "untrusted"}.get(str(said.get("validation_state")), "invalid")
    return Report(
        place,
        state,
        signer=_text(who, "common_name"),
        issuer=_text(who, "issuer"),
        actions=tuple(str(a["action"]) for a in actions if "action" in a),
        sources=tuple(
            str(a["digitalSourceType"]).rpartition("/")[2] for a in actions if "digitalSourceType" in a
        ),
        failures=tuple(codes),
    )


def _text(parent: dict[str, Any], name: str) -> str | None:
    found = parent.get(name)
    return found if isinstance(found, str) else None


def _dict(parent: dict[str, Any], name: str) -> dict[str, Any]:
    found = parent.get(name)
    return found if isinstance(found, dict) else {}


def _list(parent: dict[str, Any], name: str) -> list[dict[str, Any]]:
    found = parent.get(name)
    return [each for each in found if isinstance(each, dict)] if isinstance(found, list) else []


def _check_actions(path: object, claim: dict[str, Any]) -> None:
    """A manifest must say how the picture came to be, and only its publisher knows."""
    asserted = [a for a in _list(claim, "assertions") if str(a.get("label")).startswith("c2pa.actions")]
    actions = [a for each in asserted for a in _list(_dict(each, "data"), "actions")]
    first = actions[0].get("action") if actions else None
    if first not in ("c2pa.created", "c2pa.opened"):
        raise ManifestError(
            f"{path}: its first action is not c2pa.created or c2pa.opened",
            hint="docs/trust.md has a manifest to begin with",
        )
    for action in actions:
        source = action.get("digitalSourceType")
        known = isinstance(source, str) and any(source.startswith(s) and source != s for s in _SOURCES)
        if not known and (source is not None or action.get("action") == "c2pa.created"):
            raise ManifestError(
                f"{path}: action {action.get('action')} has no digital source type of IPTC",
                hint=f"for a photograph: {_SOURCES[0]}digitalCapture",
            )


def _completed(claim: dict[str, Any]) -> dict[str, Any]:
    """With what slic has done: it made the file, by another coding of the same picture."""
    tool = {"name": "slic", "version": slic.__version__}
    done = {"action": "c2pa.transcoded", "softwareAgent": tool}
    asserted = [
        {**a, "data": {**a["data"], "actions": [*a["data"]["actions"], done]}}
        if str(a.get("label")).startswith("c2pa.actions") and "actions" in _dict(a, "data")
        else a
        for a in _list(claim, "assertions")
    ]
    return {"claim_generator_info": [tool], "format": MIME, **claim, "assertions": asserted}


def _context(c2pa: Any, anchors: bytes | None) -> Any:
    settings: dict[str, Any] = {"verify": _OFFLINE, "core": {"allowed_network_hosts": []}}
    if anchors is not None:
        settings["trust"] = {"trust_anchors": anchors.decode()}
    return c2pa.Context(c2pa.Settings.from_dict(settings))


def _library() -> Any:
    try:
        import c2pa
    except ImportError:
        raise ManifestError("C2PA needs the package c2pa-python", hint=_HINT) from None
    return c2pa


def _read(path: Path) -> bytes:
    try:
        with path.open("rb") as stream:
            data = stream.read(_MAX_FILE + 1)
    except ValueError:  # a name that no file can have
        raise ManifestError(f"no file can have the name {str(path)!r}") from None
    if len(data) > _MAX_FILE:
        raise ManifestError(f"{path}: larger than {_MAX_FILE} bytes")
    return data


def _line(error: BaseException) -> str:
    return " ".join(str(error).split())[:200] or type(error).__name__
