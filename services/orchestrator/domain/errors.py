"""What the orchestrator refuses to do, in words that tell the caller what to do instead."""


class NotFound(LookupError):
    """There is no such thing, or it is not the caller's to see."""


class NotAllowed(Exception):
    """The thing exists, but its state does not allow this. `code` is stable; `detail` says what may be done."""

    def __init__(self, code: str, detail: str) -> None:
        """Take a machine word and a sentence without personal data."""
        super().__init__(detail)
        self.code = code
        self.detail = detail
