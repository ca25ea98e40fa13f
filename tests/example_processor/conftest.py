"""Lets these tests import the package beside them, and gives them a database with the shop's tables."""

import asyncio
import sys
from pathlib import Path

import asyncpg
import pytest

HERE = Path(__file__).parent
sys.path.insert(0, str(HERE))  # what `pip install -e .` does for good


async def _make_tables(url: str) -> None:
    connection = await asyncpg.connect(url)
    try:
        await connection.execute((HERE / "shop.sql").read_text())
    finally:
        await connection.close()


@pytest.fixture
def shop_url(database: str) -> str:
    """The URL of a shop's database with one customer."""
    asyncio.run(_make_tables(database))
    return database
