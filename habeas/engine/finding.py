"""Locates what a processor holds and stores all of it before anything is touched."""

from collections.abc import Collection, Iterable

from habeas.engine.calls import Defect
from habeas.engine.lines import word
from habeas.engine.matching import normalised
from habeas.engine.run import Key, Run, key_of
from habeas.engine.shapes import is_identity, is_item
from habeas.sdk import Identity, Item, Unlisted

# How many finds are kept in memory before they are stored.
BATCH = 200
# More identities than this for one person is no resolution but a leak of somebody else's.
MOST_IDENTITIES = 100


class TooManyIdentities(Exception):
    """A processor resolved one person to a crowd."""


async def first_pass(run: Run, *, categories: Collection[str] | None = None) -> None:
    """Locate and store the first pass, of these categories only (None: all).

    A pass that a crash left half-stored is located anew.
    """
    await run.begin_pass(1)
    seen: set[Key] = set()
    known = {normalised(identity) for identity in run.task.identities}
    most = len(known) + MOST_IDENTITIES
    items: list[Item] = []
    identities: list[Identity] = []
    async for thing in run.caller.stream(run.processor.locate):
        if isinstance(thing, Identity):
            if not is_identity(thing):
                raise Defect("malformed_identity")
            if _resolved(run, thing, known):
                identities.append(thing)
            if len(known) > most:
                raise TooManyIdentities
        elif isinstance(thing, Unlisted):
            if categories is None or thing.category in categories:
                await _not_listed(run, thing)
        elif key_of(checked(run, thing)) not in seen and (categories is None or thing.category in categories):
            seen.add(key_of(thing))
            items.append(thing)
        if len(items) + len(identities) >= BATCH:
            await _store(run, items, identities)
    await _store(run, items, identities)
    await run.all_found()


async def located_anew(run: Run) -> list[Item]:
    """Return what a fresh locate yields, of whatever is stored already; nothing of it is stored."""
    found: list[Item] = []
    async for thing in run.caller.stream(run.processor.locate):
        if isinstance(thing, Unlisted):
            news = unlisted(run, thing)  # what could be listed before and can not be now is not proven
            run.unlisted += [news] if news is not None else []
        elif not isinstance(thing, Identity):
            found.append(checked(run, thing))
    return found


async def later_pass(run: Run, residue: Iterable[Item]) -> None:
    """Store what verification still found as a further pass, after the stored ones."""
    await _known_pass(run, run.pass_no if not run.located else run.pass_no + 1, residue)


async def held_pass(run: Run, items: Iterable[Item]) -> None:
    """Store what a hold kept as the first pass: it is known already, and nobody is searched for."""
    await _known_pass(run, 1, items)


async def _known_pass(run: Run, number: int, known: Iterable[Item]) -> None:
    await run.begin_pass(number)
    items = list(known)
    for start in range(0, len(items), BATCH):
        await run.ledger.found(items[start : start + BATCH], ())
    await run.all_found()


def unlisted(run: Run, thing: Unlisted) -> Unlisted | None:
    """Return `thing` as it may be told when it is news; a category that the manifest does not name is a defect."""
    _named(run, thing.category)
    plain = Unlisted(thing.category, word(thing.reason, otherwise="unspecified") or "cannot_be_listed")
    return None if plain in run.unlisted else plain


def checked(run: Run, item: object) -> Item:
    """Return `item` when it is well-formed; anything else is a defect of the processor."""
    if not isinstance(item, Item):
        raise Defect("not_an_item")
    _named(run, item.category)
    if not is_item(item):
        raise Defect("malformed_item")
    return item


def _named(run: Run, category: object) -> None:
    if not isinstance(category, str) or category not in run.manifest.category_names:
        raise Defect("unknown_category")


async def _store(run: Run, items: list[Item], identities: list[Identity]) -> None:
    if items or identities:
        await run.ledger.found(tuple(items), tuple(identities))
        run.identities.extend(identities)
    items.clear()
    identities.clear()


async def _not_listed(run: Run, thing: Unlisted) -> None:
    plain = unlisted(run, thing)
    if plain is not None:
        await run.ledger.found((), (), (plain,))
        run.unlisted.append(plain)


def _resolved(run: Run, identity: Identity, known: set[Identity]) -> bool:
    """Whether `identity` is new and of a type that the manifest says is resolved here; remembers it in `known`."""
    plain = normalised(identity)
    if identity.type not in run.manifest.resolves or not plain.value or plain in known:
        return False
    known.add(plain)
    return True
