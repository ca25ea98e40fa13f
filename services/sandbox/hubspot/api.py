"""HubSpot's paths, both styles that are live, and the token that opens them."""

from collections.abc import Awaitable, Callable
from http import HTTPStatus

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from services.sandbox.hubspot import associations, gdpr, objects, preferences, properties, searching
from services.sandbox.hubspot.calls import Call, HubSpot
from services.sandbox.hubspot.replies import VendorError, envelope

Handler = Callable[[Call], Awaitable[Response]]

_NO_TOKEN = "Authentication credentials not found. This API supports OAuth 2.0 authentication"  # noqa: S105


def hubspot_app(account: HubSpot) -> Starlette:
    """The API of one account, as an ASGI application."""

    def route(path: str, method: str, handler: Handler) -> Route:
        async def endpoint(request: Request) -> Response:
            if request.headers.get("authorization") != f"Bearer {account.token}":
                raise VendorError(HTTPStatus.UNAUTHORIZED, "INVALID_AUTHENTICATION", _NO_TOKEN)
            return await handler(Call(request, account))

        return Route(path, endpoint, methods=[method])

    routes = [route(path, method, handler) for path, method, handler in _paths()]
    return Starlette(
        routes=routes,
        exception_handlers={VendorError: _refuse, HTTPStatus.NOT_FOUND: _lost, HTTPStatus.METHOD_NOT_ALLOWED: _lost},
    )


def _paths() -> list[tuple[str, str, Handler]]:
    paths: list[tuple[str, str, Handler]] = []
    for root, linked in (
        ("/crm/v3/objects", "/crm/v4/objects"),
        ("/crm/objects/{version}", "/crm/objects/{version}"),
    ):
        paths += [
            (root + "/contacts/gdpr-delete", "POST", gdpr.gdpr_delete),
            (root + "/{type}/search", "POST", searching.search),
            (root + "/{type}/batch/read", "POST", objects.batch_read),
            (root + "/{type}", "GET", objects.listing),
            (root + "/{type}", "POST", objects.create),
            (root + "/{type}/{id}", "GET", objects.read),
            (root + "/{type}/{id}", "PATCH", objects.change),
            (root + "/{type}/{id}", "DELETE", objects.archive),
            (linked + "/{type}/{id}/associations/{to}", "GET", associations.associations),
            (linked + "/{type}/{id}/associations/{to}/{to_id}", "DELETE", associations.dissociate),
        ]
    statuses = "/communication-preferences/v4/statuses/{email}/unsubscribe-all"
    return [
        *paths,
        ("/crm/v3/properties/{type}", "GET", properties.properties),
        (statuses, "POST", preferences.unsubscribe_all),
        (statuses, "GET", preferences.wide_status),
    ]


async def _refuse(_: Request, error: Exception) -> Response:
    if not isinstance(error, VendorError):
        raise error
    return error.reply()


async def _lost(_: Request, __: Exception) -> Response:
    return envelope(HTTPStatus.NOT_FOUND, "resource not found", {}, category="OBJECT_NOT_FOUND")
