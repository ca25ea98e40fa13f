"""The orchestrator's commands: `python -m services.orchestrator serve | migrate | bootstrap-key | ...`."""

import argparse
import base64
import json

from contracts.topics import NOTIFIER
from habeas.vocabulary import Scope
from services.chassis.command import Extra, Serve, run_service
from services.chassis.crypto.root import RootKey
from services.chassis.postgres.pool import Database
from services.orchestrator.handlers.directory import NOTIFIER_ENROLMENT
from services.orchestrator.handlers.issue_key import bootstrap_key
from services.orchestrator.settings import OrchestratorSettings


async def _bootstrap_key(settings: OrchestratorSettings, arguments: argparse.Namespace) -> int:
    """Print a key with every scope, as JSON; it is shown this once."""
    database = await Database.open(settings.database_url.get_secret_value(), name="habeas-bootstrap", size=2)
    async with database.transaction() as connection:
        key = await bootstrap_key(connection, arguments.name, tuple(Scope), not arguments.test)
    await database.close()
    print(json.dumps({"client": key.client, "id": key.id, "secret": key.secret}))
    return 0


async def _notifier_key(settings: OrchestratorSettings, _: argparse.Namespace) -> int:
    """Print the notifier's enrolment, as JSON: it goes into the notifier's enrolment file, mode 0600."""
    secret = RootKey.load(settings.key_file).enrolment_secret(NOTIFIER, NOTIFIER_ENROLMENT, 1)
    document = {
        "processor": NOTIFIER,
        "kind": NOTIFIER,
        "enrolment": NOTIFIER_ENROLMENT,
        "version": 1,
        "secret": base64.b64encode(secret).decode(),
    }
    print(json.dumps(document))
    return 0


def app() -> Serve[OrchestratorSettings]:
    """Import the orchestrator whole."""
    from services.orchestrator.app import serve

    return serve


def _key_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--name", default="operator", help="the client that the key is issued to")
    parser.add_argument("--test", action="store_true", help="a key for rehearsals (hab_test_...)")


def main() -> None:
    """Run the command line."""
    run_service(
        "orchestrator",
        OrchestratorSettings,
        app,
        [
            Extra("bootstrap-key", "issue an API key with every scope", _bootstrap_key, _key_arguments),
            Extra("notifier-key", "print the notifier's enrolment", _notifier_key),
        ],
    )


if __name__ == "__main__":
    main()
