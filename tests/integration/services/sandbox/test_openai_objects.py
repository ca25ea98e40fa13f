"""OpenAI's objects: what is listed, read, changed and deleted, and what can not be listed at all."""

import json
from typing import Any

import httpx
import pytest

from tests.integration.services.sandbox.conftest import Running, until
from tests.plain import HTTP

AUTHORIZED = {"Authorization": "Bearer sandbox-openai-token"}


def ask(sandbox: Running, method: str, path: str, **more: Any) -> httpx.Response:
    headers = AUTHORIZED | more.pop("headers", {})
    return HTTP.request(method, f"{sandbox.url}/openai/v1{path}", headers=headers, **more)


def person(sandbox: Running, oddity: str = "") -> dict[str, Any]:
    return sandbox.odd(oddity)


def ids(answer: httpx.Response) -> list[str]:
    assert answer.status_code == 200, answer.text
    return [one["id"] for one in answer.json()["data"]]


def held(one: dict[str, Any], kind: str) -> str:
    return str(one["openai"][kind][0])


def test_lists_page_by_the_last_id(sandbox: Running) -> None:
    sandbox.people()
    found: list[str] = []
    params: dict[str, Any] = {"limit": 7, "order": "asc"}
    while True:
        page = ask(sandbox, "GET", "/vector_stores", params=params).json()
        assert (page["object"], page["first_id"], page["last_id"]) == (
            "list",
            page["data"][0]["id"],
            page["data"][-1]["id"],
        )
        found += [one["id"] for one in page["data"]]
        if not page["has_more"]:
            break
        params["after"] = page["last_id"]
    whole = ids(ask(sandbox, "GET", "/vector_stores", params={"limit": 100, "order": "asc"}))
    assert found == whole
    assert len(set(found)) == len(found) > 7
    assert ids(ask(sandbox, "GET", "/vector_stores", params={"limit": 100})) == whole[::-1]


@pytest.mark.parametrize("params", [{"limit": 0}, {"limit": 101}, {"limit": "x"}, {"after": "vs_none"}])
def test_a_page_that_can_not_be_is_refused(sandbox: Running, params: dict[str, Any]) -> None:
    answer = ask(sandbox, "GET", "/vector_stores", params=params)
    assert answer.status_code == 400
    assert answer.json()["error"]["type"] == "invalid_request_error"
    assert answer.json()["error"]["param"] in params


def test_completions_alone_are_filtered_by_metadata(sandbox: Running) -> None:
    one = person(sandbox)
    wanted = {"metadata[subject_id]": one["customer_id"]}
    assert ids(ask(sandbox, "GET", "/chat/completions", params=wanted)) == one["openai"]["chat.completion"]
    assert ids(ask(sandbox, "GET", "/chat/completions", params={"metadata[subject_id]": "c-none"})) == []
    assert len(ids(ask(sandbox, "GET", "/vector_stores", params=wanted | {"limit": "100"}))) > 1
    messages = ask(sandbox, "GET", f"/chat/completions/{held(one, 'chat.completion')}/messages").json()["data"]
    assert one["name"] in messages[0]["content"]


@pytest.mark.parametrize("path", ["/responses", "/conversations"])
def test_responses_and_conversations_have_no_list(sandbox: Running, path: str) -> None:
    sandbox.people(1)
    answer = ask(sandbox, "GET", path)
    assert (answer.status_code, answer.json()["error"]["type"]) == (404, "invalid_request_error")


def test_files_have_no_metadata_and_their_bytes_are_handed_out_by_purpose(sandbox: Running) -> None:
    one = person(sandbox)
    files = [ask(sandbox, "GET", f"/files/{file}").json() for file in one["openai"]["file"]]
    assert all("metadata" not in file for file in files)
    by_purpose = {file["purpose"]: file for file in files}
    letter = ask(sandbox, "GET", f"/files/{by_purpose['user_data']['id']}/content")
    assert one["name"] in letter.text
    assert len(letter.content) == by_purpose["user_data"]["bytes"]
    assert ask(sandbox, "GET", f"/files/{by_purpose['assistants']['id']}/content").status_code == 400
    listed = ids(ask(sandbox, "GET", "/files", params={"purpose": "assistants"}))
    assert by_purpose["assistants"]["id"] in listed
    assert by_purpose["user_data"]["id"] not in listed


