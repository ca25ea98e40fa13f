"""Gives up the copies of answered access requests whose time is over: hosts are told to delete what they exported."""

from datetime import datetime

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
    """A slow loop's step."""

    def __init__(self, deps: Dependencies) -> None:
        """Work with `deps`."""
        self._deps = deps
        self._messages = Messages(deps)

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
        request.note(
            "request.package_closed", event_id=self._messages.event_id(request.id, "request.package_closed"), at=now
        )
        work.touch(request)
