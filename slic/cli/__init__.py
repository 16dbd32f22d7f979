"""The command line: which commands there are, how they end.

Exit codes: 0 all well, 1 some input failed, 2 usage, 3 a verdict is negative, 130 interrupted.
A command's module is imported when the command is asked for, so that `slic info` loads no torch.
"""

import sys
import warnings
from importlib import import_module
from typing import Any

import click

import slic
from slic.cli import messages
from slic.errors import SlicError

COMMANDS = {
    "encode": "slic.cli.coding",
    "decode": "slic.cli.coding",
    "info": "slic.cli.inspect",
    "models": "slic.cli.models",
    "keygen": "slic.cli.trust",
    "sign": "slic.cli.trust",
    "strip": "slic.cli.trust",
    "verify": "slic.cli.trust",
    "check": "slic.cli.checking",
    "detect": "slic.cli.detecting",
    "gate": "slic.cli.gating",
    "report": "slic.cli.reporting",
    "serve": "slic.cli.serving",
    "fleet": "slic.cli.fleet",
}
INTERRUPTED = 130


class Program(click.Group):
    """Imports commands when they are named, and ends in one line whatever happens."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in COMMANDS:
            return None
        command = getattr(import_module(COMMANDS[cmd_name]), cmd_name)
        assert isinstance(command, click.Command)
        return command

    def main(self, *args: Any, **kwargs: Any) -> Any:
        kwargs |= {"standalone_mode": False, "prog_name": "slic"}
        try:
            code = super().main(*args, **kwargs)
        except click.ClickException as error:
            code = messages.usage(error)
        except click.Abort:
            code = INTERRUPTED
        sys.exit(code if isinstance(code, int) else 0)

    def invoke(self, ctx: click.Context) -> Any:
        try:
            return super().invoke(ctx)
        except (click.ClickException, click.exceptions.Exit, click.Abort, BrokenPipeError):
            raise  # click's own, and the reader of a pipe who has gone
        except KeyboardInterrupt:
            ctx.exit(INTERRUPTED)
        except (SlicError, OSError, MemoryError) as error:
            messages.failure(error)
            ctx.exit(1)
        except Exception as error:  # the last line of defence: a user is never shown a traceback
            messages.internal(error)
            ctx.exit(1)


@click.command(cls=Program, context_settings={"help_option_names": ["-h", "--help"]})
@click.option("--debug", is_flag=True, help="Show where an error comes from.")
@click.version_option(slic.__version__, prog_name="slic", message="%(prog)s %(version)s")
def program(debug: bool) -> None:
    """Encode and decode pictures that do not survive being edited and encoded again.

    \b
    Examples:
      slic encode photo.png       writes photo.slic
      slic decode photo.slic      writes photo.png
    """


def run() -> None:
    # Libraries warn with a file and a line of theirs; a user is told the matter.
    warnings.showwarning = lambda message, *_, **__: messages.warning(" ".join(str(message).split()))
    program.main()
