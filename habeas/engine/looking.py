"""The actions that only look: resolve, preview and recheck."""

from dataclasses import dataclass, replace

from habeas.engine.acting import held
from habeas.engine.finding import first_pass
from habeas.engine.lines import lines_of
from habeas.engine.ports import OutcomeLine, Settled
from habeas.engine.run import Run, key_of
from habeas.engine.telling import not_listed, nothing_found
from habeas.sdk import Result, WrongPerson
from habeas.vocabulary import Checked, Disposition


async def resolve(run: Run) -> Settled:
    """Return the further identities that the processor knows the subject by; its items are not looked at."""
    if not run.located:
        await first_pass(run, categories=())
    return Settled((), identities=tuple(run.identities))


@dataclass(frozen=True, slots=True)
class Finding:
    """What an item that is there, and is not held, is called."""

    disposition: Disposition
    reason: str


# A preview touches nothing, so nothing became of what it counts; a recheck finds what should have been gone.
FOUND = Finding(Disposition.NOT_APPLICABLE, "would_be_touched")
STILL_THERE = Finding(Disposition.FAILED, "still_there")


async def count(run: Run, finding: Finding) -> Settled:
    """Count what is there, by category, telling what a hold would keep."""
    if not run.located:
        await first_pass(run)
    if not run.stored:
        return Settled(nothing_found(run))
    if not all(run.subject.owns(known.item.matched) for known in run.stored.values()):
        raise WrongPerson("item_of_another_person")
    return Settled((*_counted(run, finding), *not_listed(run)))


def _counted(run: Run, finding: Finding) -> tuple[OutcomeLine, ...]:
    latest = list(run.latest().values())
    kept = held(run, latest, {key_of(known.item): known.item for known in latest})
    counted = [
        replace(known, result=kept.get(known.ordinal) or Result(known.item, finding.disposition, note=finding.reason))
        for known in latest
    ]
    return lines_of(counted, lambda _: Checked.VERIFIED)
