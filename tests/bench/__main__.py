"""`python -m tests.bench`: Habeas and a bare script by turns on one warm stack, and what stands between them."""

import argparse
import asyncio
import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path

from tests.bench.figures import Round, percentile, ratio
from tests.bench.load import Client
from tests.bench.pieces import pieces
from tests.bench.processes import cpu_seconds, spent
from tests.bench.stage import PROCESSORS, SERVICES, Stage, stage

SERVERS = ("postgresql", "kafka")
AIMS = {"rate": 0.15, "idle": 60.0, "memory": 400.0}


class Floor:
    """The bare script as a process of its own, which runs a round when it is told to."""

    def __init__(self, stage: Stage) -> None:
        """Start it on the servers of `stage`."""
        self._stage = stage
        command = [sys.executable, "-m", "tests.bench.floor", stage.stack.postgres_url, stage.stack.kafka_bootstrap]
        self._process = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
        )

    def round(self, requests: int) -> Round:
        """Have it file and complete `requests`."""
        before = self._cpu()
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(f"{requests}\n")
        self._process.stdin.flush()
        told = json.loads(self._process.stdout.readline())
        return Round(requests, told["completed"], spent(before, self._cpu()))

    def close(self) -> None:
        """End it."""
        self._process.terminate()
        self._process.wait()

    def _cpu(self) -> dict[str, float]:
        return {**self._stage.cpu(), "script": cpu_seconds(self._process.pid)}


async def measure(stage: Stage, arguments: argparse.Namespace) -> None:
    """Warm both sides up, let them run by turns, then look at an idle stack."""
    floor = Floor(stage)
    try:
        async with Client(stage) as client:
            for size in (arguments.requests // 4, arguments.requests // 2):
                await client.run(size, batch=arguments.batch)
                floor.round(size)
            ours: list[Round] = []
            theirs: list[Round] = []
            for _ in range(arguments.rounds):
                theirs.append(floor.round(2 * arguments.requests))
                before = stage.cpu()
                run = await client.run(arguments.requests, batch=arguments.batch, contact=arguments.contact)
                ours.append(Round(run.requests, run.completed, spent(before, stage.cpu())))
                _say_round(ours[-1], theirs[-1])
            idle = await _idle(client, arguments.singles)
            before = stage.cpu()
            await asyncio.sleep(5.0)
            resting = {name: seconds / 5.0 for name, seconds in spent(before, stage.cpu()).items()}
    finally:
        floor.close()
    _report(ours, theirs, idle, resting, stage.memory())


async def _idle(client: Client, singles: int) -> list[float]:
    found = []
    for _ in range(singles):
        await asyncio.sleep(0.3)  # until every loop has gone back to its longest pause
        found.append(1_000 * await client.one())
    return found


def _say_round(ours: Round, theirs: Round) -> None:
    load = os.getloadavg()[0]
    print(
        f"  Habeas {ours.rate:7.0f}/s   script {theirs.rate:7.0f}/s   load of the machine {load:.1f}",
        {k: round(ours.cost(k)) for k in ours.cpu},
        {k: round(theirs.cost(k)) for k in theirs.cpu},
        flush=True,
    )


def _report(
    ours: Sequence[Round],
    theirs: Sequence[Round],
    idle: Sequence[float],
    resting: Mapping[str, float],
    memory: Mapping[str, float],
) -> None:
    parts, bare = (*SERVICES, *SERVERS), ("script", *SERVERS)
    rates = ratio([one.rate for one in ours], [one.rate for one in theirs])
    costs = ratio([one.costs(bare) for one in theirs], [one.costs(parts) for one in ours])
    print(f"\nrequests per second, of the script's   {rates:6.3f}   (aim {AIMS['rate']})")
    print(f"CPU per request, the script's of ours  {costs:6.3f}")
    print("\nCPU per request in microseconds (median)       Habeas   script")
    for part in (*SERVICES, *SERVERS, "script"):
        print(f"  {part:42} {_median(ours, part):8} {_median(theirs, part) if part in bare else '':>8}")
    print(f"  {'together':42} {_sum(ours, parts):8.0f} {_sum(theirs, bare):8.0f}")
    p50, p95 = percentile(idle, 0.5), percentile(idle, 0.95)
    print(
        f"\none request on an idle stack, ms: p50 {p50:.0f}, p95 {p95:.0f} of {len(idle)}"
        f"   (aim p50 {AIMS['idle']:.0f})"
    )
    cores = ", ".join(f"{name} {100 * share:.1f}" for name, share in resting.items())
    print(f"a stack that rests uses, in % of a core: {cores}")
    for name, microseconds in pieces().items():
        print(f"{name:24} {microseconds:6.1f} us")
    held = sum(memory[name] for name in SERVICES)
    print(f"\nmemory in MiB: {', '.join(f'{name} {mib:.0f}' for name, mib in memory.items())}")
    print(f"the three services together: {held:.0f}   (aim {AIMS['memory']:.0f})")


def _median(rounds: Sequence[Round], part: str) -> str:
    return f"{percentile([one.cost(part) for one in rounds], 0.5):.0f}" if part in rounds[0].cpu else ""


def _sum(rounds: Sequence[Round], parts: Sequence[str]) -> float:
    return percentile([one.costs(parts) for one in rounds], 0.5)


def main() -> None:
    """Parse the arguments and measure on a stack of its own in a temporary folder."""
    parser = argparse.ArgumentParser(prog="python -m tests.bench", description=__doc__)
    parser.add_argument(
        "--requests", type=int, default=3_000, help="of Habeas in each round; the script does twice as many"
    )
    parser.add_argument("--batch", type=int, default=500, help="requests in one HTTP call")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--singles", type=int, default=40, help="requests on the idle stack")
    parser.add_argument("--contact", action="store_true", help="with an e-mail address, so two mails for each request")
    arguments = parser.parse_args()
    with (
        tempfile.TemporaryDirectory(prefix="habeas-bench-", ignore_cleanup_errors=True) as home,
        stage(Path(home)) as one,
    ):
        print(f"{len(PROCESSORS)} processors, {arguments.rounds} rounds of {arguments.requests} requests", flush=True)
        asyncio.run(measure(one, arguments))


if __name__ == "__main__":
    main()
