"""The arithmetic of the bench: rates, costs for each request, percentiles, and the ratio to the bare script."""

import math
import statistics
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

MICROSECONDS = 1_000_000


@dataclass(frozen=True, slots=True)
class Round:
    """One run of one side: how many requests, in how many seconds, and the CPU seconds by part."""

    requests: int
    seconds: float
    cpu: Mapping[str, float]

    @property
    def rate(self) -> float:
        """Requests per second."""
        return self.requests / self.seconds

    def cost(self, part: str) -> float:
        """Microseconds of CPU for each request in one part."""
        return self.cpu[part] / self.requests * MICROSECONDS

    def costs(self, parts: Sequence[str]) -> float:
        """Microseconds of CPU for each request in several parts."""
        return sum(self.cost(part) for part in parts)


def ratio(ours: Sequence[float], theirs: Sequence[float]) -> float:
    """Return how our median stands to theirs."""
    return statistics.median(ours) / statistics.median(theirs)


def percentile(values: Sequence[float], share: float) -> float:
    """Return the value that `share` (0 to 1) of `values` do not exceed: the nearest rank."""
    if not values:
        raise ValueError("no values")
    return sorted(values)[max(math.ceil(share * len(values)) - 1, 0)]
