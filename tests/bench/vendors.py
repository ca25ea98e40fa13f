"""`python -m tests.bench.vendors`: three rights over the four shipped processors, against the sandbox's vendors.

Habeas takes turns with the same processors driven by the engine alone, in one process and in memory: what stands
between the two is what carrying, remembering, sealing, checking and telling cost.
"""

import argparse
import asyncio
import secrets
import tempfile
import time
from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence
from contextlib import AsyncExitStack, contextmanager
from pathlib import Path
from typing import Any

from habeas.client import Habeas, NewRequest
from habeas.engine import Again, Settled, work
from habeas.local.stack import Stack
from habeas.sdk import Action, Correction, CountedFrom, Identity, IdentityType, RetentionRule, Right, Task
from habeas.testing import MemoryExports, MemoryLedger
from services.chassis.clock import SystemClock
from services.connectors.host.catalogue import Catalogue
from services.connectors.host.enrolment import read
from services.connectors.host.served import Served
from tests.bench.figures import Round
from tests.bench.processes import cpu_seconds, spent
from tests.plain import HTTP

PROCESSORS = ("crm-eu", "billing", "ai", "files")
ACTIONS = {Right.ACCESS: Action.EXPORT, Right.RECTIFICATION: Action.RECTIFY, Right.ERASURE: Action.ERASE}
PHONE = "+442079460999"
AT_A_TIME = 16  # tasks of one processor, as the local stack's limits allow the host
PATIENCE = 240.0
TAX_LAW = tuple(RetentionRule(name, "tax_law", 84, CountedFrom.END_OF_YEAR) for name in ("invoices", "charges"))

Person = Mapping[str, Any]


class Stage:
    """A running stack with the sandbox's processors."""

    def __init__(self, stack: Stack) -> None:
        """Look at `stack`."""
        self.stack = stack
        self.habeas = Habeas(stack.url, key=stack.key)
        self._seed = 1_000

    def people(self, count: int) -> list[Person]:
        """Invent `count` people with nothing unusual about them."""
        found: list[Person] = []
        while len(found) < count:
            self._seed += 1
            wanted = {"count": count + 10, "seed": self._seed}
            answer = HTTP.post(f"{self.stack.sandbox_url}/_sandbox/people", json=wanted)
            answer.raise_for_status()
            found += [one for one in answer.json()["people"] if not one["oddity"] and not one["payer"]]
        return found[:count]

    def cpu(self) -> dict[str, float]:
        """Return the CPU seconds that each part has used so far."""
        pids = {name: service.pid for name, service in self.stack.services.items()}
        pids |= {
            "postgresql": getattr(self.stack.postgres, "pid", None),
            "kafka": getattr(self.stack.kafka, "pid", None),
        }
        return {name: cpu_seconds(pid) for name, pid in pids.items() if pid is not None}


def through_habeas(stage: Stage, right: Right, people: Sequence[Person]) -> Round:
    """File a request for each person, known by e-mail alone, and wait until all are completed."""
    corrections = {"contact.phone": PHONE} if right is Right.RECTIFICATION else {}
    wishes = [NewRequest(right, {"email": one["email"]}, corrections=corrections) for one in people]
    before, began = stage.cpu(), time.perf_counter()
    filed = stage.habeas.requests.file_many(wishes)
    ids = [one.request.id for one in filed.results if one.request is not None]
    assert len(ids) == len(people), "not everything was filed"
    for one in ids:
        done = stage.habeas.wait_until_settled(one, timeout=PATIENCE)
        assert str(done.outcome.headline if done.outcome else None).startswith("fulfilled"), "the round is spoilt"
    return Round(len(people), time.perf_counter() - began, spent(before, stage.cpu()))


async def bare(stage: Stage, right: Right, people: Sequence[Person]) -> Round:
    """Carry the same tasks through the same processors with the engine alone, memory for a ledger."""
    async with AsyncExitStack() as opened:
        served = [await _open(stage, name, opened) for name in PROCESSORS]
        before, began = stage.cpu(), time.perf_counter()
        limits = {one.id: asyncio.Semaphore(AT_A_TIME) for one in served}
        await asyncio.gather(*(_fulfil(right, person, served, limits) for person in people))
        return Round(len(people), time.perf_counter() - began, spent(before, stage.cpu()))


