"""Plays the connector hosts and the loops of the orchestrator, without a broker: for tests of its use cases."""

import json
from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

from contracts import ids
from contracts.cloudevents import Attributes
from contracts.exports import ExportReceipt
from contracts.message import Message
from contracts.outcomes import Line, Outcome
from contracts.processors import ProcessorAnnounced, WireAction, WireManifest
from contracts.reports import TaskSettled
from contracts.seal import SealedFindings, SealedIdentity, SealedSubject
from contracts.tasks import TaskDispatched
from habeas.vocabulary import Action, Checked, Disposition, IdentityType
from services.chassis.crypto.keys import ProcessorKeys
from services.chassis.crypto.seal import seal, unseal
from services.chassis.kafka.incoming import Incoming
from services.orchestrator.handlers.dependencies import Dependencies
from services.orchestrator.handlers.dispatch_tasks import Dispatcher
from services.orchestrator.handlers.plan_requests import Planner
from services.orchestrator.handlers.record_announcements import RecordAnnouncements
from services.orchestrator.handlers.record_reports import RecordReports

ERASED = Line(category="contact", disposition=Disposition.ERASED, count=1, checked=Checked.VERIFIED)
DONE = {
    Action.ERASE: ERASED,
    Action.EXPORT: ERASED.model_copy(update={"disposition": Disposition.EXPORTED}),
    Action.RECTIFY: ERASED.model_copy(update={"disposition": Disposition.RECTIFIED}),
}
RECEIPT = ExportReceipt(attempt=1, size=512, sha256="a" * 64, records=1, files=0)


def incoming(body: Message, *, key: str = "key", event_id: str | None = None) -> Incoming[Message]:
    """Return `body` as a record that was believed."""
    event = event_id or ids.new("evt")
    attributes = Attributes(event, body.wire_type(), "/habeas/tests", "", key)
    return Incoming("topic", 0, 0, key, attributes, "crm-eu/1", body)


@dataclass
class Hosts:
    """All connector hosts of an installation."""

    deps: Dependencies

    async def announce(
        self,
        processor: str,
        kind: str,
        *,
        accepts: Sequence[IdentityType] = (IdentityType.EMAIL,),
        resolves: Sequence[IdentityType] = (),
        version: int = 1,
        serves: Sequence[Action] = (Action.ERASE,),
        fields: Sequence[str] = (),
        after: Sequence[str] = (),
        told: Mapping[str, str] = MappingProxyType({}),
    ) -> None:
        """Announce a processor that serves erasure (or `serves`), and resolve where it resolves anything.

        `told` stands over what it says of itself.
        """
        actions = {one: WireAction() for one in (*serves, *((Action.RESOLVE,) if resolves else ()))}
        manifest = WireManifest(
            kind=kind,
            version=version,
            title=f"The {kind}",
            owner="tests",
            country="NL",
            accepts=tuple(accepts),
            resolves=tuple(resolves),
            actions=actions,
            fields=tuple(fields),
            after=tuple(after),
        ).model_copy(update=dict(told))
        body = ProcessorAnnounced(
            livemode=True,
            processor=processor,
            kind=kind,
            manifest=manifest,
            manifest_version=version,
            key_versions=(1,),
            incarnation=f"{processor}/{version}",
            at=self.deps.clock.now(),
        )
        async with self.deps.database.transaction() as connection:
            await RecordAnnouncements(self.deps)(connection, [incoming(body)])

    async def work(self) -> None:
        """Let planner and dispatcher do all that they can."""
        planner, dispatcher = Planner(self.deps), Dispatcher(self.deps)
        while await planner.step() + await dispatcher.step():
            pass

    async def sent(self) -> AsyncIterator[dict[str, Any]]:
        """Yield the tasks that were sent and are not settled."""
        async with self.deps.database.connection() as connection:
            rows = await connection.fetch(
                "SELECT id, request_id, processor, action, dispatch_no FROM tasks"
                " WHERE state IN ('dispatched', 'accepted') ORDER BY id"
            )
        for row in rows:
            yield dict(row)

    async def settle(
        self,
        task: dict[str, Any],
        *,
        found: Sequence[SealedIdentity] = (),
        sealed_for: str | None = None,
        cancelled: bool = False,
    ) -> None:
        """Report that a task is done; a resolve found `found`, sealed for the task `sealed_for` (its own)."""
        action = Action(task["action"])
        sealed = None
        if found:
            findings = SealedFindings(task=sealed_for or task["id"], identities=tuple(found))
            sealed = seal(await self._keys(task["processor"]), findings)
        body = TaskSettled(
            livemode=True,
            task_id=task["id"],
            request_id=task["request_id"],
            processor=task["processor"],
            dispatch_no=task["dispatch_no"],
            at=self.deps.clock.now(),
            outcome=Outcome.of((DONE[action],) if action in DONE and not cancelled else ()),
            cancelled=cancelled,
            sealed=sealed,
            export=RECEIPT if action is Action.EXPORT and not cancelled else None,
        )
        async with self.deps.database.transaction() as connection:
            await RecordReports(self.deps)(connection, [incoming(body, key=task["request_id"])])

    async def settle_all(self) -> None:
        """Settle everything that is sent, until nothing is."""
        await self.work()
        while tasks := [task async for task in self.sent()]:
            for task in tasks:
                await self.settle(task)
            await self.work()

    async def opened(self, task: dict[str, Any]) -> tuple[SealedSubject, TaskDispatched]:
        """Return what a task's last message told its host, and the message."""
        async with self.deps.database.connection() as connection:
            rows = await connection.fetch(
                "SELECT value FROM outbox WHERE key = $1 ORDER BY id DESC", task["request_id"]
            )
        bodies = [json.loads(row["value"]) for row in rows]
        body = next(one for one in bodies if one.get("task_id") == task["id"] and "sealed" in one)
        sent = TaskDispatched.model_validate(body)
        keys = await self._keys(task["processor"])
        return SealedSubject.model_validate_json(unseal(keys, sent.sealed)), sent

    async def _keys(self, processor: str) -> ProcessorKeys:
        async with self.deps.database.connection() as connection:
            enrolment = await connection.fetchval("SELECT enrolment_id FROM processors WHERE id = $1", processor)
        return self.deps.root.processor_keys(processor, enrolment, 1)
