"""What the AI supplier keeps about an invented person, and the application's own list of ids to it."""

import json
from collections.abc import Iterable, Iterator
from hashlib import sha256
from pathlib import Path
from typing import Any

from services.sandbox.openai.things import Kind, Platform, Thing
from services.sandbox.people import Person

SUBJECT = "subject_id"
"""The metadata key, and the attribute, by which the application marks whose a thing is."""

_PREFIXES = {
    Kind.FILE: "file-",
    Kind.STORE: "vs_",
    Kind.COMPLETION: "chatcmpl-",
    Kind.RESPONSE: "resp_",
    Kind.CONVERSATION: "conv_",
}
_BEGAN = 1_772_323_200  # 2026-03-01, in epoch seconds
_MODEL = "gpt-sandbox"
TEAM_STORE = "vs_team"
# What the application calls the two kinds that the vendor can not list.
LISTED_BY_US = {Kind.CONVERSATION: "conversation", Kind.RESPONSE: "response"}


def belongings(person: Person) -> Iterator[Thing]:
    """Yield what is kept about a person, the same for the same person; how, depends on what is odd about them."""
    oddity = person.oddity
    if oddity == "contact and nothing else":
        return
    if oddity != "no objects":
        yield from _stored(person)
    if oddity != "no notes":
        yield from _known_by_id(person)


def attached(person: Person) -> Iterator[Thing]:
    """Yield files that lie in the team's vector store and are marked by their attributes there alone."""
    if person.oddity == "object with three versions":
        yield _file(person, "handbook.txt", f"{person.name} asked about this page.")


def _stored(person: Person) -> Iterator[Thing]:
    named = _file(person, f"{person.customer_id}__letter.txt", f"Dear {person.name}, your order is on its way.")
    marked = _file(person, "summary.txt", f"Summary of what {person.email} wrote.", purpose="assistants")
    yield from (named, marked)
    days = 12 if person.oddity == "many objects" else 0
    yield from (
        _file(person, f"{person.customer_id}__log-{day:02d}.txt", f"{person.name}, day {day}") for day in range(days)
    )
    store = _thing(person, Kind.STORE, "notes", name="Notes", usage_bytes=0, expires_at=None)
    store.metadata = _mark(person)
    store.parts = {file.id: entry(person, file) for file in (named, marked)}
    yield store
    question = {"role": "user", "content": f"I am {person.name}. Where is my parcel?"}
    answer = {"role": "assistant", "content": "It is on its way."}
    completion = _thing(person, Kind.COMPLETION, "parcel", model=_MODEL, choices=[{"index": 0, "message": answer}])
    completion.metadata = _mark(person)
    completion.parts = {
        f"{completion.id}-{n}": {"id": f"{completion.id}-{n}", **one} for n, one in enumerate([question])
    }
    yield completion


def _known_by_id(person: Person) -> Iterator[Thing]:
    texts = [f"Hello, I am {person.name}.", "How can I help?", f"Write to {person.email}, please."]
    conversation = _thing(person, Kind.CONVERSATION, "chat")
    conversation.metadata = _mark(person)
    conversation.parts = _items(conversation.id, texts * (60 if person.oddity == "many objects" else 1))
    # A conversation that somebody deleted the short way: its items are still there.
    conversation.deleted = person.oddity == "object under a delete marker"
    yield conversation
    output = [{"type": "message", "role": "assistant", "content": [{"type": "output_text", "text": "Done."}]}]
    response = _thing(person, Kind.RESPONSE, "address", model=_MODEL, status="completed", output=output)
    response.parts = _items(response.id, [f"Change my telephone number to {person.phone}."])
    yield response  # without metadata: only the application's own list says whose it is


def entry(person: Person, file: Thing) -> dict[str, Any]:
    """A file's entry in a vector store, marked as the person's."""
    return {"created_at": file.created, "usage_bytes": len(file.content), "attributes": _mark(person)}


def _file(person: Person, name: str, text: str, purpose: str = "user_data") -> Thing:
    file = _thing(person, Kind.FILE, name, filename=name, purpose=purpose, status="processed", expires_at=None)
    file.content = text.encode()
    return file


def _thing(person: Person, kind: Kind, called: str, /, **shown: Any) -> Thing:
    digest = sha256(f"{person.customer_id} {kind} {called}".encode()).hexdigest()
    return Thing(kind, _PREFIXES[kind] + digest[:24], _BEGAN + int(digest[:5], 16), person.customer_id, shown)


def _items(owner: str, texts: Iterable[str]) -> dict[str, dict[str, Any]]:
    items = {}
    for number, text in enumerate(texts):
        item_id = "msg_" + sha256(f"{owner} {number}".encode()).hexdigest()[:24]
        role, kind = ("user", "input_text") if number % 2 == 0 else ("assistant", "output_text")
        content = [{"type": kind, "text": text}]
        items[item_id] = {"id": item_id, "type": "message", "role": role, "status": "completed", "content": content}
    return items


def _mark(person: Person) -> dict[str, str]:
    return {SUBJECT: person.customer_id}


class IdLedger:
    """The application's list of ids that the vendor can not list: a JSON Lines file that it appends to."""

    def __init__(self, path: Path) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        self.path = path
        self.clear()

    def add(self, things: Iterable[Thing]) -> None:
        """Append a line for each thing that the vendor can not list."""
        lines = [
            json.dumps({"subject": one.person, "object": LISTED_BY_US[one.kind], "id": one.id}) + "\n"
            for one in things
            if one.kind in LISTED_BY_US
        ]
        with self.path.open("a", encoding="utf-8") as file:
            file.writelines(lines)

    def clear(self) -> None:
        """Begin an empty list: nobody lives here."""
        emptied = self.path.with_suffix(".new")
        emptied.write_text("")
        emptied.replace(self.path)


class AiSupplier:
    """Puts people's things into OpenAI and their ids into the application's list."""

    def __init__(self, platform: Platform, ids: IdLedger) -> None:
        self.platform = platform
        self.ids = ids

    def settle(self, people: Iterable[Person]) -> dict[str, dict[str, list[str]]]:
        """Put people in; return the ids made, by customer id and kind."""
        made = {person.customer_id: [*belongings(person), *self._attached(person)] for person in people}
        everything = [thing for things in made.values() for thing in things]
        for thing in everything:
            self.platform.put(thing)
        self.ids.add(everything)
        return {
            person: {kind.value: [one.id for one in things if one.kind is kind] for kind in Kind}
            for person, things in made.items()
        }

    def clear(self) -> None:
        """Nobody there."""
        self.platform.clear()
        self.ids.clear()

    def _attached(self, person: Person) -> list[Thing]:
        files = list(attached(person))
        if files:
            self._team_store().parts.update({file.id: entry(person, file) for file in files})
        return files

    def _team_store(self) -> Thing:
        """The store that many share, with a page in it that is about nobody."""
        store = self.platform.find(Kind.STORE, TEAM_STORE)
        if store is None:
            page = Thing(Kind.FILE, "file-team", _BEGAN, None, {"filename": "prices.txt", "purpose": "assistants"})
            page.shown |= {"status": "processed", "expires_at": None}
            page.content = b"Prices of this year."
            store = Thing(Kind.STORE, TEAM_STORE, _BEGAN, None, {"name": "Team", "usage_bytes": 0, "expires_at": None})
            store.parts = {page.id: {"created_at": _BEGAN, "usage_bytes": len(page.content), "attributes": {}}}
            self.platform.put(page)
            self.platform.put(store)
        return store
