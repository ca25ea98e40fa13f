"""Each rule of the kit fails a processor that breaks it, with a message that says what to mend."""

import pytest

from habeas.sdk import Action
from habeas.testing import ProcessorConformance, VendorUnderTest
from habeas.testing.rules.kit import QUICK
from habeas.testing.rules.standing import WORDS
from tests.unit.habeas.testing import unsound
from tests.unit.habeas.testing import unsound_copies as copies
from tests.unit.habeas.testing import unsound_parts as parts
from tests.unit.habeas.testing.model import Model, Sound


@pytest.fixture(autouse=True)
def at_length(monkeypatch: pytest.MonkeyPatch) -> None:
    """Try faults at every call, also in a run that is told to be quick."""
    monkeypatch.delenv(QUICK, raising=False)


def failure(processor: type[Sound], test: str, *more: object) -> str:
    """Return what the kit says of `processor`."""
    for name in ("memory", "looked"):
        if name in getattr(processor, "__annotations__", {}):
            setattr(processor, name, {} if name == "memory" else set())

    class Unsound(ProcessorConformance):
        def vendor(self) -> VendorUnderTest:
            return Model(processor)

    with pytest.raises((AssertionError, pytest.fail.Exception)) as caught:
        getattr(Unsound(), test)(*more)
    return str(caught.value)


@pytest.mark.parametrize(
    ("processor", "test", "message"),
    [
        (unsound.Inventing, "test_says_nothing_found_of_somebody_unknown", "nothing is there, yet something was found"),
        (unsound.Blind, "test_a_busy_vendor_is_not_an_empty_one", "never means nothing found, so raise RetryLater"),
        (unsound.OneEyed, "test_each_accepted_identity_is_enough_to_begin_with", "known by customer_id alone"),
        (parts.Wandering, "test_identities_of_a_foreign_type_are_not_asked_about", "look by `ctx.identities` alone"),
        (parts.Typeless, "test_a_value_of_another_type_finds_nobody", "what the vendor has of that type alone"),
        (parts.Literal, "test_an_address_in_capitals_is_the_same_address", "look under both spellings"),
        (unsound.Fuzzy, "test_a_pattern_matches_nobody", "escape what you search for, and compare"),
        (unsound.Meddling, "test_resolves_only_what_its_manifest_names", "to resolve is to look"),
        (unsound.NoFiles, "test_erases_everything_and_looks_again", "does `locate` find all?"),
        (unsound.Dropping, "test_erases_everything_and_looks_again", "met a defect: results_missing"),
        (unsound.Fuzzy, "test_leaves_everybody_else_alone", "must compare the identity of each candidate exactly"),
        (unsound.Stubborn, "test_what_is_already_erased_is_no_error", "nothing is there, yet something was found"),
        (unsound.Echoing, "test_what_another_erased_meanwhile_is_already_done", "`reread` must leave out what is gone"),
        (unsound.Credulous, "test_a_lying_vendor_is_caught", "it believed the vendor"),
        (unsound.Credulous, "test_verify_really_reads_again", "must ask the vendor again, and remember nothing"),
        (unsound.Echoing, "test_what_changed_hands_is_left_alone", "`reread` must say whose an item is now"),
        (unsound.Meddling, "test_a_cancel_before_the_first_effect_leaves_everything", "`locate` only reads"),
        (parts.Undated, "test_what_must_be_kept_is_kept", "must give `dated` as `locate` gives it"),
        (unsound.Careless, "test_what_must_be_kept_is_kept", "`taken_with` must name what takes them along"),
    ],
)
def test_finding_and_erasing(processor: type[Sound], test: str, message: str) -> None:
    assert message in failure(processor, test)


