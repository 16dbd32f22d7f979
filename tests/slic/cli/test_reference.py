import re
from pathlib import Path

import click
import pytest

from slic.cli.reference import commands, page

ROOT = Path(__file__).parents[3]
ALL = list(commands())


def test_the_page_is_what_the_help_says() -> None:
    assert (ROOT / "docs" / "cli.md").read_text() == page()


@pytest.mark.parametrize("ctx", ALL, ids=lambda ctx: ctx.command_path)
def test_each_command_is_documented_with_two_examples(ctx: click.Context) -> None:
    said = ctx.command.help or ""
    first, _, examples = said.partition("Examples:\n")
    assert re.match(r"[A-Z].+\.\n", first)
    assert len([line for line in examples.splitlines() if ctx.command_path in line]) >= 2


@pytest.mark.parametrize("ctx", ALL, ids=lambda ctx: ctx.command_path)
def test_each_choice_is_explained(ctx: click.Context) -> None:
    options = [p for p in ctx.command.params if isinstance(p, click.Option)]
    assert [o.name for o in options if not o.help] == []
