"""A team without our code believes a task, opens its seal and reports; the orchestrator's own reading believes that."""

import base64
import json
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import combinations
from pathlib import Path
from typing import Any

import pytest

from contracts.exports import ExportReceipt, path_of
from contracts.message import Message
from contracts.outcomes import Line, Outcome
from contracts.processors import ProcessorAnnounced, WireManifest
from contracts.reports import TaskSettled
from contracts.seal import SealedIdentity, SealedSubject
from contracts.tasks import TaskClosed, TaskDispatched
from contracts.topics import PROCESSORS, REPORTS
from habeas.vocabulary import NO_ACCEPTED_IDENTITY, Action, Disposition, Headline, IdentityType
from services.chassis.crypto.keys import FixedKeys, ProcessorKeys
from services.chassis.crypto.proof import prove
from services.chassis.crypto.seal import seal
from services.chassis.exports import ExportedRecord, ExportReader
from services.chassis.kafka.decoding import Believed, Decoder
from tests.contract.foreign_pages import (
    CONTRACTS,
    Answered,
    Record,
    RefusedByPage,
    announce_in_node,
    announce_in_python,
    answer_in_node,
    answer_in_python,
    blocks,
    needs_node,
    node,
    python_page,
    run_node_page,
)

SECRET = bytes(range(32))
ENROLMENT = {"processor": "crm-eu", "kind": "hubspot", "version": 1, "secret": base64.b64encode(SECRET).decode()}
KEYS = ProcessorKeys.from_secret("crm-eu", 1, SECRET)
TOPIC = "habeas.tasks.crm-eu.v1"

Answer = Callable[[Path, Mapping[str, Any], Record, Sequence[Any]], Answered]
LANGUAGES = [pytest.param(answer_in_python, id="python"), pytest.param(answer_in_node, id="node", marks=needs_node)]
Announce = Callable[[Path, Mapping[str, Any], Mapping[str, Any]], Record]
ANNOUNCERS = [
    pytest.param(announce_in_python, id="python"),
    pytest.param(announce_in_node, id="node", marks=needs_node),
]
ERASED = {"category": "contact", "disposition": "erased", "count": 3, "checked": "verified"}
KEPT = {
    "category": "invoices",
    "disposition": "retained",
    "count": 2,
    "checked": "verified",
    "ground": "tax_law",
    "until": "2033-05-01",
}


def example(kind: type[Message]) -> dict[str, Any]:
    body: dict[str, Any] = json.loads((CONTRACTS / "examples" / f"{kind.TYPE}.v1.json").read_text(encoding="utf-8"))
    return body


def record(
    kind: type[Message] = TaskDispatched,
    *,
    sealed_for: str | None = None,
    known: Sequence[str] = ("zoë@example.com",),
    **more: Any,
) -> Record:
    """Return a message as the orchestrator sends it to the processor's own topic, about who is `known` by addresses."""
    body = example(kind)
    if kind is TaskDispatched:
        identities = tuple(SealedIdentity(type=IdentityType.EMAIL, value=one) for one in known)
        task = sealed_for or body["task_id"]
        body["sealed"] = seal(KEYS, SealedSubject(task=task, identities=identities))
        body["not_after"] = (datetime.now(UTC) + timedelta(hours=1)).isoformat()
    body |= more
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


def decoded(sent: Record | None) -> Message:
    """Return what the orchestrator's own decoder makes of what was sent."""
    assert sent is not None
    headers: list[tuple[str, bytes | None]] = [(name, value.encode()) for name, value in sent["headers"].items()]
    raw = Raw(sent["topic"], sent["key"].encode(), sent["body"], headers)
    found = Decoder({topic.name: topic for topic in (REPORTS, PROCESSORS)}, FixedKeys([KEYS])).decode(raw)
    assert isinstance(found, Believed), found
    assert found.incoming.attributes.subject == found.incoming.key
    return found.incoming.body


def believed(sent: Record | None) -> TaskSettled:
    """Return the report that the orchestrator's own decoder makes of what was sent."""
    report = decoded(sent)
    assert isinstance(report, TaskSettled)
    return report


@pytest.mark.parametrize("answer", LANGUAGES)
@pytest.mark.parametrize(
    ("lines", "headline", "effects"),
    [
        ([ERASED], Headline.FULFILLED, 3),
        ([ERASED, KEPT], Headline.FULFILLED_WITH_RETENTION, 3),
        ([ERASED | {"disposition": "already_done"}], Headline.FULFILLED, 0),
        ([], Headline.NOTHING_FOUND, 0),
    ],
    ids=["erased", "kept in part", "gone before", "nothing"],
)
def test_a_report_is_believed(
    tmp_path: Path, answer: Answer, lines: list[dict[str, Any]], headline: Headline, effects: int
) -> None:
    answered = answer(tmp_path, ENROLMENT, record(), lines)
    report, task = believed(answered.sent), example(TaskDispatched)
    assert (report.task_id, report.request_id, report.dispatch_no) == (task["task_id"], task["request_id"], 1)
    assert report.outcome.headline is headline
    assert report.effects == effects
    nothing = {"category": "all", "disposition": "not_found", "count": 0, "checked": "verified"}
    assert report.outcome.lines == tuple(Line.model_validate(one) for one in lines or [nothing])


@pytest.mark.parametrize("answer", LANGUAGES)
def test_whoever_erases_is_told_what_the_law_keeps(tmp_path: Path, answer: Answer) -> None:
    rule = {"category": "invoices", "ground": "tax_law", "months": 84, "counted_from": "date"}
    answered = answer(tmp_path, ENROLMENT, record(retention=[rule]), [KEPT])
    assert answered.asked == [[[{"type": "email", "value": "zoë@example.com"}], [rule]]]


