"""The words of the field as enumerations: every other module takes them from here and adds no synonyms."""

from collections.abc import Iterable
from enum import StrEnum


class Right(StrEnum):
    """What a subject may ask for (GDPR Articles 7(3), 12-22)."""

    ACCESS = "access"  # Article 15
    ERASURE = "erasure"  # Article 17
    RECTIFICATION = "rectification"  # Article 16
    PORTABILITY = "portability"  # Article 20
    RESTRICTION = "restriction"  # Article 18
    OBJECTION = "objection"  # Article 21
    CONSENT_WITHDRAWAL = "consent_withdrawal"  # Article 7(3)
    INFORMATION = "information"  # Articles 13-15: which countries, which recipients


class Action(StrEnum):
    """What one task does at one processor."""

    RESOLVE = "resolve"  # find further identities of the subject
    EXPORT = "export"
    ERASE = "erase"
    RECTIFY = "rectify"
    RESTRICT = "restrict"
    LIFT = "lift"  # end a restriction
    STOP = "stop"  # consent withdrawn, objection, suppression
    PREVIEW = "preview"  # count what an action would touch, change nothing
    RECHECK = "recheck"  # look again at what was reported done


class IdentityType(StrEnum):
    """Kinds of identifier that a subject may be known by."""

    EMAIL = "email"
    PHONE = "phone"
    CUSTOMER_ID = "customer_id"
    COOKIE_ID = "cookie_id"
    USERNAME = "username"
    DEVICE_ID = "device_id"


class RequestState(StrEnum):
    """Where a request is in its life; a terminal state never changes."""

    RECEIVED = "received"
    AWAITING_IDENTITY = "awaiting_identity"
    AWAITING_APPROVAL = "awaiting_approval"
    SCHEDULED = "scheduled"
    IN_PROGRESS = "in_progress"
    CANCELLING = "cancelling"
    AWAITING_RELEASE = "awaiting_release"
    COMPLETED = "completed"
    REFUSED = "refused"
    CANCELLED = "cancelled"
    LAPSED = "lapsed"
    MERGED = "merged"

    @property
    def is_terminal(self) -> bool:
        """Whether nothing can follow this state."""
        return self in TERMINAL_REQUEST_STATES


TERMINAL_REQUEST_STATES = frozenset(
    {
        RequestState.COMPLETED,
        RequestState.REFUSED,
        RequestState.CANCELLED,
        RequestState.LAPSED,
        RequestState.MERGED,
    }
)


class TaskState(StrEnum):
    """How far a task has come; it only moves forward (DESIGN: forward only)."""

    WAITING = "waiting"  # something else must end first
    READY = "ready"  # may be sent
    DISPATCHED = "dispatched"  # written to the outbox
    ACCEPTED = "accepted"  # stored by the connector host
    SETTLED = "settled"  # the first proven outcome
    CANCELLED = "cancelled"

    @property
    def is_final(self) -> bool:
        """Whether the task is over."""
        return self in (TaskState.SETTLED, TaskState.CANCELLED)


class Phase(StrEnum):
    """What an accepted task is doing meanwhile."""

    WORKING = "working"
    RETRYING = "retrying"
    WAITING_EXTERNAL = "waiting_external"


class Disposition(StrEnum):
    """What became of items."""

    ERASED = "erased"
    ANONYMISED = "anonymised"
    SUPPRESSED = "suppressed"
    EXPORTED = "exported"
    RECTIFIED = "rectified"
    RESTRICTED = "restricted"
    LIFTED = "lifted"
    STOPPED = "stopped"
    ALREADY_DONE = "already_done"
    NOT_FOUND = "not_found"
    RETAINED = "retained"
    REFUSED = "refused"
    FAILED = "failed"
    NOT_APPLICABLE = "not_applicable"


class Checked(StrEnum):
    """How sure a line is."""

    VERIFIED = "verified"  # re-read and found as it should be
    ATTESTED = "attested"  # someone vouches for it
    NOT_CHECKABLE = "not_checkable"


class Headline(StrEnum):
    """One word for the outcome of a task or a request."""

    FULFILLED = "fulfilled"
    FULFILLED_WITH_RETENTION = "fulfilled_with_retention"
    PARTLY_FULFILLED = "partly_fulfilled"
    NOTHING_FOUND = "nothing_found"
    REFUSED = "refused"
    NOT_FULFILLED = "not_fulfilled"


class Relation(StrEnum):
    """Who asks on the subject's behalf."""

    SELF = "self"
    AGENT = "agent"
    GUARDIAN = "guardian"
    REPRESENTATIVE = "representative"


class IdentityCheckMethod(StrEnum):
    """How it was established that the requester is the subject."""

    CLIENT_ASSERTED = "client_asserted"


class NoticeKind(StrEnum):
    """What a notice tells."""

    ACKNOWLEDGEMENT = "acknowledgement"
    COMPLETION = "completion"


class Language(StrEnum):
    """Languages a notice can be written in (ISO 639-1)."""

    ENGLISH = "en"
    DUTCH = "nl"


