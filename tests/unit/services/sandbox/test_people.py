"""Invented people."""

from services.sandbox.people import CYCLE, Person, invent


def test_a_seed_gives_the_same_people_again() -> None:
    assert invent(60, seed=4) == invent(60, seed=4)
    assert [one.name for one in invent(5, seed=4)] != [one.name for one in invent(5, seed=5)]


def test_more_people_begin_with_the_same_ones() -> None:
    assert invent(60, seed=1)[:25] == invent(25, seed=1)


def test_seeds_never_share_an_address_or_an_id() -> None:
    people = [one for seed in (1, 2, 11) for one in invent(2_000, seed)]
    emails = [contact["email"] for one in people for contact in one.contacts]
    assert len(emails) == len(set(emails))
    assert len({one.customer_id for one in people}) == len(people)


def test_whoever_shares_shares_with_somebody_earlier_in_the_crm() -> None:
    people = invent(4 * CYCLE, seed=2)
    earlier: dict[str, Person] = {}
    shared = 0
    for one in people:
        for activity in one.activities:
            if activity.shared_with:
                shared += 1
                assert earlier[activity.shared_with].contacts
        earlier[one.customer_id] = one
    assert shared == 4 * 3


def test_locked_people_hold_one_object_under_retention() -> None:
    people = invent(4, seed=1, locked=2)
    assert [sum(one.locked for one in person.stored) for person in people] == [1, 1, 0, 0]
