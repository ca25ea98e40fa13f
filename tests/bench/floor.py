"""The bare script that Habeas is measured against: its messages and rows without framework, validation, crypto or HTTP.

One process plays every service: file, plan and send, four connectors, settle and complete; outboxes, relays, sets of
500 and offsets committed after the transaction, as in DESIGN.
It prints one line of JSON for each round it is asked for.
"""

import asyncio
import json
import os
import secrets
import sys
import time
from collections import defaultdict
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import asyncpg
import uvloop
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer
from aiokafka.admin import AIOKafkaAdminClient, NewTopic
from aiokafka.partitioner import murmur2

from tests.bench import floor_rows as sql

BATCH = 500
PROCESSORS = ("a", "b", "c", "d")
TASKS = {name: f"floor.tasks.{name}" for name in PROCESSORS}
REPORTS, FACTS = "floor.reports", "floor.requests"
PARTITIONS = {**dict.fromkeys(TASKS.values(), 4), REPORTS: 8, FACTS: 8}

CLIENT = "cli_00000000000000000000000000"
TRACE = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-00"
SEAL = "x" * 430  # as long as a seal of two identities
PROOF = "v1;kid=floor-a/1;mac=" + "x" * 43
OUTCOME = (
    '{"headline":"fulfilled","lines":[{"category":"contact","disposition":"erased","count":1,"checked":"verified"}]}'
)
AT = "2026-11-24T12:00:00.000000Z"

Message = tuple[str, str, str, bytes]  # topic, key, headers, value

_HEADERS = (
    '{"ce_specversion":"1.0","ce_id":"evt_%s","ce_type":"dev.habeas.%s.v1","ce_source":"/floor","ce_time":"' + AT + '",'
    '"ce_subject":"%s","content-type":"application/json","habeas-proof":"' + PROOF + '","traceparent":"' + TRACE + '"}'
)
_FACT = (
    '{"livemode":true,"request_id":"%s","case_id":"%s","client_id":"' + CLIENT + '","right":"erasure","state":"%s",'
    '"version":1,"at":"' + AT + '","due_on":"2026-12-24","outcome":%s}'
)
_TASK = (
    '{"livemode":true,"task_id":"%s","request_id":"%s","processor":"%s","client_id":"' + CLIENT + '","dispatch_no":1%s}'
)
_DISPATCHED = (
    ',"action":"erase","right":"erasure","round":0,"manifest_version":1,"not_after":"' + AT + '","forget_after":"' + AT
    + '","due_at":"' + AT + '","sealed":"' + SEAL + '","retention":[],"purposes":[]'
)  # fmt: skip
_SETTLED = ',"at":"' + AT + '","outcome":' + OUTCOME + ',"cancelled":false,"effects":1,"attempts":1,"sealed":null'


def fact(kind: str, request: str, case: str, state: str, outcome: str = "null") -> Message:
    """Return a fact about a request as the outbox keeps it."""
    headers = _HEADERS % (request, kind, request)
    return FACTS, request, headers, (_FACT % (request, case, state, outcome)).encode()


def message(topic: str, kind: str, request: str, task: str, name: str, more: str = "") -> Message:
    """Return a message about a task as the outbox keeps it."""
    headers = _HEADERS % (task, kind, request)
    return topic, request, headers, (_TASK % (task, request, name, more)).encode()


