"""HubSpot's HTTP API as far as this processor needs it: search, strong reads, changes, permanent deletion."""

import json
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime, time, timedelta
from urllib.parse import quote
from zoneinfo import ZoneInfo

from habeas.sdk import Answer, CredentialsRejected, Http, ProcessorError, RetryLater, busy
from services.connectors.processors.hubspot.shapes import (
    Batch,
    Contact,
    Found,
    FoundPage,
    LinkedPage,
    Properties,
    Refusal,
    Thing,
    next_page,
    read,
)

ENGAGEMENTS = ("notes", "emails", "calls", "meetings", "tasks", "communications")
TICKETS = "tickets"
CONTACTS = "contacts"

# A search takes five groups of filters (groups are alternatives) and pages of two hundred.
GROUPS = 5
PAGE = 200
# A batch read takes a hundred ids.
BATCH = 100
# What a ticket says about a person. Deleting it only moves it to the recycle bin, so it is emptied first.
TICKET_TEXT = ("subject", "content")

# What a 400 to a change says of a property, and the reason that is told; anything else is `invalid_value`.
REFUSALS = {
    "PROPERTY_DOESNT_EXIST": "unknown_property",
    "READ_ONLY_VALUE": "read_only_property",
    "INVALID_EMAIL": "invalid_email",
}
NOT_LIVE = "in_recycle_bin"

Filter = dict[str, str]


class UnexpectedAnswerError(Exception):
    """HubSpot refused a call as we made it: a property that does not exist, say. No excuse to refuse the person."""


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
        properties_root: str,
        time_zone: str,
        now: Callable[[], datetime],
    ) -> None:
        """Take the account's settings; `now` gives aware times."""
        self._http = http
        self._headers = {"authorization": f"Bearer {token}"}
        self._objects = objects_root.rstrip("/")
        self._associations = associations_root.rstrip("/")
        self._properties = properties_root.rstrip("/")
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
                page = read(FoundPage, await self._call("POST", f"{self._objects}/contacts/search", body))
                found |= dict.fromkeys(each.id for each in page.results)
                after = next_page(page.paging, after)
        return list(found)

    async def contact(self, contact_id: str, properties: Sequence[str]) -> Contact | None:
        """Return the contact with this id, live or in the recycle bin, by a strong read."""
        live = await self._contact(contact_id, properties, archived=False)
        return live or await self._contact(contact_id, properties, archived=True)

    async def contact_of(self, email: str) -> str | None:
        """Return the id of the contact with this primary address, live or in the recycle bin, by a strong read."""
        for archived in (False, True):
            batch = await self._batch_read(CONTACTS, [email], ("email",), archived=archived, by="email")
            if batch.results:
                return batch.results[0].id
            if email not in batch.missing():
                raise RetryLater("partial_answer")
        return None

    async def properties(self, kind: str) -> list[str]:
        """Return the names of all properties that objects of `kind` have here: only those asked for are ever sent."""
        found = read(Properties, await self._call("GET", f"{self._properties}/{kind}"))
        return [one.name for one in found.results]

    async def things(
        self, kind: str, ids: Sequence[str], properties: Sequence[str], *, archived: bool = False
    ) -> list[Thing]:
        """Return those of the objects that exist, by strong reads of a hundred; `archived` reads the recycle bin.

        Raises `RetryLater("partial_answer")` when an object is neither sent nor said not to exist.
        """
        found: list[Thing] = []
        for start in range(0, len(ids), BATCH):
            found += await self._batch(kind, ids[start : start + BATCH], properties, archived=archived)
        return found

    async def change(self, contact_id: str, properties: Mapping[str, str]) -> str | None:
        """Write properties of a live contact, all or none of them; "" clears one.

        Returns None when they were written, or why not, as a machine word.
        """
        path = f"{self._objects}/contacts/{quote(contact_id, safe='')}"
        answer = await self._call("PATCH", path, {"properties": dict(properties)}, accept=(200, 400, 404, 409))
        match answer.status:
            case 400:
                codes = [REFUSALS.get(one.code) for one in read(Refusal, answer).errors]
                return next((word for word in codes if word), "invalid_value")
            case 404:
                return NOT_LIVE
            case 409:
                return "email_of_another_contact"
            case _:
                return None

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
        return await self._linked(TICKETS, ticket_id, CONTACTS)

    async def bin_ticket(self, ticket_id: str) -> None:
        """Empty a ticket and move it to the recycle bin, from which HubSpot purges it after 90 days."""
        path = f"{self._objects}/{TICKETS}/{ticket_id}"
        emptied = {"properties": dict.fromkeys(TICKET_TEXT, "")}
        if (await self._call("PATCH", path, emptied, accept=(200, 404))).status == 200:
            await self._call("DELETE", path, accept=(204, 404))

    async def check(self) -> None:
        """Read one page of contacts."""
        await self._call("GET", f"{self._objects}/contacts?limit=1")

    async def _contact(self, contact_id: str, properties: Sequence[str], *, archived: bool) -> Contact | None:
        params = {"properties": ",".join(properties), "associations": ",".join((*ENGAGEMENTS, TICKETS))}
        params |= {"archived": "true"} if archived else {}
        path = f"{self._objects}/contacts/{quote(contact_id, safe='')}"
        answer = await self._call("GET", path, params=params, accept=(200, 404))
        if answer.status == 404:
            return None
        contact = read(Contact, answer)
        for kind, page in contact.associations.items():
            if page.paging is not None and page.paging.next is not None and kind in (*ENGAGEMENTS, TICKETS):
                page.results = [Found(id=other) for other in await self._linked("contacts", contact.id, kind)]
        return contact

    async def _batch(self, kind: str, ids: Sequence[str], properties: Sequence[str], *, archived: bool) -> list[Thing]:
        try:
            batch = await self._batch_read(kind, ids, properties, archived=archived)
        except RetryLater as error:
            if error.reason != "answer_too_large" or len(ids) == 1:
                raise
            half = len(ids) // 2  # a hundred long mails are more than an answer may hold
            return [
                *await self._batch(kind, ids[:half], properties, archived=archived),
                *await self._batch(kind, ids[half:], properties, archived=archived),
            ]
        if set(ids) - {one.id for one in batch.results} - batch.missing():
            raise RetryLater("partial_answer")
        return [one for one in batch.results if one.id in ids]

    async def _batch_read(
        self, kind: str, ids: Sequence[str], properties: Sequence[str], *, archived: bool, by: str | None = None
    ) -> Batch:
        body: dict[str, object] = {
            "inputs": [{"id": one} for one in ids],
            "properties": list(properties),
            "propertiesWithHistory": [],
        }
        body |= {"idProperty": by} if by else {}
        params = {"archived": "true"} if archived else None
        path = f"{self._objects}/{kind}/batch/read"
        return read(Batch, await self._call("POST", path, body, params=params, accept=(200, 207)))

    async def _linked(self, kind: str, object_id: str, to: str) -> list[str]:
        linked: dict[str, None] = {}
        path, after = f"{self._associations}/{kind}/{object_id}/associations/{to}", "0"
        while after:
            params = {"limit": "500"} | ({"after": after} if after != "0" else {})
            answer = await self._call("GET", path, params=params, accept=(200, 404))
            if answer.status == 404:
                break
            page = read(LinkedPage, answer)
            linked |= dict.fromkeys(each.to for each in page.results)
            after = next_page(page.paging, after)
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
        if answer.status < 300:
            raise RetryLater("unreadable_answer")  # a proxy's page where HubSpot says something else
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
