"""A team without our code believes a task, opens its seal and reports; the orchestrator's own reading believes that."""

import base64
import json
from collections.abc import AsyncIterator, Callable, Mapping
from dataclasses import dataclass
from itertools import combinations
from pathlib import Path
from typing import Any

import pytest

from contracts.exports import ExportReceipt, path_of
from contracts.message import Message
from contracts.outcomes import Line
from contracts.reports import TaskSettled
from contracts.seal import SealedIdentity, SealedSubject
from contracts.tasks import TaskClosed, TaskDispatched
from contracts.topics import REPORTS
from habeas.vocabulary import Checked, Disposition, Headline, IdentityType, headline_of
from services.chassis.crypto.keys import FixedKeys, ProcessorKeys
from services.chassis.crypto.proof import prove
from services.chassis.crypto.seal import seal
from services.chassis.exports import ExportedRecord, ExportReader
from services.chassis.kafka.decoding import Believed, Decoder
from tests.contract.foreign_pages import (
    CONTRACTS,
    Record,
    RefusedByPage,
    answer_in_node,
    answer_in_python,
    needs_node,
    node,
    python_page,
    run_node_page,
)

SECRET = bytes(range(32))
ENROLMENT = {"processor": "crm-eu", "version": 1, "secret": base64.b64encode(SECRET).decode()}
KEYS = ProcessorKeys.from_secret("crm-eu", 1, SECRET)
TOPIC = "habeas.tasks.crm-eu.v1"

Answer = Callable[[Path, Mapping[str, Any], Record, int], Record | None]
LANGUAGES = [pytest.param(answer_in_python, id="python"), pytest.param(answer_in_node, id="node", marks=needs_node)]


def example(kind: type[Message]) -> dict[str, Any]:
    body: dict[str, Any] = json.loads((CONTRACTS / "examples" / f"{kind.TYPE}.v1.json").read_text(encoding="utf-8"))
    return body


def record(kind: type[Message] = TaskDispatched, *, sealed_for: str | None = None, **more: Any) -> Record:
    """Return a message as the orchestrator sends it to the processor's own topic."""
    body = example(kind) | more
    if kind is TaskDispatched:
        identity = SealedIdentity(type=IdentityType.EMAIL, value="zoë@example.com")
        task = sealed_for or body["task_id"]
        body["sealed"] = seal(KEYS, SealedSubject(task=task, identities=(identity,)))
    raw = kind.model_validate(body).model_dump_json().encode()
    headers = {
        "ce_specversion": "1.0",
        "ce_id": "evt_1",
        "ce_type": kind.wire_type(),
        "ce_source": "/habeas/orchestrator",
        "content-type": "application/json",
    }
    key = body["request_id"]
    headers["habeas-proof"] = prove(KEYS, topic=TOPIC, key=key.encode(), headers=headers, body=raw)
    return {"topic": TOPIC, "key": key, "headers": headers, "body": raw}


@dataclass
class Raw:
    """What was sent, as a consumer gets it."""

    topic: str
    key: bytes
    value: bytes
    headers: list[tuple[str, bytes | None]]
    partition: int = 0
    offset: int = 0


def believed(sent: Record) -> TaskSettled:
    """Return the report that the orchestrator's own decoder makes of what was sent."""
    headers: list[tuple[str, bytes | None]] = [(name, value.encode()) for name, value in sent["headers"].items()]
    raw = Raw(sent["topic"], sent["key"].encode(), sent["body"], headers)
    decoded = Decoder({REPORTS.name: REPORTS}, FixedKeys([KEYS])).decode(raw)
    assert isinstance(decoded, Believed), decoded
    assert decoded.incoming.attributes.subject == decoded.incoming.key
    assert isinstance(decoded.incoming.body, TaskSettled)
    return decoded.incoming.body


@pytest.mark.parametrize("answer", LANGUAGES)
@pytest.mark.parametrize(("erased", "headline"), [(3, Headline.FULFILLED), (0, Headline.NOTHING_FOUND)])
def test_a_report_is_believed(tmp_path: Path, answer: Answer, erased: int, headline: Headline) -> None:
    sent = answer(tmp_path, ENROLMENT, record(), erased)
    assert sent is not None
    report, task = believed(sent), example(TaskDispatched)
    assert (report.task_id, report.request_id, report.dispatch_no) == (task["task_id"], task["request_id"], 1)
    assert report.outcome.headline is headline
    assert report.effects == erased
    assert sent["key"] == task["request_id"]
    if erased:
        erased_line = Line(category="contact", disposition=Disposition.ERASED, count=3, checked=Checked.VERIFIED)
        assert report.outcome.lines == (erased_line,)


