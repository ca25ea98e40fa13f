"""A log line holds known fields alone: nothing that a caller, a library or an exception says beyond them."""

import asyncio
import json
import logging
from collections.abc import Iterator
from typing import Any

import asyncpg
import pytest

from services.chassis.log import JsonFormatter, configure, describe, get_logger

PERSON = "jane@example.com"


@pytest.fixture(autouse=True)
def _loggers_as_they_were() -> Iterator[None]:
    """Undo what `configure` does to the loggers of this process."""
    names = ("aiokafka", "services.chassis.kafka.faststream", "services", "habeas")
    named = [logging.getLogger(name) for name in names]
    root = logging.getLogger()
    handlers, levels = root.handlers[:], [(one, one.level) for one in (root, *named)]
    yield
    root.handlers[:] = handlers
    for one, level in levels:
        one.setLevel(level)


def lines(capsys: pytest.CaptureFixture[str]) -> list[dict[str, Any]]:
    """Return what was written to standard error, a document a line."""
    written = capsys.readouterr()
    assert written.out == ""
    assert PERSON not in written.err
    return [json.loads(line) for line in written.err.splitlines()]


def test_known_fields_are_written(capsys: pytest.CaptureFixture[str]) -> None:
    configure("probe")
    get_logger("services.probe").info("task.settled", task_id="tsk_1", count=2)
    (line,) = lines(capsys)
    assert line.pop("at").endswith("+00:00")
    assert line == {
        "level": "info",
        "service": "probe",
        "logger": "services.probe",
        "event": "task.settled",
        "task_id": "tsk_1",
        "count": 2,
    }


def test_unknown_fields_are_dropped_and_counted(capsys: pytest.CaptureFixture[str]) -> None:
    configure("probe")
    get_logger("services.probe").warning("mail.refused", email=PERSON, body=PERSON, status=550)
    (line,) = lines(capsys)
    assert (line["status"], line["fields_dropped"]) == (550, 2)
    assert not {"email", "body"} & line.keys()


def test_what_a_library_logs_is_written_without_its_arguments(capsys: pytest.CaptureFixture[str]) -> None:
    configure("probe")
    library = logging.getLogger("some.library")
    library.warning("Cannot reach %s as %(who)s", {"who": PERSON})
    library.warning("Row %s of %r is bad", 7, {"email": PERSON})
    library.warning(f"A text that was put together: {PERSON}")  # as libraries do
    first, second, third = lines(capsys)
    assert {one["event"] for one in (first, second, third)} == {"library.logged"}
    assert first["reason"] == "Cannot reach %s as %(who)s"
    assert second["reason"] == "Row %s of %r is bad"
    assert third["reason"] == "some.library", "without arguments, nobody knows what the text is made of"


def test_what_a_library_logs_below_a_warning_is_not_written(capsys: pytest.CaptureFixture[str]) -> None:
    configure("probe", "debug")
    logging.getLogger("some.library").info("Hello %s", PERSON)
    get_logger("services.probe").debug("probe.looked")
    assert [one["event"] for one in lines(capsys)] == ["probe.looked"]


@pytest.mark.parametrize(
    ("error", "told"),
    [
        (ValueError(PERSON), "ValueError"),
        (asyncpg.UniqueViolationError(f"Key (email)=({PERSON}) already exists."), "UniqueViolationError[23505]"),
    ],
)
def test_an_exception_shows_its_class_and_sqlstate_alone(
    error: Exception, told: str, capsys: pytest.CaptureFixture[str]
) -> None:
    configure("probe")
    error.__cause__ = KeyError(PERSON)
    logging.getLogger("some.library").error("It broke", exc_info=error)
    get_logger("services.probe").error("probe.failed", error=describe(error))
    assert [line["error"] for line in lines(capsys)] == [told, told]


def test_an_exception_that_nobody_caught_in_the_event_loop_shows_its_class_alone(
    capsys: pytest.CaptureFixture[str],
) -> None:
    configure("probe")

    async def breaks() -> None:
        context = {"message": "Task exception was never retrieved", "exception": OSError(PERSON), "who": PERSON}
        asyncio.get_running_loop().call_exception_handler(context)

    asyncio.run(breaks())
    (line,) = lines(capsys)
    assert (line["logger"], line["event"], line["error"]) == ("asyncio", "library.logged", "OSError")


def test_a_field_that_is_no_json_is_written_as_text() -> None:
    record = logging.makeLogRecord({"name": "services.probe", "levelname": "INFO", "msg": "probe.looked"})
    record.habeas = {"count": {1}, "topic": "a\nb"}
    line = JsonFormatter("probe").format(record)
    assert "\n" not in line, "one record is one line"
    assert json.loads(line)["count"] == "{1}"
