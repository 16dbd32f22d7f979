"""Options that several commands share, one decorator each."""

import functools
from collections.abc import Callable
from typing import Any, TypeVar

import click

Command = TypeVar("Command", bound=Callable[..., Any])

as_json = click.option("--json", "as_json", is_flag=True, help="Print one JSON object a line.")
force = click.option("--force", is_flag=True, help="Overwrite an existing file.")
inputs = click.argument("inputs", nargs=-1, required=True, metavar="FILES...")
pictures = click.argument("inputs", nargs=-1, required=True, metavar="PICTURES...")


def _together(*options: Callable[[Command], Command]) -> Callable[[Command], Command]:
    """One decorator from several; the help shows them in this order."""
    return lambda command: functools.reduce(lambda c, option: option(c), reversed(options), command)


recursive = click.option("-r", "--recursive", is_flag=True, help="Go through folders; hidden files stay out.")


def outputs(command: Command) -> Command:
    """Where results go, and what becomes of those that are there."""
    add: Callable[[Command], Command] = _together(
        click.option("-o", "--output", metavar="FILE|DIR", help="Where to write; - is standard output."),
        recursive,
        click.option("--force", is_flag=True, help="Overwrite existing files."),
        click.option("--skip-existing", is_flag=True, help="Leave existing files, and count them as done."),
    )
    return add(command)


def machine(command: Command) -> Command:
    """How the machine is used, for many inputs at a time."""
    jobs = click.option(
        "-j",
        "--jobs",
        type=click.IntRange(min=0),
        default=1,
        metavar="N",
        help="Inputs at a time; 0 is one a core.",
    )
    add: Callable[[Command], Command] = _together(jobs, networks)
    return add(command)


def networks(command: Command) -> Command:
    """How the machine is used, one input after the other."""
    add: Callable[[Command], Command] = _together(
        click.option("--threads", type=click.IntRange(1, 1024), metavar="N", help="Threads for each input."),
        click.option(
            "--device",
            type=click.Choice(["auto", "cpu", "cuda"]),
            default="auto",
            help="auto is cuda where there is one.",
        ),
        click.option(
            "--precision",
            type=click.Choice(["auto", "fp32", "bf16"]),
            default="auto",
            help="auto is bf16 where machine and model are made for it.",
        ),
        click.option("--max-pixels", type=click.IntRange(min=1), metavar="N", help="Refuse larger pictures."),
    )
    return add(command)


verify = click.option(
    "--verify", multiple=True, metavar="KEYS", help="Public key, or folder of them: decode nothing else."
)

c2pa_anchors = click.option(
    "--c2pa-anchors", metavar="PEM", help="Certificates whose C2PA manifests are trusted."
)


def signer(flag: str, *, required: bool) -> Callable[[Command], Command]:
    """The key that signs, and how to get at it."""
    return _together(
        click.option(
            flag,
            "key",
            metavar="KEY",
            required=required,
            help="Private key; with --sign-with, its public one.",
        ),
        click.option("--sign-with", metavar="COMMAND", help="Signs standard input: 64 bytes on its output."),
        click.option("--comment", default="", metavar="TEXT", help="Signed too, and shown by verify."),
        passphrase_file,
    )


passphrase_file = click.option(
    "--passphrase-file",
    envvar="SLIC_PASSPHRASE_FILE",
    metavar="FILE",
    help="Its first line unlocks the key; else the terminal asks.",
)
