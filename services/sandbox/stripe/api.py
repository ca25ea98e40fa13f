"""Stripe's paths, the key that opens them, and the rules that hold for every call."""

import json
from base64 import b64encode
from collections.abc import Callable
from re import fullmatch
from typing import Any

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from services.sandbox.stripe import customers, records, redaction
from services.sandbox.stripe.calls import Call, Stripe, version_of
from services.sandbox.stripe.catalogue import BALANCE, PAYMENT_INTENT, PAYMENT_METHOD, SETUP_INTENT, TAX_ID
from services.sandbox.stripe.forms import MalformedError, parsed
from services.sandbox.stripe.replies import VendorError, refuse, unrecognised

Handler = Callable[[Call], dict[str, Any]]

_FORM = "application/x-www-form-urlencoded"
_JOBS = "/v1/privacy/redaction_jobs"


def stripe_app(account: Stripe) -> Starlette:
    """The API of one account, as an ASGI application."""

    def route(path: str, method: str, handler: Handler) -> Route:
        async def endpoint(request: Request) -> Response:
            _admit(request, account)
            account.settle()
            return _answered(Call(request, account, await _params(request)), handler)

        return Route(path, endpoint, methods=[method])

    routes = [route(path, method, handler) for path, method, handler in _paths()]
    return Starlette(routes=routes, exception_handlers={VendorError: _refuse, 404: _lost, 405: _lost})


def _paths() -> list[tuple[str, str, Handler]]:
    own = "/v1/customers/{id}"
    paths: list[tuple[str, str, Handler]] = [
        ("/v1/customers/search", "GET", customers.search),
        ("/v1/customers", "GET", customers.listing),
        ("/v1/customers", "POST", customers.create),
        (own, "GET", customers.read),
        (own, "POST", customers.update),
        (own, "DELETE", customers.delete),
        *((f"{own}/{kind.path}", "GET", customers.under(kind)) for kind in (PAYMENT_METHOD, TAX_ID, BALANCE)),
        ("/v1/invoices/{id}", "DELETE", records.delete_draft),
        ("/v1/invoices/{id}/void", "POST", records.void),
        ("/v1/invoiceitems/{id}", "DELETE", records.delete_item),
        ("/v1/subscriptions/{id}", "DELETE", records.cancel_subscription),
        ("/v1/subscriptions/{id}", "POST", records.update_subscription),
        ("/v1/invoice_payments", "GET", records.invoice_payments),
        ("/v1/checkout/sessions/{id}/expire", "POST", records.expire),
        *((f"/v1/{kind.path}/{{id}}/cancel", "POST", records.cancel_intent(kind)) for kind in _INTENTS),
        (_JOBS, "POST", redaction.create),
        (_JOBS, "GET", redaction.listing),
        (f"{_JOBS}/{{id}}", "GET", redaction.read),
        (f"{_JOBS}/{{id}}/run", "POST", redaction.run),
        (f"{_JOBS}/{{id}}/cancel", "POST", redaction.cancel),
        (f"{_JOBS}/{{id}}/validate", "POST", redaction.validate),
        (f"{_JOBS}/{{id}}/validation_errors", "GET", redaction.problems),
    ]
    for kind in records.FILTERS:
        paths += [
            (f"/v1/{kind.path}", "GET", records.listing(kind)),
            (f"/v1/{kind.path}/{{id}}", "GET", records.reading(kind)),
        ]
    return paths


_INTENTS = (PAYMENT_INTENT, SETUP_INTENT)


def _admit(request: Request, account: Stripe) -> None:
    """See that the caller has the key, and asks for a version that there may be."""
    basic = b64encode(f"{account.key}:".encode()).decode()
    given = request.headers.get("authorization")
    if given not in (f"Bearer {account.key}", f"Basic {basic}"):
        message = "Invalid API Key provided" if given else "You did not provide an API key."
        raise VendorError(401, "invalid_request_error", message)
    if not fullmatch(r"\d{4}-\d{2}-\d{2}(\.[a-z]+)?", version_of(request)):
        refuse("Invalid Stripe API version.")


async def _params(request: Request) -> dict[str, Any]:
    """The parameters: of the query, or of a form; JSON in a body is refused."""
    text = request.url.query
    if request.method == "POST":
        body = await request.body()
        if body and request.headers.get("content-type", "").partition(";")[0].strip() != _FORM:
            refuse(f"Invalid request (check that your POST content type is {_FORM}).")
        try:
            text = body.decode("ascii")
        except UnicodeDecodeError:
            refuse("Invalid request: the body is not a form.")
    try:
        return parsed(text)
    except MalformedError as error:
        refuse("Invalid request: the parameters cannot be read.", param=error.args[0] or None)


def _answered(call: Call, handler: Handler) -> Response:
    """Give the answer, or for a key that was used before the answer given then."""
    request, keys = call.request, call.account.keys
    if call.key is None or request.method != "POST":
        return JSONResponse(handler(call))
    asked = (call.key, request.method, request.url.path, call.params)
    known = keys.recall(*asked)
    if known is not None:
        headers = {"idempotent-replayed": "true"}
        return Response(known.body, known.status, headers=headers, media_type="application/json")
    body = json.dumps(handler(call)).encode()
    keys.remember(*asked, status=200, body=body)
    return Response(body, 200, media_type="application/json")


async def _refuse(_: Request, error: Exception) -> Response:
    if not isinstance(error, VendorError):
        raise error
    return error.reply()


async def _lost(request: Request, __: Exception) -> Response:
    return unrecognised(request.method, request.url.path).reply()
