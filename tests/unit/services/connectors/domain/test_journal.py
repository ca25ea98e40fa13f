"""The journal remembers what the memory ledger does, through encoding and in any cut."""

from datetime import UTC, date, datetime

from habeas.sdk import Disposition, Identity, IdentityType, Item, Result, Unlisted, Wait
from habeas.testing.memory import MemoryLedger
from services.connectors.domain import journal
from services.connectors.domain.journal import Fact, Memory

JANE = Identity(IdentityType.EMAIL, "jané@example.com")
ITEMS = [Item("r\x1f1", "records", JANE, count=3, dated=date(2020, 2, 29)), Item("r2", "files", JANE)]
NOW = datetime(2026, 11, 20, 9, 30, 0, 123456, tzinfo=UTC)
RESULT = Result(
    ITEMS[0],
    Disposition.RETAINED,
    count=2,
    ground="tax",
    until=date(2030, 1, 1),
    note="object_locked",
    evidence={"basis": "rule"},
)


def through(facts: list[Fact]) -> Memory:
    return Memory.of(journal.decode(journal.encode(facts)))


async def test_it_comes_to_what_the_memory_ledger_remembers() -> None:
    ledger = MemoryLedger()
    await ledger.begin_pass(1)
    await ledger.found(ITEMS, [JANE])
    await ledger.found((), (), [Unlisted("records", "no_index")])
    await ledger.located()
    await ledger.attempting([0], {0: {"contact.email": "write"}})
    await ledger.results({0: RESULT}, effects=1)
    await ledger.begin_pass(2)
    await ledger.found(ITEMS[1:], [])
    await ledger.located()
    await ledger.waiting(Wait("job-1", NOW, NOW, "queued"))
    facts = [
        journal.pass_begun(1),
        journal.found(ITEMS, [JANE]),
        journal.found((), (), [Unlisted("records", "no_index")]),
        journal.located(),
        journal.attempting([0], {0: {"contact.email": "write"}}),
        journal.resulted({0: RESULT}, 1),
        journal.pass_begun(2),
        journal.found(ITEMS[1:], []),
        journal.located(),
        journal.waiting(Wait("job-1", NOW, NOW, "queued")),
    ]
    assert through(facts).progress() == await ledger.load()


def test_a_pass_that_is_begun_again_drops_what_was_half_found_and_never_uses_an_ordinal_twice() -> None:
    memory = through(
        [
            journal.pass_begun(1),
            journal.found(ITEMS, [JANE]),
            journal.found((), (), [Unlisted("records")]),
            journal.pass_begun(1),
            journal.found(ITEMS[:1], []),
            journal.located(),
        ]
    )
    assert list(memory.items) == [2]
    assert memory.identities == []
    assert memory.unlisted == []
    assert [item.item for item in memory.of_pass()] == ITEMS[:1]


def test_a_wait_that_is_over_is_forgotten() -> None:
    memory = through([journal.waiting(Wait("job-1", NOW, NOW, "queued")), journal.waiting(None)])
    assert memory.wait is None


def test_an_effect_that_was_begun_is_known() -> None:
    facts = [journal.pass_begun(1), journal.found(ITEMS, []), journal.located()]
    assert not through(facts).begun
    assert through([*facts, journal.attempting([1])]).begun


def test_a_journal_of_before_corrections_is_still_read() -> None:
    old: list[Fact] = [
        {"pass": 1},
        {"items": [["r", "files", ["email", "x"], 1, None]], "identities": []},
        {"located": True},
    ]
    memory = Memory.of([*old, {"attempting": [0]}])
    assert memory.unlisted == []
    assert memory.items[0].decided == {}