class AttentionReason(StrEnum):
    """Why a task or a request needs a person."""

    SILENT = "silent"  # the connector said nothing for too long
    NEVER_ANNOUNCED = "never_announced"  # enrolled, but no host has announced it yet
    CANNOT_BE_PLANNED = "cannot_be_planned"  # its secrets cannot be read, manifests run in a circle, or a defect
    NO_PROCESSORS = "no_processors"  # nothing is enrolled in its mode, so nothing can be planned
    CREDENTIALS_REJECTED = "credentials_rejected"
    KEEPS_FAILING = "keeps_failing"
    RESIDUE_REMAINS = "residue_remains"  # verify still found data after every pass
    WRONG_PERSON = "wrong_person"
    AMBIGUOUS_IDENTITY = "ambiguous_identity"
    UNSEALABLE = "unsealable"
    MANIFEST_WAITS = "manifest_waits"  # a manifest was announced, but has not taken effect
    NOTICE_UNKNOWN = "notice_unknown"  # nobody knows whether the mail went out
    NOTICE_BOUNCED = "notice_bounced"  # the mail server will not take it for this person
    NOTICE_SILENT = "notice_silent"  # a notice has no answer for too long
    PACKAGE_NOT_FETCHED = "package_not_fetched"  # the copy of the data is given up soon, and nobody has fetched it
    WAITS_FOR_ANOTHER = "waits_for_another"  # another request on the same person goes first, and needs a person


class Cause(StrEnum):
    """Why a follow-up request was opened: what changes the truth never changes an ended request."""

    HOLD_ENDED = "hold_ended"  # the ground to keep data is over
    HOLD_RELEASED = "hold_released"  # somebody ended the hold early
    RESIDUE_FOUND = "residue_found"
    LATE_ANSWER = "late_answer"
    RESTORED = "restored"
    NEW_INFORMATION = "new_information"


class CountedFrom(StrEnum):
    """Which day a retention period begins on."""

    DATE = "date"  # the item's own date
    END_OF_YEAR = "end_of_year"  # the last day of the calendar year of that date, as book-keeping law counts


class Scope(StrEnum):
    """What an API key may do; a route without a scope does not exist."""

    REQUESTS_FILE = "requests:file"
    REQUESTS_READ = "requests:read"
    REQUESTS_READ_ALL = "requests:read_all"  # of every client
    REQUESTS_CANCEL = "requests:cancel"
    REQUESTS_PACKAGE = "requests:package"  # fetch the copy of a subject's data
    REQUESTS_OPERATE = "requests:operate"  # retry, skip, settle
    IDENTITY_ASSERT = "identity:assert"  # vouch for the identity check
    PROCESSORS_READ = "processors:read"
    PROCESSORS_ADMIN = "processors:admin"  # enrol, approve, retire
    KEYS_ADMIN = "keys:admin"  # list, issue and revoke API keys; never with more than one has oneself
    SYSTEM_READ = "system:read"  # dead letters, consumers
    SYSTEM_OPERATE = "system:operate"  # redrive, discard, resume


DONE = frozenset(
    {
        Disposition.ERASED,
        Disposition.ANONYMISED,
        Disposition.SUPPRESSED,
        Disposition.EXPORTED,
        Disposition.RECTIFIED,
        Disposition.RESTRICTED,
        Disposition.LIFTED,
        Disposition.STOPPED,
        Disposition.ALREADY_DONE,
    }
)


# The reason of a line of a processor that was not asked: it knows people by none of the identities that are known.
NO_ACCEPTED_IDENTITY = "no_accepted_identity"


def headline_of(dispositions: Iterable[Disposition], *, complete: bool = True, unsearched: bool = False) -> Headline:
    """Return the one word for a set of dispositions, of a task's lines or of a whole request's.

    `complete=False` says that a part of the search did not happen (a resolver failed, a processor was retired or
    skipped): then the best that can be said is `partly_fulfilled`, and "nothing found" cannot be said at all. Nor can
    it with `unsearched=True`, where a processor could not be asked (`NO_ACCEPTED_IDENTITY`): what others answered is a
    part. Where nobody was asked, nothing is fulfilled.
    """
    present = set(dispositions)
    done = bool(present & DONE)
    short = bool(present & {Disposition.FAILED}) or not complete
    if short:
        return Headline.PARTLY_FULFILLED if done or Disposition.RETAINED in present else Headline.NOT_FULFILLED
    asked = bool(present - {Disposition.NOT_APPLICABLE})
    if unsearched:
        return Headline.PARTLY_FULFILLED if asked else Headline.NOT_FULFILLED
    if done and Disposition.REFUSED in present:
        return Headline.PARTLY_FULFILLED
    if done:
        return Headline.FULFILLED_WITH_RETENTION if Disposition.RETAINED in present else Headline.FULFILLED
    if present & {Disposition.REFUSED, Disposition.RETAINED}:
        return Headline.REFUSED  # a lawful ground kept all of it: Article 12(4) calls that taking no action
    return Headline.NOTHING_FOUND if asked or not present else Headline.NOT_FULFILLED
