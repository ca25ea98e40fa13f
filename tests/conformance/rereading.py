"""Reads items again as it is done when a hold has ended: by nothing but the items, with their identities blanked."""

from collections.abc import Sequence
from dataclasses import replace

from habeas.engine.calls import Caller
from habeas.engine.context import TaskContext
from habeas.sdk import Identity, Item
from habeas.testing import Crashed, DyingLedger, MemoryLedger, Trial, VendorUnderTest


async def found(vendor: VendorUnderTest, identities: Sequence[Identity]) -> list[Item]:
    """Return what the processor finds of a person."""
    trial = Trial(vendor, identities, ledger=DyingLedger())
    try:
        await trial.run()
    except Crashed:
        return [known.item for known in trial.ledger.items.values()]
    raise AssertionError("nothing was found")


async def reread_blankly(vendor: VendorUnderTest, items: Sequence[Item]) -> list[Item]:
    """Return what `reread` yields of `items` for nobody in particular."""
    trial = Trial(vendor, ())
    blank = [replace(item, matched=Identity(item.matched.type, "")) for item in items]
    ctx = TaskContext(trial.task, ledger=MemoryLedger(), clock=trial.clock, attempt=1, attempt_timeout=60.0)
    caller = Caller(ctx, grace=1.0)
    try:
        async with vendor.open() as processor:
            return [item async for item in caller.stream(processor.reread, blank)]
    finally:
        caller.close()
