"""The page of a kept answer on a real graph: compared, then and now, and decided, by keyboard and without script."""

import asyncio
import json
import os
import socket
import threading
import time
import urllib.error
import urllib.request
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import uvicorn
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, BrowserContext, Page, sync_playwright

from mentorgraph.api import why_now
from mentorgraph.api.app import app_of
from mentorgraph.api.context import Service, recommender_on
from mentorgraph.api.limits import Limits
from mentorgraph.graph.decisions.log import DecisionLog
from mentorgraph.graph.embedded.database import EmbeddedDatabase
from mentorgraph.graph.embedded.progress import Report
from mentorgraph.graph.ranking.matching import Recommender

from .conftest import connected, fill
from .test_overrides import END, LIST, MENTORS, OVERRIDE, SKILLED
from .test_pairings import ERRORS, REGISTER
from .test_why_in_a_browser import CHROMIUM, chromium_or_skip, troubles_of

pytestmark = pytest.mark.journey

WAIT_S = 60
TRIES = 5
JSON = "application/json"


@dataclass
class Site:
    """The real application on a database, and what it knows of Bo and three mentors.

    Attributes:
        address: Where it is.
        bo: Global id of the mentee.
        ids: Name of a mentor → id of the recommendation that was answered.
    """

    address: str
    bo: str = ""
    ids: dict[str, str] | None = None

    def ask(self, query: str, **variables: Any) -> dict[str, Any]:
        """The data of an answer; a question, which changes nothing, is asked again where it took too long."""
        body, headers = json.dumps({"query": query, "variables": variables}).encode(), {"Content-Type": JSON}
        request = urllib.request.Request(f"{self.address}/graphql", body, headers)  # noqa: S310
        for attempt in range(TRIES):
            try:
                with urllib.request.urlopen(request, timeout=WAIT_S) as answer:  # noqa: S310
                    found: dict[str, Any] = json.load(answer)
                break
            except urllib.error.HTTPError as error:
                if error.code != 504 or attempt + 1 == TRIES or "mutation" in query:
                    raise
        assert "errors" not in found, found["errors"]
        return dict(found["data"])

    def tell(self, mutation: str, **input: Any) -> dict[str, Any]:
        """The payload of a mutation."""
        payload: dict[str, Any] = self.ask(mutation, input=input)["told"]
        assert payload["userErrors"] == []
        return payload

    def why(self, name: str = "Ada", query: str = "") -> str:
        """Address of the page of a mentor."""
        return f"{self.address}/why/{(self.ids or {})[name]}{query}"

    def decided(self) -> list[tuple[str, str, bool]]:
        """What was decided for Bo."""
        edges = self.ask(LIST, id=self.bo)["overrides"]["edges"]
        return [(each["node"]["action"], each["node"]["mentor"]["name"], each["node"]["isInForce"]) for each in edges]

    def undo(self) -> None:
        """Ends all that holds."""
        query = "query ($id: ID!) { overrides(menteeId: $id, isInForce: true) { edges { node { id } } } }"
        for edge in self.ask(query, id=self.bo)["overrides"]["edges"]:
            self.tell(END, overrideId=edge["node"]["id"], note="The test is over.")


