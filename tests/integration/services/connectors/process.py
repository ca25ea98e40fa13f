"""A connector host as a process of its own, to be killed: its vendor is a folder, its ledger a file beside it.

`python -m tests.integration.services.connectors.process` reads the environment as the service does.
"""

import asyncio
import os
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

from pydantic import BaseModel

from habeas.sdk import Context, Disposition, File, Identity, IdentityType, Item, Processor, Record, Result
from services.chassis import faultpoints, log
from services.chassis.clock import SystemClock
from services.chassis.postgres.pool import Database
from services.chassis.service import run
from services.connectors.app import Host
from services.connectors.host.catalogue import Catalogue, Kind
from services.connectors.settings import ConnectorSettings
from tests.integration.services.connectors.vendor import CATEGORY, manifest

RECORDS = "vendor-records"
LEDGER = "vendor-ledger"


class Settings(BaseModel):
    vendor: Path


class Folder(Processor[Settings]):
    """One item for each file `<customer>.<n>`; a plain processor, so that its methods run in a thread."""

    Config = Settings

    def locate(self, ctx: Context) -> Iterator[Item]:
        for identity in ctx.identities:
            for file in sorted((self.config.vendor / RECORDS).glob(f"{identity.value}.*")):
                yield Item(file.name, CATEGORY, identity)

    def reread(self, ctx: Context, items: Sequence[Item]) -> Iterator[Item]:
        for item in items:
            if (self.config.vendor / RECORDS / item.ref).exists():
                yield Item(item.ref, CATEGORY, Identity(IdentityType.CUSTOMER_ID, item.ref.partition(".")[0]))

    def export(self, ctx: Context, items: Sequence[Item]) -> Iterator[Record | File]:
        for item in items:
            yield Record(item, {"name": item.ref})
            yield File(item, "text/plain", [b"exported" * 100] * 2_000)

    def erase(self, ctx: Context, items: Sequence[Item]) -> list[Result]:
        for item in items:
            (self.config.vendor / RECORDS / item.ref).unlink()
            with (self.config.vendor / LEDGER).open("a") as ledger:
                ledger.write(f"{item.ref}\n")
        return [Result(item, Disposition.ERASED) for item in items]


async def serve() -> bool:
    settings = ConnectorSettings()
    log.configure("connectors", settings.log_level)
    faultpoints.arm(settings.faultpoint, environment=settings.environment)
    database = await Database.open(settings.database_url.get_secret_value(), name="connectors-under-test")
    host = Host(settings, database, Catalogue({"folder": Kind(manifest(kind="folder"), Folder)}), SystemClock())
    try:
        return await run(host.parts())
    finally:
        await host.close()


if __name__ == "__main__":
    os.umask(0o077)
    sys.exit(0 if asyncio.run(serve()) else 1)
