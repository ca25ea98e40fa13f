"""What the local stack says when it cannot go on."""


class LocalStackError(Exception):
    """The local stack cannot go on; the message is one plain line that says what to do about it."""
