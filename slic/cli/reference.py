"""Prints docs/cli.md: python -m slic.cli.reference > docs/cli.md"""

from collections.abc import Iterator

import click

from slic.cli import program

_HEAD = """# Command line

Made from the help of each command by `python -m slic.cli.reference > docs/cli.md`; a test fails when it
is stale.

Results go to standard output, all else to standard error. Exit codes: 0 all well, also when there was
nothing to do; 1 some input failed, the others are done; 2 the command line is wrong, and nothing was
written; 3 a verdict is negative, which outweighs a failure; 130 interrupted.

Outputs lie beside their inputs unless `-o` says where. `-o` names a folder when there is such a folder,
when it ends in `/`, or when there are several inputs; else it names a file. `-` is standard input or
output. In folders, `-r` takes what Pillow can read (encode) or `.slic` files (decode), but no hidden file;
`sign` and `strip` without `-o` leave out what they have made before.

An output is called after its input, without the suffix: `a.slic` from `a.png`. Inputs of one run whose
outputs would share a name keep their suffixes, all of them: `a.png.slic` and `a.jpg.slic`. So their order
does not matter, none is written over another, and `--skip-existing` skips none because of another. When
`a.jpg` comes only later, the next run over both makes these two, and `a.slic` stays. Two runs, each on one of
them, know nothing of each other: the second finds `a.slic` there. Outputs that still share a name, from two
folders into one, are refused before anything is written.

With `--json` each input gives one object on a line: `input`, `output`, `ok`, then `bytes` and `bpp` of the
`.slic` file, `width`, `height`, `model`, `seconds`, `warnings`; or `error` and `hint`; or `skipped`. With
`slic decode` each has `signed`, too: by whom, and whether it holds, stands beside it only with `--verify`.

With `slic verify --json` each has `input`, `ok` (whether it is valid), `verdict`, `key`, `signer`, `comment`,
`removed`, `changed`, `reason`, a list `c2pa` and `seconds`; or `error` and `hint`, if it cannot be read. See
[trust.md](trust.md).

With `slic detect --json` each has `input`, `ok` (whether it could be read), `answer` (`real`, `generated` or
`unsure`), `reason`, `probability` (or null), `drivers` (`feature`, and its `weight` in log odds), `model`,
`seconds` and a `note`: a probability is no proof. See [detecting.md](detecting.md).

With `slic check --json` each has `input`, `ok` (whether it is untouched), `finding`, `reason`, `model`,
`edited` and `own` (shares of the picture), `boxes` (left, top, right, bottom of each edited region), `map`
and `seconds`. With `slic gate --json` each is a Trust Report: `indicators` (facts on `file`, `container`,
`signature`, `c2pa`, `tamper`), then `policy`, `rules` (`rule`, `outcome`, `because`) and `verdict`;
`ok` means pass.

`SLIC_MODELS` names folders to look for models in, before the user's own and the embedded ones. `SLIC_KEYS`
names folders of public keys, `SLIC_PASSPHRASE_FILE` the file whose first line unlocks a private key.
"""


def commands(ctx: click.Context | None = None) -> Iterator[click.Context]:
    """A context for the program and each command and subcommand, in the order of the help."""
    # The width is fixed so that the page does not depend on whose terminal made it.
    if ctx is None:
        ctx = click.Context(program, info_name="slic", terminal_width=100, **program.context_settings)
    yield ctx
    if isinstance(ctx.command, click.Group):
        for name in ctx.command.list_commands(ctx):
            command = ctx.command.get_command(ctx, name)
            assert command is not None
            yield from commands(click.Context(command, ctx, name, terminal_width=100))


def page() -> str:
    sections = (f"## {ctx.command_path}\n\n```\n{ctx.get_help()}\n```\n" for ctx in commands())
    return "\n".join((_HEAD, *sections))


if __name__ == "__main__":
    click.echo(page(), nl=False)
