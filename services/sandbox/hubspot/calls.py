"""What a handler may ask of one call: its body, its parameters, the CRM, the ledger, and what the dice said."""

import json
from dataclasses import dataclass, field
from typing import Any

from starlette.requests import Request

from services.sandbox.hubspot.catalogue import CONTACTS, ObjectType, object_type
from services.sandbox.hubspot.crm import Crm, Record
from services.sandbox.hubspot.limits import Window
from services.sandbox.hubspot.replies import not_found, refuse
from services.sandbox.knobs import Dial, Fate, HubSpotKnobs
from services.sandbox.ledger import Entry, Ledger


@dataclass
class HubSpot:
    """One simulated account: its state, ledger, knobs and token, and its calls of the last ten seconds and second."""

    crm: Crm
    ledger: Ledger
    dial: Dial[HubSpotKnobs]
    token: str
    ten_seconds: Window = field(default_factory=lambda: Window(10))
    second: Window = field(default_factory=lambda: Window(1))

    def reset(self) -> None:
        """Nobody there, and no calls counted."""
        self.crm.clear()
        self.ten_seconds.clear()
        self.second.clear()


@dataclass(frozen=True)
class Call:
    """One request on its way through a handler."""

    request: Request
    account: HubSpot

    @property
    def crm(self) -> Crm:
        """The account's records."""
        return self.account.crm

    @property
    def lying(self) -> bool:
        """Whether this call is to claim success and do nothing."""
        fate = self.request.scope.get("fate", Fate())
        return bool(fate.lie)

    def kind(self, parameter: str = "type") -> ObjectType:
        """The object type named in the path."""
        name = self.request.path_params.get(parameter, CONTACTS.name)
        kind = object_type(name)
        if kind is None:
            refuse(f"Unable to infer object type from: {name}")
        return kind

    def record(self, *, archived: bool = False) -> Record:
        """The record named in the path, by id or by `?idProperty=email`; 404 without one."""
        kind, wanted = self.kind(), self.request.path_params["id"]
        id_property = self.request.query_params.get("idProperty")
        if id_property not in (None, "hs_object_id"):
            if kind is not CONTACTS or id_property != "email":
                refuse(f"Property {id_property} is not a unique identifier property")
            found = self.crm.find_by_email(wanted)
        else:
            found = self.crm.find(kind, wanted, archived=archived)
        if found is None:
            raise not_found()
        return found

    def names(self, parameter: str) -> list[str]:
        """A list parameter, repeated or separated by commas."""
        parts = ",".join(self.request.query_params.getlist(parameter)).split(",")
        return [part.strip() for part in parts if part.strip()]

    def flag(self, parameter: str) -> bool:
        """A boolean parameter."""
        return self.request.query_params.get(parameter, "false").lower() == "true"

    def window(self, default: int, most: int) -> tuple[int, int]:
        """Offset and size of the page asked for through `after` and `limit`."""
        limit = self.request.query_params.get("limit", str(default))
        after = self.request.query_params.get("after", "0")
        if not (limit.isdigit() and after.isdigit() and 1 <= int(limit) <= most):
            refuse(f"limit must be between 1 and {most}, and after a cursor of an earlier page")
        return int(after), self.capped(int(limit))

    def capped(self, limit: int) -> int:
        """A page size, no larger than the knob `page_cap`."""
        cap = self.account.dial.knobs.page_cap
        return min(limit, cap) if cap else limit

    async def json(self) -> dict[str, Any]:
        """The body, which has to be a JSON object."""
        try:
            body = json.loads(await self.request.body())
        except ValueError:
            body = None
        if not isinstance(body, dict):
            refuse("Invalid input JSON: unable to read an object from the request body")
        return body

    def note(self, effect: str, target: str, person: str | None, *, changed: bool = True) -> None:
        """Put an effect on the ledger, with the caller's idempotency key if it sent one (HubSpot ignores it)."""
        key = self.request.headers.get("idempotency-key")
        self.account.ledger.append(Entry(effect, target, person, key, changed))
