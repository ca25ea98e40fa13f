"""The shop's database as a processor: finds, hands out, corrects and erases what it holds on a customer."""

import asyncio
import json
from collections.abc import AsyncIterator, Sequence
from dataclasses import replace
from typing import Any, Self

import asyncpg
from pydantic import BaseModel, SecretStr

from habeas import sdk

Items = Sequence[sdk.Item]
AWAY = (OSError, asyncpg.InterfaceError, asyncpg.PostgresConnectionError, asyncpg.OperatorInterventionError)
OVERTAKEN = asyncpg.ForeignKeyViolationError  # a row came to be while we erased: the next try sees it


class Settings(BaseModel):
    """What an operator supplies."""

    database_url: SecretStr


class Shop(sdk.Processor[Settings]):
    """An item is a row of the view `habeas`; its `ref` is `customer/table/row`."""

    Config = Settings

    async def __aenter__(self) -> Self:
        self._db = await asyncpg.create_pool(self.config.database_url.get_secret_value(), min_size=0, max_size=8)
        return self

    async def __aexit__(self, *_: object) -> None:
        self._db.terminate()

    async def check(self, ctx: sdk.Context) -> None:
        await self._ask(ctx, "SELECT FROM habeas LIMIT 1")

    async def locate(self, ctx: sdk.Context) -> AsyncIterator[sdk.Item]:
        for identity in ctx.identities:
            value = identity.value.lower() if identity.type is sdk.IdentityType.EMAIL else identity.value
            for row in await self._ask(ctx, f"SELECT * FROM habeas WHERE {identity.type} = $1", value):
                yield sdk.Item(row["ref"], row["category"], identity, dated=row["dated"])

    async def reread(self, ctx: sdk.Context, items: Items) -> AsyncIterator[sdk.Item]:
        for item, row in await self._rows(ctx, items):
            yield replace(item, matched=sdk.Identity(item.matched.type, row[item.matched.type]), dated=row["dated"])

    async def export(self, ctx: sdk.Context, items: Items) -> AsyncIterator[sdk.Record]:
        for item, row in await self._rows(ctx, items):
            yield sdk.Record(item, json.loads(row["data"]))

    async def read(self, ctx: sdk.Context, items: Items, fields: Sequence[str]) -> AsyncIterator[sdk.Values]:
        for item, row in await self._rows(ctx, items):
            yield sdk.Values(item, {field: json.loads(row["data"])[field.removeprefix("contact.")] for field in fields})

    async def rectify(self, ctx: sdk.Context, changes: Sequence[sdk.Change]) -> list[sdk.Result]:
        for change in changes:
            new = json.dumps({one.field.removeprefix("contact."): one.new for one in change.corrections})
            await self._ask(ctx, "SELECT habeas_rectify($1, $2)", self.taken_with(change.item), new)
        return [sdk.Result(change.item, sdk.Disposition.RECTIFIED) for change in changes]

    async def erase(self, ctx: sdk.Context, items: Items) -> list[sdk.Result]:
        await self._ask(ctx, "SELECT habeas_erase($1)", [item.ref for item in items])
        return [sdk.Result(item, sdk.Disposition.ERASED) for item in items]

    def taken_with(self, item: sdk.Item) -> str:
        return item.ref.partition("/")[0]  # what must be kept of a customer keeps all of it

    async def _rows(self, ctx: sdk.Context, items: Items) -> list[tuple[sdk.Item, Any]]:
        rows = await self._ask(ctx, "SELECT * FROM habeas WHERE ref = ANY($1)", [item.ref for item in items])
        return [(item, row) for item in items for row in rows if row["ref"] == item.ref]

    async def _ask(self, ctx: sdk.Context, sql: str, *values: Any) -> list[Any]:
        await ctx.before_effect()
        try:
            async with asyncio.timeout(min(5.0, ctx.time_left() - 0.5)):
                return list(await self._db.fetch(sql, *values))
        except (*AWAY, OVERTAKEN) as error:
            raise sdk.RetryLater("overtaken" if isinstance(error, OVERTAKEN) else "database_away") from None
        except asyncpg.InvalidAuthorizationSpecificationError:
            raise sdk.CredentialsRejected from None
        except asyncpg.IntegrityConstraintViolationError:  # another customer's address
            raise sdk.CannotFulfil("the_shop_forbids_it") from None
