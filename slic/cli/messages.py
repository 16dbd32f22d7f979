"""What is said on stderr: one line, prefixed, lower case; hints on lines of their own."""

import traceback
from pathlib import Path
from typing import Any

import click

_CLICKS_OWN = ("No such", "Missing", "Invalid", "Got", "Option", "Expected", "Could")


def line(text: str) -> None:
    click.echo(f"slic: {plain(text)}", err=True)


def warning(text: str) -> None:
    line(f"warning: {text}")


def hint(text: str | None) -> None:
    if text:
        line(f"hint: {text}")


def plain(text: str) -> str:
    """Text from a file or its name, which cannot move the cursor or start a line of its own."""
    return "".join(c if c.isprintable() else f"\\u{ord(c):04x}" for c in text)


def name(path: str | Path) -> str:
    return plain(click.format_filename(path))


def describe(error: BaseException, about: str | None = None) -> str:
    """One line for what went wrong; a file is named only when it is another than `about`."""
    if isinstance(error, MemoryError):
        return "not enough memory"
    if not isinstance(error, OSError) or not error.strerror:
        return " ".join(str(error).split()) or type(error).__name__
    reason = error.strerror[:1].lower() + error.strerror[1:]
    named = error.filename2 or error.filename
    if named is None or str(named) == about:
        return reason
    return f"{click.format_filename(named)}: {reason}" if isinstance(named, str) else reason


def failure(error: BaseException, about: str | None = None) -> None:
    """Say that `about`, or all of it, failed."""
    where = "" if about is None else f"{click.format_filename(about)}: "
    line(where + describe(error, about))
    hint(_way_on(error))
    _trace(error)


def facts(error: BaseException, about: str | None = None) -> dict[str, Any]:
    """What JSON says of a failure."""
    return {"error": describe(error, about), "hint": _way_on(error)}


def _way_on(error: BaseException) -> str | None:
    """The error's hint; every command that may find its output there can overwrite it."""
    return "--force overwrites it" if isinstance(error, FileExistsError) else getattr(error, "hint", None)


def internal(error: BaseException) -> None:
    again = "" if _debugging() else "; run with --debug to see where"
    line(f"internal error: {describe(error)}{again}")
    _trace(error)


def usage(error: click.ClickException) -> int:
    """Say what is wrong with the command line; the exit code."""
    if type(error).__name__ == "NoArgsIsHelpError":  # click ≥ 8.2
        error.show()
        return error.exit_code
    text = error.format_message().rstrip(".")
    # click's own begin with a capital; ours may begin with the name of a file
    line(text[:1].lower() + text[1:] if text.startswith(_CLICKS_OWN) else text)
    ctx = getattr(error, "ctx", None)
    if ctx is not None:
        hint(getattr(error, "hint", None) or f"{ctx.command_path} --help")
    return error.exit_code


def _debugging() -> bool:
    ctx = click.get_current_context(silent=True)
    return bool(ctx and ctx.find_root().params.get("debug"))


def _trace(error: BaseException) -> None:
    if _debugging():
        click.echo("".join(traceback.format_exception(error)), err=True, nl=False)