class Floor:
    """Everything that runs, on one pool and one producer for each outbox."""

    def __init__(self, pool: "asyncpg.Pool[asyncpg.Record]", bootstrap: str) -> None:
        """Run on `pool` and the broker at `bootstrap`."""
        self._pool = pool
        self._bootstrap = bootstrap
        self.filed = asyncio.Event()
        self.outbox = asyncio.Event()
        self.reports = asyncio.Event()
        self._done = {"completed": 0, "closed": 0}

    async def until(self, what: str, count: int) -> None:
        """Wait for so many more requests to be completed, or tasks to be closed."""
        while self._done[what] < count:  # noqa: ASYNC110  # other tasks count up
            await asyncio.sleep(0.01)
        self._done[what] -= count

    async def file(self, count: int) -> None:
        """File `count` requests."""
        for start in range(0, count, BATCH):
            ids = [f"req_{time.time_ns():016x}{secrets.token_hex(5)}" for _ in range(min(BATCH, count - start))]
            size = len(ids)
            rows = (
                ids, [f"cas_{one[4:]}" for one in ids], [os.urandom(220)] * size, [os.urandom(40)] * size,
                [os.urandom(32)] * size, [datetime.now(UTC)] * size,
            )  # fmt: skip
            facts = [fact("request.received", one, f"cas_{one[4:]}", "received") for one in ids]
            async with self._pool.acquire() as connection, connection.transaction():
                await connection.execute(sql.STATE_FILED, *rows, CLIENT, TRACE)
                await _send(connection, "outbox", facts)
            self.filed.set()
            self.outbox.set()

    async def plan(self) -> int:
        """Add and send the tasks of the next requests."""
        async with self._pool.acquire() as connection, connection.transaction():
            rows = await connection.fetch(sql.CLAIM)
            if not rows:
                return 0
            tasks = [(row["id"], name, f"tsk_{name}{row['id'][5:]}") for row in rows for name in PROCESSORS]
            notes: list[tuple[Any, ...]] = []
            for row in rows:
                _note(notes, row["id"], row["timeline_seq"], "request.started")
                for place, name in enumerate(PROCESSORS):
                    task = f"tsk_{name}{row['id'][5:]}"
                    _note(notes, row["id"], row["timeline_seq"] + 1 + 2 * place, "task.planned", task, name)
                    _note(notes, row["id"], row["timeline_seq"] + 2 + 2 * place, "task.dispatched", task, name)
            ids = [row["id"] for row in rows]
            after = [row["timeline_seq"] + 1 + 2 * len(PROCESSORS) for row in rows]
            await connection.execute(sql.STARTED, ids, after, [row["timeline_hash"] for row in rows])
            await connection.execute(
                sql.TASKS, [task for *_, task in tasks], [one for one, *_ in tasks], [name for _, name, _ in tasks]
            )
            wanted = [(name, os.urandom(16), request) for request, name, _ in tasks for _ in range(2)]
            await connection.execute(sql.SUBJECTS, *map(list, zip(*wanted, strict=True)))
            await connection.execute(sql.TIMELINE, *map(list, zip(*notes, strict=True)))
            sending = [fact("request.started", row["id"], row["case_id"], "in_progress") for row in rows]
            sending += [_dispatched(*one) for one in tasks]
            await _send(connection, "outbox", sending)
        self.outbox.set()
        return len(rows)

    async def connect(self, name: str, records: Sequence[Any]) -> None:
        """Play the connector of one processor: store, work, answer; forget what is closed."""
        bodies = [(_kind(record), json.loads(record.value)) for record in records]
        new = {one["task_id"]: one for kind, one in bodies if kind == "dev.habeas.task.dispatched.v1"}
        closed = [one["task_id"] for kind, one in bodies if kind == "dev.habeas.task.closed.v1"]
        async with self._pool.acquire() as connection, connection.transaction():
            if new:
                seals = [one["sealed"] for one in new.values()]
                requests = [one["request_id"] for one in new.values()]
                rows = await connection.fetch(sql.HELD, name, OUTCOME, list(new), requests, seals)
                await _send(
                    connection,
                    "reports",
                    [message(REPORTS, "task.settled", row["request_id"], row["id"], name, _SETTLED) for row in rows],
                )
            if closed:
                await connection.execute(sql.CLOSED, closed)
        self._done["closed"] += len(closed)
        self.reports.set()

    async def settle(self, records: Sequence[Any]) -> None:
        """Take reports; complete the requests whose last task is over."""
        told = {one["task_id"]: one for one in (json.loads(record.value) for record in records)}
        async with self._pool.acquire() as connection, connection.transaction():
            locked = await connection.fetch(sql.LOCK, list({one["request_id"] for one in told.values()}))
            rows = await connection.fetch(
                sql.SETTLED, list(told), [json.dumps(one["outcome"]) for one in told.values()]
            )
            if not rows:
                return
            requests = {row["id"]: [row["open_tasks"], row["timeline_seq"], row["case_id"], row] for row in locked}
            notes: list[tuple[Any, ...]] = []
            for row in rows:
                request = requests[row["request_id"]]
                _note(notes, row["request_id"], request[1], "task.settled", row["id"], row["processor"])
                request[0], request[1] = request[0] - 1, request[1] + 1
            done = [one for one, request in requests.items() if request[0] == 0]
            for one in done:
                _note(notes, one, requests[one][1], "request.completed")
                requests[one][1] += 1
            values = list(requests.values())
            await connection.execute(
                sql.ADVANCED, list(requests), [one[0] for one in values], [one[1] for one in values],
                [one[3]["timeline_hash"] for one in values], OUTCOME,
            )  # fmt: skip
            await connection.execute(sql.TIMELINE, *map(list, zip(*notes, strict=True)))
            await connection.execute(sql.FREED, done)
            sending = [fact("request.completed", one, requests[one][2], "completed", OUTCOME) for one in done]
            sending += [_closed(one, name) for one in done for name in PROCESSORS]
            await _send(connection, "outbox", sending)
        self._done["completed"] += len(done)
        self.outbox.set()

    async def relay(self, outbox: str) -> None:
        """Send the rows of an outbox by partition, and delete what the broker took; for ever."""
        bell = getattr(self, outbox)
        producer = AIOKafkaProducer(
            bootstrap_servers=self._bootstrap, enable_idempotence=True, acks="all", max_batch_size=900 * 1024
        )
        await producer.start()
        while True:
            async with self._pool.acquire() as connection:
                rows = await connection.fetch(sql.READ.format(outbox=outbox))
                if rows:
                    await _deliver(producer, rows)
                    await connection.execute(sql.SENT.format(outbox=outbox), [row["id"] for row in rows])
                    continue
            await _rung(bell)

    async def planning(self) -> None:
        """Plan for ever."""
        while True:
            if not await self.plan():
                await _rung(self.filed)

    async def reading(self, topic: str, name: str | None) -> None:
        """Take batches of a topic for ever."""
        consumer = AIOKafkaConsumer(
            topic, bootstrap_servers=self._bootstrap, group_id=f"{topic}.readers", enable_auto_commit=False,
            auto_offset_reset="earliest",
        )  # fmt: skip
        await consumer.start()
        while True:
            polled = await consumer.getmany(timeout_ms=20, max_records=BATCH)
            records = [record for some in polled.values() for record in some]
            if not records:
                continue
            await (self.settle(records) if name is None else self.connect(name, records))
            await consumer.commit({place: some[-1].offset + 1 for place, some in polled.items() if some})


