"""What a processor raises, named by what happens next.

    ProcessorError
    ├── RetryLater            tried again by the engine, after `after` seconds if given
    ├── CredentialsRejected   parks the task until an operator mends the secret
    ├── CannotFulfil          ends the task with a `refused` line that carries the reason
    └── WrongPerson           parks the task: an item turned out to be somebody else's

Anything else that a processor raises is a defect: the engine retries it a few times and then parks the task.
"""

from typing import ClassVar


class ProcessorError(Exception):
    """A processor could not do what it was asked."""

    code: ClassVar[str] = "processor_error"

    def __init__(self, reason: str | None = None) -> None:
        """Take `reason`: a short machine word without personal data, such as `rate_limited`."""
        self.reason = reason or type(self).code
        super().__init__(self.reason)


class RetryLater(ProcessorError):
    """The vendor is busy, slow or down; the same call will be tried again."""

    code = "retry_later"

    def __init__(self, reason: str | None = None, *, after: float | None = None) -> None:
        """Take `after`: seconds to wait, as the vendor asked (RFC 9110 Retry-After); None lets the engine choose."""
        super().__init__(reason)
        self.after = after


class CredentialsRejected(ProcessorError):
    """The vendor refused our credentials; no retry helps until somebody mends them."""

    code = "credentials_rejected"


class CannotFulfil(ProcessorError):
    """The vendor can not do this for this subject, and never will."""

    code = "cannot_fulfil"


class WrongPerson(ProcessorError):
    """What was about to be touched belongs to somebody else; nothing was changed."""

    code = "wrong_person"
