"""HubSpot's HTTP API as far as this processor needs it: search, strong reads, associations, permanent deletion."""

import json
from collections.abc import Callable, Sequence
from datetime import date, datetime, time, timedelta
from typing import Annotated, TypeVar
from urllib.parse import quote
from zoneinfo import ZoneInfo

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from habeas.sdk import Answer, CredentialsRejected, Http, ProcessorError, RetryLater, busy

ENGAGEMENTS = ("notes", "emails", "calls", "meetings", "tasks", "communications")
TICKETS = "tickets"

# A search takes five groups of filters (groups are alternatives) and pages of two hundred.
GROUPS = 5
PAGE = 200
# What a ticket says about a person. Deleting it only moves it to the recycle bin, so it is emptied first.
TICKET_TEXT = ("subject", "content")

Filter = dict[str, str]

VendorId = Annotated[str, Field(pattern=r"^[0-9A-Za-z-]{1,64}$")]


class _Shape(BaseModel):
    # An answer may hold anything: what is not needed is left out, and errors never quote it.
    model_config = ConfigDict(extra="ignore", hide_input_in_errors=True, coerce_numbers_to_str=True)


class _Cursor(_Shape):
    after: Annotated[str, Field(min_length=1, max_length=200)]


class _Paging(_Shape):
    next: _Cursor | None = None


class _Found(_Shape):
    id: VendorId


class _FoundPage(_Shape):
    results: list[_Found]
    paging: _Paging | None = None


class _Linked(_Shape):
    to: VendorId = Field(alias="toObjectId")


class _LinkedPage(_Shape):
    results: list[_Linked]
    paging: _Paging | None = None


class Contact(_Shape):
    """A contact with the ids of what hangs on it, by object type."""

    id: VendorId
    properties: dict[str, str | None]
    updated: datetime = Field(alias="updatedAt")
    associations: dict[str, _FoundPage] = Field(default_factory=dict)

    def linked(self, kind: str) -> list[str]:
        """Return the ids of the linked objects of `kind`, each once."""
        page = self.associations.get(kind)
        return list(dict.fromkeys(found.id for found in page.results)) if page else []

    @property
    def changed_on(self) -> date:
        """The day of its last change, in UTC."""
        return self.updated.date()


class UnexpectedAnswerError(Exception):
    """HubSpot refused a call as we made it: a property that does not exist, say. No excuse to refuse the person."""


ShapeT = TypeVar("ShapeT", bound=_Shape)