def _dispatched(request: str, name: str, task: str) -> Message:
    return message(TASKS[name], "task.dispatched", request, task, name, _DISPATCHED)


def _closed(request: str, name: str) -> Message:
    return message(TASKS[name], "task.closed", request, f"tsk_{name}{request[5:]}", name)


def _note(notes: list[tuple[Any, ...]], request: str, seq: int, kind: str, task: str = "", name: str = "") -> None:
    notes.append((request, seq + 1, f"evt_{seq}{request[4:]}", kind, task, name, '{"action":"erase"}', os.urandom(32)))


def _kind(record: Any) -> str:
    return str(dict(record.headers)["ce_type"].decode())


async def _rung(bell: asyncio.Event) -> None:
    try:
        async with asyncio.timeout(0.25):
            await bell.wait()
        bell.clear()
    except TimeoutError:
        pass


async def _send(connection: Any, outbox: str, messages: Sequence[Message]) -> None:
    if messages:
        await connection.execute(sql.SEND.format(outbox=outbox), *map(list, zip(*messages, strict=True)))


async def _deliver(producer: AIOKafkaProducer, rows: Sequence[Any]) -> None:
    lanes: dict[tuple[str, int], list[Any]] = defaultdict(list)
    for row in rows:
        partition = (murmur2(row["key"].encode()) & 0x7FFFFFFF) % PARTITIONS[row["topic"]]
        lanes[row["topic"], partition].append(row)
    await asyncio.gather(*(_lane(producer, *place, some) for place, some in lanes.items()))


async def _lane(producer: AIOKafkaProducer, topic: str, partition: int, rows: list[Any]) -> None:
    while rows:
        batch = producer.create_batch()
        taken = 0
        for row in rows:
            headers = [(name, value.encode()) for name, value in json.loads(row["headers"]).items()]
            if batch.append(key=row["key"].encode(), value=row["value"], timestamp=None, headers=headers) is None:
                break
            taken += 1
        await (await producer.send_batch(batch, topic, partition=partition))
        del rows[:taken]


async def _topics(bootstrap: str) -> None:
    admin = AIOKafkaAdminClient(bootstrap_servers=bootstrap)
    await admin.start()
    await admin.create_topics([NewTopic(name, count, 1) for name, count in PARTITIONS.items()])
    await admin.close()


async def serve(url: str, bootstrap: str) -> None:
    """Run a round for each number of requests read from standard input; print how long each took."""
    async with asyncpg.create_pool(url, min_size=8, max_size=12, server_settings={"jit": "off"}) as pool:
        await pool.execute((Path(__file__).parent / "floor.sql").read_text())
        await _topics(bootstrap)
        floor = Floor(pool, bootstrap)
        async with asyncio.TaskGroup() as group:
            running = [floor.planning(), floor.relay("outbox"), floor.relay("reports"), floor.reading(REPORTS, None)]
            running += [floor.reading(topic, name) for name, topic in TASKS.items()]
            tasks = [group.create_task(one) for one in running]
            while line := await asyncio.to_thread(sys.stdin.readline):
                print(json.dumps(await _round(floor, int(line))), flush=True)
            for task in tasks:
                task.cancel()


async def _round(floor: Floor, count: int) -> dict[str, float]:
    began = time.perf_counter()
    await floor.file(count)
    filed = time.perf_counter() - began
    await floor.until("completed", count)
    completed = time.perf_counter() - began
    await floor.until("closed", count * len(PROCESSORS))
    return {"requests": count, "filed": filed, "completed": completed, "drained": time.perf_counter() - began}


if __name__ == "__main__":
    uvloop.run(serve(*sys.argv[1:3]))
