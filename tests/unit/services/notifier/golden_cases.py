"""The letters that have a golden copy: every mix of what can become of data, every right and headline, both languages.

`python -m tests.unit.services.notifier.golden_cases` writes the golden letters anew; read them before you commit them.
"""

from datetime import date
from pathlib import Path
from typing import Any

from contracts.notices import Recipient
from contracts.outcomes import Outcome
from habeas.vocabulary import Checked, Disposition, Headline, Language, NoticeKind, Right
from services.notifier.domain.notices import Claim
from tests.unit.services.notifier.letters import claim, line, recipient, write

GOLDEN = Path(__file__).parent / "golden"
MIXED = (
    recipient(
        "HubSpot CRM",
        line("contact", Disposition.ERASED, 3),
        line("invoices", Disposition.RETAINED, 2, ground="tax_law", until=date(2033, 12, 31)),
        line("notes", Disposition.REFUSED, reason="shared_with_others"),
    ),
    recipient("File storage", line("all", Disposition.NOT_FOUND, 0)),
    recipient(
        "Assistant",
        line("conversations", Disposition.ERASED, 1, Checked.ATTESTED),
        line("open_input_fields", Disposition.ANONYMISED, 12, Checked.NOT_CHECKABLE),
    ),
    recipient("Accountant", line("all", Disposition.FAILED, 0, Checked.NOT_CHECKABLE, reason="keeps_failing")),
)
DONE = (recipient("CRM", line("contact", Disposition.ERASED, 1)),)
COPIED = (recipient("CRM", line("contact", Disposition.EXPORTED, 4)),)
NOWHERE = (recipient("CRM", line("all", Disposition.NOT_FOUND, 0)),)
KEPT = (
    recipient(
        "Stripe",
        line("customer", Disposition.ERASED, 1),
        line("payment_methods", Disposition.ERASED, 2),
        line("invoices", Disposition.RETAINED, 3, ground="tax_law", until=date(2034, 1, 1)),
    ),
    recipient("OpenAI", line("files", Disposition.ERASED, 2), line("conversations", Disposition.ALREADY_DONE, 1)),
)
ALL_KEPT = (
    recipient("Stripe", line("invoices", Disposition.RETAINED, 3, ground="tax_law", until=date(2034, 1, 1))),
    recipient("Cloud storage", line("files", Disposition.RETAINED, 1, ground="object_lock")),
)
SOME_FAILED = (
    recipient("HubSpot CRM", line("contact", Disposition.ERASED, 1)),
    recipient(
        "OpenAI",
        line("files", Disposition.ERASED, 2),
        line("responses", Disposition.FAILED, 0, Checked.NOT_CHECKABLE, reason="cannot_be_listed"),
    ),
    recipient("Old shop", line("all", Disposition.FAILED, 0, Checked.NOT_CHECKABLE, reason="processor_retired")),
)
NONE_DONE = (
    recipient("OpenAI", line("responses", Disposition.FAILED, 0, Checked.NOT_CHECKABLE, reason="cannot_be_listed")),
    recipient("HubSpot CRM", line("all", Disposition.NOT_FOUND, 0)),
)
COPIED_IN_PART = (
    recipient("HubSpot CRM", line("contact", Disposition.EXPORTED, 1), line("notes", Disposition.EXPORTED, 12)),
    recipient("Stripe", line("all", Disposition.NOT_FOUND, 0)),
    recipient("OpenAI", line("responses", Disposition.FAILED, 0, Checked.NOT_CHECKABLE, reason="cannot_be_listed")),
)
CORRECTED = (
    recipient("HubSpot CRM", line("contact", Disposition.RECTIFIED, 2)),
    recipient("Stripe", line("customer", Disposition.ALREADY_DONE, 1)),
    recipient(
        "Cloud storage", line("all", Disposition.NOT_APPLICABLE, 0, Checked.NOT_CHECKABLE, reason="right_not_served")
    ),
)
CORRECTED_IN_PART = (
    recipient(
        "HubSpot CRM",
        line("contact", Disposition.RECTIFIED, 1),
        line("all", Disposition.REFUSED, 0, Checked.NOT_CHECKABLE, reason="unknown_field"),
    ),
    recipient("Stripe", line("customer", Disposition.REFUSED, 1, reason="old_value_differs")),
)
NOT_CORRECTED = (recipient("Stripe", line("customer", Disposition.REFUSED, 1, reason="old_value_differs")),)


UNSEARCHED = recipient(
    "Cloud storage", line("all", Disposition.NOT_APPLICABLE, 0, Checked.NOT_CHECKABLE, reason="no_accepted_identity")
)
SOME_UNSEARCHED = (recipient("HubSpot CRM", line("contact", Disposition.ERASED, 3)), UNSEARCHED)
NOT_REACHED = (
    recipient("HubSpot CRM", line("all", Disposition.FAILED, 0, Checked.NOT_CHECKABLE, reason="keeps_failing")),
)
UNKNOWN_FIELD = (
    recipient("HubSpot CRM", line("all", Disposition.REFUSED, 0, Checked.NOT_CHECKABLE, reason="unknown_field")),
)
NOT_COPIED = (recipient("HubSpot CRM", line("notes", Disposition.REFUSED, 2, reason="shared_with_others")),)


def _in_both(name: str, *recipients: Recipient, headline: Headline, **more: Any) -> dict[str, Claim]:
    return {
        f"completion-{name}-{language.value}": claim(*recipients, headline=headline, language=language, **more)
        for language in Language
    }


