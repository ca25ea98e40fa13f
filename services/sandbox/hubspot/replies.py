"""HubSpot's answers: the error envelope with its categories, and objects as JSON."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from http import HTTPStatus
from typing import Any, NoReturn
from uuid import uuid4

from starlette.responses import JSONResponse

from services.sandbox.hubspot.catalogue import ObjectType
from services.sandbox.hubspot.crm import Record, stamp
from services.sandbox.hubspot.index import Snapshot


class VendorError(Exception):
    """An answer other than success; the application turns it into the vendor's envelope."""

    def __init__(self, status: HTTPStatus, category: str, message: str, **more: object) -> None:
        super().__init__(category)
        self.status, self.category, self.message, self.more = status, category, message, more

    def reply(self) -> JSONResponse:
        """The envelope `{status, message, correlationId, category, ...}`."""
        return envelope(self.status, self.message, {}, category=self.category, **self.more)


def envelope(status: int, message: str, headers: Mapping[str, str], /, **more: object) -> JSONResponse:
    """The body shared by all of HubSpot's errors."""
    body = {"status": "error", "message": message, "correlationId": str(uuid4()), **more}
    return JSONResponse(body, status_code=status, headers=dict(headers))


def refuse(message: str, **more: object) -> NoReturn:
    """Raise 400 with category VALIDATION_ERROR."""
    raise VendorError(HTTPStatus.BAD_REQUEST, "VALIDATION_ERROR", message, **more)


def not_found() -> VendorError:
    """404 with category OBJECT_NOT_FOUND."""
    return VendorError(HTTPStatus.NOT_FOUND, "OBJECT_NOT_FOUND", "resource not found")


def conflict(existing_id: str) -> VendorError:
    """409: the address belongs to another contact."""
    return VendorError(HTTPStatus.CONFLICT, "CONFLICT", f"Contact already exists. Existing ID: {existing_id}")


def refuse_properties(problems: Sequence[tuple[str, str, str]]) -> NoReturn:
    """Raise 400 for properties, each problem being (code, property, message)."""
    errors = [
        {"message": message, "code": code, "context": {"propertyName": [name]}} for code, name, message in problems
    ]
    refuse("Property values were not valid", errors=errors)


def picked(properties: Mapping[str, str], kind: ObjectType, wanted: Iterable[str]) -> dict[str, str | None]:
    """Only what was asked for, or the type's default set; unknown names are ignored, unset ones are null."""
    names = [name for name in wanted if name in kind.known] or list(kind.default)
    always = [name for name in ("hs_object_id", *kind.stamps) if name not in names]
    return {name: properties.get(name) for name in (*names, *always)}


def object_body(record: Record, wanted: Iterable[str] = ()) -> dict[str, Any]:
    """A record as `SimplePublicObject`."""
    body: dict[str, Any] = {
        "id": record.id,
        "properties": picked(record.properties, record.kind, wanted),
        "createdAt": stamp(record.created),
        "updatedAt": stamp(record.updated),
        "archived": record.archived_at is not None,
    }
    if record.archived_at is not None:
        body["archivedAt"] = stamp(record.archived_at)
    return body


def found_body(snapshot: Snapshot, kind: ObjectType, wanted: Iterable[str]) -> dict[str, Any]:
    """A search result: what the index remembers, which may be out of date."""
    return {
        "id": snapshot.id,
        "properties": picked(snapshot.properties, kind, wanted),
        "createdAt": stamp(datetime.fromtimestamp(snapshot.created, UTC)),
        "updatedAt": stamp(datetime.fromtimestamp(snapshot.updated, UTC)),
        "archived": False,
    }


def page(results: list[Any], after: str | None, link: str | None = None) -> dict[str, Any]:
    """A page of a list; `after` is absent on the last one."""
    if after is None:
        return {"results": results}
    return {"results": results, "paging": {"next": {"after": after, **({"link": link} if link else {})}}}
