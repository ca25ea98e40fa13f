"""What the kit promises to test, phrase by phrase: each has its rules, and each rule a processor that breaks it."""

import ast
from pathlib import Path

import pytest

from habeas.testing import ProcessorConformance, rules
from tests.unit.habeas.testing.test_unsound import broken_by

PROMISES = {
    "a duplicate task": ("test_a_task_that_comes_twice_is_done_once", "test_twice_is_as_good_as_once"),
    "a late task": ("test_a_late_task_ends_as_any_other",),
    "a reordered task": ("test_tasks_in_the_wrong_order_find_nothing",),
    "a crash between effect and report": (
        "test_a_crash_at_any_step_loses_nothing",
        "test_a_crash_at_any_step_ends_as_rectified",
        "test_an_export_that_breaks_off_is_made_anew",
    ),
    "a crash in mid-locate": ("test_a_crash_in_mid_locate_loses_nothing",),
    "429 with each form of Retry-After": ("test_a_throttled_call_waits_within_bounds",),
    "slow and hanging answers": ("test_a_vendor_that_does_not_answer_holds_nobody_up",),
    "hostile answers": (
        "test_an_answer_that_can_not_be_read_is_tried_again",
        "test_a_redirect_is_not_followed_and_is_no_answer",
        "test_a_fault_at_any_call_changes_nothing_of_how_it_ends",
        "test_a_fault_at_any_call_never_shortens_an_export",
    ),
    "lying answers": ("test_a_lying_vendor_is_caught", "test_a_correction_that_was_not_written_is_caught"),
    "not found": (
        "test_says_nothing_found_of_somebody_unknown",
        "test_a_busy_vendor_is_not_an_empty_one",
        "test_an_address_in_capitals_is_the_same_address",
        "test_an_export_of_somebody_unknown_is_empty",
        "test_nothing_is_done_to_somebody_unknown",
    ),
    "partial": (
        "test_a_call_that_fails_for_good_is_not_told_as_done",
        "test_a_correction_that_fails_for_good_is_not_told_as_written",
        "test_what_is_done_in_part_is_told_in_part",
        "test_a_copy_that_lacks_something_for_good_is_not_told_as_whole",
    ),
    "retained": ("test_what_must_be_kept_is_kept",),
    "already erased": (
        "test_what_is_already_erased_is_no_error",
        "test_what_another_erased_meanwhile_is_already_done",
        "test_what_is_new_already_is_already_done",
    ),
    "a wrong identity type": (
        "test_identities_of_a_foreign_type_are_not_asked_about",
        "test_a_value_of_another_type_finds_nobody",
        "test_each_accepted_identity_is_enough_to_begin_with",
        "test_resolves_only_what_its_manifest_names",
    ),
    "an item that turned out to be another person's": (
        "test_what_changed_hands_is_left_alone",
        "test_what_changed_hands_is_not_exported",
        "test_what_changed_hands_is_not_corrected",
    ),
    "cancel before the first effect": ("test_a_cancel_before_the_first_effect_leaves_everything",),
    "shutdown in mid-work": ("test_a_shutdown_in_mid_work_loses_nothing",),
    "no personal data in logs or headers": (
        "test_logs_hold_no_personal_data",
        "test_trouble_puts_no_personal_data_into_logs",
        "test_headers_hold_no_personal_data",
    ),
    "verify really re-reads": ("test_verify_really_reads_again",),
}


@pytest.mark.parametrize("phrase", PROMISES)
def test_each_promise_has_rules_and_each_of_them_a_processor_that_breaks_it(phrase: str) -> None:
    broken = broken_by()
    for rule in PROMISES[phrase]:
        assert hasattr(ProcessorConformance, rule)
        assert broken[rule]


def test_every_rule_says_what_to_fix() -> None:
    mute = [
        f"{path.name}:{step.lineno}"
        for path in Path(rules.__file__).parent.glob("*.py")
        for step in ast.walk(ast.parse(path.read_text()))
        if isinstance(step, ast.Assert) and step.msg is None
    ]
    assert mute == []
