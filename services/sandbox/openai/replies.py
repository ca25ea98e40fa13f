"""OpenAI's answers: the error body, lists, and objects as JSON."""

from collections.abc import Mapping
from http import HTTPStatus
from typing import Any, NoReturn

from starlette.responses import JSONResponse

from services.sandbox.openai.things import Kind, Thing

INVALID = "invalid_request_error"


class VendorError(Exception):
    """An answer other than success; the application turns it into the vendor's body."""

    def __init__(self, status: int, message: str, *, param: str | None = None, code: str | None = None) -> None:
        super().__init__(code or status)
        self.status, self.message, self.param, self.code = status, message, param, code

    def reply(self) -> JSONResponse:
        """The body `{error: {message, type, param, code}}`."""
        return failure(self.status, self.message, INVALID, param=self.param, code=self.code)


def failure(
    status: int,
    message: str,
    kind: str,
    *,
    param: str | None = None,
    code: str | None = None,
    headers: Mapping[str, str] | None = None,
) -> JSONResponse:
    """The body shared by all of OpenAI's errors."""
    body = {"error": {"message": message, "type": kind, "param": param, "code": code}}
    return JSONResponse(body, status_code=status, headers=dict(headers or {}))


def refuse(message: str, param: str | None = None, code: str | None = None) -> NoReturn:
    """Raise 400."""
    raise VendorError(HTTPStatus.BAD_REQUEST, message, param=param, code=code)


def not_found(what: str, thing_id: str) -> VendorError:
    """404 for one object."""
    return VendorError(HTTPStatus.NOT_FOUND, f"No such {what} object: {thing_id}", param="id")


def object_body(thing: Thing) -> dict[str, Any]:
    """An object as the API shows it; files alone have no metadata, completions say `created`."""
    at = "created" if thing.kind is Kind.COMPLETION else "created_at"
    body: dict[str, Any] = {"id": thing.id, "object": thing.kind.value, at: thing.created, **thing.shown}
    if thing.kind is Kind.FILE:
        return body | {"bytes": len(thing.content)}
    if thing.kind is Kind.STORE:
        total = len(thing.parts)
        counts = {"in_progress": 0, "completed": total, "failed": 0, "cancelled": 0, "total": total}
        body |= {"file_counts": counts, "status": "completed"}
    return body | {"metadata": dict(thing.metadata)}


def entry_body(store: Thing, file_id: str) -> dict[str, Any]:
    """A file's entry in a vector store: no file name, only attributes."""
    return {
        "id": file_id,
        "object": "vector_store.file",
        "vector_store_id": store.id,
        "status": "completed",
        "last_error": None,
        **store.parts[file_id],
    }


def deleted_body(thing_id: str, kind: str) -> dict[str, Any]:
    """What a deletion answers."""
    return {"id": thing_id, "object": kind, "deleted": True}
