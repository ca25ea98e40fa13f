"""The demo's story, told on the console while it happens: three people ask for three rights at four vendors."""

import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from rich.console import Console
from rich.text import Text

from habeas.cli import watching
from habeas.cli.demo_evidence import (
    Books,
    Check,
    judge_access,
    judge_all,
    judge_erasure,
    judge_mails,
    judge_rectification,
)
from habeas.cli.demo_package import Copy
from habeas.cli.output import outcome_lines, word
from habeas.cli.sandbox import PEOPLE, SEED, Mail, Person, Sandbox, plain
from habeas.cli.waterfall import waterfall
from habeas.client import Habeas, NewRequest, Request
from habeas.vocabulary import Headline, RequestState, Right

LANGUAGE = "en"  # of the mails, which the demo shows
NEW_PHONE = "+442079460999"  # of a range kept free for fiction
SETTLES_WITHIN = 120.0  # seconds
MAILS_WITHIN = 30.0  # seconds
LAST_MAIL_WAITS_FOR = 2  # an acknowledgement and the answer
EXPECTED = {
    Right.ACCESS: Headline.FULFILLED,
    Right.RECTIFICATION: Headline.FULFILLED,
    Right.ERASURE: Headline.FULFILLED_WITH_RETENTION,
}


@dataclass(frozen=True, slots=True)
class Cast:
    """Who asks for what."""

    access: Person
    rectification: Person
    erasure: Person

    @property
    def everybody(self) -> tuple[Person, Person, Person]:
        """In the order in which they ask."""
        return (self.access, self.rectification, self.erasure)


def tell(habeas: Habeas, sandbox: Sandbox, console: Console) -> list[Check]:
    """Fulfil three rights of three invented people over the public API; return what the vendors' books say of it."""
    _heading(console, f"1. {PEOPLE} invented people have data at a CRM, a payment provider, an AI supplier, a storage")
    people = sandbox.populate(PEOPLE, seed=SEED)
    cast = _choose(people)
    before = Books.read(sandbox, cast.everybody)
    console.print(f"{cast.access.name} asks to see it, {cast.rectification.name} to have a telephone number corrected,")
    console.print(f"{cast.erasure.name} <{cast.erasure.email}> asks to be forgotten.", markup=False)

    _heading(console, "2. A client files the three requests, each known by e-mail address alone")
    requests = [habeas.requests.file(wish) for wish in _wishes(cast)]
    for request in requests:
        console.print(f"POST /v1/requests  ->  {request.id}  {request.right}, due {request.due_on}", markup=False)
    ids = [request.id for request in requests]
    access, rectification, erasure = watching.until_all_settled(habeas, ids, timeout=SETTLES_WITHIN, shown=console)

    _heading(console, "3. What happened to the erasure, in order")
    console.print(waterfall(list(habeas.requests.timeline(erasure.id))))

    _heading(console, "4. What came of each")
    for request in (access, rectification, erasure):
        _outcome(console, request)
    copy = _fetch(habeas, access)
    console.print(f"\nGET /v1/requests/{access.id}/package  ->  a ZIP of {copy.members} files", markup=False)

    _heading(console, "5. What the person who asked to be forgotten was told")
    mails = [_await_mails(sandbox, person) for person in cast.everybody]
    _show_mail(console, mails[-1])

    after = Books.read(sandbox, cast.everybody)
    strangers = [one for one in people if one != cast.access]
    return _verdicts(
        console,
        {
            "6. What the vendors' own books say: access": [
                _fulfilled(access),
                *judge_access(cast.access, before=before, after=after, copy=copy, others=strangers),
            ],
            "7. Rectification": [
                _fulfilled(rectification),
                *judge_rectification(cast.rectification, NEW_PHONE, before=before, after=after),
            ],
            "8. Erasure": [_fulfilled(erasure), *judge_erasure(cast.erasure, before=before, after=after)],
            "9. Everybody": [
                *judge_all((cast.rectification, cast.erasure), before=before, after=after),
                *(judge_mails(person, got) for person, got in zip(cast.everybody, mails, strict=True)),
            ],
        },
    )


def _choose(people: Sequence[Person]) -> Cast:
    """Return three people with nothing unusual about them; the one who is erased reads our language."""
    ordinary = plain(people)
    erased = next(person for person in ordinary if person.language == LANGUAGE)
    seeing, correcting = [person for person in ordinary if person != erased][:2]
    return Cast(access=seeing, rectification=correcting, erasure=erased)


def _wishes(cast: Cast) -> list[NewRequest]:
    return [
        _wish(Right.ACCESS, cast.access),
        replace(_wish(Right.RECTIFICATION, cast.rectification), corrections={"contact.phone": NEW_PHONE}),
        _wish(Right.ERASURE, cast.erasure),
    ]


def _wish(right: Right, person: Person) -> NewRequest:
    known = {"email": person.email}
    return NewRequest(right, known, contact=person.email, language=LANGUAGE, reference="DEMO-1")


def _heading(console: Console, text: str) -> None:
    console.print()
    console.print(Text(text, style="bold"))


def _outcome(console: Console, request: Request) -> None:
    console.print()
    console.print(Text.assemble((f"{request.right}  ", "bold"), word(_headline(request))))
    if request.outcome and request.outcome.lines:
        console.print(outcome_lines(request.outcome))


def _headline(request: Request) -> str | None:
    return str(request.outcome.headline) if request.outcome else None


def _fulfilled(request: Request) -> Check:
    passed = request.state == RequestState.COMPLETED and _headline(request) == EXPECTED[Right(request.right)]
    return Check(passed, f"the {request.right} is {word(_headline(request) or request.state)}")


def _fetch(habeas: Habeas, request: Request) -> Copy:
    with tempfile.TemporaryDirectory() as folder:
        return Copy.read(habeas.requests.package(request.id).save(Path(folder) / "package.zip").path)


def _await_mails(sandbox: Sandbox, person: Person) -> list[Mail]:
    """Return the person's mails once the answer is there; what came by then, if it never comes."""
    end = time.monotonic() + MAILS_WITHIN
    while True:
        mails = sandbox.mails(person.email)
        if len(mails) >= LAST_MAIL_WAITS_FOR or time.monotonic() > end:
            return mails
        time.sleep(0.1)


def _show_mail(console: Console, mails: Sequence[Mail]) -> None:
    """Show the last mail, which is the answer."""
    for mail in mails[-1:]:
        console.print(Text(f"Subject: {mail.subject}", style="bold"))
        for line in mail.text.strip().splitlines():
            console.print(Text(f"  {line}".rstrip()))
    if not mails:
        console.print("No mail came.")


def _verdicts(console: Console, chapters: dict[str, list[Check]]) -> list[Check]:
    for title, checks in chapters.items():
        _heading(console, title)
        for check in checks:
            mark = ("yes  ", "green") if check.passed else ("NO   ", "bold red")
            console.print(Text.assemble(mark, check.what))
    return [check for checks in chapters.values() for check in checks]
