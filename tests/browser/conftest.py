"""One Chromium and one stack for a module's pages, and a watch over each page: no complaint, nothing from elsewhere."""

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import pytest

from tests.journeys.world import World, world

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
# What a fresh browser does by itself: none of it belongs on a network while pages are looked at.
QUIET = ("--disable-background-networking", "--disable-component-update", "--disable-sync", "--no-first-run")
LAPTOP, TELEPHONE = {"width": 1280, "height": 800}, {"width": 360, "height": 740}
WITHIN = 180_000.0  # milliseconds that a page has to come to what a test waits for, on a busy machine


@dataclass(slots=True)
class Watch:
    """What went wrong on a page while a test looked at it."""

    here: str
    provoked: str | None = None  # what a complaint that the test itself provokes speaks of
    complaints: list[str] = field(default_factory=list)
    elsewhere: list[str] = field(default_factory=list)

    def surprises(self) -> list[str]:
        """Return the complaints that the test did not provoke."""
        return [told for told in self.complaints if self.provoked is None or self.provoked not in told]

    def over(self, page: "Page") -> "Page":
        """Listen to `page` from now on."""
        page.on("console", lambda told: self.complaints.append(told.text) if told.type != "log" else None)
        page.on("pageerror", lambda error: self.complaints.append(error.message))
        page.on("request", lambda asked: self._asked(asked.url))
        return page

    def _asked(self, url: str) -> None:
        place = urlsplit(url)
        if place.scheme not in {"file", "data"} and place.netloc != urlsplit(self.here).netloc:
            self.elsewhere.append(url)


@pytest.fixture(scope="module")
def chromium() -> Iterator["Browser"]:
    """Its driver's loop runs in this thread until the fixture ends: no test that awaits may come between."""
    if CHROMIUM is None:
        pytest.skip("CHROMIUM IS NOT INSTALLED: no page is looked at here (Debian, Ubuntu: apt-get install chromium)")
    from playwright.sync_api import sync_playwright  # noqa: PLC0415 (starts a driver: only with a browser)

    with sync_playwright() as driver:
        rooted = os.geteuid() == 0  # as root Chromium has no sandbox
        browser = driver.chromium.launch(executable_path=CHROMIUM, chromium_sandbox=not rooted, args=[*QUIET])
        yield browser
        browser.close()


@pytest.fixture(scope="module")
def whole(chromium: "Browser", tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    with world(tmp_path_factory.mktemp("stack")) as one:
        yield one


@pytest.fixture
def watch(whole: World) -> Iterator[Watch]:
    one = Watch(whole.stack.url)
    yield one
    assert one.surprises() == []
    assert one.elsewhere == []


@contextmanager
def opened(chromium: "Browser", watch: Watch, **kind: Any) -> Iterator["Page"]:
    """Open an empty page of a browser that nobody used before, and watch over it."""
    with chromium.new_context(**kind) as context:
        context.set_default_timeout(WITHIN)
        yield watch.over(context.new_page())


@pytest.fixture
def page(chromium: "Browser", watch: Watch) -> Iterator["Page"]:
    with opened(chromium, watch, viewport=LAPTOP, locale="en-GB", timezone_id="Europe/Amsterdam") as one:
        yield one


@pytest.fixture
def telephone(chromium: "Browser", watch: Watch) -> Iterator["Page"]:
    """The same on a small screen, in the dark."""
    with opened(chromium, watch, viewport=TELEPHONE, color_scheme="dark") as one:
        yield one