@pytest.fixture(scope="module")
def site(server: EmbeddedDatabase, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    chromium_or_skip(CHROMIUM, os.environ)
    asyncio.run(fill(server, None))
    patience = pytest.MonkeyPatch()
    patience.setattr(why_now, "CHANGE_PATIENCE_S", WAIT_S)

    @asynccontextmanager
    async def opening(_report: Report) -> AsyncIterator[Recommender]:
        async with connected(server) as database:
            yield await recommender_on(database)

    app = app_of(Service(opening), DecisionLog(tmp_path_factory.mktemp("log")), Limits(execution_s=WAIT_S))
    with socket.create_server(("127.0.0.1", 0)) as listener:
        running = uvicorn.Server(uvicorn.Config(app, log_level="warning", ws="none"))
        thread = threading.Thread(target=running.run, kwargs={"sockets": [listener]})
        thread.start()
        found = Site(f"http://127.0.0.1:{listener.getsockname()[1]}")
        deadline = time.monotonic() + WAIT_S
        while not _is_ready(found.address):
            assert time.monotonic() < deadline
            time.sleep(0.1)
        _populate(found)
        yield found
        running.should_exit = True
        thread.join()
    patience.undo()


def _is_ready(address: str) -> bool:
    try:
        with urllib.request.urlopen(f"{address}/readyz", timeout=WAIT_S) as answer:  # noqa: S310
            return bool(answer.status == 200)
    except OSError:
        return False


def _populate(site: Site) -> None:
    propose = (
        f"mutation ($input: ProposeSkillInput!) {{ told: proposeSkill(input: $input) {{ skill {{ id }} {ERRORS} }} }}"
    )
    skills = [{"skillId": site.tell(propose, name=name)["skill"]["id"]} for name in ("Go", "SQL", "CSS")]
    agreed = {"consents": ["MATCHING"], "consentTextVersion": "1"}
    for place, name in enumerate(SKILLED):
        site.tell(REGISTER, name=name, roles=["MENTOR"], offers=skills[place:], **agreed)
    site.bo = site.tell(REGISTER, name="Bo", roles=["MENTEE"], wants=skills, **agreed)["person"]["id"]
    site.tell(REGISTER, name="Eli", roles=["MENTEE"], **agreed)
    edges = site.ask(MENTORS, id=site.bo, first=5)["recommendMentors"]["edges"]
    site.ids = {edge["node"]["mentor"]["name"]: edge["node"]["id"] for edge in edges}
    assert list(site.ids) == list(SKILLED)


@pytest.fixture(scope="module")
def browser(site: Site) -> Iterator[Browser]:
    with sync_playwright() as playwright:
        arguments = ["--no-sandbox"] if os.geteuid() == 0 else []
        launched = playwright.chromium.launch(executable_path=CHROMIUM, args=arguments)
        yield launched
        launched.close()


@pytest.fixture
def context(browser: Browser, site: Site) -> Iterator[BrowserContext]:
    opened = browser.new_context(viewport={"width": 1280, "height": 1000})
    opened.set_default_timeout(WAIT_S * 1000)
    yield opened
    opened.close()
    site.undo()


def violations(page: Page) -> list[str]:
    """What keeps people from using a page, by axe-core: rule and element."""
    found = Axe().run(page).response["violations"]
    return [f"{each['id']}: {node['html'][:120]}" for each in found for node in each["nodes"]]


def fill_in(page: Page, **told: str) -> None:
    form = page.locator("form:has(select[name=action])")
    form.locator("[name=action]").select_option(told.get("action", "pin"))
    form.locator("[name=reason]").select_option(told.get("reason", "asked_for"))
    form.locator("[name=note]").fill(told.get("note", "Bo asked for it."))
    for name in ("mentor", "until"):
        form.locator(f"[name={name}]").fill(told.get(name, ""))
    form.locator("button").click()


def test_a_coordinator_pins_and_ends_it_on_the_page(context: BrowserContext, site: Site) -> None:
    page = context.new_page()
    troubles = troubles_of(page)
    page.goto(site.why("Cal"))
    fill_in(page, until="2190-01-01")
    page.wait_for_selector(".decided li")
    assert page.url == f"{site.why('Cal')}#decided"
    assert page.locator(".decided strong").inner_text() == "Pinned: Cal"
    assert "By a coordinator on" in page.locator(".decided .quiet").first.inner_text()
    assert site.decided() == [("PIN", "Cal", True)]
    page.reload()
    assert site.decided() == [("PIN", "Cal", True)]
    assert page.locator(".score strong").inner_text() == page.locator("ol.list a[aria-current] .number").inner_text()
    end = page.locator(".decided form")
    end.locator("[name=note]").fill("It was a mistake.")
    end.locator("button").click()
    page.wait_for_selector(".decided .ended")
    assert site.decided() == [("PIN", "Cal", False)]
    assert "Ended: It was a mistake." in page.locator(".decided").inner_text()
    assert troubles == []


def test_what_is_wrong_is_said_and_what_was_filled_in_stays(context: BrowserContext, site: Site) -> None:
    page = context.new_page()
    before = site.decided()
    page.goto(site.why())
    fill_in(page, action="swap", mentor="Nobody Known", note="A <b>bold</b> step.")
    alert = page.locator("[role=alert]")
    assert alert.locator("li").all_inner_texts() == ["Nobody has the id or the name Nobody Known."]
    form = page.locator("form:has(select[name=action])")
    assert form.locator("[name=action]").input_value() == "swap"
    assert form.locator("[name=note]").input_value() == "A <b>bold</b> step."
    fill_in(page, action="pin")
    assert alert.locator("li").all_inner_texts() == ["Until '': is missing; say until when it holds."]
    assert violations(page) == []
    assert site.decided() == before


def test_everything_can_be_asked_and_decided_without_script_by_keyboard(browser: Browser, site: Site) -> None:
    context = browser.new_context(java_script_enabled=False, viewport={"width": 1280, "height": 1000})
    context.set_default_timeout(WAIT_S * 1000)
    page = context.new_page()
    page.goto(site.why())
    page.locator("[name=other]").focus()
    page.keyboard.type("2.")
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    page.wait_for_selector("table.compared")
    cells = page.locator("table.compared tbody td:nth-child(4)").all_inner_texts()
    total = page.locator("table.compared tfoot td:nth-child(4)").inner_text()
    assert sum(map(float, cells)) == pytest.approx(float(total), abs=1e-5)
    assert float(total) > 0
    page.locator("a.button").focus()
    page.keyboard.press("Enter")
    page.wait_for_selector("table.then-and-now")
    assert page.locator("table.then-and-now tbody th").all_inner_texts() == list(SKILLED)
    page.locator("[name=why_not]").focus()
    page.keyboard.type("Eli")
    page.keyboard.press("Enter")
    page.wait_for_selector(".blockers")
    assert page.locator(".blockers li").all_inner_texts()[0].startswith("NOT_A_MENTOR: ")
    page.locator("[name=why_not]").fill("Nobody Known")
    page.keyboard.press("Enter")
    page.wait_for_selector("[role=alert]")
    assert page.locator("[role=alert]").inner_text() == "Nobody has the id or the name Nobody Known."
    page.locator("[name=change]").fill("Cal")
    page.locator("[name=top]").fill("2")
    page.keyboard.press("Enter")
    page.wait_for_url("**change=Cal**")
    assert page.locator("section:has(#takes) p").last.inner_text() == "Cal would have rank 2 with this:"
    changes = page.locator(".takes li").all_inner_texts()
    assert sorted(changes) == ["the mentor: offer Go at level 3", "the mentor: offer SQL at level 3"]
    page.goto(site.why(query="?language=de&change=Cal&top=2"))
    changes = page.locator(".takes li").all_inner_texts()
    assert sorted(changes) == ["Mentor: Go auf Niveau 3 anbieten", "Mentor: SQL auf Niveau 3 anbieten"]
    page.goto(site.why(query="?change=Cal&top=51"))
    assert page.locator("[role=alert]").inner_text() == "TopK is 51; ask for 1 to 50."
    page.goto(site.why(query="?language=de&why_not=Eli"))
    assert page.locator(".blockers li").all_inner_texts()[0] == (
        "NOT_A_MENTOR: hat derzeit keine Rolle als Mentor; die Rolle als Mentor geben"
    )
    page.goto(site.why())
    page.locator("form:has(select[name=action]) [name=action]").focus()
    page.keyboard.type("Forbid")
    page.keyboard.press("Tab")
    page.keyboard.press("Tab")
    page.keyboard.type("01012190")
    page.locator("form:has(select[name=action]) [name=reason]").focus()
    page.keyboard.type("Conflict")
    page.keyboard.press("Tab")
    page.keyboard.type("They are married.")
    for _ in range(3):
        page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    page.wait_for_selector(".decided li")
    assert ("FORBID", "Ada", True) in site.decided()
    page.goto(site.why(query="?now=1"))
    row = page.locator("table.then-and-now tbody tr").first.inner_text()
    assert "FORBIDDEN_BY_COORDINATOR" in row
    assert "overrides" in page.locator(".changes").inner_text()
    context.close()
    site.undo()


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_nothing_keeps_people_from_using_the_page(browser: Browser, site: Site, scheme: Any) -> None:
    context = browser.new_context(color_scheme=scheme, viewport={"width": 1280, "height": 1000})
    context.set_default_timeout(WAIT_S * 1000)
    page = context.new_page()
    troubles = troubles_of(page)
    given = {"action": "PIN", "reason": "ASKED_FOR", "note": "Bo asked for it.", "until": "2190-01-01"}
    site.tell(OVERRIDE, recommendationId=(site.ids or {})["Ben"], **given)
    other = page_ids(page, site)
    page.goto(site.why("Ben", f"?now=1&why_not=Eli&change=Eli&top=3&one={other[0]}&other={other[1]}"))
    page.wait_for_selector("table.compared")
    page.wait_for_selector("table.then-and-now")
    assert page.locator("section:has(#takes) p").all_inner_texts()[1:] == ["Eli would have rank 3 with this:"]
    assert page.locator(".takes li").count() == 3  # the role, and two skills more than Cal's one
    assert violations(page) == []
    assert troubles == []
    if folder := os.environ.get("SCREENSHOTS"):
        page.screenshot(path=Path(folder) / f"why-{scheme}.png", full_page=True)
    page.set_viewport_size({"width": 380, "height": 800})
    page.wait_for_function("document.documentElement.scrollWidth <= 380")  # what is drawn by script follows the window
    page.evaluate("document.querySelectorAll('label').forEach(each => each.replaceWith(...each.childNodes))")
    assert [each.partition(":")[0] for each in violations(page)].count("select-name") >= 3  # the control
    context.close()
    site.undo()


def page_ids(page: Page, site: Site) -> list[str]:
    """What the form of comparing sends for the first two of the list."""
    page.goto(site.why("Ben"))
    return [str(each.get_attribute("value")) for each in page.locator("[name=one] option").all()][:2]
