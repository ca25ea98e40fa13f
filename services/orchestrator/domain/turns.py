"""Whose turn it is with a subject: one request acts at a time, copies come before changes, nobody waits in a ring.

A request takes its turn when its first action is sent, and keeps it until it ends. Before that it holds nothing, and
waits for whoever has a turn with the subject; what changes data waits for every open request for a copy as well. Once
it has its turn it waits for no request's end any more: what it learns of the subject later becomes part of the turn,
and where that shows that another's turn is with the same person, each only waits at a processor while the other's task
is there. So whoever waits long holds nothing that somebody else waits for.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from habeas.vocabulary import Action, Right
from services.orchestrator.domain.planning import WITH_EFFECTS

# Rights to a copy of the data: what changes the data waits until these are answered.
COPIES = frozenset({Right.ACCESS, Right.PORTABILITY})


@dataclass(frozen=True, slots=True)
class Asking:
    """A task that is about to be sent. `subject` has the blind index of every identity that its request knows."""

    task: str
    request: str
    processor: str
    action: Action
    subject: frozenset[bytes]


@dataclass(slots=True)
class Turns:
    """Who is about whom: requests that have a turn, by identity and place, and open requests for copies.

    Places are as they are stored: whoever ends leaves a gap, and the others keep theirs.
    """

    holders: dict[bytes, dict[int, str]] = field(default_factory=dict)
    readers: Mapping[bytes, set[str]] = field(default_factory=dict)
    running: set[tuple[str, str]] = field(default_factory=set)  # (request, processor) with an action sent, not settled

    def rivals(self, one: Asking) -> list[str]:
        """Return the other requests that have a turn with this subject."""
        return sorted({other for blind in one.subject for other in self._at(blind)} - {one.request})

    def begun(self, request: str, subject: Iterable[bytes]) -> bool:
        """Whether a request has its turn."""
        return any(request in self._at(blind) for blind in subject)

    def blocker(self, one: Asking) -> str | None:
        """Return the request that this task has to wait for."""
        rivals = self.rivals(one)
        if self.begun(one.request, one.subject):
            return next((other for other in rivals if (other, one.processor) in self.running), None)
        if rivals:
            return rivals[0]
        if one.action not in WITH_EFFECTS:
            return None
        readers = {other for blind in one.subject for other in self.readers.get(blind, ())} - {one.request}
        return min(readers, default=None)

    def take(self, request: str, subject: Iterable[bytes]) -> list[tuple[bytes, int, str]]:
        """Give a request its turn with every identity that it knows; return the new places."""
        places = []
        for blind in sorted(subject):
            holders = self.holders.setdefault(blind, {})
            if request not in holders.values():
                place = max(holders, default=-1) + 1
                holders[place] = request
                places.append((blind, place, request))
        return places

    def _at(self, blind: bytes) -> Iterable[str]:
        return self.holders.get(blind, {}).values()


@dataclass(frozen=True, slots=True)
class Decision:
    """`behind`: tasks that wait, each with the request it waits for. `take`: (identity, place, request) to store."""

    behind: Mapping[str, str]
    take: Sequence[tuple[bytes, int, str]]


def decide(asking: Iterable[Asking], turns: Turns, learned: Iterable[tuple[str, frozenset[bytes]]] = ()) -> Decision:
    """Return which tasks may not go, and which turns are taken by those that go; one after the other.

    `learned`: requests that know their subjects better now, which widens a turn that they have. Looking for identities
    takes no turn: it only reads, and what it finds may show whose turn it is.
    """
    behind: dict[str, str] = {}
    take: list[tuple[bytes, int, str]] = []
    for request, subject in learned:
        if turns.begun(request, subject):
            take.extend(turns.take(request, subject))
    for one in asking:
        blocker = turns.blocker(one)
        if blocker is not None:
            behind[one.task] = blocker
        elif one.action is not Action.RESOLVE:
            take.extend(turns.take(one.request, one.subject))
            turns.running.add((one.request, one.processor))
    return Decision(behind, take)
