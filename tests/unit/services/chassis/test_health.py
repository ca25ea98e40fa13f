"""The health port opens three doors and no other: none of those that frameworks open by themselves."""

import httpx
import pytest

from services.chassis.health import Health, health_app

DOORS = {"/healthz/live", "/healthz/ready", "/metrics"}
OPENED_BY_FRAMEWORKS = [
    "/",
    "/asyncapi",
    "/asyncapi.json",
    "/asyncapi/try",
    "/docs",
    "/docs/",
    "/docs/asyncapi.json",
    "/docs/oauth2-redirect",
    "/docs/try",
    "/health",
    "/openapi",
    "/openapi.json",
    "/redoc",
]


@pytest.mark.parametrize("path", OPENED_BY_FRAMEWORKS)
@pytest.mark.parametrize("method", ["GET", "POST"])
async def test_a_door_that_nobody_asked_for_is_closed(method: str, path: str) -> None:
    transport = httpx.ASGITransport(health_app(Health()))
    async with httpx.AsyncClient(transport=transport, base_url="http://probe") as client:
        assert (await client.request(method, path)).status_code == 404


def test_there_are_three_doors() -> None:
    assert {getattr(route, "path", "") for route in health_app(Health()).routes} == DOORS


@pytest.mark.parametrize("path", sorted(DOORS))
async def test_a_door_is_for_looking_alone(path: str) -> None:
    transport = httpx.ASGITransport(health_app(Health()))
    async with httpx.AsyncClient(transport=transport, base_url="http://probe") as client:
        assert (await client.get(path)).status_code == 200
        assert (await client.post(path)).status_code == 405
