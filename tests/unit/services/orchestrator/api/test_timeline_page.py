"""The page of a request shows what the API says of it, as text; its script runs in Node over a stub of a document."""

import json
import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest

import services.orchestrator.api

NODE = shutil.which("node")
PAGES = Path(services.orchestrator.api.__file__).with_name("pages")
HTML = (PAGES / "timeline.html").read_text(encoding="utf-8")
HIDDEN = {
    one["id"]: bool(one["hidden"])
    for one in re.finditer(r'<[^>]*\bid="(?P<id>[^"]+)"[^>]*?(?P<hidden> hidden)?>', HTML)
}
REQUEST = "req_01M7W4N5E0G99V3VSB6FYK3A4N"
BASE = f"/v1/requests/{REQUEST}"
WICKED = "<img src=x onerror=alert(1)>"
AT = "2026-11-20T09:30:00Z"

pytestmark = pytest.mark.skipif(NODE is None, reason="NODE IS NOT INSTALLED: the page of a request is not run here")


def ok(body: Any) -> dict[str, Any]:
    return {"status": 200, "body": body}


def page(*entries: Any, cursor: str | None = None) -> dict[str, Any]:
    return ok({"data": entries, "next_cursor": cursor})


def problem(status: int, detail: str) -> dict[str, Any]:
    return {"status": status, "body": {"detail": detail}}


def request(**changes: Any) -> dict[str, Any]:
    shown = {
        "right": "erasure", "state": "in_progress", "outcome": None, "due_on": "2026-12-21", "overdue": False,
        "received_at": AT, "completed_at": None, "informed_at": None, "attention": None, "follows": None, "cause": None,
        "task_counts": {"settled": 1, "total": 2},
    }  # fmt: skip
    return ok({**shown, **changes})


def task(title: str, **changes: Any) -> dict[str, Any]:
    shown = {"processor": "crm-eu", "action": "erase", "state": "dispatched", "attention": None, "outcome": None}
    return {**shown, "processor_title": title, "settled_at": None, **changes}


def fact(kind: str, **changes: Any) -> dict[str, Any]:
    return {"type": kind, "at": AT, "processor": None, "detail": {}, **changes}


def answers(*tasks: Any, facts: tuple[Any, ...] = (), **changes: Any) -> dict[str, Any]:
    return {BASE: request(**changes), f"{BASE}/tasks": page(*tasks), f"{BASE}/timeline": page(*facts)}


