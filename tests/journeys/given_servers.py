"""Room of its own for a stack on servers that were given: a namespace and a database, and nothing of it left behind."""

import os
import secrets
from collections.abc import Iterator
from contextlib import contextmanager

import asyncpg
from aiokafka.admin import AIOKafkaAdminClient

from tests.infrastructure import KAFKA_VARIABLE, POSTGRES_VARIABLE, Databases, in_thread

ROLES = ("orchestrator", "connectors", "notifier")


@contextmanager
def room() -> Iterator[dict[str, str]]:
    """Yield what a stack must be told so that it meets no other on servers that the environment names."""
    postgres, kafka = os.environ.get(POSTGRES_VARIABLE), os.environ.get(KAFKA_VARIABLE)
    if not postgres and not kafka:
        yield {}
        return
    namespace = f"journey-{secrets.token_hex(4)}"
    told = {"HABEAS_NAMESPACE": namespace}
    databases = Databases(postgres) if postgres else None
    if databases is not None:
        told[POSTGRES_VARIABLE] = databases.create()
    try:
        yield told
    finally:
        if databases is not None:
            databases.drop(told[POSTGRES_VARIABLE])
            _drop_roles(databases.url, namespace)
        if kafka:
            _delete_topics(kafka, namespace)


def _drop_roles(url: str, namespace: str) -> None:
    async def work() -> None:
        connection = await asyncpg.connect(url)
        try:
            for name in ROLES:
                await connection.execute(f'DROP ROLE IF EXISTS "{namespace}_habeas_{name}"')
        finally:
            await connection.close()

    in_thread(work)


def _delete_topics(bootstrap: str, namespace: str) -> None:
    async def work() -> None:
        admin = AIOKafkaAdminClient(bootstrap_servers=bootstrap)
        await admin.start()
        try:
            names = [name for name in await admin.list_topics() if name.startswith(f"{namespace}.")]
            if names:
                await admin.delete_topics(names)
        finally:
            await admin.close()

    in_thread(work)
