"""Structured logs by allow-list: an event's name and known fields, one JSON object a line, never a person's data."""

import json
import logging
import sys
from datetime import UTC, datetime
from typing import Any

# A field that is not on this list is not written: what may appear in a log is decided here, not where it is logged.
FIELDS = frozenset(
    {
        "action", "attempt", "attention", "bytes", "case_id", "client_id", "code", "consumer", "count", "dead_letter",
        "dispatch_no", "disposition", "due_on", "duration_ms", "effects", "epoch", "error", "event_id", "fence",
        "fields_dropped", "group", "headline", "host", "instance", "items", "kid", "kind", "lag", "livemode", "loop",
        "manifest_version", "method", "migration", "notice_id", "offset", "part", "partition", "partitions", "pass_no",
        "phase", "pid", "port", "problem", "processor", "reason", "request_id", "right", "round", "route", "rows",
        "scope", "seconds", "service", "state", "status", "task_id", "topic", "topics", "trace_id", "type", "version",
        "worker", "x_request_id",
    }
)  # fmt: skip


class Log:
    """A logger that takes an event's name and fields."""

    def __init__(self, logger: logging.Logger) -> None:
        """Wrap a standard logger."""
        self._logger = logger

    def debug(self, event: str, **fields: object) -> None:
        """Log what only a developer wants."""
        self._write(logging.DEBUG, event, fields)

    def info(self, event: str, **fields: object) -> None:
        """Log what an operator may want to know."""
        self._write(logging.INFO, event, fields)

    def warning(self, event: str, **fields: object) -> None:
        """Log what mends itself, but should not happen often."""
        self._write(logging.WARNING, event, fields)

    def error(self, event: str, **fields: object) -> None:
        """Log what needs a person."""
        self._write(logging.ERROR, event, fields)

    def _write(self, level: int, event: str, fields: dict[str, object]) -> None:
        if self._logger.isEnabledFor(level):
            self._logger.log(level, event, extra={"habeas": fields})


def get_logger(name: str) -> Log:
    """Return the log of a module."""
    return Log(logging.getLogger(name))


def describe(error: BaseException) -> str:
    """Return what may be said of an exception in a log: its class, since its text may quote data.

    PostgreSQL errors add their SQLSTATE, which tells an operator more than the class does.
    """
    state = getattr(error, "sqlstate", None)
    name = type(error).__name__
    return f"{name}[{state}]" if isinstance(state, str) else name


class JsonFormatter(logging.Formatter):
    """Writes one JSON object a record. Texts of other libraries are reduced to their logger's name and level."""

    def __init__(self, service: str) -> None:
        """Put `service` on every line."""
        super().__init__()
        self._service = service

    def format(self, record: logging.LogRecord) -> str:
        """Return the line."""
        line: dict[str, Any] = {
            "at": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname.lower(),
            "service": self._service,
            "logger": record.name,
        }
        fields = getattr(record, "habeas", None)
        if fields is None:
            # Its arguments may hold a URL, a row or an address; the unformatted message is a constant of its code.
            line["event"] = "library.logged"
            line["reason"] = str(record.msg)[:200] if record.args else record.name
        else:
            line["event"] = record.msg
            line.update({name: value for name, value in fields.items() if name in FIELDS})
            dropped = len(fields.keys() - FIELDS)
            if dropped:
                line["fields_dropped"] = dropped
        if record.exc_info and record.exc_info[1] is not None:
            line["error"] = describe(record.exc_info[1])
        return json.dumps(line, default=str, ensure_ascii=False)


def configure(service: str, level: str = "info") -> None:
    """Send every logger of the process to standard error as JSON lines."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(JsonFormatter(service))
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(logging.WARNING)
    # These two call a broker that is still starting an error, many times over; our own parts tell it once.
    logging.getLogger("aiokafka").setLevel(logging.CRITICAL)
    logging.getLogger("services.chassis.kafka.faststream").setLevel(logging.ERROR)
    logging.getLogger("services").setLevel(level.upper())
    logging.getLogger("habeas").setLevel(level.upper())
