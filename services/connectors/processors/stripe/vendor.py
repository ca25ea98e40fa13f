"""Stripe's HTTP API as far as this processor needs it: reads, lists, searches, forms, keys, and errors by meaning."""

import asyncio
from collections.abc import AsyncIterator, Coroutine, Sequence
from typing import Any, TypeVar
from urllib.parse import quote, urlencode
from uuid import UUID

from pydantic import ValidationError

from habeas.sdk import Answer, CannotFulfil, CredentialsRejected, Http, ProcessorError, RetryLater, busy
from services.connectors.processors.stripe.shapes import Fault, Faulty, Row, Thing, page_of, read, shaped

PAGE = 100
FORM = "application/x-www-form-urlencoded"

Pairs = Sequence[tuple[str, str]]
ReadT = TypeVar("ReadT")


class UnexpectedAnswerError(Exception):
    """Stripe refused a call as we made it: a parameter that does not exist, say. No excuse to refuse the person."""


class RefusedError(Exception):
    """Stripe will not do this to this object, and says why in a word."""

    def __init__(self, code: str) -> None:
        """Take the vendor's `code`."""
        self.code = code
        super().__init__(code)


class Api:
    """The calls. Every one raises `RetryLater` or `CredentialsRejected` as `Http` does and by Stripe's own words,
    `CannotFulfil` for a card error, and `UnexpectedAnswerError` on any other answer that is not understood.
    """

    def __init__(self, http: Http, *, key: str, version: str) -> None:
        """Take the secret key and the version of the API, which is pinned: shapes differ by version."""
        self._http = http
        self._headers = {"authorization": f"Bearer {key}", "stripe-version": version}

    async def get(self, path: str, params: Pairs = ()) -> Thing | None:
        """Return the object, or None when there is none."""
        answer = await self.call("GET", path, params=params)
        return read(Thing, answer) if answer.status == 200 else None

    async def every(self, path: str, params: Pairs = ()) -> AsyncIterator[Thing]:
        """Yield everything that a list holds, page by page; nothing where what it hangs on is gone."""
        async for rows in self.pages(path, params):
            for thing in [shaped(Thing, one) for one in rows]:
                yield thing

    async def pages(self, path: str, params: Pairs = ()) -> AsyncIterator[Sequence[Row]]:
        """Yield the pages of a list likewise, not in shape yet."""
        after: str | None = None
        while True:
            cursor = [("limit", str(PAGE)), *([("starting_after", after)] if after else [])]
            answer = await self.call("GET", path, params=[*params, *cursor])
            if answer.status != 200:
                return
            page = page_of(answer)
            yield page.data
            if not page.has_more:
                return
            if not page.data or page.data[-1]["id"] == after:  # a cursor that stands still would be read for ever
                raise RetryLater("cursor_stands_still")
            after = page.data[-1]["id"]

    async def search_customers(self, query: str) -> list[str]:
        """Return the ids of customers that the index knows for `query`; the index lags and compares loosely."""
        found: dict[str, None] = {}
        cursor: str | None = None
        while True:
            params = [("query", query), ("limit", str(PAGE)), *([("page", cursor)] if cursor else [])]
            page = page_of(await self.call("GET", "/v1/customers/search", params=params))
            found |= dict.fromkeys(one["id"] for one in page.data)
            if not page.has_more or page.next_page is None:
                return list(found)
            if page.next_page == cursor:
                raise RetryLater("cursor_stands_still")
            cursor = page.next_page

    async def delete(self, path: str, key: UUID) -> bool:
        """Delete an object; False when it was gone. Raises `RefusedError` when it may not go."""
        return (await self.call("DELETE", path, key=key)).status == 200

    async def post(self, path: str, form: Pairs, key: UUID) -> Answer:
        """Send a form. Raises `RefusedError` with the vendor's word, 404 included in the answers returned."""
        return await self.call("POST", path, form=form, key=key)

    async def call(
        self, method: str, path: str, *, params: Pairs = (), form: Pairs | None = None, key: UUID | None = None
    ) -> Answer:
        """Make one call and return its answer: 200, or 404 for an object that does not exist."""
        headers = dict(self._headers)
        content = None
        if key is not None:
            headers["idempotency-key"] = str(key)
        if form is not None:
            headers["content-type"] = FORM
            content = urlencode(form).encode()
        answer = await self._http.call(
            method, path, params=tuple(params), content=content, headers=headers, judge=judged
        )
        if answer.status == 200:
            return answer
        fault = fault_of(answer)
        if fault.code == "resource_missing" and answer.status in (400, 404):
            return Answer(404, answer.headers, answer.body)
        if answer.status == 400 and fault.type == "invalid_request_error" and fault.code in REFUSALS:
            raise RefusedError(fault.code)
        raise UnexpectedAnswerError(answer.status, fault.type or "unreadable")


# Words by which Stripe says that this object is not in a state for it; anything else is a mistake of ours.
REFUSALS = frozenset({"email_invalid", "invoice_not_editable", "customer_tax_location_invalid", "postal_code_invalid"})


def judged(answer: Answer) -> ProcessorError | None:
    """Return what an error means in Stripe's own words, or None to let the general rule speak."""
    if answer.status < 400:
        return None
    fault = fault_of(answer)
    if answer.status == 403:
        return CredentialsRejected("missing_permission")
    if answer.status == 402:
        return CannotFulfil("card_error")  # whatever the card: the person is owed a reason that we have words for
    if answer.status == 409:
        return RetryLater(fault.code or "conflict", after=1.0)
    general = busy(answer.status, answer.headers)
    if answer.status == 429 and isinstance(general, RetryLater):
        return RetryLater(fault.code or "rate_limited", after=general.after or 1.0)
    if answer.headers.get("stripe-should-retry") == "true" and general is None:
        return RetryLater(fault.code or f"http_{answer.status}")
    return general


def fault_of(answer: Answer) -> Fault:
    """Return what an error says of itself; nothing when it is a proxy's page."""
    try:
        return Faulty.model_validate_json(answer.body).error
    except ValidationError:
        return Fault()


def path_of(*parts: str) -> str:
    """Return `/v1/a/b/c`, each part escaped."""
    return "/v1/" + "/".join(quote(part, safe="/") for part in parts)


def equals(field: str, value: str) -> str:
    """Return the clause of a search that `field` is `value`: quotes and backslashes of a value end no clause."""
    escaped = value.replace("\\", "\\\\").replace('"', '\\"')
    return f'{field}:"{escaped}"'


async def together(*reads: Coroutine[Any, Any, ReadT]) -> list[ReadT]:
    """Return what several reads at once found; when one fails the others are called off, so that none outlives it."""
    tasks = [asyncio.ensure_future(one) for one in reads]
    try:
        return await asyncio.gather(*tasks)
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
