"""Golden histories: what was once sent, how it ends, and every way in which the post may bring it."""

import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from aiokafka import TopicPartition
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st

from services.chassis.kafka.consumer import Taker
from services.chassis.kafka.outgoing import Outgoing

GOLDEN = Path(__file__).parent / "golden"
# The same examples in every run: a failure is a failure of the code, not of the day.
SEEDED = settings(
    max_examples=25,
    derandomize=True,
    deadline=None,
    database=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)


@dataclass(frozen=True)
class Told:
    """One message of a history. `about` names its task, notice or processor; `body` is as it was sent, without ids."""

    number: int
    type: str
    about: str
    body: dict[str, Any] = field(hash=False, repr=False)

    def _repr_pretty_(self, printer: Any, cycle: bool) -> None:
        """Be shown by Hypothesis as the number in its history."""
        printer.text(f"{self.number}:{self.type.removeprefix('dev.habeas.')}")


@dataclass(frozen=True)
class History:
    """Messages in the order in which they were sent, and how that ends.

    The `first` so many are never overtaken, and `worked` of them are dealt with before the others come.
    """

    name: str
    before: dict[str, Any] = field(hash=False, repr=False)
    messages: tuple[Told, ...] = field(repr=False)
    first: int
    worked: int
    ends: dict[str, Any] = field(hash=False, repr=False)

    def _repr_pretty_(self, printer: Any, cycle: bool) -> None:
        """Be shown by Hypothesis by name."""
        printer.text(self.name)

    @property
    def in_order(self) -> list[list[Told]]:
        """Return each message once, in a batch of its own."""
        return [[one] for one in self.messages]


def histories(service: str) -> list[History]:
    """Return the histories that `service` reads."""
    return [_read(path) for path in sorted((GOLDEN / service).glob("*.json"))]


def types_told(service: str) -> set[str]:
    """Return the event types that the histories of `service` contain."""
    return {one.type for history in histories(service) for one in history.messages}


def _read(path: Path) -> History:
    document = json.loads(path.read_text(encoding="utf-8"))
    messages = tuple(
        Told(number, one["type"], one.get("about", ""), one["body"])
        for number, one in enumerate(document["messages"], start=1)
    )
    return History(
        path.stem,
        document.get("before", {}),
        messages,
        document.get("first", 0),
        document.get("worked", 0),
        document["ends"],
    )


@st.composite
def any_post(draw: st.DrawFn, history: History) -> list[list[Told]]:
    """Return batches: every message at least once, some again, in any order that `first` leaves, cut anywhere."""
    ahead, rest = history.messages[: history.first], history.messages[history.first :]
    again = draw(st.lists(st.sampled_from(history.messages), max_size=2 * len(history.messages)))
    order = [*ahead, *draw(st.permutations([*rest, *again]))]
    batches: list[list[Told]] = []
    for place, one in enumerate(order):
        if place <= history.worked or draw(st.booleans()):
            batches.append([])
        batches[-1].append(one)
    return batches


@dataclass(frozen=True)
class Record:
    """A record as a poll returns it."""

    topic: str
    partition: int
    offset: int
    key: bytes | None
    value: bytes | None
    headers: Sequence[tuple[str, bytes | None]]


class Post:
    """Brings messages to a consumer's own code as a poll would; offsets go on from batch to batch."""

    def __init__(self, taker: Taker) -> None:
        self._taker = taker
        self._offset = 0

    async def bring(self, batch: Sequence[Outgoing]) -> None:
        """Have a batch taken; it must not have to be taken again."""
        records = [self._record(one) for one in batch]
        await self._taker.take(self, records)

    async def commit(self, offsets: dict[TopicPartition, int]) -> None:
        """Take note, as the broker would."""
        assert list(offsets.values()) == [self._offset]

    def seek(self, partition: TopicPartition, offset: int) -> None:
        """Be told that the batch failed."""
        raise AssertionError("the batch was not taken")

    def _record(self, one: Outgoing) -> Record:
        self._offset += 1
        headers = [(name, value.encode()) for name, value in one.headers.items()]
        return Record(one.topic, 0, self._offset - 1, one.key.encode(), one.value, headers)