@pytest.mark.parametrize("answer", LANGUAGES)
def test_what_is_not_proven_or_sealed_for_this_task_is_not_believed(tmp_path: Path, answer: Answer) -> None:
    good = record()
    without = {name: value for name, value in good["headers"].items() if name != "habeas-proof"}
    for bad in (
        good | {"body": good["body"] + b" "},
        good | {"key": good["key"] + "x"},
        good | {"topic": "habeas.tasks.crm-us.v1"},
        good | {"headers": good["headers"] | {"ce_type": "dev.habeas.task.closed.v1"}},
        good | {"headers": without},
        record(sealed_for="tsk_01M7W4N5E0H3HBY6FEEGCBMF3R"),
        record(processor="crm-us"),
    ):
        with pytest.raises(RefusedByPage):
            answer(tmp_path, ENROLMENT, bad, 1)


@pytest.mark.parametrize("answer", LANGUAGES)
def test_what_is_no_task_to_carry_out_is_not_answered(tmp_path: Path, answer: Answer) -> None:
    assert answer(tmp_path, ENROLMENT, record(TaskClosed), 1) is None


def combined() -> list[list[Disposition]]:
    return [list(some) for size in range(4) for some in combinations(Disposition, size)]


def test_the_headline_in_python_is_ours() -> None:
    theirs = python_page()["headline_of"]
    for some in combined():
        assert theirs([{"disposition": one.value} for one in some]) == headline_of(some).value


@needs_node
def test_the_headline_in_node_is_ours(tmp_path: Path) -> None:
    page = tmp_path / "headlines.mjs"
    page.write_text(
        f'import {{ headlineOf }} from "{CONTRACTS.as_uri()}/foreign/habeas.mjs";\n'
        'import { readFileSync } from "node:fs";\n'
        "const lists = JSON.parse(readFileSync(0));\n"
        "console.log(JSON.stringify(lists.map((some) => headlineOf(some.map((disposition) => ({ disposition }))))));\n"
    )
    told = json.loads(node(str(page), stdin=json.dumps(combined())))
    assert told == [headline_of(some).value for some in combined()]


@needs_node
def test_the_exports_of_node_hold_against_every_vector() -> None:
    vectors = json.loads((CONTRACTS / "vectors" / "exports.json").read_text(encoding="utf-8"))["exports"]
    assert node(str(CONTRACTS / "foreign" / "exports.mjs")) == f"{len(vectors)} hold"


@needs_node
@pytest.mark.parametrize("size", [0, 70_000, 3 << 20])
async def test_an_export_that_node_wrote_is_read_here(tmp_path: Path, size: int) -> None:
    script = """
const stored = [];
const writer = new ExportWriter(asked.export_key, (bytes) => stored.push(bytes));
writer.record("notes", { text: "x".repeat(asked.size) });
await writer.file("files", "text/plain", [Buffer.alloc(asked.size, "y")]);
const receipt = writer.end(1);
const shown = await exported(asked, 7, () => {});
console.log(JSON.stringify({ stored: Buffer.concat(stored).toString("base64"), receipt, shown }));
"""
    key, task = bytes(range(32)), "tsk_01M7W4N5E0H3HBY6FEEGCBMF3Q"
    export_key = base64.urlsafe_b64encode(key).rstrip(b"=").decode()
    told = run_node_page(tmp_path, 1, script, {"export_key": export_key, "task": task, "size": size})
    assert told["shown"]["path"] == path_of(task, 7)
    assert (told["shown"]["export"]["records"], told["shown"]["export"]["files"]) == (1, 1)
    stored = base64.b64decode(told["stored"])
    receipt = ExportReceipt.model_validate(told["receipt"])
    assert await read_back(stored, key, receipt) == ["x" * size, "y" * size]


async def read_back(stored: bytes, key: bytes, receipt: ExportReceipt) -> list[str]:
    async def sealed() -> AsyncIterator[bytes]:
        yield stored

    texts = []
    async for thing in ExportReader(sealed(), key, receipt=receipt):
        if isinstance(thing, ExportedRecord):
            texts.append(str(thing.fields["text"]))
        else:
            texts.append(b"".join([chunk async for chunk in thing.chunks]).decode())
    return texts
