"""The shop as a processor: the conformance kit against a real PostgreSQL, and what is peculiar to it."""

import asyncio
import io
import itertools
import tokenize
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from urllib.parse import urlsplit, urlunsplit

import asyncpg
import pytest
from pydantic import SecretStr
from shop_habeas.processor import Settings, Shop  # type: ignore[import-not-found]  # an author installs it

from habeas.engine import Settled
from habeas.sdk import Disposition, Http, Identity, IdentityType, Manifest
from habeas.testing import Crashed, DyingLedger, NotArranged, ProcessorConformance, Trial, VendorUnderTest
from habeas.testing.faults import Fault
from tests.waiting import until

MANIFEST = Manifest.load(Path(__file__).with_name("shop_habeas") / "manifest.toml")
MOST_LINES = 60
REMAINS = """SELECT (SELECT count(*) FROM customers WHERE customer_id = $1)
    + (SELECT count(*) FROM orders WHERE customer_id = $1) + (SELECT count(*) FROM messages WHERE customer_id = $1)"""
numbers = itertools.count(1000)


class ShopUnderTest(VendorUnderTest):
    """A real database, looked into and upset by connections of the test's own."""

    manifest = MANIFEST

    def __init__(self, url: str) -> None:
        self.url = self.way = url
        self.locking: asyncpg.Connection | None = None

    @asynccontextmanager
    async def open(self) -> AsyncIterator[Shop]:
        async with (
            Http(base_url="") as http,
            Shop(config=Settings(database_url=SecretStr(self.way)), http=http) as processor,
        ):
            yield processor

    async def person(self) -> Sequence[Identity]:
        number = next(numbers)
        customer, email = f"s-{number}", f"customer-{number}@example.org"
        insert = "INSERT INTO customers (customer_id, name, email, phone) VALUES ($1, $2, $3, $4)"
        await self.ask(insert, customer, f"Customer {number}", email, f"+1555{number:07d}")
        await self.ask(
            "INSERT INTO orders (customer_id, product, price) VALUES ($1, $2, 5)", customer, f"Bell {number}"
        )
        await self.ask("INSERT INTO messages (customer_id, body) VALUES ($1, $2)", customer, f"Where is bell {number}?")
        return (Identity(IdentityType.EMAIL, email), Identity(IdentityType.CUSTOMER_ID, customer))

    async def nobody(self) -> Sequence[Identity]:
        return (Identity(IdentityType.EMAIL, "nobody@example.org"), Identity(IdentityType.CUSTOMER_ID, "s-0"))

    async def remains(self, identities: Sequence[Identity]) -> int:
        (row,) = await self.ask(REMAINS, _customer(identities))
        return int(row[0])

    async def known_texts(self, identities: Sequence[Identity]) -> Sequence[str]:
        number = _customer(identities).removeprefix("s-")
        return (f"Customer {number}", f"customer-{number}@example.org", f"Bell {number}", f"Where is bell {number}?")

    async def value(self, identities: Sequence[Identity], field: str) -> str | None:
        (row,) = await self.ask(
            f"SELECT {MANIFEST.fields[field].name} FROM customers WHERE customer_id = $1", _customer(identities)
        )
        value: str | None = row[0]
        return value

    async def busy(self) -> None:
        self.locking = await asyncpg.connect(self.url)
        await self.locking.execute("BEGIN; LOCK TABLE customers IN ACCESS EXCLUSIVE MODE")

    async def lie(self) -> None:
        await self.ask("CREATE FUNCTION nothing() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NULL; END'")
        for table in MANIFEST.category_names:
            await self.ask(f"CREATE TRIGGER nothing BEFORE DELETE ON {table} FOR EACH ROW EXECUTE FUNCTION nothing()")

    async def calm(self) -> None:
        if self.locking is not None:
            await self.locking.close()
            self.locking = None
        await self.ask("DROP FUNCTION IF EXISTS nothing CASCADE")

    async def suffer(self, trouble: str, fault: Fault, *, at: int | None = None) -> None:
        place = urlsplit(self.url)
        if trouble == "unreachable":
            self.way = urlunsplit(place._replace(netloc="127.0.0.1:1"))
        elif trouble == "unauthorised":
            self.way = urlunsplit(place._replace(netloc=f"stranger:x@{place.netloc.rpartition('@')[2]}"))
        elif trouble == "hanging":
            await self.busy()
        else:
            raise NotArranged(f"PostgreSQL cannot be brought to this: {trouble}")

    async def recover(self) -> None:
        self.way = self.url
        await self.calm()

    async def ask(self, sql: str, *values: object) -> list[asyncpg.Record]:
        connection = await asyncpg.connect(self.url)
        try:
            rows: list[asyncpg.Record] = await connection.fetch(sql, *values)
        finally:
            await connection.close()
        return rows


