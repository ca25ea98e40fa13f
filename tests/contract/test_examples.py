"""Every message has one golden example, which parses, comes out as it went in, and holds against its schema."""

import json
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from contracts.generate.asyncapi import EXAMPLES, example_path
from contracts.generate.schemas import message_schemas
from contracts.message import Message
from contracts.topics import ALL, MESSAGES

TYPES = sorted(MESSAGES)
# What a person could be known by: no example of a body shows it, for whatever concerns the subject is sealed.
PERSONAL = ("@", "jane", "+31", "c-42")


def _example(wire_type: str) -> Any:
    return json.loads(example_path(MESSAGES[wire_type]).read_text(encoding="utf-8"))


def test_there_is_one_example_for_each_message_and_no_other() -> None:
    assert {path.name for path in EXAMPLES.glob("*")} == {example_path(model).name for model in MESSAGES.values()}


def test_every_message_belongs_to_one_topic() -> None:
    models = [model for topic in ALL for model in topic.messages]
    assert len(models) == len(set(models)) == len(MESSAGES)


def test_every_message_that_is_defined_is_on_a_topic() -> None:
    def below(model: type[Message]) -> set[type[Message]]:
        return {model} | {found for child in model.__subclasses__() for found in below(child)}

    defined = {model for model in below(Message) if "TYPE" in vars(model) and model.__module__.startswith("contracts.")}
    assert defined == set(MESSAGES.values())


@pytest.mark.parametrize("wire_type", TYPES)
def test_an_example_comes_out_as_it_went_in(wire_type: str) -> None:
    model = MESSAGES[wire_type]
    text = example_path(model).read_text(encoding="utf-8")
    message = model.model_validate_json(text)
    assert json.dumps(message.model_dump(mode="json"), indent=2, ensure_ascii=False) + "\n" == text
    assert model.model_validate_json(message.model_dump_json()) == message


@pytest.mark.parametrize("wire_type", TYPES)
def test_a_field_that_a_later_version_adds_is_ignored(wire_type: str) -> None:
    model = MESSAGES[wire_type]
    known = model.model_validate(_example(wire_type))
    assert model.model_validate({**_example(wire_type), "added_later": {"deep": [1]}}) == known


@pytest.mark.parametrize("wire_type", TYPES)
def test_an_example_holds_against_its_schema(wire_type: str) -> None:
    schema = message_schemas()[wire_type]
    Draft202012Validator.check_schema(schema)
    validator = Draft202012Validator(schema, format_checker=Draft202012Validator.FORMAT_CHECKER)
    validator.validate(_example(wire_type))
    validator.validate({**_example(wire_type), "added_later": 1})


@pytest.mark.parametrize("wire_type", TYPES)
def test_a_schema_refuses_what_the_model_refuses(wire_type: str) -> None:
    validator = Draft202012Validator(message_schemas()[wire_type])
    for name in message_schemas()[wire_type]["required"]:
        shorter = {key: value for key, value in _example(wire_type).items() if key != name}
        assert not validator.is_valid(shorter), name


@pytest.mark.parametrize("wire_type", TYPES)
def test_an_example_shows_nobody(wire_type: str) -> None:
    example = _example(wire_type)
    example.pop("sealed", None)
    example.pop("manifest", None)  # describes categories, which name fields but hold none
    text = json.dumps(example).lower()
    assert [word for word in PERSONAL if word in text] == []
