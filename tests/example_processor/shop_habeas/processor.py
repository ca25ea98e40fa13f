"""The shop's database as a processor: finds, hands out, corrects and erases what it holds on a customer."""

import json
from collections.abc import AsyncIterator, Sequence
from typing import Self

import asyncpg
from pydantic import BaseModel, SecretStr

from habeas import sdk

Items = Sequence[sdk.Item]
TABLES = ("messages", "orders", "customers")  # what refers to others goes first
ROW = "SELECT '{0}' AS category, customer_id || '/{0}/' || id AS ref, customer_id, since, to_jsonb({0}) AS row FROM {0}"
ROWS = " UNION ALL ".join(ROW.format(table) for table in TABLES)
FIND = f"SELECT * FROM ({ROWS}) AS a NATURAL JOIN (SELECT customer_id, lower(email) AS email FROM customers) AS b"


class Settings(BaseModel):
    """What an operator supplies."""

    database_url: SecretStr


class Shop(sdk.Processor[Settings]):
    """An item is a row of any table; its `ref` is `customer/table/row`."""

    Config = Settings

    async def __aenter__(self) -> Self:
        self._db = await asyncpg.create_pool(self.config.database_url.get_secret_value(), min_size=0, timeout=5.0)
        return self

    async def __aexit__(self, *_: object) -> None:
        self._db.terminate()

    async def check(self, ctx: sdk.Context) -> None:
        await self._ask(ctx, f"{FIND} LIMIT 1")

    async def locate(self, ctx: sdk.Context) -> AsyncIterator[sdk.Item]:
        for who, value in ((one, one.value.lower() if one.type == "email" else one.value) for one in ctx.identities):
            for row in await self._ask(ctx, f"{FIND} WHERE {who.type} = $1", value):
                yield sdk.Item(row["ref"], row["category"], who, dated=row["since"])

    async def reread(self, ctx: sdk.Context, items: Items) -> AsyncIterator[sdk.Item]:
        for item, row in await self._rows(ctx, items):
            whose = sdk.Identity(item.matched.type, row[item.matched.type])
            yield sdk.Item(item.ref, item.category, whose, dated=row["since"])

    async def export(self, ctx: sdk.Context, items: Items) -> AsyncIterator[sdk.Record]:
        for item, row in await self._rows(ctx, items):
            yield sdk.Record(item, json.loads(row["row"]))

    async def read(self, ctx: sdk.Context, items: Items, fields: Sequence[str]) -> AsyncIterator[sdk.Values]:
        for item, row in await self._rows(ctx, items):
            yield sdk.Values(item, {field: json.loads(row["row"])[field.removeprefix("contact.")] for field in fields})

    async def rectify(self, ctx: sdk.Context, changes: Sequence[sdk.Change]) -> list[sdk.Result]:
        for item, field, new in ((change.item, one.field, one.new) for change in changes for one in change.corrections):
            sql = f"UPDATE customers SET {field.removeprefix('contact.')} = $2 WHERE customer_id = $1"
            await self._ask(ctx, sql, self.taken_with(item), new)
        return [sdk.Result(change.item, sdk.Disposition.RECTIFIED) for change in changes]

    async def erase(self, ctx: sdk.Context, items: Items) -> list[sdk.Result]:
        for sql in (f"DELETE FROM {table} WHERE customer_id || '/{table}/' || id = ANY($1)" for table in TABLES):
            await self._ask(ctx, sql, [item.ref for item in items])
        return [sdk.Result(item, sdk.Disposition.ERASED) for item in items]

    def taken_with(self, item: sdk.Item) -> str:
        return item.ref.partition("/")[0]  # what must be kept of a customer keeps all of it

    async def _rows(self, ctx: sdk.Context, items: Items) -> list[tuple[sdk.Item, asyncpg.Record]]:
        rows = await self._ask(ctx, f"{FIND} WHERE ref = ANY($1)", [item.ref for item in items])
        return [(item, row) for item in items for row in rows if row["ref"] == item.ref]

    async def _ask(self, ctx: sdk.Context, sql: str, *values: object) -> list[asyncpg.Record]:
        await ctx.before_effect()
        try:
            return list(await self._db.fetch(sql, *values, timeout=min(5.0, ctx.time_left() - 0.5)))
        except (OSError, asyncpg.InterfaceError, asyncpg.PostgresConnectionError, asyncpg.OperatorInterventionError):
            raise sdk.RetryLater("database_away") from None
        except asyncpg.InvalidAuthorizationSpecificationError:
            raise sdk.CredentialsRejected from None
        except asyncpg.ForeignKeyViolationError:
            return []  # a row came to be while we erased, so its customer stays: who looks again finds both
