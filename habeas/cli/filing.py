"""Reads a request to file from options, a file or standard input."""

import json
import sys
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from habeas.cli.mistakes import Mistake
from habeas.client import Correction, Identity, NewRequest


def identities(emails: list[str], customer_ids: list[str], others: list[str]) -> list[Identity]:
    """Return the identities that options named; `others` are written `type=value`."""
    found = [Identity("email", value) for value in emails]
    found += [Identity("customer_id", value) for value in customer_ids]
    for text in others:
        type_, separator, value = text.partition("=")
        if not (type_ and separator and value):
            raise Mistake("--identity is written type=value, such as phone=+31201234567")
        found.append(Identity(type_, value))
    return found


def corrections(new: list[str], old: list[str]) -> list[Correction]:
    """Return the corrections that options named; each is written `field=value`, the old values by themselves."""
    was = dict(_field_and_value("--old", text) for text in old)
    found = [Correction(field, value, was.pop(field, None)) for field, value in map(_correct, new)]
    if was:
        msg = f"--old names {', '.join(sorted(was))}: say with --correct what it should be"
        raise Mistake(msg)
    return found


def _correct(text: str) -> tuple[str, str]:
    return _field_and_value("--correct", text)


def _field_and_value(option: str, text: str) -> tuple[str, str]:
    field, separator, value = text.partition("=")
    if not (field and separator and value):
        msg = f"{option} is written field=value, such as contact.phone=+31201234567"
        raise Mistake(msg)
    return field, value


def read_body(source: str) -> dict[str, Any]:
    """Return the JSON object in the file `source`, or on standard input when it is `-`."""
    try:
        text = sys.stdin.read() if source == "-" else Path(source).read_text(encoding="utf-8")
        body = json.loads(text)
    except OSError as error:
        msg = f"cannot read {source}: {error.strerror}"
        raise Mistake(msg) from None
    except ValueError:
        msg = f"what {_named(source)} holds is not JSON"
        raise Mistake(msg) from None  # the text is a person's: not shown
    if not isinstance(body, dict):
        msg = f"{_named(source)} must hold one request, as a JSON object"
        raise Mistake(msg)
    return body


def moment(text: str | None) -> datetime | None:
    """Return the time that `text` (ISO 8601; without a zone it is UTC) says."""
    if text is None:
        return None
    try:
        found = datetime.fromisoformat(text)
    except ValueError:
        raise Mistake("a time is written like 2026-11-20T09:30:00Z") from None
    return found if found.tzinfo else found.replace(tzinfo=UTC)


def merged(source: str, options: NewRequest, given: Mapping[str, str | None]) -> dict[str, Any]:
    """Return the body in `source`, with what the options say on top of it.

    `given` are the plain fields by name; fields of the subject are those that `options` holds.
    """
    if options.identities:
        raise Mistake("say the identities either by options or by --from, not both")
    body = read_body(source)
    subject = body.get("subject")
    if not isinstance(subject, dict):
        msg = f'{_named(source)} must have a "subject" with "identities"'
        raise Mistake(msg)
    own = options.body()
    of_subject = {name: value for name, value in own["subject"].items() if name != "identities"}
    plain = {name: own[name] for name, value in given.items() if value is not None}
    if "rectification" in own:
        plain["rectification"] = own["rectification"]
    defaults = {"identity_check": own["identity_check"]}
    return {**defaults, **body, **plain, "subject": {**subject, **of_subject}}


def _named(source: str) -> str:
    return "standard input" if source == "-" else source
