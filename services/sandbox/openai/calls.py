"""What a handler may ask of one call: its object, its page, its body, the ledger, and what the dice said."""

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse

from services.sandbox.knobs import Dial, Fate, OpenAIKnobs
from services.sandbox.ledger import Entry, Ledger
from services.sandbox.openai.replies import VendorError, not_found, refuse
from services.sandbox.openai.things import Kind, Platform, Thing

ORGANIZATION = "org-sandbox"
PROJECT = "proj_sandbox"

MOST_PAIRS = 16
MOST_KEY = 64
MOST_VALUE = 512


@dataclass
class OpenAI:
    """One simulated project: its state, ledger, knobs and key."""

    platform: Platform
    ledger: Ledger
    dial: Dial[OpenAIKnobs]
    token: str

    def refusal(self, headers: Mapping[str, str]) -> VendorError | None:
        """Return why the caller is not let in, if so; organization and project count where they are named."""
        if headers.get("authorization") != f"Bearer {self.token}":
            return VendorError(401, "Incorrect API key provided.", code="invalid_api_key")
        if headers.get("openai-organization", ORGANIZATION) != ORGANIZATION:
            return VendorError(401, "OpenAI-Organization header should match the key.", code="mismatched_organization")
        if headers.get("openai-project", PROJECT) != PROJECT:
            return VendorError(401, "OpenAI-Project header should match the key.", code="mismatched_project")
        return None


@dataclass(frozen=True)
class Call:
    """One request on its way through a handler."""

    request: Request
    account: OpenAI

    @property
    def platform(self) -> Platform:
        """What the project keeps."""
        return self.account.platform

    @property
    def lying(self) -> bool:
        """Whether this call is to claim success and do nothing."""
        fate = self.request.scope.get("fate", Fate())
        return bool(fate.lie)

    def named(self, parameter: str = "id") -> str:
        """An id in the path."""
        return str(self.request.path_params[parameter])

    def thing(self, kind: Kind) -> Thing:
        """The object named in the path; 404 without one."""
        found = self.platform.find(kind, self.named())
        if found is None:
            raise not_found(kind.value, self.named())
        return found

    def with_items(self) -> Thing:
        """The conversation named in the path, or what a deletion left of it; 404 where nothing is left."""
        found = self.platform.with_items(self.named())
        if found is None:
            raise not_found(Kind.CONVERSATION.value, self.named())
        return found

    def part(self, thing: Thing, what: str) -> str:
        """The part of `thing` that the path names; 404 without one."""
        part = self.named("part")
        if part not in thing.parts:
            raise not_found(what, part)
        return part

    def page(
        self,
        ids: Sequence[str],
        render: Callable[[str], dict[str, Any]],
        *,
        most: int = 100,
        default: int = 20,
        order: str = "desc",
    ) -> JSONResponse:
        """A page of a list (`ids` oldest first) after the object `after`, which has to be in it still."""
        params = self.request.query_params
        limit, after = params.get("limit", str(default)), params.get("after")
        if not limit.isdigit() or not 1 <= int(limit) <= most:
            refuse(f"limit must be between 1 and {most}", "limit")
        rows = list(ids) if params.get("order", order) == "asc" else list(reversed(ids))
        if after is not None and after not in rows:
            refuse(f"No such object: {after}", "after")
        rest = rows if after is None else rows[rows.index(after) + 1 :]
        size = min(int(limit), self.account.dial.knobs.page_cap or int(limit))
        chosen = rest[:size]
        body = {
            "object": "list",
            "data": [render(one) for one in chosen],
            "first_id": chosen[0] if chosen else None,
            "last_id": chosen[-1] if chosen else None,
            "has_more": len(rest) > size,
        }
        return JSONResponse(body)

    async def pairs(self, name: str) -> dict[str, str]:
        """The metadata or attributes of the body: 16 pairs at most, keys of 64 and values of 512 characters."""
        try:
            body = json.loads(await self.request.body())
        except ValueError:
            refuse("We could not parse the JSON body of your request.")
        pairs = body.get(name) if isinstance(body, dict) else None
        if not isinstance(pairs, dict) or len(pairs) > MOST_PAIRS:
            refuse(f"{name} must be an object of at most {MOST_PAIRS} pairs", name)
        for key, value in pairs.items():
            if not isinstance(value, str) or len(key) > MOST_KEY or len(value) > MOST_VALUE:
                refuse(f"{name} holds a key or a value that is too long or no string", name)
        return pairs

    def note(self, effect: str, target: str, person: str | None, *, changed: bool = True) -> None:
        """Put an effect on the ledger, with the caller's idempotency key if it sent one (OpenAI ignores it)."""
        key = self.request.headers.get("idempotency-key")
        self.account.ledger.append(Entry(effect, target, person, key, changed))

    def note_repeat(self, effect: str, target: str) -> None:
        """Put the deletion of what was deleted before on the ledger: it changed nothing."""
        if self.platform.was(target):
            self.note(effect, target, self.platform.whose_was(target), changed=False)
