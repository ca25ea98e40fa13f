"""Nobody who is erased can be read in logs, spans, metrics, topics, tables, files or processes, whatever goes wrong."""

import re
from collections.abc import Iterator

import pytest

from tests.infrastructure import in_thread
from tests.journeys.world import world
from tests.leaks.collector import collector
from tests.leaks.controls import Controls
from tests.leaks.places import columns
from tests.leaks.scanner import Hit
from tests.leaks.story import SERVICES, Story

# What may hold what concerns a subject, and under which key. All of it is looked through like everything else.
ENCRYPTED = {
    "orchestrator.request_keys.wrapped": "data keys, wrapped by the root key",
    "orchestrator.request_secrets.sealed": "identities, contact and reference, under the request's data key",
    "orchestrator.tasks.findings": "what a resolver found, as a JWE, until the planner took it in",
    "orchestrator.outbox.value": "messages on their way, whose seals are JWEs",
    "orchestrator.dead_letters.sealed": "records that could not be taken, under a key of the service",
    "connectors.tasks.seal": "the subject of a task, as a JWE, until it is settled",
    "connectors.tasks.findings": "what was resolved, as a JWE, until the task is closed",
    "connectors.journal.wrapped": "data keys, wrapped by the host's key",
    "connectors.journal.sealed": "what was found and done, under the task's data key",
    "connectors.holds.wrapped": "data keys of holds, wrapped by the host's key",
    "connectors.holds.sealed": "references and fingerprints of what is kept, under the hold's own key",
    "connectors.outbox.value": "messages on their way",
    "connectors.dead_letters.sealed": "records that could not be taken, under a key of the service",
    "notifier.notices.sealed": "contact and reference, as a JWE, until the notice is answered",
    "notifier.outbox.value": "messages on their way",
    "notifier.dead_letters.sealed": "records that could not be taken, under a key of the service",
}
# Keyed digests: they tell equal things from others to whoever has the key.
DIGESTS = {
    "orchestrator.api_keys.digest",
    "orchestrator.requests.idempotency_digest",
    "orchestrator.requests.body_digest",
    "orchestrator.requests.timeline_hash",
    "orchestrator.subject_readers.blind",
    "orchestrator.subject_turns.blind",
    "orchestrator.timeline.hash",
}
CONTROLLED = ("log", "file", "table", "postgres_files", "topic", "kafka_files", "process", "span", "metrics")
# These must have held something when we looked, or we looked at the wrong time.
MUST_BE_SEEN = (
    "orchestrator.request_keys.wrapped",
    "orchestrator.request_secrets.sealed",
    "orchestrator.dead_letters.sealed",
    "orchestrator.subject_turns.blind",
    "connectors.tasks.seal",
    "connectors.journal.sealed",
    "connectors.dead_letters.sealed",
    "notifier.dead_letters.sealed",
)


@pytest.fixture(scope="module")
def story(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Story]:
    """A stack on which everything happened, with logs at their most talkative and every trace recorded."""
    with (
        collector() as spans,
        world(
            tmp_path_factory.mktemp("stack"),
            HABEAS_LOG_LEVEL="debug",
            HABEAS_TRACE_RATIO="1",
            HABEAS_OTLP_ENDPOINT=spans.url,
            HABEAS_RETRY_AFTER="[0.5]",
        ) as one,
    ):
        lived = Story(one, spans)
        try:
            lived.live()
            yield lived
        finally:
            lived.close()


def told(hits: set[Hit]) -> list[str]:
    """Return where something was found and in which form; never what."""
    return sorted({f"{hit.what} in {hit.place} ({hit.form})" for hit in hits})


@pytest.mark.timeout(300)
@pytest.mark.parametrize("kind", ["tables", "topics", "processes", "metrics", "spans"])
def test_nobody_is_found_in(story: Story, kind: str) -> None:
    assert told(story.hits[kind]) == []
    assert story.seen[kind] > 0


@pytest.mark.timeout(120)
def test_nobody_is_found_in_any_file_not_even_in_those_of_the_servers(story: Story) -> None:
    story.checkpoint()
    assert told(story.files()) == []


def test_copies_lie_where_exports_lie_and_were_looked_through(story: Story) -> None:
    """Or nothing would have been said of what is at rest there."""
    assert len(story.exports) == 3 + 4  # the AI supplier has nothing of the first person
    assert all(path.stat().st_size > 0 for path in story.exports)
    assert all(path.is_relative_to(story.world.stack.home.path) for path in story.exports)


def test_metrics_were_told_each_time(story: Story) -> None:
    """Or an empty page would have passed."""
    assert len(story.pages) == 3 * len(SERVICES)
    for place, page in story.pages:
        assert re.search(rb"^habeas_loop_steps_total\{.+\} [1-9]", page, re.MULTILINE), place
    told = b"".join(page for _, page in story.pages)
    for name in (b"habeas_consumed_records_total", b"habeas_dead_letters_total", b"habeas_http_seconds_count"):
        assert name in told, name


def test_the_logs_were_talkative(story: Story) -> None:
    """Or there would have been nothing to find in them."""
    for name in SERVICES:
        log = story.world.stack.home.log(name).read_text()
        assert '"level": "debug"' in log, name
    assert "record.dead_lettered" in story.world.stack.home.log("orchestrator").read_text()


def test_every_column_that_holds_bytes_or_seals_is_known_for_it(story: Story) -> None:
    found = in_thread(lambda: columns(story.world.stack.postgres_url))
    binary = {name for name, kind in found.items() if kind == "bytea" and not name.startswith("control.")}
    assert binary | story.ciphertexts <= ENCRYPTED.keys() | DIGESTS
    assert ENCRYPTED.keys() | DIGESTS <= found.keys(), "a column of the list is gone"
    assert [name for name in MUST_BE_SEEN if name not in story.filled] == []


@pytest.mark.timeout(120)
@pytest.mark.parametrize("place", CONTROLLED)
def test_what_is_planted_on_purpose_is_found_in_every_form(story: Story, place: str) -> None:
    assert Controls(story.world.stack, story.spans).missed(place) == set()
