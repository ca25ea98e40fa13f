"""Named places where a test may kill, stop or fail the process; a single comparison when none is armed."""

import os
import signal
from typing import Final, Literal, get_args

FaultPoint = Literal[
    "filing.before_commit",
    "filing.committed",
    "planner.before_commit",
    "planner.committed",
    "dispatcher.before_commit",
    "dispatcher.committed",
    "consumer.polled",
    "consumer.before_commit",
    "consumer.committed",
    "consumer.offset_committed",
    "relay.claimed",
    "relay.sent",
    "relay.acked",
    "relay.deleted",
    "worker.leased",
    "worker.located",
    "worker.before_effect",
    "worker.effect_done",
    "worker.results_stored",
    "worker.settled",
    "exports.begun",
    "exports.written",
    "notifier.claimed",
    "notifier.handing_over",
    "notifier.accepted",
    "notifier.recorded",
]
FAULT_POINTS: Final[tuple[str, ...]] = get_args(FaultPoint)


class FaultRaised(RuntimeError):
    """An armed fault point fired with the action `raise`."""


class _Armed:
    name: str | None = None
    action: str = "kill"
    left: int = 1


def arm(specification: str | None, *, environment: str) -> None:
    """Arm `name:kill|stop|raise[:nth]`; None disarms. Refused in production, where it would be a weapon."""
    _Armed.name = None
    if specification is None:
        return
    if environment == "production":
        msg = "HABEAS_FAULTPOINT is set: unset it, or set HABEAS_ENVIRONMENT to test"
        raise ValueError(msg)
    name, action, nth = _parts(specification)
    if name not in FAULT_POINTS or action not in {"kill", "stop", "raise"} or not nth.isdigit():
        msg = f"HABEAS_FAULTPOINT: expected name:kill|stop|raise[:nth] with a name of {', '.join(FAULT_POINTS)}"
        raise ValueError(msg)
    _Armed.name, _Armed.action, _Armed.left = name, action, int(nth)


def _parts(specification: str) -> tuple[str, str, str]:
    name, _, rest = specification.partition(":")
    action, _, nth = rest.partition(":")
    return name, action or "kill", nth or "1"


def faultpoint(name: FaultPoint) -> None:
    """Do what is armed for `name`, at its nth passing; nothing otherwise."""
    if _Armed.name != name:
        return
    _Armed.left -= 1
    if _Armed.left > 0:
        return
    _Armed.name = None
    if _Armed.action == "raise":
        raise FaultRaised(name)
    os.kill(os.getpid(), signal.SIGKILL if _Armed.action == "kill" else signal.SIGSTOP)
