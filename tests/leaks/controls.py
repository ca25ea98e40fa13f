"""The same value in every form, written on purpose to each kind of place: what finds these would find a leak."""

import subprocess
import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, HTTPServer
from itertools import zip_longest
from pathlib import Path
from threading import Thread

import asyncpg
import pytest
from aiokafka import AIOKafkaProducer
from aiokafka.admin import AIOKafkaAdminClient, NewTopic

from habeas.local.stack import Stack
from tests.infrastructure import in_thread
from tests.leaks.collector import Collector
from tests.leaks.forms import forms
from tests.leaks.places import Thing, metrics, processes, tables, topics
from tests.leaks.planting import fresh_word
from tests.leaks.scanner import Hit, Scanner
from tests.plain import HTTP

TOPIC = "habeas-leak-control"
MAKE_TABLE = "CREATE SCHEMA control; CREATE TABLE control.planted (as_text text, as_bytes bytea)"


class Controls:
    """A value of its own for each kind of place, so that none is found because of another."""

    def __init__(self, stack: Stack, spans: Collector) -> None:
        self._stack = stack
        self._spans = spans

    def missed(self, place: str) -> set[str]:
        """Plant a value in a kind of place, in every form; return the forms that are not found there."""
        word = f"{fresh_word().capitalize()} ?~>/{fresh_word()}"  # every form of it is another
        needles = forms(word)
        look: Callable[[Scanner, list[bytes]], set[Hit]] = getattr(self, f"_{place}")
        hits = look(Scanner({"control": word}), list(needles))
        return set(needles.values()) - {hit.form for hit in hits}

    def _log(self, scanner: Scanner, needles: list[bytes]) -> set[Hit]:
        return self._in_file(self._stack.home.logs / "control.log", scanner, b"\n".join(needles))

    def _file(self, scanner: Scanner, needles: list[bytes]) -> set[Hit]:
        return self._in_file(self._stack.home.path / "control.bin", scanner, b"\x00".join(needles))

    def _in_file(self, path: Path, scanner: Scanner, content: bytes) -> set[Hit]:
        path.write_bytes(b"before " + content + b" after")
        try:
            return scanner.in_folder(path.parent, but=[self._stack.home.sandbox])
        finally:
            path.unlink()

    def _table(self, scanner: Scanner, needles: list[bytes]) -> set[Hit]:
        with self._planted_table(needles):
            return scanner.in_all(in_thread(lambda: tables(self._stack.postgres_url)))

    def _postgres_files(self, scanner: Scanner, needles: list[bytes]) -> set[Hit]:
        server = self._stack.postgres
        if server is None:
            pytest.skip("reads the files of PostgreSQL, and this server is not the test run's own")
        with self._planted_table(needles):
            server.execute("CHECKPOINT")  # the log alone may have a page's edge in the midst of a value
            return scanner.in_folder(server.data)

    @contextmanager
    def _planted_table(self, needles: Iterable[bytes]) -> Iterator[None]:
        rows = [(needle.decode(), None) if place % 2 else (None, needle) for place, needle in enumerate(needles)]
        in_thread(lambda: self._run(MAKE_TABLE, rows))
        try:
            yield
        finally:
            in_thread(lambda: self._run("DROP SCHEMA control CASCADE", []))

    async def _run(self, script: str, rows: Sequence[tuple[str | None, bytes | None]]) -> None:
        connection = await asyncpg.connect(self._stack.postgres_url)
        try:
            await connection.execute(script)
            if rows:
                await connection.executemany("INSERT INTO control.planted VALUES ($1, $2)", rows)
        finally:
            await connection.close()

    def _kafka_files(self, scanner: Scanner, needles: list[bytes]) -> set[Hit]:
        server = self._stack.kafka
        if server is None:
            pytest.skip("reads the files of Kafka, and this broker is not the test run's own")
        in_thread(lambda: self._with_topic(needles, compression=None))
        return scanner.in_folder(server.data)

    def _topic(self, scanner: Scanner, needles: list[bytes]) -> set[Hit]:
        return scanner.in_all(in_thread(lambda: self._with_topic(needles)))

    async def _with_topic(self, needles: list[bytes], compression: str | None = "gzip") -> list[Thing]:
        bootstrap = self._stack.kafka_bootstrap
        await ensure_topic(bootstrap)
        producer = AIOKafkaProducer(bootstrap_servers=bootstrap, compression_type=compression)
        await producer.start()
        try:
            parts = [needles[start::3] for start in range(3)]
            for key, value, header in zip_longest(*parts, fillvalue=b"-"):
                await producer.send_and_wait(TOPIC, value, key=key, headers=[("header", b"=" + header + b"=")])
        finally:
            await producer.stop()
        return await topics(bootstrap)

    def _process(self, scanner: Scanner, needles: list[bytes]) -> set[Hit]:
        with waiting_process(needles) as pid:
            return scanner.in_all(processes([pid]))

    def _metrics(self, scanner: Scanner, needles: list[bytes]) -> set[Hit]:
        with served_page(b"# HELP " + b"\n# HELP ".join(needles)) as url:
            return scanner.in_all(metrics([url]))

    def _span(self, scanner: Scanner, needles: list[bytes]) -> set[Hit]:
        before = len(self._spans.bodies)
        HTTP.post(f"{self._spans.url}/v1/traces", content=b"\x0a".join(needles)).raise_for_status()
        found = scanner.in_all([("a span", body) for body in self._spans.bodies[before:]])
        del self._spans.bodies[before:]
        return found


async def ensure_topic(bootstrap: str) -> None:
    """Make the control's topic, unless it is there."""
    admin = AIOKafkaAdminClient(bootstrap_servers=bootstrap)
    await admin.start()
    try:
        if TOPIC not in await admin.list_topics():
            await admin.create_topics([NewTopic(TOPIC, 1, 1)])
    finally:
        await admin.close()


@contextmanager
def served_page(content: bytes) -> Iterator[str]:
    """Answer every request with `content` until the block ends; yield the address."""

    class Page(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(HTTPStatus.OK)
            self.end_headers()
            self.wfile.write(content)

        def log_message(self, *said: object) -> None:
            """Say nothing."""

    with HTTPServer(("127.0.0.1", 0), Page) as server:
        serving = Thread(target=server.serve_forever)
        serving.start()
        try:
            yield f"http://127.0.0.1:{server.server_port}"
        finally:
            server.shutdown()
            serving.join()


@contextmanager
def waiting_process(arguments: list[bytes]) -> Iterator[int]:
    """Run a process with these arguments until the block ends; yield its id."""
    wait = [sys.executable, "-c", "import sys; print(flush=True); sys.stdin.read()"]
    with subprocess.Popen([*wait, *arguments], stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        process.stdout.readline()  # it runs, under these arguments
        yield process.pid
        process.communicate(b"")
