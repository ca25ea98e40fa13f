"""The servers that tests are given answer, and databases are made and dropped as promised."""

import asyncpg
import pytest
from aiokafka.admin import AIOKafkaAdminClient

from tests.infrastructure import Databases


async def _fetch(url: str, query: str) -> object:
    connection = await asyncpg.connect(url)
    try:
        return await connection.fetchval(query)
    finally:
        await connection.close()


async def test_a_database_is_empty_and_ones_own(database: str) -> None:
    assert await _fetch(database, "SELECT count(*) FROM pg_tables WHERE schemaname = 'public'") == 0
    assert "habeas_test_" in database


async def test_a_database_is_dropped_even_while_somebody_is_connected(databases: Databases) -> None:
    url = databases.create()
    idle = await asyncpg.connect(url)
    databases.drop(url)
    idle.terminate()
    with pytest.raises(asyncpg.InvalidCatalogNameError):
        await _fetch(url, "SELECT 1")


async def test_a_template_is_made_once_and_copied(databases: Databases) -> None:
    prepared = []

    async def prepare(url: str) -> None:
        prepared.append(url)
        await _fetch(url, "CREATE TABLE letters AS SELECT 'a' AS letter")

    copies = [databases.create(databases.template("letters", prepare)) for _ in range(2)]
    assert len(prepared) == 1
    assert [await _fetch(url, "SELECT letter FROM letters") for url in copies] == ["a", "a"]
    for url in copies:
        databases.drop(url)


async def test_postgres_is_new_enough(postgres_url: str) -> None:
    assert int(str(await _fetch(postgres_url, "SHOW server_version_num"))) >= 150_000


async def test_kafka_answers_and_makes_no_topic_by_itself(kafka_bootstrap: str, namespace: str) -> None:
    client = AIOKafkaAdminClient(bootstrap_servers=kafka_bootstrap)
    await client.start()
    try:
        described = await client.describe_topics([f"{namespace}.nobody-made-this"])
        assert [topic["error_code"] for topic in described] == [3]  # unknown topic or partition
        assert f"{namespace}.nobody-made-this" not in await client.list_topics()
    finally:
        await client.close()
