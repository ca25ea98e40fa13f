"""Which reasons our own code gives for what was not done: read from the code, so that none can come without words."""

import ast
import re
from collections.abc import Iterator
from collections.abc import Set as AbstractSet
from pathlib import Path

from habeas.sdk import CannotFulfil
from services.connectors.processors.hubspot import vendor as hubspot
from services.connectors.processors.stripe import vendor as stripe

ROOT = Path(__file__).parents[3]
WHERE = ("services/orchestrator", "services/connectors", "habeas/engine")
# Which calls carry a reason to a person, and where: a keyword, or the place of an argument.
GIVERS: dict[str, tuple[str | int, ...]] = {
    "Result": ("note",),
    "Line": ("reason",),
    "line": ("reason",),
    "OutcomeLine": ("reason",),
    "NewTask": ("reason",),
    "CannotFulfil": (0,),
    "Unlisted": (1, "reason"),
    "given_up": (0,),
    "not_applicable": (0,),
    "never_done": (0,),
    "_nothing": (1,),
    "refuse": (2,),
}
# What is only handed on, by file and expression, and the words that it may be; vendors have others beside.
HANDED_ON: dict[tuple[str, str], frozenset[str]] = {
    ("services/connectors/processors/hubspot/processor.py", "why"): frozenset(
        {*hubspot.REFUSALS.values(), hubspot.NOT_LIVE, "invalid_value", "email_of_another_contact"}
    ),
    ("services/connectors/processors/stripe/rectifying.py", "refusal.code"): stripe.REFUSALS,
    ("services/connectors/processors/stripe/erasing.py", "units[ref_of(one.item).unit]"): frozenset(
        {"invalid_cascading_source", "invalid_state", "too_many_objects"}
    ),
    ("habeas/engine/work.py", "reason"): frozenset({CannotFulfil.code}),
    ("habeas/engine/finding.py", "word(thing.reason, otherwise='unspecified') or 'cannot_be_listed'"): frozenset(
        {"unspecified", "cannot_be_listed"}
    ),
    **dict.fromkeys(
        [
            ("services/connectors/processors/stripe/erasing.py", "obstacle.note"),
            ("services/connectors/processors/stripe/redacting.py", "note"),
            ("services/connectors/processors/stripe/redacting.py", "told['note']"),
            ("services/connectors/domain/claimed.py", "reason"),
            ("services/connectors/domain/claimed.py", "one.reason"),
            ("services/connectors/processors/s3/processor.py", "note"),  # beside a ground, as the next
            ("habeas/engine/acting.py", "note"),
            ("services/orchestrator/domain/settlement.py", "reason"),
            ("services/orchestrator/handlers/plan_requests.py", "reason"),
            ("services/orchestrator/domain/planning.py", "one.standing.value"),  # why it waits, for operators
            ("habeas/engine/acting.py", "error.reason"),
            ("habeas/engine/acting.py", "reason"),
            ("habeas/engine/lines.py", "word(reason, otherwise='unspecified') if reason else None"),
            ("habeas/engine/lines.py", "word(result.note, otherwise='unspecified') if result.note else None"),
            ("habeas/engine/telling.py", "one.reason"),
            ("habeas/engine/work.py", "error.reason"),
            ("habeas/engine/looking.py", "finding.reason"),  # previews and rechecks are told to no person
        ],
        frozenset[str](),
    ),
}
# Said beside a ground, which is what the person reads.
BESIDE_A_GROUND = frozenset({"kept_together", "legal_hold"})
# Of what was gone before it was copied the sentence itself says so.
SAID_ALREADY = frozenset({"gone_before_export"})
# A processor that lacks a method says so; the engine does not call it.
INTERNAL = re.compile(r"(check|locate|reread|export|erase|read|rectify|restrict|lift|stop|resume)_not_served$")


def reasons_given() -> set[str]:
    """Return every machine word; raise `AssertionError` where the code gives one that this cannot read."""
    given: set[str] = set()
    unread = []
    for path in sorted(path for where in WHERE for path in (ROOT / where).rglob("*.py")):
        tree = ast.parse(path.read_text(encoding="utf-8"))
        file = path.relative_to(ROOT).as_posix()
        for expression in _expressions(tree):
            words: AbstractSet[str] | None = _words(expression)
            if words is None:
                words = HANDED_ON.get((file, ast.unparse(expression)))
            if words is None:
                unread.append(f"{file}:{expression.lineno}: {ast.unparse(expression)}")
            given |= words or set()
    assert unread == [], "say in HANDED_ON which words these may be"
    return {one for one in given if not INTERNAL.fullmatch(one)} - BESIDE_A_GROUND - SAID_ALREADY


def _expressions(tree: ast.AST) -> Iterator[ast.expr]:
    for node in ast.walk(tree):
        if not isinstance(node, ast.Call):
            continue
        name = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
        for place in GIVERS.get(name, ()):
            if isinstance(place, int) and len(node.args) > place and not isinstance(node.args[place], ast.Starred):
                yield node.args[place]
            for keyword in node.keywords:
                if keyword.arg == place:
                    yield keyword.value


def _words(expression: ast.expr) -> set[str] | None:
    match expression:
        case ast.Constant(value=str() as word):
            return {word}
        case ast.Constant(value=None):
            return set()
        case ast.Name(id=name) if name.isupper() and name in _CONSTANTS:
            return _CONSTANTS[name]
        case ast.IfExp(body=one, orelse=other):
            here, there = _words(one), _words(other)
            return None if here is None or there is None else here | there
        case _:
            return None


def _constants() -> dict[str, set[str]]:
    found: dict[str, set[str]] = {}
    for where in (*WHERE, "habeas/vocabulary.py"):
        root = ROOT / where
        for path in [root] if root.suffix else root.rglob("*.py"):
            for node in ast.parse(path.read_text(encoding="utf-8")).body:
                match node:
                    case ast.Assign(targets=[ast.Name(id=name)], value=ast.Constant(value=str() as word)):
                        found.setdefault(name, set()).add(word)
    return found


_CONSTANTS = _constants()
