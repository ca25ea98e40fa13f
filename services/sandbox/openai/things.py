"""What OpenAI keeps, and the sandbox's own knowledge of whose each thing is."""

from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from enum import StrEnum
from hashlib import sha256
from typing import Any


class Kind(StrEnum):
    """The objects, by the vendor's own names."""

    FILE = "file"
    STORE = "vector_store"
    COMPLETION = "chat.completion"
    RESPONSE = "response"
    CONVERSATION = "conversation"


@dataclass
class Thing:
    """One object. `shown` is what the API tells beside id, time and metadata.

    `parts` are its messages or items, oldest first; those of a vector store are its files' entries.
    `person` is the customer id of whom it is about: the sandbox's knowledge, which the API never tells.
    """

    kind: Kind
    id: str
    created: int  # epoch seconds
    person: str | None = None
    shown: dict[str, Any] = field(default_factory=dict)
    metadata: dict[str, str] = field(default_factory=dict)
    parts: dict[str, dict[str, Any]] = field(default_factory=dict)
    content: bytes = b""
    deleted: bool = False

    def state(self, parts: Iterable[str]) -> list[Any]:
        """All of it, for a digest, with those of its parts that are named."""
        kept = {part: self.parts[part] for part in parts}
        content = sha256(self.content).hexdigest()
        return [self.kind, self.id, self.created, self.shown, self.metadata, kept, content, self.deleted]


def _empty() -> dict[Kind, dict[str, Thing]]:
    return {kind: {} for kind in Kind}


@dataclass
class Platform:
    """Everything that one project of OpenAI keeps. Used from the event loop's thread alone."""

    _things: dict[Kind, dict[str, Thing]] = field(default_factory=_empty)
    _about: dict[str | None, dict[str, Thing]] = field(default_factory=lambda: defaultdict(dict))
    _gone: dict[str, str | None] = field(default_factory=dict)

    def put(self, thing: Thing) -> None:
        """Add a thing."""
        self._things[thing.kind][thing.id] = self._about[thing.person][thing.id] = thing

    def find(self, kind: Kind, thing_id: str) -> Thing | None:
        """Return the thing of this id, unless it was deleted."""
        thing = self._things[kind].get(thing_id)
        return None if thing is None or thing.deleted else thing

    def with_items(self, conversation_id: str) -> Thing | None:
        """Return a conversation whose items can be reached: a deleted one, too, as long as it has any."""
        thing = self._things[Kind.CONVERSATION].get(conversation_id)
        return thing if thing is not None and (thing.parts or not thing.deleted) else None

    def all(self, kind: Kind) -> list[Thing]:
        """Return what is there of a kind, oldest first."""
        return [thing for thing in self._things[kind].values() if not thing.deleted]

    def remove(self, thing: Thing) -> None:
        """Delete a thing. A file leaves every vector store; a store leaves its files; a conversation its items."""
        self._gone[thing.id] = thing.person
        if thing.kind is Kind.FILE:
            for store in self._things[Kind.STORE].values():
                store.parts.pop(thing.id, None)
        if thing.kind is Kind.CONVERSATION and thing.parts:
            thing.deleted = True
        else:
            self._drop(thing)

    def remove_part(self, thing: Thing, part: str) -> None:
        """Delete an item, or a file's entry in a store."""
        del thing.parts[part]
        self._gone[f"{thing.id}/{part}"] = self.whose(thing, part)
        if thing.deleted and not thing.parts:
            self._drop(thing)

    def was(self, target: str) -> bool:
        """Whether there once was such a thing or part (`thing/part`), now deleted."""
        return target in self._gone

    def whose_was(self, target: str) -> str | None:
        """Return whose a deleted thing or part was."""
        return self._gone.get(target)

    def whose(self, thing: Thing, part: str) -> str | None:
        """Return whose a part is: an entry is its file's owner's, wherever the store is."""
        file = self._things[Kind.FILE].get(part) if thing.kind is Kind.STORE else None
        return file.person if file is not None else thing.person

    def remains(self, person: str) -> int:
        """Return how many things and parts there are about a person, items of deleted conversations included."""
        own = list(self._about[person].values())
        # Messages and input items go with their completion or response and are not counted on their own.
        held = [one for one in (*own, *self._about[None].values()) if one.kind in (Kind.STORE, Kind.CONVERSATION)]
        parts = [part for one in held for part in one.parts if self.whose(one, part) == person]
        return sum(not one.deleted for one in own) + len(parts)

    def by_person(self) -> dict[str | None, list[Any]]:
        """Return the state of everything, for digests: things and parts, each with whom they are about."""
        found: dict[str | None, list[Any]] = {}
        for thing in self._everything():
            owners = {part: self.whose(thing, part) for part in thing.parts}
            for person in {thing.person, *owners.values()}:
                parts = [part for part, owner in owners.items() if owner == person]
                own = thing.state(parts) if person == thing.person else [thing.id, *(thing.parts[one] for one in parts)]
                found.setdefault(person, []).append(own)
        return found

    def clear(self) -> None:
        """Forget everything."""
        self._things = _empty()
        self._about.clear()
        self._gone.clear()

    def _drop(self, thing: Thing) -> None:
        del self._things[thing.kind][thing.id]
        del self._about[thing.person][thing.id]

    def _everything(self) -> Iterator[Thing]:
        for things in self._things.values():
            yield from things.values()
