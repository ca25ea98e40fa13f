"""AsyncAPI 3.0 documents: one for each application, as seen from it (receive: it consumes, send: it produces)."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from contracts import proof
from contracts.cloudevents import CONTENT_TYPE
from contracts.generate.schemas import SEALED, Json, components
from contracts.message import Message
from contracts.topics import ALL, Topic

VERSION = "1.1.0"  # of the contracts; see contracts/CHANGELOG.md
BINDING = "0.5.0"  # of AsyncAPI's Kafka bindings
EXAMPLES = Path(__file__).parent.parent / "examples"


@dataclass(frozen=True, slots=True)
class Application:
    """Who reads a document: what it receives and sends, by the words that topics use for their two ends."""

    name: str
    title: str
    description: str
    receives: tuple[str, ...] = ()
    sends: tuple[str, ...] = ()


APPLICATIONS = (
    Application(
        name="connector",
        title="Habeas: a connector",
        description="Carries tasks out at one processor, in any language: receives its tasks, sends reports, and "
        "announces its manifest. Give `processor` the id of its enrolment.",
        receives=("the processor's host",),
        sends=("connectors",),
    ),
    Application(
        name="orchestrator",
        title="Habeas: the orchestrator",
        description="Owns requests: sends tasks and notices, publishes facts, receives reports and deliveries.",
        receives=("orchestrator",),
        sends=("orchestrator",),
    ),
    Application(
        name="notifier",
        title="Habeas: the notifier",
        description="Tells people: receives notices, sends what became of them.",
        receives=("notifier",),
        sends=("notifier",),
    ),
    Application(
        name="listener",
        title="Habeas: a listener",
        description="Follows requests: receives the facts, which hold no personal data.",
        receives=("anyone",),
    ),
)

HEADERS: Json = {
    "type": "object",
    "description": "CloudEvents 1.0 in Kafka's binary mode. None ever holds personal data. All are ASCII text.",
    "required": [
        "ce_specversion",
        "ce_id",
        "ce_type",
        "ce_source",
        "ce_time",
        "ce_subject",
        "content-type",
        proof.HEADER,
    ],
    "properties": {
        "ce_specversion": {"type": "string", "const": "1.0"},
        "ce_id": {"type": "string", "description": "with ce_source the event's identity: a resend keeps it"},
        "ce_type": {"type": "string"},
        "ce_source": {"type": "string", "format": "uri-reference", "description": "the service that sent it"},
        "ce_time": {"type": "string", "format": "date-time"},
        "ce_subject": {"type": "string", "description": "the id of the request, case or processor"},
        "ce_sequence": {
            "type": "string",
            "description": "version of the request, zero-padded so that it sorts as text; absent where there is none",
        },
        "content-type": {"type": "string", "const": CONTENT_TYPE},
        proof.HEADER: {
            "type": "string",
            "pattern": "^v1;kid=[a-z][a-z0-9-]{1,39}/[1-9][0-9]{0,8};mac=[A-Za-z0-9_-]{43}$",
            "description": "HMAC-SHA256 over label, kid, topic, key, ce_ headers and body; check it before anything "
            "is believed (contracts/README.md says how)",
        },
        "traceparent": {
            "type": "string",
            "description": "W3C Trace Context of this hop; a hint, not covered by the proof",
        },
    },
}


def document(application: Application) -> Json:
    """Return the AsyncAPI document of one application."""
    received = [topic for topic in ALL if topic.receiver in application.receives]
    sent = [topic for topic in ALL if topic.sender in application.sends]
    topics = [topic for topic in ALL if topic in received or topic in sent]
    models = [model for topic in topics for model in topic.messages]
    sealed = SEALED if any("sealed" in model.model_fields for model in models) else ()
    operations = {f"receive{_word(topic)}": _operation("receive", topic) for topic in received}
    operations |= {f"send{_word(topic)}": _operation("send", topic) for topic in sent}
    return {
        "asyncapi": "3.0.0",
        "info": {
            "title": application.title,
            "version": VERSION,
            "description": application.description,
            "license": {"name": "Apache-2.0"},
        },
        "defaultContentType": CONTENT_TYPE,
        "servers": {"kafka": _server()},
        "channels": {_channel_id(topic): _channel(topic) for topic in topics},
        "operations": operations,
        "components": {
            "schemas": {**components([*models, *sealed]), "Headers": HEADERS},
            "messages": {model.__name__: _message(model) for model in models},
        },
    }


def _server() -> Json:
    return {
        "host": "{bootstrap}",
        "protocol": "kafka",
        "variables": {"bootstrap": {"default": "127.0.0.1:9092", "description": "bootstrap address of the cluster"}},
    }


def _channel(topic: Topic) -> Json:
    described = f"{topic.sender} to {topic.receiver}. Key: {topic.key}. "
    described += "Unknown types are skipped." if topic.fact else "Unknown types are dead letters."
    channel: Json = {
        "address": topic.name,
        "description": described + " An installation may prefix the name with its namespace and a dot.",
        "messages": {model.__name__: {"$ref": f"#/components/messages/{model.__name__}"} for model in topic.messages},
        "bindings": {"kafka": _kafka_channel(topic)},
    }
    if "{processor}" in topic.name:
        channel["parameters"] = {"processor": {"description": "id of the enrolled processor", "examples": ["crm-eu"]}}
    return channel


def _kafka_channel(topic: Topic) -> Json:
    compacted = topic.retention_ms is None
    settings: Json = {"cleanup.policy": ["compact" if compacted else "delete"]}
    if not compacted:
        settings["retention.ms"] = topic.retention_ms
    return {"partitions": topic.partitions, "topicConfiguration": settings, "bindingVersion": BINDING}


def _operation(action: str, topic: Topic) -> Json:
    channel = f"#/channels/{_channel_id(topic)}"
    return {
        "action": action,
        "channel": {"$ref": channel},
        "messages": [{"$ref": f"{channel}/messages/{model.__name__}"} for model in topic.messages],
    }


def _message(model: type[Message]) -> Json:
    topic = next(topic for topic in ALL if model in topic.messages)
    return {
        "name": model.wire_type(),
        "title": model.TYPE,
        "summary": _first_sentence(model),
        "contentType": CONTENT_TYPE,
        "headers": {
            "allOf": [
                {"$ref": "#/components/schemas/Headers"},
                {"type": "object", "properties": {"ce_type": {"const": model.wire_type()}}},
            ]
        },
        "payload": {"$ref": f"#/components/schemas/{model.__name__}"},
        "bindings": {
            "kafka": {"key": {"type": "string", "description": topic.key}, "bindingVersion": BINDING},
        },
        "examples": [{"name": "golden", "payload": json.loads(example_path(model).read_text(encoding="utf-8"))}],
    }


def example_path(model: type[Message]) -> Path:
    """Return where the golden example of a message lies."""
    return EXAMPLES / f"{model.TYPE}.v{model.VERSION}.json"


def _first_sentence(model: type[Message]) -> str:
    return " ".join((model.__doc__ or "").split("\n\n", maxsplit=1)[0].split())


def _channel_id(topic: Topic) -> str:
    return topic.name.split(".")[1]


def _word(topic: Topic) -> str:
    return _channel_id(topic).capitalize()


def documents() -> Sequence[tuple[str, Json]]:
    """Return each application's name and document."""
    return [(application.name, document(application)) for application in APPLICATIONS]
