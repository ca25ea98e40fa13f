"""What a hold remembers: whose items were, without saying it; what becomes of a hold when it is acted on."""

from datetime import date

import pytest

from contracts import ids
from contracts.seal import SealedSubject
from contracts.tasks import RetentionRule, TaskDispatched
from habeas.engine import StoredItem
from habeas.sdk import Action, Disposition, Identity, IdentityType, Item, Result, Right
from habeas.sdk import RetentionRule as Rule
from habeas.vocabulary import CountedFrom
from services.connectors.domain.claimed import Claimed, Followed
from services.connectors.domain.held import HeldSubject, Kept, decode, encode, fingerprint, is_over, kept_of

EMAIL = Identity(IdentityType.EMAIL, "Jane@Example.com")
KEY, OTHER_KEY = b"k" * 32, b"o" * 32
UNTIL = date(2034, 1, 1)


def stored(
    ordinal: int, disposition: Disposition | None, ref: str = "in_1", *, until: date | None = UNTIL, pass_no: int = 1
) -> StoredItem:
    item = Item(ref, "invoices", EMAIL, count=2, dated=date(2026, 5, 5))
    if disposition is None:
        return StoredItem(ordinal, pass_no, item)
    ground = "tax_law" if disposition is Disposition.RETAINED else None
    return StoredItem(ordinal, pass_no, item, result=Result(item, disposition, ground=ground, until=until))


def test_what_is_kept_is_grouped_by_ground_and_end() -> None:
    kept = kept_of(
        [
            stored(0, Disposition.RETAINED),
            stored(1, Disposition.ERASED, "in_2"),
            stored(2, Disposition.RETAINED, "in_3", until=None),
            stored(3, Disposition.RETAINED, "in_4"),
        ],
        (),
        key=KEY,
    )
    assert [(one.ground, one.until, one.count, [held.item.ref for held in one.items]) for one in kept] == [
        ("tax_law", UNTIL, 4, ["in_1", "in_4"]),
        ("tax_law", None, 2, ["in_3"]),
    ]


def test_the_last_pass_counts() -> None:
    assert kept_of([stored(0, Disposition.RETAINED), stored(1, Disposition.ERASED, pass_no=2)], (), key=KEY) == []


def test_a_hold_does_not_say_whose_its_items_are() -> None:
    (kept,) = kept_of([stored(0, Disposition.RETAINED)], (), key=KEY)
    blob = encode(kept.items)
    assert b"jane" not in blob.lower()
    (read,) = decode(blob)
    assert read == kept.items[0]
    assert read.item == Item("in_1", "invoices", Identity(IdentityType.EMAIL, ""), 2, date(2026, 5, 5))


@pytest.mark.parametrize(
    ("matched", "owned"),
    [
        (EMAIL, True),
        (Identity(IdentityType.EMAIL, " jane@example.COM "), True),
        (Identity(IdentityType.EMAIL, "john@example.com"), False),
        (Identity(IdentityType.USERNAME, "jane@example.com"), False),
        (Identity(IdentityType.EMAIL, ""), False),
    ],
)
def test_a_person_is_known_again_by_fingerprint(matched: Identity, owned: bool) -> None:
    (kept,) = kept_of([stored(0, Disposition.RETAINED)], (), key=KEY)
    assert HeldSubject(decode(encode(kept.items))).owns(matched) is owned


def test_fingerprints_under_two_keys_can_not_be_compared() -> None:
    assert fingerprint(KEY, EMAIL) != fingerprint(OTHER_KEY, EMAIL)


def test_what_is_kept_again_keeps_its_fingerprint() -> None:
    """Years later nobody tells the value: the item read again would, and is not stored."""
    (kept,) = kept_of([stored(0, Disposition.RETAINED)], (), key=KEY)
    blank = kept.items[0].item
    again = StoredItem(0, 1, blank, result=Result(blank, Disposition.RETAINED, ground="legal_claims", until=None))
    (carried,) = kept_of([again], kept.items, key=OTHER_KEY)
    assert carried == Kept("legal_claims", None, kept.items)
    assert HeldSubject(carried.items).owns(EMAIL)


@pytest.mark.parametrize(
    ("disposition", "over"),
    [
        (Disposition.ERASED, True),
        (Disposition.ALREADY_DONE, True),
        (Disposition.RETAINED, True),
        (Disposition.REFUSED, False),
        (Disposition.FAILED, False),
        (None, False),
    ],
)
def test_a_hold_is_over_when_each_item_went_or_is_kept_anew(disposition: Disposition | None, over: bool) -> None:
    (kept,) = kept_of([stored(0, Disposition.RETAINED)], (), key=KEY)
    assert is_over([stored(0, disposition)], kept.items) is over
    assert not is_over([], kept.items)


def dispatched(**changes: object) -> TaskDispatched:
    task = ids.new("tsk")
    fields = {
        "livemode": True,
        "task_id": task,
        "request_id": ids.new("req"),
        "processor": "billing",
        "client_id": ids.new("cli"),
        "dispatch_no": 1,
        "action": Action.ERASE,
        "right": Right.ERASURE,
        "round": 0,
        "manifest_version": 1,
        "not_after": "2026-11-26T21:30:00Z",
        "forget_after": "2027-01-04T09:30:00Z",
        "due_at": "2026-12-21T22:59:59Z",
        "sealed": "seal",
    }
    return TaskDispatched.model_validate(fields | changes)


def test_what_a_task_follows_and_how_its_periods_are_counted_outlives_the_message() -> None:
    earlier = ids.new("tsk")
    rule = RetentionRule(category="invoices", ground="tax_law", months=84, counted_from=CountedFrom.END_OF_YEAR)
    message = dispatched(follows=earlier, held_until="2034-01-01", retention=[rule.model_dump()])
    claimed = Claimed.at_once(message, cancelled=False, max_passes=3, traceparent=None)
    assert claimed.follows == Followed(earlier, UNTIL)
    told = claimed.task(SealedSubject(task=claimed.id, identities=()))
    assert told.retention == (Rule("invoices", "tax_law", 84, CountedFrom.END_OF_YEAR),)
    assert told.identities == ()
    assert Claimed.at_once(dispatched(), cancelled=False, max_passes=3, traceparent=None).follows is None
