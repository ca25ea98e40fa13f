"""Gives up the copies of answered access requests whose time is over, and shows before that which nobody fetched."""

from datetime import datetime, timedelta

from habeas.vocabulary import AttentionReason
from services.chassis.log import get_logger
from services.chassis.postgres.queries import Queries
from services.orchestrator.domain.request import DataSubjectRequest
from services.orchestrator.handlers.dependencies import Dependencies
from services.orchestrator.handlers.directory import Directory
from services.orchestrator.handlers.messages import Messages
from services.orchestrator.handlers.workspace import Workspace

log = get_logger(__name__)
SQL = Queries.load("services.orchestrator.store", "upkeep.sql")


class ClosePackages:
    """A slow loop's steps."""

    def __init__(self, deps: Dependencies) -> None:
        """Work with `deps`."""
        self._deps = deps
        self._messages = Messages(deps)

    async def remind(self) -> int:
        """Show one batch of packages that go soon, and that nobody has fetched; return how many."""
        now, settings = self._deps.clock.now(), self._deps.settings
        async with self._deps.database.transaction() as connection:
            soon = now + timedelta(seconds=settings.package_reminder)
            rows = await connection.fetch(SQL["packages_not_fetched"], soon, settings.batch)
            work = Workspace(connection)
            await work.lock([row["id"] for row in rows], wait=False)
            shown = [one for one in work.requests.values() if one.package_open and one.attention is None]
            for request in shown:
                request.need(AttentionReason.PACKAGE_NOT_FETCHED, since=now)
                event = self._messages.event_id(request.id, "package.not_fetched", request.timeline_seq + 1)
                request.note("package.not_fetched", event_id=event, at=now)
                work.touch(request)
            await work.save()
        if shown:
            log.warning("packages.not_fetched", count=len(shown))
        return len(shown)

    async def step(self) -> int:
        """Close one batch of packages, each in the transaction that tells its hosts; return how many."""
        now = self._deps.clock.now()
        async with self._deps.database.transaction() as connection:
            rows = await connection.fetch(SQL["packages_over"], now, self._deps.settings.batch)
            if not rows:
                return 0
            work = Workspace(connection)
            await work.lock([row["id"] for row in rows], wait=False)
            # Somebody else may have closed some between the two queries.
            over = [request for request in work.requests.values() if request.package_open]
            await work.load_tasks()
            directory = await Directory.read(connection, self._deps.root)
            for request in over:
                self._close(work, directory, request, now)
            await work.save()
        if over:
            self._deps.wakes.relay.set()
            log.info("packages.closed", count=len(over))
        return len(over)

    def _close(self, work: Workspace, directory: Directory, request: DataSubjectRequest, now: datetime) -> None:
        for task in work.tasks_of(request.id):
            if task.export is not None:
                work.send(self._messages.closed(request, task, keys=directory.keys(task.processor), at=now))
        request.package_open = False
        request.needs_nothing_more(AttentionReason.PACKAGE_NOT_FETCHED)
        request.note(
            "request.package_closed", event_id=self._messages.event_id(request.id, "request.package_closed"), at=now
        )
        work.touch(request)
