"""Two enrolments of one kind may say different things of themselves, by the rules of every manifest."""

from typing import Any

import pytest

from habeas.sdk import Manifest
from services.connectors.host.catalogue import Catalogue, Kind
from services.connectors.host.enrolment import BrokenEnrolment
from services.connectors.host.particulars import particular

THESE = "title, owner, country and safeguard can"
SECRET = "sk_live_s3cr3t"


@pytest.fixture
def kind() -> Kind:
    return Catalogue().load("hubspot")


@pytest.fixture
def manifest(kind: Kind) -> Manifest:
    """The kind's manifest, as if the data were in the US."""
    return kind.manifest.model_copy(update={"country": "US", "safeguard": "Standard contractual clauses"})


def test_without_the_table_it_is_the_kind_s_own(manifest: Manifest) -> None:
    assert particular(manifest, {"base_url": "x"}) is manifest


def test_what_is_given_stands_over_the_kind_s_and_the_rest_stays(manifest: Manifest) -> None:
    given = {"title": "CRM, America", "owner": "Sales US", "country": "US", "safeguard": "Adequacy decision"}
    told = particular(manifest, {"manifest": given})
    assert {name: getattr(told, name) for name in given} == given
    assert told.model_dump(exclude=set(given)) == manifest.model_dump(exclude=set(given))


def test_the_kind_s_safeguard_covers_the_kind_s_country_alone(manifest: Manifest) -> None:
    assert particular(manifest, {"manifest": {"title": "CRM"}}).safeguard == manifest.safeguard
    moved = particular(manifest, {"manifest": {"country": "NL"}})
    assert (moved.country, moved.safeguard) == ("NL", None)
    with pytest.raises(BrokenEnrolment, match=r"^settings.toml: \[manifest\] safeguard: IN is outside the European"):
        particular(manifest, {"manifest": {"country": "IN"}})


@pytest.mark.parametrize(
    ("table", "said"),
    [
        ({"country": SECRET}, "settings.toml: [manifest] country: is no ISO 3166-1 code of two capital letters"),
        ({"country": 31}, "settings.toml: [manifest] country: Input should be a valid string"),
        ({"title": ""}, "settings.toml: [manifest] title: String should have at least 1 character"),
        ({"title": SECRET * 9}, "settings.toml: [manifest] title: String should have at most 80 characters"),
        ({"owner": 7}, "settings.toml: [manifest] owner: Input should be a valid string"),
        ({"safeguard": ""}, "settings.toml: [manifest] safeguard: String should have at least 1 character"),
        ({"accepts": ["phone"]}, "settings.toml: [manifest] accepts: cannot differ from the kind's manifest; " + THESE),
        (SECRET, "settings.toml: [manifest]: is a table with title, owner, country and safeguard"),
    ],
)  # fmt: skip
def test_a_mistake_is_told_by_file_and_key_without_its_value(manifest: Manifest, table: Any, said: str) -> None:
    with pytest.raises(BrokenEnrolment) as error:
        particular(manifest, {"manifest": table})
    assert str(error.value) == said


def test_the_processor_does_not_see_the_table(kind: Kind) -> None:
    config = kind.config({"token": "t", "manifest": {"title": "CRM"}})
    assert config.model_dump().keys().isdisjoint({"manifest", "limits"})
    assert kind.particular({"manifest": {"title": "CRM"}}).manifest.title == "CRM"
