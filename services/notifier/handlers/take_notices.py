"""Takes due notices from Kafka: stores them, and gives the answer again where there is one already."""

from collections.abc import Sequence

from contracts.message import Message
from contracts.notices import NoticeDue
from services.chassis.clock import Clock
from services.chassis.kafka.incoming import Incoming
from services.chassis.log import get_logger
from services.chassis.postgres.pool import Connection
from services.notifier.domain.notices import Answered
from services.notifier.handlers import metrics
from services.notifier.handlers.ports import Announce, Arrived, NoticeIntake

log = get_logger(__name__)


class TakeNotices:
    """A batch handler: right under duplicates and any order, since only a later dispatch changes anything."""

    def __init__(self, store: NoticeIntake, *, announce: Announce, clock: Clock) -> None:
        """Store with `store`; `announce` composes answers."""
        self._store = store
        self._announce = announce
        self._clock = clock

    async def __call__(self, connection: Connection, batch: Sequence[Incoming[Message]]) -> None:
        """Take a batch in the caller's transaction."""
        latest = self._latest(batch)
        if not latest:
            return
        dispatches = [(one.due.notice_id, one.due.dispatch_no) for one in latest]
        answered = await self._store.repeat(connection, dispatches)
        known = {one.notice_id for one in answered}
        fresh = [one for one in latest if one.due.notice_id not in known]
        if fresh:
            await self._store.keep(connection, fresh)
        if answered:
            await self._store.announce(connection, self._announce(answered))
        _count(fresh, answered)

    def _latest(self, batch: Sequence[Incoming[Message]]) -> list[Arrived]:
        """Return each notice once, as its latest dispatch says, without those whose time is over."""
        now = self._clock.now()
        latest: dict[str, Arrived] = {}
        for incoming in batch:
            due = incoming.body
            assert isinstance(due, NoticeDue)  # noqa: S101  # the topic carries nothing else
            if due.not_after <= now:
                metrics.TAKEN.labels("too_late").inc()
                log.warning("notice.ignored", notice_id=due.notice_id, reason="too_late", dispatch_no=due.dispatch_no)
                continue
            known = latest.get(due.notice_id)
            if known is None or known.due.dispatch_no < due.dispatch_no:
                latest[due.notice_id] = Arrived(due, incoming.traceparent)
        return [latest[notice_id] for notice_id in sorted(latest)]


def _count(fresh: Sequence[Arrived], answered: Sequence[Answered]) -> None:
    metrics.TAKEN.labels("stored").inc(len(fresh))
    metrics.TAKEN.labels("answered_before").inc(len(answered))