@pytest.mark.parametrize(
    ("processor", "test", "message"),
    [
        (unsound.Once, "test_a_crash_at_any_step_loses_nothing", "it said that nothing was there"),
        (unsound.Once, "test_a_crash_in_mid_locate_loses_nothing", "it said that nothing was there"),
        (unsound.Deaf, "test_a_shutdown_in_mid_work_loses_nothing", "let asyncio.CancelledError pass"),
        (unsound.Stubborn, "test_a_task_that_comes_twice_is_done_once", "nothing is there, yet something was found"),
        (parts.Punctual, "test_a_late_task_ends_as_any_other", "let `due_at` and `not_after` decide nothing"),
        (unsound.Stubborn, "test_tasks_in_the_wrong_order_find_nothing", "came after the erasure and still told"),
        (unsound.Forgetful, "test_two_people_at_a_time_do_not_mix", "keep nothing of a task on the processor"),
    ],
)
def test_enduring(processor: type[Sound], test: str, message: str) -> None:
    assert message in failure(processor, test)


@pytest.mark.parametrize(
    ("processor", "test", "more", "message"),
    [
        (unsound.Impatient, "test_a_throttled_call_waits_within_bounds", "none", "by habeas.sdk.retry_after"),
        (parts.Counting, "test_a_throttled_call_waits_within_bounds", "date", "the vendor asked for 60"),
        (unsound.Blind, "test_a_vendor_that_does_not_answer_holds_nobody_up", "hanging", "raise RetryLater"),
        (unsound.Faulting, "test_an_answer_that_can_not_be_read_is_tried_again", "html", "Answer.json() does so"),
        (
            unsound.Blind,
            "test_an_answer_that_can_not_be_read_is_tried_again",
            "gzip_bomb",
            "nobody knows what is there",
        ),
        (unsound.Lax, "test_a_redirect_is_not_followed_and_is_no_answer", None, "judge every status"),
        (unsound.Doubtful, "test_a_fault_at_any_call_changes_nothing_of_how_it_ends", "lost_reply", "not everything"),
        (unsound.Hopeful, "test_refused_credentials_wait_for_a_person", None, "raise CredentialsRejected"),
        (unsound.Unchecking, "test_check_proves_reach_and_credentials", None, "let it make a call that needs them"),
    ],
)
def test_networks(processor: type[Sound], test: str, more: str | None, message: str) -> None:
    assert message in failure(processor, test, *([more] if more else []))


@pytest.mark.parametrize(
    ("processor", "test", "message"),
    [
        (parts.Glib, "test_a_call_that_fails_for_good_is_not_told_as_done", "judge the answer to each call"),
        (
            parts.Despairing,
            "test_a_call_that_fails_for_good_is_not_told_as_done",
            "give each thing a Result of its own",
        ),
        (
            parts.Nodding,
            "test_a_correction_that_fails_for_good_is_not_told_as_written",
            "judge the answer to each call",
        ),
        (parts.Glib, "test_what_is_done_in_part_is_told_in_part", "what it says of each thing"),
        (parts.Skipping, "test_a_copy_that_lacks_something_for_good_is_not_told_as_whole", "judge the status of each"),
    ],
)
def test_in_part(processor: type[Sound], test: str, message: str) -> None:
    assert message in failure(processor, test)


