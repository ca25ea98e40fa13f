"""A small vendor with an HTTP API in memory, a sound processor for it, and both as the kit takes them."""

import json
from collections.abc import AsyncIterator, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass, field
from datetime import date
from typing import Any

import httpx
from pydantic import BaseModel

from habeas.sdk import (
    Answer,
    Change,
    Context,
    Disposition,
    File,
    Http,
    Identity,
    IdentityType,
    Item,
    Manifest,
    Processor,
    Record,
    Result,
    RetryLater,
    Unlisted,
    Values,
)
from habeas.testing import VendorUnderTest

PAGE = 2  # things on a page, so that three things of one person take two

MANIFEST = Manifest.model_validate(
    {
        "kind": "registry",
        "version": 1,
        "title": "Registry",
        "owner": "tests",
        "country": "NL",
        "accepts": ["email", "customer_id"],
        "resolves": ["customer_id"],
        "actions": {
            "resolve": {},
            "erase": {"batch": 2},
            "export": {"batch": 2},
            "rectify": {},
            "restrict": {},
            "lift": {},
            "stop": {},
        },
        "categories": [{"name": each, "description": each} for each in ("contact", "notes", "files")],
        "fields": {
            "contact.email": {"category": "contact", "name": "email"},
            "contact.name": {"category": "contact", "name": "name"},
        },
    }
)


@dataclass
class Registry:
    """The vendor: things by id, each of somebody; a contact that goes takes its notes along."""

    things: dict[str, dict[str, Any]] = field(default_factory=dict)
    people: int = 0
    busy: bool = False
    lies: bool = False
    partly: bool = False

    def add_person(self) -> tuple[str, str]:
        """Put a new person; return e-mail and customer id."""
        self.people += 1
        customer, email = f"customer-{self.people:04}", f"person-{self.people:04}@example.org"
        for kind in ("contact", "notes", "files"):
            thing = {"kind": kind, "customer": customer, "email": email, "name": f"Name {self.people:04}"}
            self.things[f"{kind}-{self.people:04}-reference"] = thing | {
                "text": f"{kind} text of {self.people:04}",
                "made": "2026-01-31",
            }
        return email, customer

    def answer(self, request: httpx.Request) -> httpx.Response:
        """Answer one call."""
        if self.busy:
            return httpx.Response(429, headers={"retry-after": "3"})
        match request.method, request.url.path.strip("/").split("/"):
            case "GET", ["me"]:
                return httpx.Response(200, json={"ok": True})
            case "GET", ["things"]:
                return self._list(request.url.params)
            case "GET", ["things", ref, "content"]:
                return httpx.Response(200, content=self.things[ref]["text"].encode())
            case _, ["things", ref] if ref not in self.things:
                return httpx.Response(404, json={})
            case "GET", ["things", ref]:
                return httpx.Response(200, json=self._shown(ref))
            case "DELETE", ["things", ref]:
                return self._delete(ref)
            case "PATCH", ["things", ref]:
                if not self.lies:
                    self.things[ref] |= json.loads(request.content)
                return httpx.Response(200, json={"ok": True})
        return httpx.Response(404, json={})

    def _list(self, params: httpx.QueryParams) -> httpx.Response:
        by, value, start = params["by"], params["value"], int(params["from"])
        found = [ref for ref, thing in self.things.items() if value.casefold() in thing[by].casefold()]
        page = [self._shown(ref) for ref in found[start : start + PAGE]]
        more = start + PAGE if start + PAGE < len(found) else None
        return httpx.Response(200, json={"things": page, "next": more})

    def _shown(self, ref: str) -> dict[str, Any]:
        thing = self.things[ref]
        return {"id": ref, "size": len(thing["text"].encode()), **thing}

    def _delete(self, ref: str) -> httpx.Response:
        if self.partly and self.things[ref]["kind"] == "files":
            return httpx.Response(200, json={"ok": False, "error": "locked"})
        if not self.lies:
            gone = self.things.pop(ref)
            if gone["kind"] == "contact":
                notes = [each for each, one in self.things.items() if one["customer"] == gone["customer"]]
                for each in [each for each in notes if self.things[each]["kind"] == "notes"]:
                    del self.things[each]
        return httpx.Response(200, json={"ok": True})


class NoConfig(BaseModel):
    pass


