"""What a processor raises, named by what happens next.

    ProcessorError
    ├── RetryLater            tried again by the engine, after `after` seconds if given; uses up no attempt
    ├── CredentialsRejected   parks the task until an operator mends the secret
    ├── CannotFulfil          ends the task with a `refused` line that carries the reason
    └── WrongPerson           parks the task: an item turned out to be somebody else's

Anything else that a processor raises, `ProcessorError` itself included, is a defect: the engine tries five times and
then parks the task (`keeps_failing`). So is an answer out of shape. Of a defect only a machine word is told, for the
text of an error may quote a person: the name of the error's class, or one of these.

    not_an_item, malformed_item     `locate` or `reread` yielded something else than an `Item` with a ref, a count,
                                    a day (no time of day) or None, and an `Identity` as `matched`
    malformed_identity              `locate` yielded an `Identity` without a type of habeas.sdk or without a text
    unknown_category                an item or an `Unlisted` of a category that the manifest does not name
    reread_of_unknown_item          `reread` yielded an item that it was not asked about
    values_of_unknown_item          so did `read`; or it yielded something else than `Values`
    values_missing, item_not_read   `read` left out a field that it was asked about, or an item that is there
    result_of_unknown_item          a result of an item that was not handed over, or something else than a `Result`
    malformed_result                a result with a count below 1, a time of day as `until`, or words that are no text
    two_results_of_one_item         they tell different things: nobody knows which holds
    retained_without_ground         kept, and nobody can be told why
    results_missing                 an item was handed over and no result tells of it
    disposition_of_another_action   an erasure that says `exported`, say
    malformed_answer                neither a sequence of results nor a `Wait`
    malformed_wait                  a `Wait` without a job or a reason, or with times that name no zone
    export_of_unknown_item          a record or file of an item that was not handed over
    items_not_exported              an item that is there, and `export` yielded nothing of it
    record_not_exportable           a record's fields are no JSON values, or take more than 16 MB
    chunks_not_bytes                a file's chunks are something else than bytes
    attempt_timeout                 the attempt took longer than the manifest's `timeouts.attempt`
"""

from typing import ClassVar


class ProcessorError(Exception):
    """A processor could not do what it was asked. Raise one of the four below: what happens next depends on it."""

    code: ClassVar[str] = "processor_error"

    def __init__(self, reason: str | None = None) -> None:
        """Take `reason`: a machine word without personal data, such as `rate_limited`.

        It is shown to operators and, of a refusal, decides what the subject is told. Letters, digits, `_`, `.` and
        `-`, at most 64, beginning with a letter; anything else is replaced by the error's own `code`.
        """
        self.reason = reason or type(self).code
        super().__init__(self.reason)


class RetryLater(ProcessorError):
    """The vendor is busy, slow, down or talking nonsense: nobody knows what is there, so the same is tried again.

    `Http` raises it for 408, 425, 429, 5xx, time-outs, lost connections and unreadable JSON. Raise it yourself rather
    than return less than there is. What was done and told by then is remembered; an effect that was begun is looked
    into (`reread`, `look_up`) before it is repeated.
    """

    code = "retry_later"

    def __init__(self, reason: str | None = None, *, after: float | None = None) -> None:
        """Take `after`: seconds to wait, as the vendor asked, at most a day; None lets the host choose.

        `habeas.sdk.retry_after` reads a Retry-After header (RFC 9110 10.2.3), within 1 second and 1 day.
        """
        super().__init__(reason)
        self.after = after


class CredentialsRejected(ProcessorError):
    """The vendor refused our credentials (401), or they may not do this (403): no retry helps until somebody mends it.

    The task is parked with attention `credentials_rejected`, and goes on where it was when an operator retries it.
    """

    code = "credentials_rejected"


class CannotFulfil(ProcessorError):
    """The vendor cannot do this for this subject, and never will: an account under litigation, an id out of range.

    All that is not yet done is `refused` with this reason, and the subject is told. Not for what another try, another
    secret or another release of the processor could mend.
    """

    code = "cannot_fulfil"


class WrongPerson(ProcessorError):
    """What was about to be touched belongs to somebody else; nothing was changed.

    The engine raises it by itself when `reread` names another person's identity; raise it where only the processor
    can tell. The task is parked with attention `wrong_person`.
    """

    code = "wrong_person"