def shown(answered: dict[str, Any], *, key: str = "hab_test_key", typed: str = "") -> dict[str, Any]:
    """Return what is to be seen once the script has run."""
    assert NODE is not None
    script = (PAGES / "timeline.js").read_text(encoding="utf-8")
    asked = {"script": script, "hidden": HIDDEN, "path": f"/requests/{REQUEST}", "key": key, "typed": typed}
    done = subprocess.run(
        [NODE, Path(__file__).with_name("stub_page.mjs")],
        input=json.dumps({**asked, "answers": answered}), capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    found: dict[str, Any] = json.loads(done.stdout)
    return found


def visible(seen: dict[str, Any]) -> set[str]:
    return {name for name in ("key-form", "problem", "shown") if not seen["elements"][name]["hidden"]}


def rows(seen: dict[str, Any], name: str) -> list[list[str]]:
    return [[cell["text"] for cell in row["children"]] for row in seen["elements"][name]["children"]]


def facts(seen: dict[str, Any]) -> dict[str, str]:
    texts = [one["text"] for one in seen["elements"]["facts"]["children"]]
    return dict(zip(texts[::2], texts[1::2], strict=True))


def test_tables_and_timeline_are_filled() -> None:
    kept = {"category": "invoices", "disposition": "retained", "count": 2, "checked": "verified", "ground": "tax_law"}
    line = {**kept, "until": "2034-01-01", "reason": None}
    seen = shown(
        answers(
            task("HubSpot CRM", state="settled", outcome={"headline": "fulfilled"}, settled_at=AT),
            task("OpenAI", attention={"reason": "credentials_rejected"}),
            facts=(fact("request.received"), fact("task.settled", processor="ai", detail={"headline": "fulfilled"})),
            state="completed", outcome={"headline": "fulfilled_with_retention", "lines": [line]}, completed_at=AT,
        )
    )  # fmt: skip
    assert visible(seen) == {"shown"}
    assert (seen["elements"]["request-id"]["text"], seen["title"]) == (REQUEST, f"Request {REQUEST} - Habeas")
    assert facts(seen)["Outcome"] == "fulfilled with retention"
    assert (facts(seen)["Person told"], facts(seen)["Tasks"]) == ("not yet", "1 of 2 settled")
    assert rows(seen, "lines") == [["invoices", "retained", "2", "verified", "tax law, until 2034-01-01"]]
    assert [row[:4] for row in rows(seen, "tasks")] == [
        ["HubSpot CRM", "erase", "settled", "fulfilled"],
        ["OpenAI", "erase", "needs a person: credentials rejected", ""],
    ]
    timeline = [entry["children"][1:] for entry in seen["elements"]["timeline"]["children"]]
    assert [entry[0]["text"] for entry in timeline] == ["request: received", "task: settled"]
    assert timeline[1][1] == " - ai, fulfilled"


def test_what_goes_on_is_asked_again_and_what_is_over_is_not() -> None:
    assert shown(answers())["polls"] == 1
    assert shown(answers(state="completed"))["polls"] == 0


def test_every_page_of_a_long_timeline_is_read_with_the_key() -> None:
    answered = answers()
    answered[f"{BASE}/timeline"] = page(fact("request.received"), cursor="a+b")
    answered[f"{BASE}/timeline?cursor=a%2Bb"] = page(fact("request.completed"))
    seen = shown(answered)
    assert len(seen["elements"]["timeline"]["children"]) == 2
    assert {one["authorization"] for one in seen["sent"]} == {"Bearer hab_test_key"}


def test_without_a_key_one_is_asked_for_and_nothing_is_sent() -> None:
    seen = shown(answers(), key="")
    assert (visible(seen), seen["sent"], seen["elements"]["key"]["focused"]) == ({"key-form"}, [], True)
    typed = shown(answers(), key="", typed="  hab_test_key ")
    assert (visible(typed), typed["kept"]) == ({"shown"}, ["hab_test_key"])


@pytest.mark.parametrize(("status", "said"), [(401, "This key is unknown."), (404, "There is no such request.")])
def test_a_refused_key_and_an_unknown_request_are_said_and_another_key_can_be_given(status: int, said: str) -> None:
    unknown = dict.fromkeys(answers(), problem(status, said))
    seen = shown(unknown)
    assert visible(seen) == {"key-form", "problem"}
    assert (seen["elements"]["problem"]["text"], seen["polls"]) == (said, 0)


def test_a_service_that_is_away_is_asked_again() -> None:
    seen = shown({})
    assert seen["elements"]["problem"]["text"] == "The service cannot be reached; trying again."
    assert seen["polls"] == 1


def test_what_somebody_typed_stays_text() -> None:
    line = {"category": WICKED, "disposition": "failed", "count": 1, "checked": "verified"}
    seen = shown(
        answers(
            task(WICKED, attention={"reason": WICKED}),
            facts=(fact(WICKED, processor=WICKED, detail={"reason": WICKED}),),
            outcome={"headline": WICKED, "lines": [{**line, "ground": WICKED, "until": None, "reason": None}]},
            attention={"reason": WICKED, "processor": WICKED},
            follows=WICKED, cause=WICKED,
        )
    )  # fmt: skip
    assert set(seen["made"]) == {"dt", "dd", "tr", "td", "li", "time", "strong"}
    for name in ("attention", "facts", "lines", "tasks", "timeline"):
        assert WICKED in seen["elements"][name]["text"]
    assert not re.search(
        "innerHTML|outerHTML|insertAdjacent|document.write|eval|Function", (PAGES / "timeline.js").read_text()
    )