@pytest.mark.parametrize(
    ("test", "more"),
    [
        ("test_a_fault_at_any_call_changes_nothing_of_how_it_ends", ("lost_reply",)),
        ("test_a_reply_lost_at_any_call_ends_as_rectified", ()),
    ],
)
def test_a_quick_look_sees_what_a_lost_reply_to_an_effect_does(
    test: str, more: tuple[str, ...], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(QUICK, "2")
    assert failure(unsound.Doubtful, test, *more)


@pytest.mark.parametrize(
    ("processor", "test", "message"),
    [
        (copies.Draining, "test_exports_everything_and_changes_nothing", "to export is to read"),
        (copies.Stingy, "test_exports_everything_and_changes_nothing", "met a defect: items_not_exported"),
        (copies.Terse, "test_the_copy_holds_what_the_vendor_knows", "the copy lacks 3 of 3 things"),
        (copies.Stamping, "test_the_same_export_comes_out_twice", "leave out times of the export"),
        (unsound.Inventing, "test_an_export_of_somebody_unknown_is_empty", "met a defect: items_not_exported"),
        (copies.Tiring, "test_an_export_that_breaks_off_is_made_anew", "the export is another one"),
        (copies.Truncating, "test_a_fault_at_any_call_never_shortens_an_export", "count the bytes of a file"),
        (unsound.Echoing, "test_what_changed_hands_is_not_exported", "the items were another person's"),
    ],
)
def test_exporting(processor: type[Sound], test: str, message: str) -> None:
    assert message in failure(processor, test)


@pytest.mark.parametrize(
    ("processor", "test", "message"),
    [
        (copies.Misplacing, "test_writes_the_new_value_and_reads_it_again", "does `rectify` write the field"),
        (copies.Believing, "test_writes_the_new_value_and_reads_it_again", "let `read` yield what the vendor holds"),
        (copies.Stale, "test_what_is_new_already_is_already_done", "let `read` yield what the vendor holds"),
        (copies.Overwriting, "test_another_old_value_is_not_overwritten", "did not hold the old value"),
        (unsound.Inventing, "test_an_unknown_field_is_refused", "met a defect: item_not_read"),
        (copies.Sweeping, "test_a_correction_touches_nobody_else", "another person's value was changed"),
        (unsound.Once, "test_a_crash_at_any_step_ends_as_rectified", "our own write is `rectified`"),
        (unsound.Doubtful, "test_a_reply_lost_at_any_call_ends_as_rectified", "our own write is `rectified`"),
        (copies.Believing, "test_a_correction_that_was_not_written_is_caught", "`read` must ask the vendor"),
        (unsound.Echoing, "test_what_changed_hands_is_not_corrected", "the items were another person's"),
    ],
)
def test_rectifying(processor: type[Sound], test: str, message: str) -> None:
    assert message in failure(processor, test)


@pytest.mark.parametrize(
    ("processor", "test", "message"),
    [
        (unsound.Zealous, "test_data_stays_where_it_is", "only erasures erase"),
        (unsound.Sulking, "test_twice_is_as_good_as_once", "say `already_done`, or do it again"),
        (unsound.Inventing, "test_nothing_is_done_to_somebody_unknown", "something was found"),
    ],
)
@pytest.mark.parametrize("action", WORDS, ids=[action.value for action in WORDS])
def test_standing(processor: type[Sound], test: str, message: str, action: Action) -> None:
    assert message in failure(processor, test, action)


@pytest.mark.parametrize(
    ("processor", "test", "message"),
    [
        (unsound.Chatty, "test_logs_hold_no_personal_data", "ctx.log adds the task by itself"),
        (parts.Reciting, "test_logs_hold_no_personal_data", "what the vendor knows of the person"),
        (unsound.Wailing, "test_trouble_puts_no_personal_data_into_logs", "personal data in logs or in a repr: email"),
    ],
)
def test_logs(processor: type[Sound], test: str, message: str, caplog: pytest.LogCaptureFixture) -> None:
    assert message in failure(processor, test, caplog)


@pytest.mark.parametrize(
    ("processor", "test", "message"),
    [(unsound.Branding, "test_headers_hold_no_personal_data", "ctx.key() makes an idempotency key that tells nothing")],
)
def test_headers(processor: type[Sound], test: str, message: str) -> None:
    assert message in failure(processor, test)


TESTS = (
    test_finding_and_erasing,
    test_enduring,
    test_networks,
    test_in_part,
    test_exporting,
    test_rectifying,
    test_standing,
    test_logs,
    test_headers,
)


def broken_by() -> dict[str, list[type[Sound]]]:
    """Return, by the name of a rule, the processors of this page that break it."""
    breakers: dict[str, list[type[Sound]]] = {}
    for test in TESTS:
        for args in [args for mark in getattr(test, "pytestmark", ()) for args in mark.args[1]]:
            if isinstance(args, tuple):
                breakers.setdefault(args[1], []).append(args[0])
    return breakers


def test_every_rule_has_a_processor_that_breaks_it() -> None:
    assert {name for name in dir(ProcessorConformance) if name.startswith("test_")} == broken_by().keys()
