"""Lists: newest first, a page at a time, by `limit`, `starting_after` and times of creation."""

import operator
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from services.sandbox.stripe.books import Thing
from services.sandbox.stripe.calls import Call
from services.sandbox.stripe.replies import missing, page, refuse
from services.sandbox.stripe.showing import shown

DEFAULT, MOST = 10, 100
_COMPARE: dict[str, Callable[[int, int], bool]] = {
    "gt": operator.gt,
    "gte": operator.ge,
    "lt": operator.lt,
    "lte": operator.le,
    "eq": operator.eq,
}
PAGING = ("limit", "starting_after", "created")


def listed(call: Call, things: Iterable[Thing]) -> dict[str, Any]:
    """The page of `things` that the call asks for."""
    wanted = [one for one in things if _within(call, one)]
    after = call.text("starting_after")
    if after is not None:
        at = next((n for n, one in enumerate(wanted) if one.id == after), None)
        if at is None:
            raise missing("object", after, param="starting_after", status=400)
        wanted = wanted[at + 1 :]
    limit = limit_of(call)
    chosen = wanted[:limit]
    return page([shown(call, one, "data.") for one in chosen], call.request.url.path, more=len(wanted) > limit)


def limit_of(call: Call) -> int:
    """How many a page may hold: 1 to 100, no more than the knob `page_cap`."""
    text = call.text("limit") or str(DEFAULT)
    if not text.isdigit() or not 1 <= int(text) <= MOST:
        refuse(f"Invalid integer: limit must be between 1 and {MOST}", code="parameter_invalid_integer", param="limit")
    cap = call.account.dial.knobs.page_cap
    return min(int(text), cap) if cap else int(text)


def _within(call: Call, thing: Thing) -> bool:
    wanted = call.params.get("created")
    if wanted is None:
        return True
    at = int(thing.body["created"])
    bounds = wanted if isinstance(wanted, Mapping) else {"eq": wanted}
    for name, value in bounds.items():
        if name not in _COMPARE or not str(value).isdigit():
            refuse("Invalid object: created", param="created")
    return all(_COMPARE[name](at, int(value)) for name, value in bounds.items())
