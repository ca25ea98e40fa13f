"""Where a planted value could have got to: each thing that a running stack keeps or shows, with its place."""

from collections.abc import Iterable, Sequence
from typing import Any

import asyncpg
import psutil
from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient

from tests.plain import HTTP

Thing = tuple[str, bytes]

COLUMNS = """
SELECT c.table_schema AS schema, c.table_name AS "table", c.column_name AS "column", c.data_type AS type
FROM information_schema.columns AS c
JOIN information_schema.tables AS t USING (table_schema, table_name)
WHERE t.table_type = 'BASE TABLE' AND c.table_schema NOT IN ('pg_catalog', 'information_schema')
ORDER BY 1, 2, c.ordinal_position
"""


async def columns(url: str) -> dict[str, str]:
    """Return every column of every table of a database, as `schema.table.column`, with its type."""
    connection = await asyncpg.connect(url)
    try:
        return {
            f"{row['schema']}.{row['table']}.{row['column']}": row["type"] for row in await connection.fetch(COLUMNS)
        }
    finally:
        await connection.close()


async def tables(url: str) -> list[Thing]:
    """Return every value of every column of every table, and every statement that a session shows."""
    connection = await asyncpg.connect(url)
    try:
        found: list[Thing] = []
        rows = await connection.fetch(COLUMNS)
        for schema, table in dict.fromkeys((row["schema"], row["table"]) for row in rows):
            for row in await connection.fetch(f'SELECT * FROM "{schema}"."{table}"'):
                found += [
                    (f"{schema}.{table}.{name}", _bytes(value)) for name, value in row.items() if value is not None
                ]
        activity = await connection.fetch("SELECT query FROM pg_stat_activity WHERE query <> ''")
        return [*found, *(("pg_stat_activity.query", _bytes(row["query"])) for row in activity)]
    finally:
        await connection.close()


async def topics(bootstrap: str) -> list[Thing]:
    """Return key, headers and value of every record of every topic, as a consumer gets them."""
    partitions = await _partitions(bootstrap)
    consumer = AIOKafkaConsumer(bootstrap_servers=bootstrap, enable_auto_commit=False)
    await consumer.start()
    try:
        consumer.assign(partitions)
        await consumer.seek_to_beginning(*partitions)
        ends = await consumer.end_offsets(partitions)
        found: list[Thing] = []
        for partition in partitions:
            while await consumer.position(partition) < ends[partition]:
                for record in (await consumer.getmany(partition, timeout_ms=200)).get(partition, []):
                    found += _record(record)
        return found
    finally:
        await consumer.stop()


async def _partitions(bootstrap: str) -> list[TopicPartition]:
    admin = AIOKafkaAdminClient(bootstrap_servers=bootstrap)
    await admin.start()
    try:
        return [
            TopicPartition(topic["topic"], one["partition"])
            for topic in await admin.describe_topics()
            for one in topic["partitions"]
        ]
    finally:
        await admin.close()


def processes(pids: Iterable[int]) -> list[Thing]:
    """Return arguments and environment of processes and their children."""
    found: list[Thing] = []
    for pid in pids:
        root = psutil.Process(pid)
        for process in (root, *root.children(recursive=True)):
            try:
                arguments, environment = process.cmdline(), process.environ()
            except psutil.NoSuchProcess:
                continue  # a backend that ended meanwhile
            found.append((f"arguments of {process.name()}", "\n".join(arguments).encode()))
            found.append(
                (f"environment of {process.name()}", "\n".join(f"{k}={v}" for k, v in environment.items()).encode())
            )
    return found


def metrics(urls: Sequence[str]) -> list[Thing]:
    """Return the metrics of services."""
    found = []
    for url in urls:
        answer = HTTP.get(f"{url}/metrics")
        answer.raise_for_status()
        found.append((f"metrics of {url}", answer.content))
    return found


def _record(record: Any) -> list[Thing]:
    place = f"{record.topic} {record.partition}/{record.offset}"
    headers = [part for name, value in record.headers for part in (name.encode(), value or b"")]
    parts = {"key": record.key, "value": record.value, "headers": b"\n".join(headers)}
    return [(f"{part} of {place}", data) for part, data in parts.items() if data]


def _bytes(value: Any) -> bytes:
    return value if isinstance(value, bytes) else str(value).encode()
