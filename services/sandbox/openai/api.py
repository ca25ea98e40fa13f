"""OpenAI's paths below `/v1`, and the key that opens them."""

from http import HTTPStatus

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from services.sandbox.openai import handlers
from services.sandbox.openai.calls import Call, OpenAI
from services.sandbox.openai.handlers import Handler
from services.sandbox.openai.replies import INVALID, VendorError, failure
from services.sandbox.openai.things import Kind


def openai_app(account: OpenAI) -> Starlette:
    """The API of one project, as an ASGI application."""

    def route(path: str, method: str, handler: Handler) -> Route:
        async def endpoint(request: Request) -> Response:
            refusal = account.refusal(request.headers)
            if refusal is not None:
                raise refusal
            return await handler(Call(request, account))

        return Route(f"/v1{path}", endpoint, methods=[method])

    routes = [route(path, method, handler) for path, method, handler in _paths()]
    return Starlette(
        routes=routes,
        exception_handlers={VendorError: _refuse, HTTPStatus.NOT_FOUND: _lost, HTTPStatus.METHOD_NOT_ALLOWED: _lost},
    )


def _paths() -> list[tuple[str, str, Handler]]:
    """Responses and conversations have no list: their ids must be known."""
    conversation, entry = "/conversations/{id}", "/vector_stores/{id}/files/{part}"
    return [
        ("/files", "GET", handlers.files),
        ("/files/{id}", "GET", handlers.read(Kind.FILE)),
        ("/files/{id}/content", "GET", handlers.content),
        ("/files/{id}", "DELETE", handlers.delete(Kind.FILE)),
        ("/vector_stores", "GET", handlers.stores),
        ("/vector_stores/{id}", "GET", handlers.read(Kind.STORE)),
        ("/vector_stores/{id}", "POST", handlers.change(Kind.STORE)),
        ("/vector_stores/{id}", "DELETE", handlers.delete(Kind.STORE)),
        ("/vector_stores/{id}/files", "GET", handlers.entries),
        (entry, "GET", handlers.entry),
        (entry, "POST", handlers.change_entry),
        (entry, "DELETE", handlers.detach),
        ("/chat/completions", "GET", handlers.completions),
        ("/chat/completions/{id}", "GET", handlers.read(Kind.COMPLETION)),
        ("/chat/completions/{id}", "POST", handlers.change(Kind.COMPLETION)),
        ("/chat/completions/{id}", "DELETE", handlers.delete(Kind.COMPLETION)),
        ("/chat/completions/{id}/messages", "GET", handlers.parts(Kind.COMPLETION)),
        ("/responses/{id}", "GET", handlers.read(Kind.RESPONSE)),
        ("/responses/{id}", "DELETE", handlers.delete(Kind.RESPONSE)),
        ("/responses/{id}/input_items", "GET", handlers.parts(Kind.RESPONSE)),
        (conversation, "GET", handlers.read(Kind.CONVERSATION)),
        (conversation, "POST", handlers.change(Kind.CONVERSATION)),
        (conversation, "DELETE", handlers.delete(Kind.CONVERSATION)),
        (conversation + "/items", "GET", handlers.items),
        (conversation + "/items/{part}", "GET", handlers.item),
        (conversation + "/items/{part}", "DELETE", handlers.delete_item),
    ]


async def _refuse(_: Request, error: Exception) -> Response:
    if not isinstance(error, VendorError):
        raise error
    return error.reply()


async def _lost(request: Request, _: Exception) -> Response:
    return failure(HTTPStatus.NOT_FOUND, f"Invalid URL ({request.method} {request.url.path})", INVALID)
