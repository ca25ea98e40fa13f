"""Whoever reads a topic believes each golden example on it, and puts aside what it cannot read of a newer sender."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from typing import Any, get_args

import pytest
from pydantic import BaseModel

from contracts.generate.asyncapi import example_path
from contracts.message import Message
from contracts.topics import ALL, NOTIFIER, Topic
from services.chassis.crypto.keys import FixedKeys, ProcessorKeys
from services.chassis.crypto.proof import prove
from services.chassis.kafka.composer import Composer
from services.chassis.kafka.decoding import Believed, Decoded, Decoder, Refused

MESSAGES = [(topic, model) for topic in ALL for model in topic.messages]
IDS = [model.TYPE for _, model in MESSAGES]


def golden(model: type[Message]) -> dict[str, Any]:
    body: dict[str, Any] = json.loads(example_path(model).read_text(encoding="utf-8"))
    return body


@dataclass
class Raw:
    """A record as a consumer gets it."""

    topic: str
    key: bytes
    value: bytes
    headers: list[tuple[str, bytes | None]]
    partition: int = 0
    offset: int = 0


def read(topic: Topic, model: type[Message], body: dict[str, Any]) -> Decoded:
    """Have the topic's reader decode `body`, sent as its rightful sender sends it."""
    keys = ProcessorKeys.from_secret(body.get("processor", NOTIFIER), 1, bytes(32))
    key = "the record's key"
    sent = Composer(source="tests", namespace="").compose(
        topic,
        model.model_validate(golden(model)),
        key=key,
        keys=keys,
        event_id="evt_1",
        subject=key,
        at=datetime.now(UTC),
    )
    raw = json.dumps(body).encode()
    headers = dict(sent.headers)
    headers["habeas-proof"] = prove(keys, topic=sent.topic, key=key.encode(), headers=headers, body=raw)
    wire: list[tuple[str, bytes | None]] = [(name, value.encode()) for name, value in headers.items()]
    return Decoder({sent.topic: topic}, FixedKeys([keys])).decode(Raw(sent.topic, key.encode(), raw, wire))


@pytest.mark.parametrize(("topic", "model"), MESSAGES, ids=IDS)
def test_the_golden_example_is_believed_as_it_stands(topic: Topic, model: type[Message]) -> None:
    decoded = read(topic, model, golden(model))
    assert isinstance(decoded, Believed), decoded
    assert decoded.incoming.body == model.model_validate(golden(model))


@pytest.mark.parametrize(("topic", "model"), MESSAGES, ids=IDS)
def test_what_a_newer_sender_adds_is_passed_over(topic: Topic, model: type[Message]) -> None:
    assert isinstance(read(topic, model, {**golden(model), "added_later": {"deep": [1]}}), Believed)


GROWN = [
    pytest.param(topic, model, name, id=f"{model.TYPE}.{name}")
    for topic, model in MESSAGES
    for name, field in model.model_fields.items()
    if any(issubclass(one, StrEnum) for one in (field.annotation, *get_args(field.annotation)) if isinstance(one, type))
]


def test_there_are_enumerations_to_grow() -> None:
    assert len(GROWN) > 5


@pytest.mark.parametrize(("topic", "model", "name"), GROWN)
def test_a_member_that_an_older_reader_does_not_know_is_put_aside_and_nothing_breaks(
    topic: Topic, model: type[Message], name: str
) -> None:
    """So readers are updated before senders, and what was put aside meanwhile is redriven."""
    decoded = read(topic, model, {**golden(model), name: "added_later"})
    assert isinstance(decoded, Refused)
    assert (decoded.reason, decoded.proven) == ("malformed_body", True)


def below(model: type[BaseModel]) -> Iterator[type[BaseModel]]:
    yield model
    for field in model.model_fields.values():
        for one in (field.annotation, *get_args(field.annotation)):
            if isinstance(one, type) and issubclass(one, BaseModel):
                yield from below(one)


@pytest.mark.parametrize(("topic", "model"), MESSAGES, ids=IDS)
def test_no_part_of_a_message_refuses_what_is_added(topic: Topic, model: type[Message]) -> None:
    assert {one.model_config.get("extra") for one in below(model)} == {"ignore"}