def _acknowledged(name: str, **more: Any) -> dict[str, Claim]:
    return {
        f"acknowledgement-{name}-{language.value}": claim(
            kind=NoticeKind.ACKNOWLEDGEMENT, headline=None, language=language, **more
        )
        for language in Language
    }


# What is said of an erasure at five recipients; a mix is any of these together, and has the headline that it comes to.
DONE_SOME = (recipient("HubSpot CRM", line("contact", Disposition.ERASED, 3)),)
KEPT_SOME = (
    recipient("Stripe", line("invoices", Disposition.RETAINED, 3, ground="tax_law", until=date(2034, 1, 1))),
    recipient("Cloud storage", line("files", Disposition.RETAINED, 1, ground="object_lock")),
)
REFUSED_SOME = (recipient("Support desk", line("tickets", Disposition.REFUSED, 2, reason="shared_with_others")),)
FAILED_SOME = (
    recipient("OpenAI", line("files", Disposition.FAILED, 1, reason="residue_remains")),
    recipient("Old shop", line("all", Disposition.FAILED, 0, Checked.NOT_CHECKABLE, reason="processor_retired")),
)


def _mix(name: str, *recipients: Recipient) -> dict[str, Claim]:
    outcome = Outcome.of(tuple(line for one in recipients for line in one.lines))
    return _in_both(f"mix-{name}", *recipients, headline=outcome.headline)


CASES = {
    **_in_both("retention", *KEPT, headline=Headline.FULFILLED_WITH_RETENTION),
    **_in_both("refused", *ALL_KEPT, headline=Headline.REFUSED),
    **_in_both("some-failed", *SOME_FAILED, headline=Headline.PARTLY_FULFILLED),
    **_in_both("not-fulfilled", *NONE_DONE, headline=Headline.NOT_FULFILLED),
    **_in_both("access-in-part", *COPIED_IN_PART, headline=Headline.PARTLY_FULFILLED, right=Right.ACCESS),
    **_in_both("rectified", *CORRECTED, headline=Headline.FULFILLED, right=Right.RECTIFICATION),
    **_in_both("rectified-in-part", *CORRECTED_IN_PART, headline=Headline.PARTLY_FULFILLED, right=Right.RECTIFICATION),
    **_in_both("rectification-refused", *NOT_CORRECTED, headline=Headline.REFUSED, right=Right.RECTIFICATION),
    **_in_both("partly", *MIXED, headline=Headline.PARTLY_FULFILLED, reference="TICKET-42"),
    **_in_both("fulfilled", *DONE, headline=Headline.FULFILLED),
    **_in_both("copied", *COPIED, headline=Headline.FULFILLED, right=Right.ACCESS),
    **_in_both("nothing-found", *NOWHERE, headline=Headline.NOTHING_FOUND),
    **_in_both("access-nothing-found", *NOWHERE, headline=Headline.NOTHING_FOUND, right=Right.ACCESS),
    **_in_both("access-refused", *NOT_COPIED, headline=Headline.REFUSED, right=Right.ACCESS),
    **_in_both("not-searched-everywhere", *SOME_UNSEARCHED, headline=Headline.PARTLY_FULFILLED),
    **_in_both("nothing-found-in-part", *NOWHERE, UNSEARCHED, headline=Headline.PARTLY_FULFILLED),
    **_in_both("not-searched", UNSEARCHED, headline=Headline.NOT_FULFILLED),
    **_in_both("not-live", *DONE, headline=Headline.FULFILLED, livemode=False),
    **_acknowledged("erasure", reference="TICKET-42"),
    **_acknowledged("access", right=Right.ACCESS),
    **_acknowledged("rectification", right=Right.RECTIFICATION),
    **_in_both("access-not-fulfilled", *NOT_REACHED, headline=Headline.NOT_FULFILLED, right=Right.ACCESS),
    **_in_both("rectification-nothing-found", *NOWHERE, headline=Headline.NOTHING_FOUND, right=Right.RECTIFICATION),
    **_in_both("rectification-not-fulfilled", *NOT_REACHED, headline=Headline.NOT_FULFILLED, right=Right.RECTIFICATION),
    **_in_both("rectification-unknown-field", *UNKNOWN_FIELD, headline=Headline.REFUSED, right=Right.RECTIFICATION),
    **_mix("refused", *REFUSED_SOME),
    **_mix("done-refused", *DONE_SOME, *REFUSED_SOME),
    **_mix("done-kept-refused", *DONE_SOME, *KEPT_SOME, *REFUSED_SOME),
    **_mix("done-kept-failed", *DONE_SOME, *KEPT_SOME, *FAILED_SOME),
    **_mix("done-refused-failed", *DONE_SOME, *REFUSED_SOME, *FAILED_SOME),
    **_mix("kept-refused", *KEPT_SOME, *REFUSED_SOME),
    **_mix("kept-failed", *KEPT_SOME, *FAILED_SOME),
    **_mix("refused-failed", *REFUSED_SOME, *FAILED_SOME),
    **_mix("kept-refused-failed", *KEPT_SOME, *REFUSED_SOME, *FAILED_SOME),
}


def golden(one: Claim) -> str:
    """Return a letter as its golden copy is written."""
    letter = write(one)
    return f"Subject: {letter.subject}\n\n{letter.text}"


if __name__ == "__main__":
    for name, one in CASES.items():
        (GOLDEN / f"{name}.txt").write_text(golden(one), encoding="utf-8")
