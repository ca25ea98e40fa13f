"""The demo's story, told on the console while it happens: one person asks to be forgotten."""

import time
from collections.abc import Sequence
from itertools import pairwise

from rich.console import Console
from rich.text import Text

from habeas.cli import watching
from habeas.cli.demo_evidence import Books, Check, judge
from habeas.cli.output import facts, outcome_lines, word
from habeas.cli.sandbox import Mail, Person, Sandbox
from habeas.cli.waterfall import waterfall
from habeas.client import Habeas, NewRequest, Request
from habeas.vocabulary import RequestState

PEOPLE = 25
SEED = 1
LANGUAGE = "en"  # of the mails, which the demo shows
SETTLES_WITHIN = 120.0  # seconds
MAILS_WITHIN = 30.0  # seconds
LAST_MAIL_WAITS_FOR = 2  # an acknowledgement and the answer


def tell(habeas: Habeas, sandbox: Sandbox, console: Console) -> list[Check]:
    """Erase one invented person through the public API and return what the vendors' books say of it."""
    _heading(console, f"1. {PEOPLE} invented people get accounts, tickets and files at two vendors")
    people = sandbox.populate(PEOPLE, seed=SEED)
    person = _choose(people)
    before = Books.read(sandbox, person)
    console.print(f"One of them, {person.name} <{person.email}>, asks to be forgotten.", markup=False)

    _heading(console, "2. A client files the request: known by e-mail address alone")
    request = habeas.requests.file(_wish(person))
    console.print(f"POST /v1/requests  ->  {request.id}, due {request.due_on}", markup=False)
    request = watching.until_settled(habeas, request.id, timeout=SETTLES_WITHIN, shown=console)

    _heading(console, "3. What happened, in order")
    console.print(waterfall(list(habeas.requests.timeline(request.id))))
    _outcome(console, request)

    _heading(console, "4. What the person was told")
    mails = _await_mails(sandbox, person)
    _show_mails(console, mails)

    _heading(console, "5. What the vendors' own books say")
    checks = [
        Check(_fulfilled(request), f"the request is {word(_headline(request) or request.state)}"),
        *judge(person, before=before, after=Books.read(sandbox, person), mails=mails),
    ]
    for check in checks:
        mark = ("yes  ", "green") if check.passed else ("NO   ", "bold red")
        console.print(Text.assemble(mark, check.what))
    return checks


def _choose(people: Sequence[Person]) -> Person:
    """Return somebody who reads our language and shares nothing with the next one.

    A note that two people share changes, rightly, when one of them goes; it would blur "the rest is what it was".
    """
    return next(
        person
        for person, follower in pairwise(people)
        if person.language == LANGUAGE and not person.oddity and "shares" not in follower.oddity
    )


def _wish(person: Person) -> NewRequest:
    return NewRequest(
        "erasure",
        {"email": person.email},
        contact=person.email,
        language=person.language,
        reference="DEMO-1",
    )


def _heading(console: Console, text: str) -> None:
    console.print()
    console.print(Text(text, style="bold"))


def _outcome(console: Console, request: Request) -> None:
    console.print()
    console.print(facts([("outcome", word(_headline(request)))]))
    if request.outcome and request.outcome.lines:
        console.print(outcome_lines(request.outcome))


def _headline(request: Request) -> str | None:
    return str(request.outcome.headline) if request.outcome else None


def _fulfilled(request: Request) -> bool:
    return request.state == RequestState.COMPLETED and _headline(request) == "fulfilled"


def _await_mails(sandbox: Sandbox, person: Person) -> list[Mail]:
    """Return the person's mails once the answer is there; what came by then, if it never comes."""
    end = time.monotonic() + MAILS_WITHIN
    while True:
        mails = sandbox.mails(person.email)
        if len(mails) >= LAST_MAIL_WAITS_FOR or time.monotonic() > end:
            return mails
        time.sleep(0.1)


def _show_mails(console: Console, mails: Sequence[Mail]) -> None:
    for mail in mails:
        console.print(Text(f"Subject: {mail.subject}", style="bold"))
        for line in mail.text.strip().splitlines():
            console.print(Text(f"  {line}".rstrip()))
        console.print()
    if not mails:
        console.print("No mail came.")
