"""Health that tells the truth: live while the loops make progress, ready while the parts can be reached."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field

from prometheus_client import CONTENT_TYPE_LATEST, generate_latest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from services.chassis.log import describe

PING_WITHIN = 3.0


@dataclass
class Health:
    """What is asked. `alive`: names to "does it make progress"; `ready`: names to a ping that raises when it is away.

    A part in `degrading` is reported, but does not make the service unready: an API that can still take requests
    stays in the balancer while the broker is away.
    """

    alive: dict[str, Callable[[], bool]] = field(default_factory=dict)
    ready: dict[str, Callable[[], Awaitable[object]]] = field(default_factory=dict)
    degrading: dict[str, Callable[[], bool]] = field(default_factory=dict)

    def liveness(self) -> dict[str, bool]:
        """Return which loops make progress."""
        return {name: check() for name, check in self.alive.items()}

    async def readiness(self) -> dict[str, str]:
        """Return for each part `ok` or what kind of error it answered with."""
        parts = await asyncio.gather(*(_ping(name, ping) for name, ping in self.ready.items()))
        return dict(parts)

    def degraded(self) -> list[str]:
        """Return the parts that are away without making the service unready."""
        return [name for name, check in self.degrading.items() if not check()]


def routes(health: Health) -> list[Route]:
    """Return `/healthz/live`, `/healthz/ready` and `/metrics`, for any Starlette application."""

    async def live(_: Request) -> Response:
        loops = health.liveness()
        return _answer({"loops": loops}, good=all(loops.values()))

    async def ready(_: Request) -> Response:
        parts = await health.readiness()
        body = {"parts": parts, "degraded": health.degraded()}
        return _answer(body, good=all(word == "ok" for word in parts.values()))

    async def metrics(_: Request) -> Response:
        return Response(generate_latest(), media_type=CONTENT_TYPE_LATEST)

    return [
        Route("/healthz/live", live, include_in_schema=False),
        Route("/healthz/ready", ready, include_in_schema=False),
        Route("/metrics", metrics, include_in_schema=False),
    ]


def health_app(health: Health) -> Starlette:
    """Return an application that serves nothing else."""
    return Starlette(routes=routes(health))


async def _ping(name: str, ping: Callable[[], Awaitable[object]]) -> tuple[str, str]:
    try:
        async with asyncio.timeout(PING_WITHIN):
            await ping()
    except Exception as error:  # noqa: BLE001  # whatever it is, the part is not ready
        return name, describe(error)
    return name, "ok"


def _answer(body: Mapping[str, object], *, good: bool) -> Response:
    status = 200 if good else 503
    return JSONResponse({"status": "ok" if good else "unavailable", **body}, status, {"cache-control": "no-store"})
