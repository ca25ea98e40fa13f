"""The commands that every service has: serve, migrate, dead-letters and consumers; a service adds its own."""

import argparse
import gc
import json
import logging
import os
import sys
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Any, Generic, NoReturn, TypeVar

import asyncpg
import uvloop
from pydantic import ValidationError

from services.chassis import faultpoints, log, tracing
from services.chassis.crypto.at_rest import KeyUnreadable
from services.chassis.failure import Failure
from services.chassis.postgres.migrations import MigrationError, migrate
from services.chassis.settings import ServiceSettings

# New objects until cycles are looked for. Batches make thousands that live for one transaction and form no cycles;
# at Python's 700 each batch would be searched again and again while it is being made.
GARBAGE_AFTER = 20_000

SettingsT = TypeVar("SettingsT", bound=ServiceSettings)
Command = Callable[[SettingsT, argparse.Namespace], Awaitable[int]]
Serve = Callable[[SettingsT], Awaitable[bool]]


@dataclass(frozen=True, slots=True)
class Extra(Generic[SettingsT]):
    """A command of one service alone. `arguments` adds its own to the parser."""

    name: str
    help: str
    run: Command[SettingsT]
    arguments: Callable[[argparse.ArgumentParser], None] = lambda _: None


def run_service(
    name: str,
    settings: type[SettingsT],
    app: Callable[[], Serve[SettingsT]],
    extras: Sequence[Extra[SettingsT]] = (),
    argv: Sequence[str] | None = None,
    epilog: str = "",
) -> None:
    """Run the command line of service `name` and exit; its store lies in `services.<name>.store`.

    `app` imports the service and returns what serves it: the other commands do without, and start in half the time.
    `epilog` ends its help: what the service takes beside the commands.
    """
    commands: dict[str, Command[SettingsT]] = {
        "serve": _serve(app),
        "migrate": _migrate(name),
        "dead-letters": _dead_letters,
        "consumers": _consumers,
        **{extra.name: extra.run for extra in extras},
    }
    arguments = _parser(name, extras, epilog).parse_args(argv)
    try:
        loaded = settings()
        log.configure(name, loaded.log_level)
        faultpoints.arm(loaded.faultpoint, environment=loaded.environment)
        tracing.configure(name, endpoint=loaded.otlp_endpoint)
        gc.set_threshold(GARBAGE_AFTER)
        code = uvloop.run(_awaited(commands[arguments.command](loaded, arguments)))
    except ValidationError as error:
        code = _complain("; ".join(f"{_variable(one['loc'])}: {one['msg']}" for one in error.errors()))
    except (Failure, KeyUnreadable, MigrationError, ValueError) as error:
        code = _complain(str(error))
    except (asyncpg.PostgresError, OSError) as error:
        code = _complain(f"PostgreSQL: {log.describe(error)}: is it up, and is its URL right?")
    tracing.shutdown()
    leave(code)


def leave(code: int) -> NoReturn:
    """End the process with `code` once everything is closed, without taking the interpreter apart.

    The object store's threads know nothing of Python's end: one that is just about to tell its last result then aborts
    the process, and a clean stop looks like a crash (PyO3/pyo3-async-runtimes issue 40).
    """
    logging.shutdown()
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(code)


async def _awaited(work: Awaitable[int]) -> int:
    return await work


def _parser(name: str, extras: Sequence[Extra[Any]], epilog: str) -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog=f"python -m services.{name}",
        description="Settings come from the environment, each with HABEAS_ before it.",
        epilog=epilog,
    )
    commands = parser.add_subparsers(dest="command", required=True)
    commands.add_parser("serve", help="run the service until SIGTERM")
    migrating = commands.add_parser("migrate", help="bring the service's schema up to date with the owner's role")
    migrating.add_argument(
        "--phase", choices=["pre", "post", "all"], default="all", help="pre: before the new code starts"
    )
    letters = commands.add_parser("dead-letters", help="records that could not be taken")
    letters.add_argument("action", choices=["list", "show", "redrive", "discard"])
    letters.add_argument("number", type=int, nargs="?", help="which, for all but list")
    consumers = commands.add_parser("consumers", help="list consumers, or resume one that halted")
    consumers.add_argument("action", choices=["list", "resume"])
    consumers.add_argument("name", nargs="?", help="which, for resume")
    for extra in extras:
        extra.arguments(commands.add_parser(extra.name, help=extra.help))
    return parser


def _serve(app: Callable[[], Serve[SettingsT]]) -> Command[SettingsT]:
    async def command(settings: SettingsT, _: argparse.Namespace) -> int:
        serve = app()
        gc.freeze()  # what was imported stays: no collection needs to look at it again
        return 0 if await serve(settings) else 1

    return command


def _migrate(name: str) -> Command[SettingsT]:
    async def command(settings: SettingsT, arguments: argparse.Namespace) -> int:
        if settings.postgres_url is None:
            msg = "set HABEAS_POSTGRES_URL to the owner's URL: the service's own role may not change the schema"
            raise Failure(msg)
        done = await migrate(
            owner_url=settings.postgres_url.get_secret_value(),
            service_url=settings.database_url.get_secret_value(),
            service=name,
            package=f"services.{name}.store",
            phases=("pre", "post") if arguments.phase == "all" else (arguments.phase,),
        )
        print(json.dumps({"service": name, "migrations_run": done}))
        return 0

    return command


async def _dead_letters(settings: ServiceSettings, arguments: argparse.Namespace) -> int:
    from services.chassis import operating

    return await operating.dead_letters(settings, arguments)


async def _consumers(settings: ServiceSettings, arguments: argparse.Namespace) -> int:
    from services.chassis import operating

    return await operating.consumers(settings, arguments)


def _variable(loc: tuple[int | str, ...]) -> str:
    return f"HABEAS_{str(loc[0]).upper()}" if loc else "settings"


def _complain(message: str) -> int:
    print(message, file=sys.stderr)
    return 2