FOLLOW_UP = {"follows": "tsk_01M7W4N5E0H3HBY6FEEGCBMF3R", "held_until": "2026-11-20"}


@pytest.mark.parametrize("answer", LANGUAGES)
@pytest.mark.parametrize(
    ("wanted", "disposition", "reason"),
    [
        *(({"action": one.value}, "not_applicable", "not_served") for one in Action if one is not Action.ERASE),
        ({"known": (), **FOLLOW_UP}, "failed", "unknown_hold"),
        (FOLLOW_UP, "failed", "unknown_hold"),
        ({"known": ()}, "not_applicable", "no_accepted_identity"),
    ],
    ids=[*(one.value for one in Action if one is not Action.ERASE), "follow-up", "follow-up of somebody", "nobody"],
)
def test_nothing_is_touched_that_is_not_an_erasure_of_somebody(
    tmp_path: Path, answer: Answer, wanted: dict[str, Any], disposition: str, reason: str
) -> None:
    answered = answer(tmp_path, ENROLMENT, record(**wanted), [ERASED])
    report = believed(answered.sent)
    said = {"category": "all", "disposition": disposition, "count": 0, "checked": "not_checkable", "reason": reason}
    assert report.outcome.lines == (Line.model_validate(said),)
    assert report.effects == 0
    assert answered.asked == []


@pytest.mark.parametrize("answer", LANGUAGES)
def test_a_task_whose_time_is_over_is_not_begun(tmp_path: Path, answer: Answer) -> None:
    late = (datetime.now(UTC) - timedelta(seconds=1)).isoformat()
    assert answer(tmp_path, ENROLMENT, record(not_after=late), [ERASED]) == Answered(None, [])


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
            answer(tmp_path, ENROLMENT, bad, [ERASED])


@pytest.mark.parametrize("answer", LANGUAGES)
def test_what_is_no_task_to_carry_out_is_not_answered(tmp_path: Path, answer: Answer) -> None:
    assert answer(tmp_path, ENROLMENT, record(TaskClosed), [ERASED]) == Answered(None, [])


def shown_announcement() -> dict[str, Any]:
    """Return the body of an announcement that the README shows."""
    (shown,) = blocks("json")
    body: dict[str, Any] = json.loads(shown)
    return body


def test_the_announcement_in_the_readme_is_one() -> None:
    shown = shown_announcement()
    announced = ProcessorAnnounced.model_validate(shown)
    assert announced.model_dump(mode="json").keys() == shown.keys()
    assert shown["manifest"].keys() <= announced.manifest.model_dump().keys()


@pytest.mark.parametrize("announce", ANNOUNCERS)
def test_an_announcement_is_believed(tmp_path: Path, announce: Announce) -> None:
    manifest = shown_announcement()["manifest"]
    sent = announce(tmp_path, ENROLMENT, {name: value for name, value in manifest.items() if name != "kind"})
    assert sent["key"] == "crm-eu"
    body = decoded(sent)
    assert isinstance(body, ProcessorAnnounced)
    assert body.manifest == WireManifest.model_validate(manifest)
    assert (body.processor, body.kind, body.manifest_version, body.key_versions) == ("crm-eu", "hubspot", 1, (1,))
    assert body.livemode
    assert body.at.tzinfo is not None


@pytest.mark.parametrize("announce", ANNOUNCERS)
def test_the_incarnation_says_whether_anything_changed(tmp_path: Path, announce: Announce) -> None:
    manifest = shown_announcement()["manifest"]

    def incarnation(enrolment: Mapping[str, Any], manifest: Mapping[str, Any]) -> str:
        return str(json.loads(announce(tmp_path, enrolment, manifest)["body"])["incarnation"])

    first = incarnation(ENROLMENT, manifest)
    assert incarnation(ENROLMENT, manifest) == first
    assert incarnation(ENROLMENT, manifest | {"title": "CRM"}) != first
    assert incarnation(ENROLMENT | {"version": 2}, manifest) != first


def combined() -> list[list[dict[str, str]]]:
    """Return lines of up to three dispositions, one of which may be that of somebody who could not be asked."""
    kinds = [{"disposition": one.value} for one in Disposition]
    kinds.append({"disposition": "not_applicable", "reason": NO_ACCEPTED_IDENTITY})
    return [list(some) for size in range(4) for some in combinations(kinds, size)]


def ours(lines: list[dict[str, str]]) -> str:
    filled = [Line.model_validate({"category": "all", "count": 0, "checked": "not_checkable", **one}) for one in lines]
    return Outcome.of(tuple(filled)).headline.value


def test_the_headline_in_python_is_ours() -> None:
    theirs = python_page()["headline_of"]
    for some in combined():
        assert theirs(some) == ours(some)


@needs_node
def test_the_headline_in_node_is_ours(tmp_path: Path) -> None:
    page = tmp_path / "headlines.mjs"
    page.write_text(
        f'import {{ headlineOf }} from "{CONTRACTS.as_uri()}/foreign/habeas.mjs";\n'
        'import { readFileSync } from "node:fs";\n'
        "const lists = JSON.parse(readFileSync(0));\n"
        "console.log(JSON.stringify(lists.map(headlineOf)));\n"
    )
    told = json.loads(node(str(page), stdin=json.dumps(combined())))
    assert told == [ours(some) for some in combined()]


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
