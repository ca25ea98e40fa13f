"""Stripe's answers: the error envelope with its types and codes, pages of lists, and the headers that go with all."""

from collections.abc import Mapping, Sequence
from typing import Any, NoReturn
from uuid import uuid4

from starlette.responses import JSONResponse

DOCS = "https://stripe.com/docs/error-codes/"


class VendorError(Exception):
    """An answer other than success; the application turns it into the vendor's envelope."""

    def __init__(
        self, status: int, kind: str, message: str, *, code: str | None = None, param: str | None = None
    ) -> None:
        super().__init__(kind)
        self.status, self.kind, self.message, self.code, self.param = status, kind, message, code, param

    def reply(self) -> JSONResponse:
        """The envelope `{"error": {type, code?, message, param?, doc_url?}}`."""
        return envelope(self.status, self.kind, self.message, code=self.code, param=self.param)


def envelope(
    status: int,
    kind: str,
    message: str,
    *,
    code: str | None = None,
    param: str | None = None,
    headers: Mapping[str, str] | None = None,
) -> JSONResponse:
    """The body shared by all of Stripe's errors."""
    error = {"type": kind, "message": message}
    error |= {"code": code, "doc_url": DOCS + code.replace("_", "-")} if code else {}
    error |= {"param": param} if param else {}
    return JSONResponse({"error": error}, status_code=status, headers=dict(headers or {}))


def refuse(message: str, *, code: str | None = None, param: str | None = None) -> NoReturn:
    """Raise 400 of type invalid_request_error."""
    raise VendorError(400, "invalid_request_error", message, code=code, param=param)


def missing(noun: str, wanted: str, *, param: str = "id", status: int = 404) -> VendorError:
    """404 (400 where a parameter names it): there is no such object."""
    return VendorError(
        status, "invalid_request_error", f"No such {noun}: '{wanted}'", code="resource_missing", param=param
    )


def unrecognised(method: str, path: str) -> VendorError:
    """404: there is no such URL, or not in this version of the API."""
    return VendorError(404, "invalid_request_error", f"Unrecognized request URL ({method}: {path}).")


def page(data: Sequence[object], url: str, *, more: bool) -> dict[str, Any]:
    """One page of a list."""
    return {"object": "list", "data": list(data), "has_more": more, "url": url}


def request_id() -> str:
    """What the vendor's support asks for."""
    return f"req_{uuid4().hex[:14]}"
