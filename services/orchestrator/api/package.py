"""Fetching the copy of a subject's data: checked before the first byte, then sent while it is made."""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import aclosing
from dataclasses import dataclass
from typing import Any, Final

from starlette.responses import Response
from starlette.types import Receive, Send
from starlette.types import Scope as AsgiScope

from habeas.vocabulary import Scope
from services.chassis.log import describe, get_logger
from services.chassis.objects import StoreAway
from services.orchestrator.api.problems import ProblemRaised
from services.orchestrator.api.requests import visible
from services.orchestrator.api.routing import Call, Operation
from services.orchestrator.handlers.fetch_package import note_end, note_fetch, open_package
from services.orchestrator.views.package.assembling import assemble, inventories
from services.orchestrator.views.package.rows import Controller, package_of
from services.orchestrator.views.package.sources import Objects, PackageIncomplete

log = get_logger(__name__)

MEDIA_TYPE: Final = "application/zip"
_BUSY = "As many packages are being sent as can be at once: come again."
_NO_STORAGE = "The storage of exports cannot be reached. Try again later."
_INCOMPLETE = "A part of the copy is missing or damaged, so nothing was sent. Its log says more to whoever runs Habeas."


async def get_package(call: Call) -> Response:
    """Send the package of an answered access request."""
    if call.request.method != "GET":  # to look costs as much as to fetch, and a fetch is recorded
        raise ProblemRaised("method_not_allowed", "Here one can: GET.", headers={"allow": "GET"})
    places = call.deps.packages
    if places.locked():
        raise ProblemRaised("overloaded", _BUSY)
    await places.acquire()
    try:
        return await _open(call)
    except BaseException:
        places.release()
        raise


async def _open(call: Call) -> Response:
    deps = call.deps.operations
    async with deps.database.transaction() as connection:
        request_id = await visible(call, connection)
        opened = await open_package(connection, request_id=request_id, deps=deps)
    settings, actor = deps.settings, call.principal.client_id
    controller = Controller(settings.controller_name, settings.controller_country, settings.controller_zone)
    package = package_of(opened.request, opened.tasks, opened.keys, controller=controller, now=deps.clock.now())
    objects: Objects = call.deps.exports or _NoStorage()
    try:
        inventory = await inventories(objects, package)
    except PackageIncomplete as error:
        _tell("package.incomplete", request_id, error)
        raise ProblemRaised("package_incomplete", _INCOMPLETE) from None
    except StoreAway as error:
        log.warning("package.storage_away", request_id=request_id, reason=error.reason)
        raise ProblemRaised("storage_unavailable", _NO_STORAGE) from None
    async with deps.database.transaction() as connection:
        fetch = await note_fetch(connection, request_id=request_id, actor=actor, deps=deps)
    return _Sending(call, _Fetch(request_id, actor, fetch), assemble(objects, package, inventory))


@dataclass(frozen=True, slots=True)
class _Fetch:
    request: str
    actor: str
    event: str


class _Sending(Response):
    """Sends what is made, piece by piece. Whatever stops it ends the connection without the end of the body."""

    def __init__(self, call: Call, fetch: _Fetch, pieces: AsyncGenerator[bytes, None]) -> None:
        super().__init__(media_type=MEDIA_TYPE)
        del self.headers["content-length"]
        self.headers["content-disposition"] = f'attachment; filename="{fetch.request}.zip"'
        self._call = call
        self._fetch = fetch
        self._pieces = pieces

    async def __call__(self, scope: AsgiScope, receive: Receive, send: Send) -> None:
        gone = asyncio.create_task(_gone(receive))
        sent, reason = 0, "stopped"
        try:
            await send({"type": "http.response.start", "status": self.status_code, "headers": self.raw_headers})
            async with aclosing(self._pieces) as pieces:
                async for piece in pieces:
                    if gone.done():
                        break
                    await send({"type": "http.response.body", "body": piece, "more_body": True})
                    sent += len(piece)
            if gone.done():
                reason = "client_gone"
                return
            await send({"type": "http.response.body", "body": b"", "more_body": False})
            reason = ""
        except PackageIncomplete as error:
            reason = error.reason
            _tell("package.broken_off", self._fetch.request, error)
            raise
        except StoreAway as error:
            reason = f"storage_{error.reason}"
            log.error("package.broken_off", request_id=self._fetch.request, reason=reason)
            raise
        finally:
            gone.cancel()
            self._call.deps.packages.release()
            await self._record(sent, reason or None)

    async def _record(self, sent: int, reason: str | None) -> None:
        deps, fetch = self._call.deps.operations, self._fetch
        try:
            async with deps.database.transaction() as connection:
                await note_end(
                    connection, request_id=fetch.request, actor=fetch.actor, fetch=fetch.event, sent=sent,
                    reason=reason, deps=deps,
                )  # fmt: skip
        except Exception as error:  # noqa: BLE001  # the body is out or lost: there is nobody left to tell but the log
            log.error("package.end_not_recorded", request_id=fetch.request, error=describe(error), bytes=sent)


class _NoStorage:
    """Stands where no storage is set up."""

    def read(self, path: str) -> AsyncIterator[bytes]:
        raise StoreAway("not_configured")


async def _gone(receive: Receive) -> None:
    """Return when the client is not there any more."""
    message: Any = {}
    while message.get("type") != "http.disconnect":
        message = await receive()


def _tell(event: str, request_id: str, error: PackageIncomplete) -> None:
    log.error(event, request_id=request_id, task_id=error.task, processor=error.processor, reason=error.reason)


OPERATIONS = (
    Operation(
        "GET", "/v1/requests/{request_id}/package", Scope.REQUESTS_PACKAGE, "Fetch the package of a request",
        get_package, bytes, media_type=MEDIA_TYPE,
        codes=("not_found", "package_not_ready", "package_not_offered", "package_expired", "package_incomplete",
               "storage_unavailable", "overloaded"),
        description="The copy of the subject's data as a ZIP that is made while it is sent: `report.html` to read, "
        "`manifest.json` with counts and the SHA-256 of every member, and a folder for each processor with JSON, CSV "
        "and files. Each fetch stands on the timeline, and whether all of it went out. If anything stops it on the "
        "way, the connection is cut: a ZIP without its central directory is no package. Once the copy's time is over "
        "it is gone.",
    ),
)  # fmt: skip
