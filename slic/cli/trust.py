"""slic keygen, sign, strip, verify: who made a file, and whether it is still what they made. No torch."""

import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from slic.cli import messages, options, signing, verdicts, work
from slic.cli.plan import STREAM, Job, Takes, files_of_slic, plan, sources
from slic.errors import KeyFileError

if TYPE_CHECKING:
    from slic.trust.c2pa import Report
    from slic_formats import Container


@click.command()
@click.argument("name", type=click.Path(path_type=Path))
@click.option("--comment", default="", metavar="TEXT", help="Whose key it is, for people; not trusted.")
@click.option("--no-passphrase", is_flag=True, help="Who reads the private key's file can sign.")
@options.passphrase_file
def keygen(name: Path, comment: str, no_passphrase: bool, passphrase_file: str | None) -> None:
    """Make a key pair: NAME.key signs, NAME.pub verifies.

    \b
    Examples:
      slic keygen press                            press.key and press.pub
      slic keygen press --comment "Example Press"  says so in press.pub
    """
    from slic.trust import keys

    if fault := keys.line_fault(comment):
        raise click.BadParameter(fault, param_hint="--comment")
    if no_passphrase and passphrase_file:
        raise click.UsageError("--no-passphrase and --passphrase-file exclude each other")
    passphrase = None if no_passphrase else signing.new_passphrase(passphrase_file)
    key = keys.make()
    try:
        private, public = keys.save(key, name, passphrase=passphrase, comment=comment)
    except FileExistsError as error:
        raise KeyFileError(
            f"{error.filename} exists already", hint="keys are never overwritten; give another name"
        ) from error
    how = "not locked" if passphrase is None else "locked by the passphrase"
    click.echo(f"{messages.name(private)}: private key, {how}: keep it secret, and keep a copy")
    click.echo(f"{messages.name(public)}: public key {key.public.id.hex()}, for all who verify")


@click.command()
@options.inputs
@options.outputs
@options.signer("--key", required=True)
@options.as_json
@click.pass_context
def sign(ctx: click.Context, /, inputs: tuple[str, ...], **shared: Any) -> None:
    """Sign each of FILES as it is; a signature that is there is replaced.

    \b
    Examples:
      slic sign photo.slic --key press.key            writes photo.signed.slic
      slic sign -r out/ -o signed/ --key press.key    a folder
      slic sign a.slic --key hsm.pub --sign-with ./hsm-sign    the key stays where it is
    """
    from slic.reading import read
    from slic_formats import parse

    settings, jobs = _plan(inputs, shared, ".signed.slic")
    signed = signing.Signing.chosen(shared) if jobs else None

    def make(job: Job, result: work.Result) -> bytes:
        assert signed is not None
        data = signed.apply(read(_source(job)), result)
        _measure(result, data, parse(data))
        return data

    ctx.exit(work.run(jobs, make, settings))


@click.command()
@options.inputs
@options.outputs
@click.option("--exif", is_flag=True, help="Drop EXIF: camera, time, place.")
@click.option("--xmp", is_flag=True, help="Drop XMP: captions, names, history.")
@options.as_json
@click.pass_context
def strip(ctx: click.Context, /, inputs: tuple[str, ...], exif: bool, xmp: bool, **shared: Any) -> None:
    """Drop metadata from each of FILES. A signature holds on, and verify tells what was removed.

    \b
    Examples:
      slic strip --exif photo.slic                 writes photo.stripped.slic
      slic strip --exif --xmp -r out/ -o public/   a folder
    """
    from slic.reading import read
    from slic.trust import signature
    from slic_formats import parse, serialise

    if not (exif or xmp):
        raise click.UsageError("--exif or --xmp says what to drop")
    settings, jobs = _plan(inputs, shared, ".stripped.slic")

    def make(job: Job, result: work.Result) -> bytes:
        container, gone = signature.strip(parse(read(_source(job))), exif=exif, xmp=xmp)
        data = serialise(container)
        missing = [n for n, asked in (("EXIF", exif), ("XMP", xmp)) if asked and n not in gone]
        result.warnings += [f"there is no {n} to drop" for n in missing]
        _measure(result, data, container)
        result.facts["removed"] = gone
        return data

    ctx.exit(work.run(jobs, make, settings))


@click.command()
@options.inputs
@options.recursive
@click.option("--key", "keys", multiple=True, metavar="PUB", help="A public key that is trusted.")
@click.option(
    "--keys",
    "folders",
    multiple=True,
    metavar="DIR",
    help="A folder of them; SLIC_KEYS where neither is given.",
)
@options.c2pa_anchors
@options.as_json
@click.pass_context
def verify(
    ctx: click.Context,
    /,
    inputs: tuple[str, ...],
    recursive: bool,
    keys: tuple[str, ...],
    folders: tuple[str, ...],
    c2pa_anchors: str | None,
    as_json: bool,
) -> None:
    """Say of each of FILES whether it is what a trusted key has signed.

    The verdict is valid, altered, unsigned, unknown signer or revoked. Exit code 0 if all are valid, 3 if one
    is anything else, 1 if one cannot be read. C2PA manifests, in the file and in NAME.c2pa beside it, are
    reported too; they change neither.

    \b
    Examples:
      slic verify photo.slic --key press.pub       one key
      slic verify -r out/ --keys trusted/ --json   folders of files and keys, one JSON object a file
    """
    from slic.reading import read
    from slic.trust.keys import trusted
    from slic.trust.verdict import judge as judged
    from slic_formats import parse

    named = (*keys, *folders) or tuple(filter(None, os.environ.get("SLIC_KEYS", "").split(os.pathsep)))
    if not named:
        raise click.UsageError("--key or --keys must say who is trusted: a signature alone proves nothing")
    known = trusted(named)
    anchors = None
    if c2pa_anchors is not None:
        from slic.trust.c2pa import load_anchors

        anchors = load_anchors(c2pa_anchors)

    def judge(name: str) -> verdicts.Judged:
        data = read(sys.stdin.buffer if name == STREAM else name)
        verdict, manifests = judged(parse(data), known), _manifests(name, data, anchors)
        facts = {**verdict.as_dict(), "c2pa": [manifest.as_dict() for manifest in manifests]}
        return verdict.valid, [str(verdict), *map(str, manifests)], facts

    ctx.exit(verdicts.run(sources(inputs, files_of_slic(recursive)), judge, as_json=as_json))


def _manifests(name: str, data: bytes, anchors: bytes | None) -> "tuple[Report, ...]":
    from slic.trust import c2pa

    return c2pa.check(data, None if name == STREAM else c2pa.read_sidecar(Path(name)), anchors)


def _plan(inputs: tuple[str, ...], shared: dict[str, Any], suffix: str) -> tuple[work.Settings, list[Job]]:
    """`suffix` keeps apart what lies beside its input; elsewhere the name stays."""
    names = ("force", "skip_existing", "as_json")
    settings = work.Settings(**{n: shared[n] for n in names}, networks=False)
    takes = files_of_slic(shared["recursive"])
    if shared["output"]:
        suffix = ".slic"
    elif takes is not None:  # what an earlier run has made is no input
        takes = _but(takes, suffix)
    jobs = plan(inputs, shared["output"], suffix, takes)
    settings.check(jobs)
    return settings, jobs


def _but(takes: Takes, suffix: str) -> Takes:
    return lambda name: takes(name) and not name.endswith(suffix)


def _source(job: Job) -> Any:
    return sys.stdin.buffer if job.source == STREAM else job.source


def _measure(result: work.Result, data: bytes, container: "Container") -> None:
    work.measure(result, len(data), container.header.width, container.header.height)
