"""Takes the notifier's word on notices: the legal clock ends when the person was told."""

from collections.abc import Sequence
from typing import cast

from contracts.message import Message
from contracts.notices import NoticeBounced, NoticeSent, NoticeUnknown
from habeas.vocabulary import NoticeKind
from services.chassis.kafka.consumer import Poison, Verdict
from services.chassis.kafka.incoming import Incoming
from services.chassis.postgres.pool import Connection
from services.orchestrator.handlers.dependencies import Dependencies
from services.orchestrator.handlers.notices_again import SQL, show_trouble, troubles
from services.orchestrator.handlers.workspace import Workspace

Delivery = NoticeSent | NoticeBounced | NoticeUnknown
_STATE = {NoticeSent: "sent", NoticeBounced: "bounced", NoticeUnknown: "unknown"}
# The better word wins: what the receiving server took is sent, whatever was feared before.
_RANK = {"due": 0, "unknown": 1, "bounced": 2, "sent": 3}
_TROUBLED = frozenset({"unknown", "bounced"})


class RecordDeliveries:
    """The handler of `habeas.deliveries.v1`."""

    def __init__(self, deps: Dependencies) -> None:
        """Record with `deps`."""
        self._deps = deps

    async def __call__(self, connection: Connection, batch: Sequence[Incoming[Message]]) -> None:
        """Record a batch; word of an unknown notice is a dead letter."""
        deliveries = cast("Sequence[Incoming[Delivery]]", batch)
        ids = list({one.body.notice_id for one in deliveries})
        request_of = {row["id"]: row["request_id"] for row in await connection.fetch(SQL["requests_of_notices"], ids)}
        unknown = [index for index, one in enumerate(deliveries) if one.body.notice_id not in request_of]
        if unknown:
            raise Poison(*(Verdict(index, "unknown_notice", counts=False) for index in unknown))
        work = Workspace(connection)
        await work.lock(request_of.values())
        rows = await connection.fetch(SQL["lock"], ids)
        states = {row["id"]: row["state"] for row in rows}
        shown = {row["id"] for row in rows if row["state"] in _TROUBLED or row["silences"] > 0}
        answers: dict[str, Incoming[Delivery]] = {}
        for one in deliveries:
            notice = one.body.notice_id
            if _RANK[_STATE[type(one.body)]] > _RANK[states[notice]]:
                states[notice] = _STATE[type(one.body)]
                answers[notice] = one
                if states[notice] in _TROUBLED or work.requests[request_of[notice]].attention is not None:
                    shown.add(notice)
        for notice, one in answers.items():
            self._note(work, request_of[notice], one)
        if answers:
            await connection.execute(
                SQL["answer"],
                list(answers),
                [states[notice] for notice in answers],
                [getattr(one.body, "reason", None) for one in answers.values()],
                [one.body.at for one in answers.values()],
            )
        if shown:
            await self._review(connection, work, {request_of[notice] for notice in shown})
        await work.save()

    async def _review(self, connection: Connection, work: Workspace, requests: set[str]) -> None:
        found = await troubles(connection, requests)
        for name in requests:
            show_trouble(work.requests[name], found.get(name), self._deps.clock.now())
            work.touch(work.requests[name])

    def _note(self, work: Workspace, request_id: str, delivery: Incoming[Delivery]) -> None:
        request, body = work.requests[request_id], delivery.body
        state = _STATE[type(body)]
        now = self._deps.clock.now()
        if state == "sent" and body.kind is NoticeKind.COMPLETION and request.informed_at is None:
            request.informed_at = body.at
        request.note(
            f"notice.{state}",
            event_id=delivery.event_id,
            at=now,
            detail={"kind": body.kind.value, "channel": body.channel, "reason": getattr(body, "reason", None)},
        )
        work.touch(request)
