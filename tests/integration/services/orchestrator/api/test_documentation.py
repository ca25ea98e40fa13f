"""The documentation is complete, works as written and needs no other machine."""

import ast
import re
from pathlib import Path

import httpx
import jsonschema
import pytest

import services.orchestrator
from habeas.vocabulary import AttentionReason, Cause, Headline, RequestState, TaskState
from services.orchestrator.api import meanings
from services.orchestrator.api.application import OPERATIONS
from services.orchestrator.api.openapi import codes_of, document
from services.orchestrator.api.problems import KINDS
from services.orchestrator.api.routing import Operation
from tests.integration.services.orchestrator.conftest import Api

SOURCE = Path(services.orchestrator.__file__).parent
DOCUMENT = document(OPERATIONS, version="1")


async def test_the_document_is_served_to_everyone(api: Api) -> None:
    async with api.client() as nobody:
        answer = await nobody.get("/openapi.json")
    assert answer.json() == DOCUMENT
    assert DOCUMENT["openapi"].startswith("3.1")
    names = [one["operationId"] for path in DOCUMENT["paths"].values() for one in path.values()]
    assert len(names) == len(set(names)) == len(OPERATIONS)


def test_every_reference_in_the_document_leads_somewhere() -> None:
    for name in re.findall(r"'#/components/schemas/([^']+)'", str(DOCUMENT)):
        assert name in DOCUMENT["components"]["schemas"]
    for schema in DOCUMENT["components"]["schemas"].values():
        jsonschema.Draft202012Validator.check_schema(schema)


@pytest.mark.parametrize("operation", [one for one in OPERATIONS if one.example is not None], ids=lambda one: one.name)
def test_an_example_fits_its_schema(operation: Operation) -> None:
    entry = DOCUMENT["paths"][operation.path][operation.method.lower()]["requestBody"]["content"]["application/json"]
    schema = {**entry["schema"], "components": DOCUMENT["components"]}
    assert entry["examples"].keys() == operation.examples.keys()
    for example in entry["examples"].values():
        jsonschema.Draft202012Validator(schema).validate(example["value"])


def test_every_operation_with_a_body_shows_an_example_and_every_one_says_what_it_does() -> None:
    for operation in OPERATIONS:
        assert operation.description.endswith("."), operation.name
        assert (operation.body is None) == (operation.example is None), operation.name


def test_every_code_that_can_be_raised_is_documented_and_no_other() -> None:
    raised = {code for file in SOURCE.rglob("*.py") for code in _codes(ast.parse(file.read_text(encoding="utf-8")))}
    assert raised <= KINDS.keys()
    documented = {code for operation in OPERATIONS for code in codes_of(operation)}
    assert documented <= KINDS.keys()
    assert KINDS.keys() - documented <= {"method_not_allowed", "not_allowed"}
    assert KINDS.keys() - raised <= {"not_allowed"}


def _codes(tree: ast.Module) -> set[str]:
    """The first arguments of what becomes a problem."""
    raisers = {"ProblemRaised", "NotAllowed", "Unacceptable", "Unauthenticated"}
    found = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in raisers:
            first = node.args[0]
            if isinstance(first, ast.Constant) and isinstance(first.value, str):
                found.add(first.value)
    return found


def test_every_state_and_word_is_explained() -> None:
    assert meanings.REQUEST_STATES.keys() == set(RequestState)
    assert meanings.TASK_STATES.keys() == set(TaskState)
    assert meanings.HEADLINES.keys() == set(Headline)
    assert meanings.ATTENTION.keys() == set(AttentionReason)
    assert meanings.CAUSES.keys() == set(Cause)


@pytest.mark.parametrize("path", ["/reference", "/requests/req_01J00000000000000000000000", "/requests/nonsense9"])
async def test_a_page_needs_nothing_but_this_server(api: Api, path: str) -> None:
    async with api.client() as nobody:
        answer = await nobody.get(path)
    assert answer.status_code == 200
    assert answer.headers["content-type"] == "text/html; charset=utf-8"
    policy = answer.headers["content-security-policy"]
    assert "default-src 'none'" in policy
    assert "unsafe" not in policy
    assert not re.search(r"(?:src|href)=.(?:https?:)?//|@import|url\(", answer.text)
    assert not re.search(r"\son\w+=|style=", answer.text)  # the policy would block them
    assert "nonsense9" not in answer.text  # nothing of the address is written into the page
    assert '<html lang="en">' in answer.text
    assert "prefers-color-scheme" in answer.text
    assert 'name="viewport"' in answer.text


async def test_the_reference_explains_every_operation_and_code_where_a_problem_points(
    api: Api, caller: httpx.AsyncClient
) -> None:
    page = (await caller.get("/reference")).text
    for operation in OPERATIONS:
        assert f'id="{operation.name}"' in page
    for code in KINDS:
        assert f'id="{code}"' in page
    problem = (await caller.get("/v1/requests/req_1")).json()
    assert problem["type"] == "/reference#not_found"
    for link in re.findall(r'href="#([^"]+)"', page):
        assert f'id="{link}"' in page, link


async def test_health_and_metrics_are_there_and_the_metrics_name_routes_not_ids(
    api: Api, caller: httpx.AsyncClient
) -> None:
    await caller.get("/v1/requests/req_01J00000000000000000000009")
    await caller.request("BREW", "/v1/requests/req_01J00000000000000000000009/tea")
    assert (await caller.get("/healthz/ready")).json()["parts"] == {"postgres": "ok"}
    assert (await caller.get("/healthz/live")).status_code == 200
    text = (await caller.get("/metrics")).text
    assert 'route="/v1/requests/{request_id}",status="404"' in text
    assert 'method="other",route="unmatched"' in text
    assert "req_" not in text