class Crm:
    """The calls. Every one raises `RetryLater` or `CredentialsRejected` as `Http` does, 403 as the latter, and
    `UnexpectedAnswerError` on any other answer that is not understood.
    """

    def __init__(
        self,
        http: Http,
        *,
        token: str,
        objects_root: str,
        associations_root: str,
        time_zone: str,
        now: Callable[[], datetime],
    ) -> None:
        """Take the account's settings; `now` gives aware times."""
        self._http = http
        self._headers = {"authorization": f"Bearer {token}"}
        self._objects = objects_root.rstrip("/")
        self._associations = associations_root.rstrip("/")
        self._zone = ZoneInfo(time_zone)
        self._now = now

    async def search(self, groups: Sequence[Sequence[Filter]]) -> list[str]:
        """Return the ids of contacts that the index says match any of `groups`; the index lags and is fuzzy."""
        found: dict[str, None] = {}
        for start in range(0, len(groups), GROUPS):
            after = "0"
            while after:
                body = {
                    "filterGroups": [{"filters": list(group)} for group in groups[start : start + GROUPS]],
                    "properties": ["email"],
                    "sorts": ["createdate"],
                    "limit": PAGE,
                    "after": after,
                }
                page = _read(_FoundPage, await self._call("POST", f"{self._objects}/contacts/search", body))
                found |= dict.fromkeys(each.id for each in page.results)
                after = _next(page.paging, after)
        return list(found)

    async def contact(self, wanted: str, properties: Sequence[str], *, by_email: bool = False) -> Contact | None:
        """Return the contact with this id (or primary address), live or in the recycle bin, by a strong read."""
        live = await self._contact(wanted, properties, by_email=by_email, archived=False)
        return live or await self._contact(wanted, properties, by_email=by_email, archived=True)

    async def purge(self, contact_id: str) -> bool:
        """Delete a contact for good, by id; False when there is none.

        Never by address: an address that HubSpot does not know would be put on its blocklist all the same.
        """
        answer = await self._call(
            "POST", f"{self._objects}/contacts/gdpr-delete", {"objectId": contact_id}, accept=(204, 404)
        )
        return answer.status == 204

    async def ticket_exists(self, ticket_id: str) -> bool:
        """Return whether a ticket is there and not in the recycle bin."""
        answer = await self._call("GET", f"{self._objects}/{TICKETS}/{ticket_id}", accept=(200, 404))
        return answer.status == 200

    async def ticket_contacts(self, ticket_id: str) -> list[str]:
        """Return the ids of the contacts that a ticket hangs on."""
        return await self._linked(TICKETS, ticket_id, "contacts")

    async def bin_ticket(self, ticket_id: str) -> None:
        """Empty a ticket and move it to the recycle bin, from which HubSpot purges it after 90 days."""
        path = f"{self._objects}/{TICKETS}/{ticket_id}"
        emptied = {"properties": dict.fromkeys(TICKET_TEXT, "")}
        if (await self._call("PATCH", path, emptied, accept=(200, 404))).status == 200:
            await self._call("DELETE", path, accept=(204, 404))

    async def check(self) -> None:
        """Read one page of contacts."""
        await self._call("GET", f"{self._objects}/contacts?limit=1")

    async def _contact(
        self, wanted: str, properties: Sequence[str], *, by_email: bool, archived: bool
    ) -> Contact | None:
        params = {"properties": ",".join(properties), "associations": ",".join((*ENGAGEMENTS, TICKETS))}
        params |= {"idProperty": "email"} if by_email else {}
        params |= {"archived": "true"} if archived else {}
        path = f"{self._objects}/contacts/{quote(wanted, safe='')}"
        answer = await self._call("GET", path, params=params, accept=(200, 404))
        if answer.status == 404:
            return None
        contact = _read(Contact, answer)
        for kind, page in contact.associations.items():
            if page.paging is not None and page.paging.next is not None and kind in (*ENGAGEMENTS, TICKETS):
                page.results = [_Found(id=other) for other in await self._linked("contacts", contact.id, kind)]
        return contact

    async def _linked(self, kind: str, object_id: str, to: str) -> list[str]:
        linked: dict[str, None] = {}
        path, after = f"{self._associations}/{kind}/{object_id}/associations/{to}", "0"
        while after:
            params = {"limit": "500"} | ({"after": after} if after != "0" else {})
            answer = await self._call("GET", path, params=params, accept=(200, 404))
            if answer.status == 404:
                break
            page = _read(_LinkedPage, answer)
            linked |= dict.fromkeys(each.to for each in page.results)
            after = _next(page.paging, after)
        return list(linked)

    async def _call(
        self,
        method: str,
        path: str,
        body: object | None = None,
        *,
        params: dict[str, str] | None = None,
        accept: Sequence[int] = (200,),
    ) -> Answer:
        answer = await self._http.call(method, path, json=body, params=params, headers=self._headers, judge=self._judge)
        if answer.status in accept:
            return answer
        if answer.status == 403:
            raise CredentialsRejected("missing_scope")
        raise UnexpectedAnswerError(answer.status)

    def _judge(self, answer: Answer) -> ProcessorError | None:
        """Tell HubSpot's two kinds of 429 apart: a spent day's quota comes back at midnight, a burst in seconds."""
        if answer.status != 429:
            return None
        policy = _policy(answer.body)
        if policy == "DAILY":
            return RetryLater("daily_limit", after=self._until_midnight())
        error = busy(answer.status, answer.headers)
        if isinstance(error, RetryLater) and error.after is None:
            return RetryLater("rate_limited", after=10.0 if policy.startswith("TEN_SECONDLY") else 1.0)
        return error

    def _until_midnight(self) -> float:
        now = self._now().astimezone(self._zone)
        midnight = datetime.combine(now.date() + timedelta(days=1), time(), self._zone)
        return max((midnight - now).total_seconds(), 60.0)


def _policy(body: bytes) -> str:
    try:
        document = json.loads(body)
    except ValueError:
        return ""
    return str(document.get("policyName", "")) if isinstance(document, dict) else ""


def _next(paging: _Paging | None, before: str) -> str:
    """Return the next cursor, or "" at the end; a cursor that stands still would be read for ever."""
    after = paging.next.after if paging is not None and paging.next is not None else ""
    if after and after == before:
        raise RetryLater("cursor_stands_still")
    return after


def _read(shape: type[ShapeT], answer: Answer) -> ShapeT:
    try:
        return shape.model_validate(answer.json())
    except ValidationError:
        raise RetryLater("unreadable_answer") from None