class Sound(Processor[NoConfig]):
    """Keeps every rule."""

    Config = NoConfig

    async def check(self, ctx: Context) -> None:
        await self.call("GET", "me")

    async def call(self, method: str, path: str, **more: Any) -> Answer:
        answer = await self.http.call(method, path, **more)
        if answer.status not in (200, 404):
            raise RetryLater("unexpected_status")
        return answer

    async def locate(self, ctx: Context) -> AsyncIterator[Item | Identity | Unlisted]:
        for identity in ctx.identities:
            async for thing in self.listed(identity):
                if same(thing, identity):
                    yield Item(thing["id"], thing["kind"], identity, dated=date.fromisoformat(thing["made"]))
                    yield Identity(IdentityType.CUSTOMER_ID, thing["customer"])

    async def listed(self, identity: Identity) -> AsyncIterator[dict[str, Any]]:
        start: object = 0
        while start is not None:
            params = {"by": word(identity.type), "value": identity.value, "from": str(start)}
            page: Any = (await self.call("GET", "things", params=params)).json()
            for thing in page["things"]:
                yield thing
            start = page["next"]

    async def thing(self, item: Item) -> dict[str, Any] | None:
        answer = await self.call("GET", f"things/{item.ref}")
        shown: Any = answer.json()
        return shown if answer.status == 200 else None

    async def reread(self, ctx: Context, items: Sequence[Item]) -> AsyncIterator[Item]:
        for item in items:
            thing = await self.thing(item)
            if thing is not None:
                owner = Identity(item.matched.type, thing[word(item.matched.type)])
                yield Item(item.ref, item.category, owner, dated=date.fromisoformat(thing["made"]))

    def taken_with(self, item: Item) -> str:
        return item.ref.replace("notes", "contact")

    async def erase(self, ctx: Context, items: Sequence[Item]) -> Sequence[Result]:
        return [await self.erased(item, str(ctx.key("erase", item))) for item in items]

    async def erased(self, item: Item, key: str) -> Result:
        told: Any = (await self.call("DELETE", f"things/{item.ref}", headers={"idempotency-key": key})).json()
        if "error" in told:
            return Result(item, Disposition.REFUSED, note=told["error"])
        return Result(item, Disposition.ERASED)

    async def export(self, ctx: Context, items: Sequence[Item]) -> AsyncIterator[Record | File]:
        for item in items:
            thing = await self.thing(item)
            if thing is not None:
                yield Record(item, {key: thing[key] for key in ("email", "customer", "name", "text")})
                yield File(item, "text/plain", self.content(item, thing["size"]))

    async def content(self, item: Item, size: int) -> AsyncIterator[bytes]:
        body = (await self.call("GET", f"things/{item.ref}/content")).body
        if len(body) != size:
            raise RetryLater("unreadable_answer")
        yield body

    async def read(self, ctx: Context, items: Sequence[Item], fields: Sequence[str]) -> AsyncIterator[Values]:
        for item in items:
            thing = await self.thing(item)
            if thing is not None:
                yield Values(item, {field: thing[MANIFEST.fields[field].name] for field in fields})

    async def rectify(self, ctx: Context, changes: Sequence[Change]) -> Sequence[Result]:
        for change in changes:
            values = {MANIFEST.fields[one.field].name: one.new for one in change.corrections}
            await self.call("PATCH", f"things/{change.item.ref}", json=values)
        return [Result(change.item, Disposition.RECTIFIED) for change in changes]

    async def restrict(self, ctx: Context, items: Sequence[Item]) -> Sequence[Result]:
        return [await self.marked(item, Disposition.RESTRICTED) for item in items]

    async def lift(self, ctx: Context, items: Sequence[Item]) -> Sequence[Result]:
        return [await self.marked(item, Disposition.LIFTED) for item in items]

    async def stop(self, ctx: Context, purposes: Sequence[str]) -> Sequence[Result]:
        located = [thing async for thing in self.locate(ctx) if isinstance(thing, Item)]
        found = {item.ref: item for item in located}
        return [await self.marked(item, Disposition.STOPPED) for item in found.values()]

    async def marked(self, item: Item, mark: Disposition) -> Result:
        await self.call("PATCH", f"things/{item.ref}", json={"mark": mark.value})
        return Result(item, mark)


def same(thing: dict[str, Any], identity: Identity) -> bool:
    found = str(thing[word(identity.type)])
    return (
        found.casefold() == identity.value.casefold()
        if identity.type is IdentityType.EMAIL
        else found == identity.value
    )


def word(kind: IdentityType) -> str:
    return "email" if kind is IdentityType.EMAIL else "customer"


class Model(VendorUnderTest):
    """The registry, with the processor under test in front."""

    manifest = MANIFEST

    def __init__(self, processor: type[Sound] = Sound) -> None:
        self.registry = Registry()
        self.processor = processor

    def open(self) -> AbstractAsyncContextManager[Processor[Any]]:
        return self._opened()

    @asynccontextmanager
    async def _opened(self) -> AsyncIterator[Processor[Any]]:
        transport = self.transport(httpx.MockTransport(self.registry.answer))
        async with Http(base_url="http://registry.invalid", transport=transport) as http:
            yield self.processor(config=NoConfig(), http=http)

    async def person(self) -> Sequence[Identity]:
        email, customer = self.registry.add_person()
        return (Identity(IdentityType.EMAIL, email), Identity(IdentityType.CUSTOMER_ID, customer))

    async def nobody(self) -> Sequence[Identity]:
        return (Identity(IdentityType.EMAIL, "nobody@example.org"), Identity(IdentityType.CUSTOMER_ID, "customer-none"))

    def mine(self, identities: Sequence[Identity]) -> list[dict[str, Any]]:
        values = {one.value for one in identities}
        return [thing for thing in self.registry.things.values() if values & {thing["email"], thing["customer"]}]

    async def remains(self, identities: Sequence[Identity]) -> int:
        return len(self.mine(identities))

    async def busy(self) -> None:
        self.registry.busy = True

    async def lie(self) -> None:
        self.registry.lies = True

    async def partly(self) -> None:
        self.registry.partly = True

    async def calm(self) -> None:
        self.registry.busy = self.registry.lies = self.registry.partly = False

    async def known_texts(self, identities: Sequence[Identity]) -> Sequence[str]:
        return [thing["text"] for thing in self.mine(identities)]

    async def value(self, identities: Sequence[Identity], field: str) -> str | None:
        contacts = [thing for thing in self.mine(identities) if thing["kind"] == "contact"]
        return str(contacts[0][MANIFEST.fields[field].name]) if contacts else None
