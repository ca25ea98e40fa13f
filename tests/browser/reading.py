"""How a test reads a page: by keyboard, with the eyes of a checker for accessibility."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from axe_playwright_python.sync_playwright import Axe

from tests.journeys.world import World

if TYPE_CHECKING:
    from playwright.sync_api import Locator, Page

# What WCAG 2.2 asks for on levels A and AA, as far as a machine can tell, and what is good practice beside it.
RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]


def sign_in(page: "Page", whole: World, request: str, key: str | None = None) -> None:
    """Open a request's page and give it a key, by keyboard alone: the field has the focus from the start."""
    page.goto(f"{whole.stack.url}/requests/{request}")
    page.locator("#key-form").wait_for()
    page.keyboard.type(key or whole.stack.key)
    page.keyboard.press("Enter")


def focused(page: "Page") -> str:
    """Return what has the focus: its id, or its text where it has none."""
    return str(page.evaluate("document.activeElement.id || document.activeElement.textContent"))


def in_sight(what: "Locator") -> bool:
    """Whether it stands within the window, as far as it is scrolled now."""
    top, bottom, height = what.evaluate(
        "it => { const { top, bottom } = it.getBoundingClientRect(); return [top, bottom, innerHeight] }"
    )
    return bool(round(top) >= 0 and round(bottom) <= height)  # a browser scrolls by whole pixels


def wide(page: "Page") -> bool:
    """Whether one has to scroll sideways to read the page."""
    return bool(page.evaluate("document.documentElement.scrollWidth > document.documentElement.clientWidth"))


def flaws(page: "Page", *, within: Sequence[str] = ("html",)) -> list[str]:
    """Return what hinders people who cannot see the page or use no mouse: each rule that is broken, and where.

    `within` (CSS selectors) leaves the rest out: a long page of parts that are all alike takes half a minute.
    """
    context = {"include": [[one] for one in within]}
    found = Axe().run(page, context, options={"runOnly": RULES}).response["violations"]
    return [f"{one['id']}: {', '.join(node['html'][:80] for node in one['nodes'])}" for one in found]