def test_a_deleted_file_leaves_every_vector_store(sandbox: Running) -> None:
    one = person(sandbox)
    store, file = held(one, "vector_store"), held(one, "file")
    assert file in ids(ask(sandbox, "GET", f"/vector_stores/{store}/files"))
    answer = ask(sandbox, "DELETE", f"/files/{file}")
    assert answer.json() == {"id": file, "object": "file", "deleted": True}
    assert file not in ids(ask(sandbox, "GET", f"/vector_stores/{store}/files"))
    assert ask(sandbox, "GET", f"/vector_stores/{store}/files/{file}").status_code == 404


def test_a_file_taken_out_of_a_store_or_whose_store_goes_stays(sandbox: Running) -> None:
    one = person(sandbox)
    store, (first, second) = held(one, "vector_store"), one["openai"]["file"]
    answer = ask(sandbox, "DELETE", f"/vector_stores/{store}/files/{first}")
    assert answer.json() == {"id": first, "object": "vector_store.file.deleted", "deleted": True}
    assert ask(sandbox, "DELETE", f"/vector_stores/{store}").json()["object"] == "vector_store.deleted"
    assert ask(sandbox, "GET", f"/vector_stores/{store}/files").status_code == 404
    assert all(ask(sandbox, "GET", f"/files/{file}").status_code == 200 for file in (first, second))


def test_a_responses_deletion_answers_nothing(sandbox: Running) -> None:
    one = person(sandbox)
    response = held(one, "response")
    assert len(ids(ask(sandbox, "GET", f"/responses/{response}/input_items"))) == 1
    answer = ask(sandbox, "DELETE", f"/responses/{response}")
    assert (answer.status_code, answer.content) == (200, b"")
    assert ask(sandbox, "GET", f"/responses/{response}").status_code == 404


def test_the_items_of_a_deleted_conversation_are_still_there_and_still_remain(sandbox: Running) -> None:
    one = person(sandbox)
    conversation, before = held(one, "conversation"), sandbox.remains(one["customer_id"])["openai"]
    answer = ask(sandbox, "DELETE", f"/conversations/{conversation}")
    assert answer.json() == {"id": conversation, "object": "conversation.deleted", "deleted": True}
    assert ask(sandbox, "GET", f"/conversations/{conversation}").status_code == 404
    assert sandbox.remains(one["customer_id"])["openai"] == before - 1
    items = ids(ask(sandbox, "GET", f"/conversations/{conversation}/items"))
    assert len(items) == 3
    for item in items:
        assert ask(sandbox, "GET", f"/conversations/{conversation}/items/{item}").status_code == 200
        answer = ask(sandbox, "DELETE", f"/conversations/{conversation}/items/{item}")
        assert (answer.json()["id"], answer.json()["object"]) == (conversation, "conversation")
    assert ask(sandbox, "GET", f"/conversations/{conversation}/items").status_code == 404
    assert sandbox.remains(one["customer_id"])["openai"] == before - 4


@pytest.mark.parametrize(
    ("kind", "path"),
    [
        ("vector_store", "/vector_stores"),
        ("chat.completion", "/chat/completions"),
        ("conversation", "/conversations"),
    ],
)
def test_metadata_can_be_changed_and_nothing_else(sandbox: Running, kind: str, path: str) -> None:
    one = person(sandbox)
    place = f"{path}/{held(one, kind)}"
    assert ask(sandbox, "POST", place, json={"metadata": {"a": "b"}}).json()["metadata"] == {"a": "b"}
    assert ask(sandbox, "GET", place).json()["metadata"] == {"a": "b"}
    malformed: list[Any] = [{"a": 1}, {"k" * 65: "v"}, {"k": "v" * 513}, {str(n): "v" for n in range(17)}, [], None]
    for bad in malformed:
        assert ask(sandbox, "POST", place, json={"metadata": bad}).status_code == 400


def test_attributes_belong_to_the_entry(sandbox: Running) -> None:
    one = person(sandbox)
    place = f"/vector_stores/{held(one, 'vector_store')}/files/{held(one, 'file')}"
    assert ask(sandbox, "GET", place).json()["attributes"] == {"subject_id": one["customer_id"]}
    assert ask(sandbox, "POST", place, json={"attributes": {"a": "b"}}).json()["attributes"] == {"a": "b"}


