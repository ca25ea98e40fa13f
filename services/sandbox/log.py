"""JSON lines on stderr, one per event; never the synthetic people's data."""

import json
import logging
import sys
from datetime import UTC, datetime

_FIELDS = "sandbox_fields"


class _JsonLines(logging.Formatter):
    def format(self, record: logging.LogRecord) -> str:
        line: dict[str, object] = {
            "at": datetime.fromtimestamp(record.created, UTC).isoformat(),
            "level": record.levelname.lower(),
            "service": "sandbox",
            "event": record.getMessage(),
        }
        line.update(getattr(record, _FIELDS, {}))
        if record.exc_info and record.exc_info[0]:
            line["error"] = record.exc_info[0].__name__
            line["where"] = self.formatException(record.exc_info)
        return json.dumps(line, default=str)


def configure(level: str = "info") -> None:
    """Send every library's log records through the same JSON lines."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(_JsonLines())
    logging.basicConfig(level=level.upper(), handlers=[handler], force=True)
    # Access logs carry paths, and paths carry addresses and object keys.
    for name in ("werkzeug", "uvicorn.access", "mail.log"):
        logging.getLogger(name).setLevel(logging.ERROR)
    for name in ("uvicorn", "uvicorn.error"):
        logging.getLogger(name).setLevel(logging.WARNING)


def event(name: str, **fields: object) -> None:
    """Log one event, such as `event("sandbox.ready", http_port=9101)`."""
    logging.getLogger("sandbox").info(name, extra={_FIELDS: fields})
