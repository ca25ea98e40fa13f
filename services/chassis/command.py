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
from services.chassis.crypto.at_rest import KeyUnreadable, Undecryptable, read_key_file
from services.chassis.dead_letters import COMMAND_LINE, SQL, DeadLetters
from services.chassis.failure import Failure
from services.chassis.postgres.migrations import MigrationError, migrate
from services.chassis.postgres.pool import Connection, lone_connection
from services.chassis.settings import ServiceSettings

# New objects until cycles are looked for. Batches make thousands that live for one transaction and form no cycles;
# at Python's 700 each batch would be searched again and again while it is being made.
GARBAGE_AFTER = 20_000

SettingsT = TypeVar("SettingsT", bound=ServiceSettings)
Command = Callable[[SettingsT, argparse.Namespace], Awaitable[int]]


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
    serve: Callable[[SettingsT], Awaitable[bool]],
    extras: Sequence[Extra[SettingsT]] = (),
    argv: Sequence[str] | None = None,
    epilog: str = "",
) -> None:
    """Run the command line of service `name` and exit; its store lies in `services.<name>.store`.

    `epilog` ends its help: what the service takes beside the commands.
    """
    commands: dict[str, Command[SettingsT]] = {
        "serve": _serve(serve),
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
        gc.freeze()  # what was imported stays: no collection needs to look at it again
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


def _serve(serve: Callable[[SettingsT], Awaitable[bool]]) -> Command[SettingsT]:
    async def command(settings: SettingsT, _: argparse.Namespace) -> int:
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
    """List letters, or show, redrive or discard one. What is inside may be personal: it is shown to a person alone."""
    letters = DeadLetters(read_key_file(settings.key_file), days=settings.dead_letter_days)
    async with lone_connection(settings.database_url.get_secret_value(), name="dead-letters") as connection:
        if arguments.action == "list":
            _print([dict(row) for row in await connection.fetch(SQL["page"], None, None, 1_000)])
            return 0
        if arguments.number is None:
            msg = "say which dead letter: its number is in `dead-letters list`"
            raise Failure(msg)
        if arguments.action == "show":
            return await _show(connection, letters, arguments.number)
        work = letters.redrive if arguments.action == "redrive" else letters.discard
        async with connection.transaction():
            if not await work(connection, arguments.number, actor=COMMAND_LINE):
                msg = "there is no such dead letter, or it was dealt with already, or it cannot be sent again"
                raise Failure(msg)
        return 0


async def _show(connection: Connection, letters: DeadLetters, number: int) -> int:
    row = await connection.fetchrow(SQL["whole"], number)
    if row is None:
        msg = "there is no such dead letter"
        raise Failure(msg)
    try:
        letter = letters.open(row)
    except Undecryptable:
        msg = "sealed under another key: point HABEAS_KEY_FILE at the one it was written with"
        raise Failure(msg) from None
    shown = {name: value for name, value in dict(row).items() if name != "sealed"}
    shown["key"] = _text(letter.key)
    shown["headers"] = {name: _text(value) for name, value in letter.headers}
    shown["value"] = _text(letter.value)
    _print(shown)
    return 0


async def _consumers(settings: ServiceSettings, arguments: argparse.Namespace) -> int:
    async with lone_connection(settings.database_url.get_secret_value(), name="consumers") as connection:
        if arguments.action == "list":
            _print([dict(row) for row in await connection.fetch(SQL["consumers"])])
            return 0
        if not arguments.name or await connection.fetchval(SQL["resume"], arguments.name) is None:
            msg = "say which consumer: its name is in `consumers list`"
            raise Failure(msg)
        return 0


def _text(raw: bytes | None) -> str | None:
    return None if raw is None else raw.decode("utf-8", "backslashreplace")


def _print(value: object) -> None:
    print(json.dumps(value, default=str, indent=2))


def _variable(loc: tuple[int | str, ...]) -> str:
    return f"HABEAS_{str(loc[0]).upper()}" if loc else "settings"


def _complain(message: str) -> int:
    print(message, file=sys.stderr)
    return 2