def _customer(identities: Sequence[Identity]) -> str:
    return next(one.value for one in identities if one.type is IdentityType.CUSTOMER_ID)


class TestShop(ProcessorConformance):
    @pytest.fixture(autouse=True)
    def _given(self, shop_url: str) -> None:
        self.url = shop_url

    def vendor(self) -> VendorUnderTest:
        return ShopUnderTest(self.url)


async def test_a_row_that_is_new_goes_with_its_customer(shop_url: str) -> None:
    shop = ShopUnderTest(shop_url)
    identities = await shop.person()
    trial = Trial(shop, identities, ledger=DyingLedger())
    with pytest.raises(Crashed):
        await trial.run()
    await shop.ask("INSERT INTO messages (customer_id, body) VALUES ($1, 'One more thing')", _customer(identities))
    verdict = await trial.finish()
    assert isinstance(verdict, Settled)
    assert [(line.category, line.disposition, line.count) for line in verdict.lines] == [
        ("customers", Disposition.ERASED, 1),
        ("messages", Disposition.ERASED, 2),
        ("orders", Disposition.ERASED, 1),
    ]
    assert await shop.remains(identities) == 0


async def test_a_row_that_comes_to_be_while_its_customer_is_erased_costs_another_look_and_no_refusal(
    shop_url: str,
) -> None:
    shop = ShopUnderTest(shop_url)
    trial = Trial(shop, await shop.person())
    visitor = await asyncpg.connect(shop_url)
    writing = visitor.transaction()
    await writing.start()
    await visitor.execute("INSERT INTO messages (customer_id, body) VALUES ($1, 'Hi')", _customer(trial.identities))
    erasing = asyncio.create_task(trial.run())
    await until(lambda: waits_for(shop, visitor.get_server_pid()))
    await writing.commit()
    await visitor.close()
    verdict = await erasing
    assert isinstance(verdict, Settled)
    assert {line.disposition for line in verdict.lines} == {Disposition.ERASED}
    assert sum(line.count for line in verdict.lines) == 4  # the new message too
    assert await shop.remains(trial.identities) == 0


async def waits_for(shop: ShopUnderTest, pid: int) -> bool:
    """Whether somebody waits for what the connection with this process id has locked."""
    return bool(await shop.ask("SELECT FROM pg_stat_activity WHERE $1 = ANY(pg_blocking_pids(pid))", pid))


def test_the_author_wrote_sixty_lines_of_code_at_most_and_none_elsewhere() -> None:
    """Of Python, with its SQL; settings are no code, and the shop's own tables were there before."""
    here = Path(__file__).parent
    beside = {path.name for path in here.rglob("*.*") if path.suffix in (".py", ".sql")}
    assert beside - {"test_shop.py", "conftest.py", "shop.sql"} == {"__init__.py", "processor.py"}
    assert code_lines((here / "shop_habeas" / "__init__.py").read_text()) == set()
    assert len(code_lines((here / "shop_habeas" / "processor.py").read_text())) <= MOST_LINES


def code_lines(text: str) -> set[int]:
    """Return the numbers of the lines that hold code: no blanks, no comments, no docstrings."""
    quiet = {tokenize.COMMENT, tokenize.NL, tokenize.NEWLINE, tokenize.INDENT, tokenize.DEDENT, tokenize.ENDMARKER}
    lines: set[int] = set()
    at_start = True
    for token in tokenize.generate_tokens(io.StringIO(text).readline):
        docstring = at_start and token.type == tokenize.STRING
        if token.type not in quiet and not docstring:
            lines.update(range(token.start[0], token.end[0] + 1))
        if token.type not in (tokenize.COMMENT, tokenize.NL):
            at_start = token.type in (tokenize.NEWLINE, tokenize.INDENT, tokenize.DEDENT)
    return lines
