"""A Kafka broker of one's own: one KRaft node, broker and controller in one JVM, on loopback ports."""

import base64
import shutil
import socket
import struct
import uuid
from collections.abc import Sequence
from pathlib import Path
from types import TracebackType
from typing import Self

from habeas.local import places, preflight, supervisor
from habeas.local.child import Child
from habeas.local.class_archive import ClassArchive
from habeas.local.errors import LocalStackError
from habeas.local.kafka_jars import kafka_jars
from habeas.local.ports import LOOPBACK, PortLease
from habeas.local.preflight import Java
from habeas.local.supervisor import Supervisor
from habeas.local.waiting import wait_until

START_WITHIN = 120.0  # seconds
ENDED_BY_SIGTERM = 143  # what a JVM ends with after its shutdown hooks
PROBE_WITHIN = 2.0  # seconds
# The first compiler alone: the second costs a small machine more than it gives back in the life of a local broker
# (start 1.1 s of CPU instead of 1.8; 9 us a message instead of 20, still, after 80,000 messages).
# No performance data: their file lies in /tmp, outside the home, and stays there when the broker is killed.
JVM = ("-Xmx384m", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1", "-XX:-UsePerfData")
LOGGING = {
    "defaultLogLevel": "warn",
    "log.kafka.server": "info",
    "showDateTime": "true",
    "dateTimeFormat": "yyyy-MM-dd'T'HH:mm:ss.SSSZ",
    "showThreadName": "false",
}
PROPERTIES = """\
# Written at every start.
process.roles=broker,controller
node.id=1
controller.quorum.voters=1@{host}:{controller}
listeners=BROKER://{host}:{broker},CONTROLLER://{host}:{controller}
listener.security.protocol.map=BROKER:PLAINTEXT,CONTROLLER:PLAINTEXT
inter.broker.listener.name=BROKER
controller.listener.names=CONTROLLER
log.dirs={data}

# Topics are made on purpose or not at all.
auto.create.topics.enable=false

# One node has no replicas, and a few consumers need no wide internal topics.
offsets.topic.replication.factor=1
offsets.topic.num.partitions=4
transaction.state.log.replication.factor=1
transaction.state.log.min.isr=1
transaction.state.log.num.partitions=4
share.coordinator.state.topic.replication.factor=1
share.coordinator.state.topic.min.isr=1

# A broker that was killed may register again once its last session is over.
broker.session.timeout.ms=2000
broker.heartbeat.interval.ms=500

# Consumers start at once and do not wait for more of them.
group.initial.rebalance.delay.ms=0
log.cleaner.dedupe.buffer.size=16777216
"""


class KafkaServer:
    """One broker with its data below `home`: `data/`, `server.properties`, `logs/kafka.log`."""

    def __init__(
        self,
        home: Path,
        port: int = 0,
        controller_port: int = 0,
        *,
        logs: Path | None = None,
        ports: PortLease | None = None,
        owner: Supervisor | None = None,
    ) -> None:
        """Hold both ports (0: free ones) from now on; nothing is started.

        Raises LocalStackError if a port is taken or the home cannot be made.
        """
        self.home = places.make_home(home, mode=0o700)
        self.data = self.home / "data"
        self.log = (logs or self.home / "logs") / "kafka.log"
        lease = ports or PortLease()
        self.port = lease.take(port, purpose="Kafka")
        self.controller_port = lease.take(controller_port, purpose="Kafka's controller")
        self._supervisor = owner or supervisor.of_this_process()
        self._child: Child | None = None
        self._archive: ClassArchive | None = None

    @property
    def bootstrap(self) -> str:
        """Where clients connect, `host:port`."""
        return f"{LOOPBACK}:{self.port}"

    @property
    def pid(self) -> int | None:
        """The broker's process id while it runs."""
        return self._child.pid if self._child is not None and self._child.running else None

    def start(self) -> None:
        """Start the broker, on the data that is there or on new data, and wait until it answers.

        Raises LocalStackError if Java or the jars are missing or the broker does not answer.
        """
        if self.pid is not None:
            return
        java = preflight.java()
        jars = kafka_jars(self._supervisor, self.log)
        properties = self._write_properties()
        self._archive = ClassArchive(java, jars, self.home)
        if not self.data.exists():
            self._make_data(java, jars, self._archive)
        command = jvm(java, jars, "kafka.Kafka", properties, flags=self._archive.flags())
        self._child = child = self._supervisor.start("kafka", command, log=self.log, cwd=self.home)
        ready = wait_until(lambda: answers(self.port) or not child.running, seconds=START_WITHIN)
        if not ready or not child.running:
            child.kill()
            problem = f"Kafka did not start; the reason is at the end of {self.log}."
            raise LocalStackError(problem)

    def stop(self) -> None:
        """End the broker in good order. Does nothing if it does not run."""
        if self._child is not None:
            self._child.stop()
            if self._archive is not None and self._child.exit_code == ENDED_BY_SIGTERM:
                self._archive.keep()

    def kill(self) -> None:
        """End the broker as a crash would, with SIGKILL."""
        if self._child is not None:
            self._child.kill()

    def wipe(self) -> None:
        """Kill the broker and delete its data; the next start makes a new cluster with another cluster id."""
        self.kill()
        shutil.rmtree(self.data, ignore_errors=True)

    def __enter__(self) -> Self:
        """Start the broker."""
        self.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        """Stop the broker."""
        self.stop()

    def _write_properties(self, data: Path | None = None) -> Path:
        path = self.home / ("server.properties" if data is None else "format.properties")
        path.write_text(
            PROPERTIES.format(host=LOOPBACK, broker=self.port, controller=self.controller_port, data=data or self.data)
        )
        return path

    def _make_data(self, java: Java, jars: list[Path], archive: ClassArchive) -> None:
        """Format beside the final place, so that an interrupted run leaves nothing that looks finished."""
        partial = self.home / "data.partial"
        shutil.rmtree(partial, ignore_errors=True)
        properties = self._write_properties(partial)
        arguments = ("format", "--cluster-id", new_cluster_id(), "--config", properties)
        command = jvm(java, jars, "kafka.tools.StorageTool", *arguments, flags=archive.using())
        made = self._supervisor.run("kafka-format", command, log=self.log, cwd=self.home)
        properties.unlink()
        if not made:
            problem = f"Kafka could not make its data in {self.home}; the reason is at the end of {self.log}."
            raise LocalStackError(problem)
        partial.rename(self.data)


def jvm(java: Java, jars: list[Path], main: str, *arguments: str | Path, flags: Sequence[str] = ()) -> list[str | Path]:
    """The argument vector that runs the class `main` of the broker's jars."""
    logging = [f"-Dorg.slf4j.simpleLogger.{name}={value}" for name, value in LOGGING.items()]
    return [java.path, *JVM, *flags, *logging, "-cp", ":".join(map(str, jars)), main, *arguments]


def new_cluster_id() -> str:
    """A random cluster id in Kafka's own form: 16 bytes in base64url, never with a leading dash."""
    while True:
        cluster_id = base64.urlsafe_b64encode(uuid.uuid4().bytes).decode().rstrip("=")
        if not cluster_id.startswith("-"):
            return cluster_id


def answers(port: int) -> bool:
    """Whether the broker on `port` answers a Metadata request (version 0, no topics) and names itself as a broker."""
    try:
        with socket.create_connection((LOOPBACK, port), timeout=PROBE_WITHIN) as connection:
            body = struct.pack(">hhih", 3, 0, 1, -1) + struct.pack(">i", 0)
            connection.sendall(struct.pack(">i", len(body)) + body)
            head = connection.recv(12, socket.MSG_WAITALL)
    except OSError:
        return False
    return len(head) == 12 and struct.unpack(">iii", head)[2] > 0
