"""The pages as people meet them: in a real browser, from the keyboard, on a small screen, a copy from their disk."""

import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.browser.conftest import Watch
from tests.browser.reading import flaws, focused, in_sight, sign_in, wide
from tests.journeys.world import World, wish

if TYPE_CHECKING:
    from playwright.sync_api import Page

# Of the reference one part of each sort: it has dozens that are alike.
SAMPLE = ("nav", "main > section:first-of-type", "[aria-labelledby=states]", "[aria-labelledby=problems]")


@pytest.fixture
def answered(whole: World) -> str:
    """A request for a copy, answered."""
    (request,) = whole.file([wish("access", whole.people(1)[0])])
    whole.wait([request])
    return request


@pytest.fixture
def report(whole: World, answered: str, tmp_path: Path) -> Path:
    """The report of a copy, unpacked beside everything that it links to."""
    saved = whole.habeas.requests.package(answered).save(tmp_path / "copy.zip")
    with zipfile.ZipFile(saved.path) as package:
        package.extractall(tmp_path / "copy")
    return tmp_path / "copy" / "report.html"


@pytest.fixture
def held_up(whole: World) -> Iterator[str]:
    """An erasure that one vendor holds up for as long as the test wants; it is complete behind it."""
    whole.knobs("openai", fail_5xx=1)
    (request,) = whole.erase(whole.people(1))
    yield request
    whole.calm()
    whole.wait([request])


def test_a_request_is_read_without_a_mouse(page: "Page", whole: World, answered: str) -> None:
    sign_in(page, whole, answered)
    page.locator("#shown").wait_for()
    assert page.title() == f"Request {answered} - Habeas"
    assert page.locator("#facts").inner_text().split("\n")[:4] == ["Right", "access", "State", "completed"]
    assert {row.split("\t")[0] for row in page.locator("#tasks tr").all_inner_texts()} == {
        "HubSpot CRM", "S3 object storage", "Stripe payments", "OpenAI API",
    }  # fmt: skip
    assert page.locator("#timeline li").count() > 10
    page.keyboard.press("Shift+Tab")
    assert focused(page) == "API reference"


def test_what_happens_shows_by_itself(page: "Page", whole: World, held_up: str) -> None:
    sign_in(page, whole, held_up)
    page.locator("#facts dt:text-is('State') + dd:text-is('in progress')").wait_for()
    whole.calm()
    page.locator("#facts dt:text-is('State') + dd:text-is('completed')").wait_for()
    assert page.locator("#lines tr").count() > 3


def test_a_key_that_is_none_is_asked_for_again(page: "Page", watch: Watch, whole: World, answered: str) -> None:
    watch.provoked = "status of 401"  # the browser's own line for each call that is refused
    sign_in(page, whole, answered, key="hab_live_mistyped")
    alert = page.get_by_role("alert")
    alert.wait_for()
    assert "key" in alert.inner_text().lower()
    assert focused(page) == "key"
    page.keyboard.type(whole.stack.key)
    page.keyboard.press("Enter")
    page.locator("#shown").wait_for()
    assert alert.count() == 0


def test_a_forgotten_key_is_gone(page: "Page", whole: World, answered: str) -> None:
    sign_in(page, whole, answered)
    button = page.get_by_role("button", name="Forget the key")
    button.wait_for()
    button.focus()
    page.keyboard.press("Space")
    page.locator("#key-form").wait_for()
    assert not page.locator("#shown").is_visible()
    page.reload()
    page.locator("#key-form").wait_for()
    assert page.evaluate("[sessionStorage.length, localStorage.length, document.cookie]") == [0, 0, ""]


def test_each_link_of_the_reference_leads_somewhere(page: "Page", whole: World) -> None:
    page.goto(f"{whole.stack.url}/reference")
    assert page.get_by_role("navigation").get_by_role("link").count() > 20
    nowhere = page.eval_on_selector_all(
        "a[href^='#']", "links => links.map(a => a.hash.slice(1)).filter(id => !document.getElementById(id))"
    )
    assert nowhere == []
    twice = page.evaluate(
        "[...document.querySelectorAll('[id]')].map(one => one.id).filter((id, at, all) => all.indexOf(id) !== at)"
    )
    assert twice == []
    heading = page.get_by_role("heading", name="Problems", exact=True)
    assert not in_sight(heading)
    page.get_by_role("navigation").get_by_role("link", name="Problems", exact=True).press("Enter")
    assert in_sight(heading)


def test_everybody_can_read_them(page: "Page", telephone: "Page", whole: World, answered: str, report: Path) -> None:
    reference = f"{whole.stack.url}/reference"
    page.goto(reference)
    assert flaws(page, within=SAMPLE) == []
    for screen in (page, telephone):
        screen.goto(reference)
        assert not wide(screen)
        screen.goto(f"{whole.stack.url}/requests/{answered}")
        screen.locator("#key-form").wait_for()
        assert (flaws(screen), wide(screen)) == ([], False)
        sign_in(screen, whole, answered)
        screen.locator("#shown").wait_for()
        assert (flaws(screen), wide(screen)) == ([], False)
        screen.goto(report.as_uri())
        assert (flaws(screen), wide(screen)) == ([], False)


def test_what_hinders_somebody_is_found(page: "Page") -> None:
    page.set_content("<p style='width: 3000px; color: #ccc'>Pale</p><input>")
    assert wide(page)
    assert {"color-contrast", "label"} <= {flaw.partition(":")[0] for flaw in flaws(page)}


def test_the_report_of_a_copy_runs_nothing_and_each_link_opens_what_is_in_the_package(
    page: "Page", report: Path
) -> None:
    page.goto(report.as_uri())
    assert page.locator("script").count() == 0
    links = page.eval_on_selector_all("a[href]", "links => links.map(a => a.getAttribute('href'))")
    files = [link for link in links if not link.startswith("#")]
    assert files
    assert [link for link in files if not (report.parent / link).is_file()] == []