def test_an_unknown_id_is_not_found_in_the_vendors_words(sandbox: Running) -> None:
    answer = ask(sandbox, "GET", "/files/file-none")
    assert answer.status_code == 404
    assert set(answer.json()["error"]) == {"message", "type", "param", "code"}


def test_the_ledger_says_what_was_done_to_whom_and_repeats_change_nothing(sandbox: Running) -> None:
    one = person(sandbox)
    conversation = held(one, "conversation")
    item = ids(ask(sandbox, "GET", f"/conversations/{conversation}/items"))[0]
    for path in (f"/conversations/{conversation}/items/{item}", f"/files/{held(one, 'file')}"):
        assert ask(sandbox, "DELETE", path, headers={"Idempotency-Key": "k-1"}).status_code == 200
        assert ask(sandbox, "DELETE", path).status_code == 404
    assert ask(sandbox, "DELETE", "/files/file-none").status_code == 404
    lines = [(one["effect"], one["changed"]) for one in sandbox.effects("openai")]
    assert lines == [
        ("conversation_item.delete", True),
        ("conversation_item.delete", False),
        ("file.delete", True),
        ("file.delete", False),
    ]
    assert {line["person"] for line in sandbox.effects("openai")} == {one["customer_id"]}
    assert sandbox.effects("openai")[0]["target"] == f"{conversation}/{item}"
    assert sandbox.effects("openai")[0]["key"] == "k-1"


def test_the_applications_list_names_what_the_vendor_can_not_list(sandbox: Running) -> None:
    people = sandbox.people()
    path = sandbox.folder / "application" / "openai-ids.jsonl"
    lines = [json.loads(line) for line in path.read_text().splitlines()]
    wanted = [
        {"subject": one["customer_id"], "object": kind, "id": thing}
        for one in people
        for kind in ("conversation", "response")
        for thing in one["openai"][kind]
    ]
    assert wanted
    assert sorted(lines, key=str) == sorted(wanted, key=str)
    sandbox.control.post("/reset")
    assert path.read_text() == ""


def test_everybody_is_the_same_again_and_the_digest_notices_a_change(sandbox: Running) -> None:
    first = [one["openai"] for one in sandbox.people(25, seed=5)]
    sandbox.control.post("/reset")
    people = sandbox.people(25, seed=5)
    assert [one["openai"] for one in people] == first
    digest = sandbox.digest()
    one = next(each for each in people if each["openai"]["conversation"])
    ask(sandbox, "POST", f"/conversations/{held(one, 'conversation')}", json={"metadata": {}})
    assert sandbox.digest() != digest
    without = sandbox.digest(one["customer_id"])
    ask(sandbox, "DELETE", f"/conversations/{held(one, 'conversation')}")
    assert sandbox.digest(one["customer_id"]) == without


def test_what_lies_in_a_shared_store_is_its_persons_and_not_the_teams(sandbox: Running) -> None:
    one = person(sandbox, "object with three versions")
    shared = [
        file["id"]
        for file in ask(sandbox, "GET", "/vector_stores/vs_team/files").json()["data"]
        if file["attributes"] == {"subject_id": one["customer_id"]}
    ]
    before, left = sandbox.digest(one["customer_id"]), sandbox.remains(one["customer_id"])["openai"]
    ask(sandbox, "DELETE", f"/files/{shared[0]}")
    assert sandbox.digest(one["customer_id"]) == before
    assert sandbox.remains(one["customer_id"])["openai"] == left - 2  # the file and its entry


def test_the_key_opens_and_organization_and_project_must_be_its_own(sandbox: Running) -> None:
    for headers, code in (
        ({"Authorization": "Bearer wrong"}, "invalid_api_key"),
        ({"OpenAI-Organization": "org-other"}, "mismatched_organization"),
        ({"OpenAI-Project": "proj_other"}, "mismatched_project"),
    ):
        answer = ask(sandbox, "GET", "/files", headers=headers)
        assert (answer.status_code, answer.json()["error"]["code"]) == (401, code)
    own = {"OpenAI-Organization": "org-sandbox", "OpenAI-Project": "proj_sandbox"}
    assert ask(sandbox, "GET", "/files", headers=own).status_code == 200
    until(lambda: sandbox.effects("openai") == [])
