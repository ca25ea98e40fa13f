"""What an operator does at the command line of a service: look through dead letters, resume a consumer."""

import argparse
import json

from services.chassis.crypto.at_rest import Undecryptable, read_key_file
from services.chassis.dead_letters import COMMAND_LINE, SQL, DeadLetters
from services.chassis.failure import Failure
from services.chassis.postgres.pool import Connection, lone_connection
from services.chassis.settings import ServiceSettings


async def dead_letters(settings: ServiceSettings, arguments: argparse.Namespace) -> int:
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


async def consumers(settings: ServiceSettings, arguments: argparse.Namespace) -> int:
    """List consumers, or resume one that halted."""
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
