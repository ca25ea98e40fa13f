"""The engine's ledger on PostgreSQL: a sealed journal for each task, written together with those of other tasks."""

import asyncio
from collections.abc import Callable, Mapping, Sequence

from habeas.engine import Progress, StoredItem
from habeas.sdk import Identity, Item, Result, Unlisted, Wait
from services.chassis.crypto.at_rest import KeyProvider, decrypt, encrypt
from services.chassis.faultpoints import faultpoint
from services.connectors.domain import journal
from services.connectors.domain.claimed import Claimed, Ending
from services.connectors.domain.journal import Fact, Memory
from services.connectors.host.commits import Commits, Entry, Write
from services.connectors.host.served import Served

# Finds that may wait for the next write; beyond it they are written at once, so that no statement grows without end.
MOST_UNWRITTEN = 1_000


class DatabaseLedger:
    """One task's memory. Facts become durable no later than the engine needs them to be.

    What is found before the first effect waits in memory and is written with the mark that the effect begins: a crash
    before it costs a new search and nothing else. That mark is durable before the call; what came of the call becomes
    durable while the work goes on, and before anything that is written later: a crash meanwhile is the crash within
    the call, which the next try must answer for anyway.
    """

    def __init__(
        self, task: Claimed, served: Served, *, commits: Commits, keys: KeyProvider, lease_left: Callable[[], float]
    ) -> None:
        """Write for `task` through `commits`; the data key is made or unwrapped by `keys` at need."""
        self._task = task
        self._served = served
        self._commits = commits
        self._keys = keys
        self._lease_left = lease_left
        self._memory = Memory()
        self._unwritten: list[Fact] = []
        self._unwritten_finds = 0
        self._key: bytes | None = None
        self._under_way: Write | None = None

    async def load(self) -> Progress:
        """Read what an earlier try remembered; the rows came with the claim."""
        task = self._task
        if task.journal:
            self._key = self._keys.unwrap(task.journal[0][0] or b"")
            for seq, (_, sealed) in enumerate(task.journal, start=1):
                for fact in journal.decode(decrypt(self._key, sealed, _place(task.id, seq))):
                    self._memory.take(fact)
        task.journaled = len(task.journal)
        return self._memory.progress()

    async def begin_pass(self, pass_no: int) -> None:
        self._note(journal.pass_begun(pass_no))

    async def found(
        self, items: Sequence[Item], identities: Sequence[Identity], unlisted: Sequence[Unlisted] = ()
    ) -> None:
        self._note(journal.found(items, identities, unlisted))
        self._unwritten_finds += len(items) + len(identities) + len(unlisted)
        if self._unwritten_finds >= MOST_UNWRITTEN:
            await self._write()

    async def located(self) -> Sequence[StoredItem]:
        self._note(journal.located())
        if self._memory.begun:
            await self._write()
        faultpoint("worker.located")
        return self._memory.of_pass()

    async def attempting(self, ordinals: Sequence[int], decided: Mapping[int, Mapping[str, str]] | None = None) -> None:
        self._note(journal.attempting(ordinals, decided))
        await self._write()
        faultpoint("worker.before_effect")

    async def results(self, results: Mapping[int, Result], *, effects: int) -> None:
        begun = self._memory.begun
        if begun:
            faultpoint("worker.effect_done")
        self._note(journal.resulted(results, effects))
        if begun:
            self._under_way = Write(self._task, self._served, self._entry())
            self._under_way.done.add_done_callback(_stored)
            self._commits.begin(self._under_way)

    async def waiting(self, wait: Wait | None) -> None:
        self._note(journal.waiting(wait))
        await self._write()

    async def exporting(self) -> None:
        """Remember that objects may lie in the store from now on, whatever becomes of this attempt."""
        await self._commit(Write(self._task, self._served, exports=True))

    def stored(self) -> Sequence[StoredItem]:
        """Return what is remembered of items by now."""
        return tuple(self._memory.items.values())

    def lease_left(self) -> float:
        return self._lease_left()

    def cancelled(self) -> bool:
        return self._task.cancelled

    async def end(self, ending: Ending, *, keep: bool) -> None:
        """Let go of the task; `keep` says that what is not yet written is still wanted."""
        useful = self._memory.located or self._memory.begun  # half a search is done anew
        entry = self._entry() if keep and useful and self._unwritten else None
        await self._commit(Write(self._task, self._served, entry, ending))

    def _note(self, fact: Fact) -> None:
        self._memory.take(fact)
        self._unwritten.append(fact)

    async def _write(self) -> None:
        await self._commit(Write(self._task, self._served, self._entry()))

    async def _commit(self, write: Write) -> None:
        await self._commits.write(write)
        if self._under_way is not None:
            await self._under_way.done  # it went before this one, so it is over; its failure is this task's

    def _entry(self) -> Entry:
        """Seal what is not yet written as the journal's next row."""
        wrapped = None
        if self._key is None:
            fresh = self._keys.fresh()
            self._key, wrapped = fresh.plain, fresh.wrapped
        self._task.journaled += 1
        seq = self._task.journaled
        sealed = encrypt(self._key, journal.encode(self._unwritten), _place(self._task.id, seq))
        self._unwritten = []
        self._unwritten_finds = 0
        return Entry(seq, wrapped, sealed)


def _place(task_id: str, seq: int) -> str:
    return f"journal.sealed/{task_id}/{seq}"


def _stored(results: "asyncio.Future[None]") -> None:
    if not results.cancelled() and results.exception() is None:
        faultpoint("worker.results_stored")
