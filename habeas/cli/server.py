"""Which server a command talks to, and the options that say so, given to every command that talks."""

import inspect
from collections.abc import Callable
from functools import wraps
from pathlib import Path
from typing import Annotated, Any

import typer

from habeas.cli.mistakes import Mistake
from habeas.cli.output import Output
from habeas.client import Habeas

PANEL = "Server"

Url = Annotated[
    str | None,
    typer.Option("--url", envvar="HABEAS_URL", help="Where Habeas listens.", rich_help_panel=PANEL, show_default=False),
]
Key = Annotated[
    str | None,
    typer.Option(
        "--key",
        envvar="HABEAS_API_KEY",
        help="API key. Others can see it in the process list: better set HABEAS_API_KEY.",
        rich_help_panel=PANEL,
        show_default=False,
        show_envvar=True,
    ),
]
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON, for programs.")]


def connect(url: str | None, key: str | None) -> Habeas:
    """Return a client for what was given, the environment said, or the local stack that `habeas up` started."""
    if not (url and key):
        local_url, local_key = _local_stack()
        # A key belongs to its server: the local stack's key never goes to an address given by hand.
        if url is None:
            url, key = local_url, key or local_key
        elif url.rstrip("/") == local_url:
            key = local_key
    if not url:
        raise Mistake(
            "no server: say --url and --key, set HABEAS_URL and HABEAS_API_KEY, or start one with `habeas up`"
        )
    if not url.startswith(("http://", "https://")):
        raise Mistake("the server's address must start with http:// or https://")
    if not key:
        raise Mistake("no API key: set HABEAS_API_KEY or say --key")
    if not (key.isascii() and key.isprintable()):
        raise Mistake("that is no API key: it has characters that no key has")
    return Habeas(url, key=key)


def talks(command: Callable[..., None]) -> Callable[..., None]:
    """Give a command a client and an `Output`, and the options `--url`, `--key` and `--json` that make them.

    The command takes them as its first two parameters, named `habeas` and `out`.
    """
    signature = inspect.signature(command)
    _, _, *own = signature.parameters.values()
    options = [_option("url", Url, None), _option("key", Key, None), _option("as_json", AsJson, False)]

    @wraps(command)
    def told(*, url: str | None, key: str | None, as_json: bool, **rest: Any) -> None:
        with connect(url, key) as habeas:
            command(habeas, Output(as_json=as_json), **rest)

    parameters = [*(parameter.replace(kind=inspect.Parameter.KEYWORD_ONLY) for parameter in own), *options]
    told.__signature__ = signature.replace(parameters=parameters)  # type: ignore[attr-defined]
    told.__annotations__ = {parameter.name: parameter.annotation for parameter in parameters}
    return told


def _option(name: str, annotation: Any, default: Any) -> inspect.Parameter:
    return inspect.Parameter(name, inspect.Parameter.KEYWORD_ONLY, default=default, annotation=annotation)


def local_processors(url: str) -> Path | None:
    """Return the folder of processors that the local stack's connector host watches, if `url` is that stack's."""
    if _local_stack()[0] != url:
        return None
    from habeas.local.home import Home

    return Home().processors


def _local_stack() -> tuple[str | None, str | None]:
    """Return address and key of the local stack that runs in `$HABEAS_HOME` or `.habeas`, if one does."""
    try:
        from habeas.local import state
        from habeas.local.home import Home
    except ModuleNotFoundError:  # without habeas[local] there is none
        return None, None
    found = state.read(Home().state)
    return (found.url, found.key) if found is not None and found.running else (None, None)
