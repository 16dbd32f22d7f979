"""slic serve: the codec and the checks over HTTP."""

import os
from pathlib import Path
from typing import Any

import click

from slic.cli import messages, options, signing, verdicts
from slic.errors import ExtraError, KeyFileError

_LOOPBACK = ("localhost", "127.0.0.1", "::1")


@click.command()
@click.option("--host", default="127.0.0.1", show_default=True, help="Address to listen at.")
@click.option("--port", type=click.IntRange(0, 65535), default=8000, show_default=True, help="And its port.")
@click.option(
    "--allow-host",
    "hosts",
    multiple=True,
    metavar="NAME",
    help="A name by which browsers and proxies call it, besides localhost's.",
)
@click.option(
    "--token-file",
    envvar="SLIC_TOKEN_FILE",
    type=click.Path(dir_okay=False, path_type=Path),
    metavar="FILE",
    help="Its first line has to be borne by every request; else SLIC_TOKEN, else none.",
)
@click.option("-q", "--quality", type=click.IntRange(1, 8), help="To encode with where a request names none.")
@click.option("-m", "--model", metavar="MODEL", help="A model's name or file.")
@click.option(
    "--key", "keys", multiple=True, metavar="KEYS", help="Public key that is trusted, or folder of them."
)
@options.c2pa_anchors
@options.signer("--sign", required=False)
@click.option(
    "--policy",
    type=click.Path(dir_okay=False, path_type=Path),
    metavar="TOML",
    help="What /gate judges by.",
)
@click.option(
    "--max-bytes", type=click.IntRange(min=1), metavar="N", help="Refuse larger uploads; else 64 MiB."
)
@click.option("--queue", type=click.IntRange(min=1), metavar="N", help="Requests at a time; else 64.")
@click.option("--batch", type=click.IntRange(min=1), metavar="N", help="Pictures in a forward pass; else 8.")
@click.option(
    "--timeout",
    type=click.FloatRange(min=0, min_open=True),
    metavar="SECONDS",
    help="For an upload, and again for its work; else 60.",
)
@options.networks
def serve(host: str, port: int, **chosen: Any) -> None:
    """Serve pictures over HTTP: encode, decode, check, and a page at / to drop a picture on.

    It listens on this machine alone unless --host says otherwise; docs/service.md says how to put it behind a
    proxy. Ctrl-C ends it once all accepted requests are answered. With --sign, all that /encode makes is
    signed: whoever may ask has a signature of that key.

    \b
    Examples:
      slic serve                                            a page at http://127.0.0.1:8000/
      slic serve --key trusted/ --policy newsroom.toml      with signatures, and /gate
      slic serve --sign press.key --token-file token        /encode signs, for those who have the token
      slic serve --host 0.0.0.0 --allow-host slic.example.org --token-file token
    """
    try:
        from slic.serve import server
    except ModuleNotFoundError as error:
        if (error.name or "").startswith("slic"):
            raise
        raise ExtraError("slic serve needs more packages", hint="pip install 'slic[serve]'") from None
    settings = _settings(chosen)
    if settings.token is None and (settings.signer or host not in _LOOPBACK):
        use = "have pictures signed" if settings.signer else "use it"
        messages.warning(f"whoever reaches this address may {use}; --token-file asks them for a token")
    server.run(settings, host, port)


def _settings(chosen: dict[str, Any]) -> Any:
    from slic.serve.settings import LOOPBACK, Settings
    from slic.trust.c2pa import load_anchors
    from slic.trust.keys import trusted
    from slic.trust.policy import load

    verdicts.set_up(chosen)
    signed = signing.Signing.chosen(chosen)
    of_signing = ("key", "sign_with", "comment", "passphrase_file")
    given = {name: v for name, v in chosen.items() if v is not None and name not in of_signing}
    policy, token = given.pop("policy", None), _token(given.pop("token_file", None))
    anchors = given.pop("c2pa_anchors", None)
    return Settings(
        **given
        | {
            "keys": trusted(given["keys"]),
            "hosts": (*LOOPBACK, *given["hosts"]),
            "anchors": load_anchors(anchors) if anchors else None,
            "policy": load(policy) if policy else None,
            "token": token,
            "signer": signed.signer if signed else None,
            "comment": signed.comment if signed else "",
        }
    )


def _token(file: Path | None) -> str | None:
    if file is None:
        return os.environ.get("SLIC_TOKEN") or None
    line = file.read_text(encoding="utf-8").partition("\n")[0].strip()
    if not line:
        raise KeyFileError(f"{file}: its first line is no token, but empty")
    return line
