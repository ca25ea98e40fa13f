"""An HTTP server whose application may cut the connection without a byte of reply."""

from asyncio import Transport

from starlette.types import Scope
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

_KEY = "sandbox.transport"


class DroppableProtocol(HttpToolsProtocol):
    """uvicorn's protocol, with its transport within the application's reach."""

    def on_message_begin(self) -> None:
        """Called as a request starts."""
        super().on_message_begin()
        self.scope["extensions"] = {_KEY: {"transport": self.transport}}


def drop_connection(scope: Scope) -> None:
    """Reset the connection that this request came on."""
    transport: Transport = scope["extensions"][_KEY]["transport"]
    transport.abort()