async def _open(stage: Stage, name: str, opened: AsyncExitStack) -> Served:
    enrolment = read(stage.stack.home.processors / name)
    served = await Served.start(enrolment, Catalogue().load(enrolment.kind))
    opened.push_async_callback(served.close, after=0.0)
    return served


async def _fulfil(
    right: Right, person: Person, served: Sequence[Served], limits: Mapping[str, asyncio.Semaphore]
) -> None:
    known = [Identity(IdentityType.EMAIL, person["email"])]
    for one in served:
        if Action.RESOLVE in one.manifest.actions:
            async with limits[one.id]:
                known += (await _carry(one, Action.RESOLVE, right, known)).identities
    tasks = [_limited(limits[one.id], one, ACTIONS[right], right, known) for one in served]
    await asyncio.gather(*tasks)


async def _limited(
    limit: asyncio.Semaphore, served: Served, action: Action, right: Right, known: Sequence[Identity]
) -> None:
    if action in served.manifest.actions:
        async with limit:
            await _carry(served, action, right, known)


async def _carry(served: Served, action: Action, right: Right, known: Sequence[Identity]) -> Settled:
    corrections = (Correction("contact.phone", None, PHONE),) if action is Action.RECTIFY else ()
    task = Task(
        id=f"tsk_{secrets.token_hex(8)}",
        request_id="req_bench",
        processor=served.id,
        action=action,
        right=right,
        identities=tuple(one for one in known if one.type in served.manifest.accepts),
        corrections=corrections,
        retention=TAX_LAW if action is Action.ERASE else (),
    )
    ledger, exports = MemoryLedger(), MemoryExports()
    while True:
        verdict = await work(
            task,
            processor=served.processor,
            manifest=served.manifest,
            ledger=ledger,
            clock=SystemClock(),
            before_call=served.limit.wait,
            exports=exports,
        )
        if isinstance(verdict, Settled):
            return verdict
        assert isinstance(verdict, Again), f"the round is spoilt: {verdict}"
        await asyncio.sleep(verdict.after or 0.1)


def measure(stage: Stage, people: int, rounds: int) -> None:
    """Let both sides run by turns for each right, after a round that warms everything up."""
    turns: dict[Right, Callable[[Right, Sequence[Person]], tuple[Round, Round]]] = dict.fromkeys(
        ACTIONS, lambda right, some: (through_habeas(stage, right, some[::2]), _run(bare(stage, right, some[1::2])))
    )
    print(f"{'':14} {'Habeas':>9} {'engine':>9} {'ratio':>6}   CPU per request in Habeas, ms")
    for right, turn in turns.items():
        turn(right, stage.people(people))
        found = [turn(right, stage.people(2 * people)) for _ in range(rounds)]
        ours = sorted((one for one, _ in found), key=lambda one: one.rate)[rounds // 2]
        theirs = sorted((one for _, one in found), key=lambda one: one.rate)[rounds // 2]
        costs = ", ".join(f"{name} {ours.cost(name) / 1_000:.1f}" for name in ours.cpu)
        print(
            f"{right:14} {ours.rate:7.1f}/s {theirs.rate:7.1f}/s {ours.rate / theirs.rate:6.2f}   {costs}", flush=True
        )


def _run(round_: Awaitable[Round]) -> Round:
    async def once() -> Round:
        return await round_

    return asyncio.run(once())


@contextmanager
def stage() -> Iterator[Stage]:
    """Bring everything up in a temporary folder, and take it down in the end."""
    with (
        tempfile.TemporaryDirectory(prefix="habeas-bench-", ignore_cleanup_errors=True) as home,
        Stack(Path(home)) as one,
    ):
        found = Stage(one)
        try:
            yield found
        finally:
            found.habeas.close()


def main() -> None:
    """Parse the arguments and measure."""
    parser = argparse.ArgumentParser(prog="python -m tests.bench.vendors", description=__doc__)
    parser.add_argument("--people", type=int, default=20, help="on each side of a round")
    parser.add_argument("--rounds", type=int, default=3)
    arguments = parser.parse_args()
    with stage() as one:
        measure(one, arguments.people, arguments.rounds)


if __name__ == "__main__":
    main()
