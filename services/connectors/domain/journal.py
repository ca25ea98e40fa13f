"""A task's journal: what its ledger remembers, as facts in the order in which they became true."""

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime
from typing import Any

from habeas.engine import Progress, StoredItem
from habeas.sdk import Disposition, Identity, IdentityType, Item, Result, Unlisted, Wait

Fact = dict[str, Any]
_JSON = json.JSONEncoder(separators=(",", ":"), ensure_ascii=False)


def pass_begun(pass_no: int) -> Fact:
    """Pass `pass_no` was opened; what a crash left of it is dropped."""
    return {"pass": pass_no}


def found(items: Sequence[Item], identities: Sequence[Identity], unlisted: Sequence[Unlisted] = ()) -> Fact:
    """Locate yielded these."""
    fact: Fact = {"items": [_item(item) for item in items], "identities": [_identity(one) for one in identities]}
    if unlisted:
        fact["unlisted"] = [[one.category, one.reason] for one in unlisted]
    return fact


def located() -> Fact:
    """The open pass was found whole."""
    return {"located": True}


def attempting(ordinals: Sequence[int], decided: Mapping[int, Mapping[str, str]] | None = None) -> Fact:
    """An effect on these items begins, and this was decided of their fields."""
    fact: Fact = {"attempting": list(ordinals)}
    if decided:
        fact["decided"] = {str(ordinal): dict(words) for ordinal, words in decided.items()}
    return fact


def resulted(results: Mapping[int, Result], effects: int) -> Fact:
    """These results came, and the call had so many effects."""
    return {"results": {str(ordinal): _result(result) for ordinal, result in results.items()}, "effects": effects}


def waiting(wait: Wait | None) -> Fact:
    """This is waited for; None: no longer."""
    told = None if wait is None else [wait.job, wait.check_at.isoformat(), wait.expect_by.isoformat(), wait.reason]
    return {"wait": told}


def encode(facts: Sequence[Fact]) -> bytes:
    """Return facts as bytes, to be sealed."""
    return _JSON.encode(facts).encode()


def decode(blob: bytes) -> list[Fact]:
    """Return the facts that `encode` was given."""
    facts: list[Fact] = json.loads(blob)
    return facts


@dataclass(slots=True)
class Memory:
    """What the facts come to. Ordinals count every item that was ever found, so none is used twice."""

    items: dict[int, StoredItem] = field(default_factory=dict)
    identities: list[Identity] = field(default_factory=list)
    pass_no: int = 0
    located: bool = False
    wait: Wait | None = None
    effects: int = 0
    next_ordinal: int = 0
    unlisted: list[Unlisted] = field(default_factory=list)

    @classmethod
    def of(cls, facts: Iterable[Fact]) -> "Memory":
        """Return the memory that `facts` make."""
        memory = cls()
        for fact in facts:
            memory.take(fact)
        return memory

    @property
    def begun(self) -> bool:
        """Whether an effect was begun."""
        return any(item.attempted for item in self.items.values())

    def take(self, fact: Fact) -> None:
        """Add a fact."""
        if "pass" in fact:
            self._open(fact["pass"])
        elif "items" in fact:
            self._found(fact)
        elif "located" in fact:
            self.located = True
        elif "attempting" in fact:
            decided = fact.get("decided", {})
            for ordinal in fact["attempting"]:
                words = decided.get(str(ordinal), {})
                self.items[ordinal] = replace(self.items[ordinal], attempted=True, decided=words)
        elif "results" in fact:
            for ordinal, told in fact["results"].items():
                known = self.items[int(ordinal)]
                self.items[int(ordinal)] = replace(known, result=_read_result(known.item, told))
            self.effects += fact["effects"]
        else:
            self.wait = _read_wait(fact["wait"])

    def progress(self) -> Progress:
        """Return it as the engine takes it."""
        return Progress(
            tuple(self.items.values()),
            tuple(self.identities),
            self.pass_no,
            self.located,
            self.wait,
            self.effects,
            tuple(self.unlisted),
        )

    def of_pass(self) -> list[StoredItem]:
        """Return the items of the open pass."""
        return [item for item in self.items.values() if item.pass_no == self.pass_no]

    def _open(self, pass_no: int) -> None:
        self.items = {ordinal: item for ordinal, item in self.items.items() if item.pass_no < pass_no}
        if pass_no == 1:
            self.identities.clear()
            self.unlisted.clear()
        self.pass_no, self.located = pass_no, False

    def _found(self, fact: Fact) -> None:
        for told in fact["items"]:
            self.items[self.next_ordinal] = StoredItem(self.next_ordinal, self.pass_no, _read_item(told))
            self.next_ordinal += 1
        self.identities.extend(_read_identity(told) for told in fact["identities"])
        self.unlisted.extend(Unlisted(*told) for told in fact.get("unlisted", ()))


def _identity(identity: Identity) -> list[str]:
    return [identity.type.value, identity.value]


def _read_identity(told: Sequence[str]) -> Identity:
    return Identity(IdentityType(told[0]), told[1])


def _item(item: Item) -> list[Any]:
    dated = item.dated.isoformat() if item.dated else None
    return [item.ref, item.category, _identity(item.matched), item.count, dated]


def _read_item(told: Sequence[Any]) -> Item:
    ref, category, matched, count, dated = told
    return Item(ref, category, _read_identity(matched), count, date.fromisoformat(dated) if dated else None)


def _result(result: Result) -> list[Any]:
    until = result.until.isoformat() if result.until else None
    return [result.disposition.value, result.count, result.ground, until, result.note, dict(result.evidence)]


def _read_result(item: Item, told: Sequence[Any]) -> Result:
    disposition, count, ground, until, note, evidence = told
    ends = date.fromisoformat(until) if until else None
    return Result(item, Disposition(disposition), count, ground, ends, note, evidence)


def _read_wait(told: Sequence[str] | None) -> Wait | None:
    if told is None:
        return None
    job, check_at, expect_by, reason = told
    return Wait(job, datetime.fromisoformat(check_at), datetime.fromisoformat(expect_by), reason)
