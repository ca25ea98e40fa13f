"""What ends a command or a service with one line that says what to do."""


class Failure(Exception):
    """It cannot do its work; the message is that line."""
