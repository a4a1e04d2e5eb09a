"""The page as people use it: in Chromium, with and without script, by keyboard; no database is needed for it."""

import asyncio
import hashlib
import os
import re
import shutil
import socket
import threading
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

import pytest
import uvicorn
from graphql import build_schema
from playwright.sync_api import Browser, ConsoleMessage, Dialog, Page, sync_playwright
from starlette.requests import Request

from mentorgraph.api.app import create_app
from mentorgraph.api.ids import global_id
from mentorgraph.api.why import pages
from mentorgraph.graph.decisions.log import DecisionLog
from mentorgraph.graph.ranking.cautions import CAUTIONS, caution_in_words
from mentorgraph.graph.ranking.listing import Slate
from mentorgraph.graph.ranking.sentences import EvidencePath, Step, sentences_of
from mentorgraph.graph.viewer import COORDINATOR, Viewer
from mentorgraph.graph.vocabulary import GERMAN

from ..graph.decisions.conftest import slate_of

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
HOSTILE = "<img src=x onerror=alert(1)> “Title”"
FOCUSABLE = "a[href], summary, [tabindex='0'], select, button"


async def as_coordinator(_request: Request) -> Viewer:
    return COORDINATOR


@dataclass
class Site:
    """A server of the page.

    Attributes:
        address: Where it is.
        slate: The kept answer; the sentences of its first recommendation hold what would be script.
        troubles: What browsers complained about.
    """

    address: str
    slate: Slate
    troubles: list[str] = field(default_factory=list)

    def why(self, place: int = 0) -> str:
        """Address of the page of one recommendation."""
        return f"{self.address}/why/{global_id('Recommendation', self.slate.recommendations[place].uid)}"


def rich_slate() -> Slate:
    """An answer whose first recommendation has two paths, of four and of three steps, and hostile words."""
    slate = slate_of(7)
    first = slate.recommendations[0]
    [path] = first.evidence
    skill = EvidencePath(
        "skills",
        "goal_needs_skill",
        0.25,
        f"Somebody offers {HOSTILE}, which the goal needs.",
        (
            Step("Goal", slate.goal, "Title Number7"),
            Step("Skill", first.mentor, HOSTILE, first.uid, "NEEDS", True, slate.asked.at, "test"),
            Step("Person", first.mentor, "Mentor of 7", first.uid, "OFFERS", False, slate.asked.at, "test", False),
        ),
        "MATCH (n0:Goal) RETURN *",
    )
    evidence = (path, skill)
    sentences = (path.sentence, skill.sentence, *(each.sentence() for each in first.measured))
    changed = replace(first, evidence=evidence, paths=evidence, sentences=sentences, cautions=("few_data", "explored"))
    return replace(slate, recommendations=(changed, *slate.recommendations[1:]))


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    folder = tmp_path_factory.mktemp("log")

    async def keep() -> Slate:
        async with DecisionLog(folder) as log:
            return await log.keep(rich_slate())

    async def no_context(_request: Request) -> None:
        return None

    async def ready() -> dict[str, object]:
        return {}

    slate = asyncio.run(keep())
    schema = build_schema("type Query { hello: String }")
    routes = pages(DecisionLog(folder), as_coordinator, card_link=lambda version: f"/models/{version}")
    app = create_app(schema, context=no_context, ready=ready, pages=routes)
    with socket.create_server(("127.0.0.1", 0)) as listener:
        server = uvicorn.Server(uvicorn.Config(app, log_level="warning", ws="none", lifespan="off"))
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]})
        thread.start()
        deadline = time.monotonic() + 30
        while not server.started:
            assert time.monotonic() < deadline
            time.sleep(0.02)
        yield Site(f"http://127.0.0.1:{listener.getsockname()[1]}", slate)
        server.should_exit = True
        thread.join()


@pytest.fixture(scope="module")
def browser(site: Site) -> Iterator[Browser]:  # after the site, since an event loop runs while a browser is open
    executable = chromium_or_skip(CHROMIUM, os.environ)
    with sync_playwright() as playwright:
        arguments = ["--no-sandbox"] if os.geteuid() == 0 else []
        launched = playwright.chromium.launch(executable_path=executable, args=arguments)
        yield launched
        launched.close()


def chromium_or_skip(found: str | None, environment: Mapping[str, str]) -> str:
    """The browser; without one the test is skipped, or fails where one is required."""
    if found is None and environment.get("REQUIRE_BROWSER") == "1":
        pytest.fail("REQUIRE_BROWSER=1, but there is no chromium")
    return found or pytest.skip("there is no chromium on this machine")


def test_where_a_browser_is_required_none_is_a_failure() -> None:
    with pytest.raises(pytest.fail.Exception):
        chromium_or_skip(None, {"REQUIRE_BROWSER": "1"})
    with pytest.raises(pytest.skip.Exception):
        chromium_or_skip(None, {})
    assert chromium_or_skip("/usr/bin/chromium", {"REQUIRE_BROWSER": "1"}) == "/usr/bin/chromium"


@pytest.fixture
def page(browser: Browser, site: Site) -> Iterator[Page]:
    """A page in which any complaint of the browser is a failure."""
    context = browser.new_context(viewport={"width": 1280, "height": 900})
    opened = context.new_page()
    site.troubles = troubles_of(opened)
    yield opened
    context.close()


def troubles_of(page: Page) -> list[str]:
    """What the browser complains about from now on, breaches of the content security policy among it."""
    troubles: list[str] = []

    def hear(message: ConsoleMessage) -> None:
        if message.type in ("error", "warning"):
            troubles.append(message.text)

    page.on("console", hear)
    page.on("pageerror", lambda error: troubles.append(str(error)))
    page.on("requestfailed", lambda request: troubles.append(f"failed: {request.url}"))
    return troubles


def numbers_in(page: Page) -> list[float]:
    cells = page.locator("table.contributions tbody td:nth-child(4)").all_inner_texts()
    return [float(cell) for cell in cells]


def test_the_page_says_what_was_answered(page: Page, site: Site) -> None:
    page.goto(site.why())
    first = site.slate.recommendations[0]
    assert page.title() == "Why Mentor of 7 for Mentee Number7 · mentorgraph"
    assert page.locator("h1").inner_text() == "Why Mentor of 7 for Mentee Number7"
    assert page.locator(".goal").inner_text() == "Goal Title Number7"
    assert page.locator(".score strong").inner_text() == f"{first.score:.4f}"
    assert page.locator(".sentences li").all_inner_texts() == list(first.sentences)
    assert numbers_in(page) == [0.0, *(round(each.contribution, 6) for each in first.signals)]
    assert sum(numbers_in(page)) == pytest.approx(first.score, abs=1e-5)
    assert page.locator("article.path h3").all_inner_texts() == [path.sentence for path in first.evidence]
    details = page.locator("details")
    for place, path in enumerate(first.evidence):
        details.nth(place).locator("summary").click()
        assert details.nth(place).locator("code").inner_text() == path.cypher
    listed = page.locator("ol.list a").all_inner_texts()
    assert [text.split()[0] for text in listed] == ["1", "2", "3", "4", "5"]
    assert page.locator("ol.list a[aria-current=page] .rank").inner_text() == "1"
    assert page.locator("dd").all_inner_texts()[1] == site.slate.policy_version
    assert page.locator("dd a").get_attribute("href") == "/models/rules"
    assert site.troubles == []


def test_the_page_says_the_same_in_german(page: Page, site: Site) -> None:
    page.goto(site.why())
    assert page.locator("html").get_attribute("lang") == "en"
    assert page.locator(".cautions li").all_inner_texts() == [CAUTIONS["few_data"], CAUTIONS["explored"]]
    english = page.locator("h2, h3, th, dt, label, button").all_inner_texts()
    numbers = numbers_in(page)
    page.locator("a.language", has_text="Deutsch").click()
    assert page.url == f"{site.why()}?language=de"
    assert page.locator("html").get_attribute("lang") == "de"
    assert page.title() == "Warum Mentor of 7 für Mentee Number7 · mentorgraph"
    assert page.locator("h1").inner_text() == "Warum Mentor of 7 für Mentee Number7"
    assert page.locator("h2").all_inner_texts() == [
        *(
            "In Worten",
            "Zu bedenken",
            "Die Bewertung als Summe",
            "Belege 2 Pfade im Graphen",
            "Zwei der Liste vergleichen",
        ),
        *("Die ganze Liste", "Wie sie entstand"),
    ]
    first = site.slate.recommendations[0]
    assert page.locator(".cautions li").all_inner_texts() == [caution_in_words(name, GERMAN) for name in first.cautions]
    told = page.locator(".sentences li").all_inner_texts()
    assert told == list(sentences_of(first.evidence, first.measured, GERMAN))
    assert set(told).isdisjoint(first.sentences)
    assert numbers_in(page) == numbers
    german = page.locator("h2, h3, th, dt, label, button").all_inner_texts()
    kept = {"Signal", "mentorgraph"}
    assert [each for each, before in zip(german, english, strict=True) if each == before and each not in kept] == []
    page.locator("button", has_text="Vergleichen").click()
    assert "language=de" in page.url
    page.locator("ol.list a").nth(2).click()
    assert page.locator(".eyebrow").first.inner_text() == "Empfehlung Nr. 3"
    page.locator("a.language", has_text="English").click()
    assert page.locator(".eyebrow").first.inner_text() == "Recommendation no. 3"
    assert site.troubles == []


def test_a_language_that_pages_do_not_have_is_refused(page: Page, site: Site) -> None:
    answer = page.goto(f"{site.why()}?language=<b>tlh</b>")
    assert answer is not None
    assert answer.status == 400
    assert page.locator("h1").inner_text() == "This request is not right"
    assert page.locator("main p").last.inner_text() == (
        "There is no page in the language '<b>tlh</b>'; choose one of en, de."
    )
    page.goto(f"{site.address}/why/nonsense?language=de")
    assert page.locator("h1").inner_text() == "Nicht gefunden"


def test_bars_are_as_long_as_their_contributions(page: Page, site: Site) -> None:
    page.goto(site.why())
    contributions = [0.0, *(each.contribution for each in site.slate.recommendations[0].signals)]
    boxes = [bar.get_attribute("width") for bar in page.locator(".bars rect").all()]
    longest = max(range(len(contributions)), key=lambda place: abs(contributions[place]))
    assert max(boxes, key=lambda width: float(width or 0)) == boxes[longest]
    unit = float(boxes[longest] or 0) / abs(contributions[longest])
    assert [float(width or 0) for width in boxes] == pytest.approx(
        [abs(each) * unit for each in contributions], abs=0.11
    )
    drawn = page.locator(".bars rect").nth(longest).bounding_box()
    assert drawn is not None
    assert drawn["width"] > 50


def test_each_path_is_drawn_with_as_many_nodes_as_it_has(page: Page, site: Site) -> None:
    page.goto(site.why())
    page.wait_for_selector(".drawing[data-nodes]")
    shown = page.locator(".drawing")
    paths = site.slate.recommendations[0].evidence
    assert [each.get_attribute("data-nodes") for each in shown.all()] == [str(len(path.steps)) for path in paths]
    assert [each.get_attribute("data-edges") for each in shown.all()] == [str(len(path.steps) - 1) for path in paths]
    assert len(paths[0].steps) != len(paths[1].steps)
    page.wait_for_timeout(300)
    for place in range(len(paths)):
        assert coloured_pixels(page, place) > 5_000
    assert site.troubles == []


def coloured_pixels(page: Page, place: int) -> int:
    """How many pixels of the canvases of a drawing are not transparent."""
    count = page.evaluate(
        """place => [...document.querySelectorAll(".drawing")[place].querySelectorAll("canvas")].map(canvas => {
             const { data } = canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height);
             let seen = 0;
             for (let at = 3; at < data.length; at += 4) if (data[at] > 0) seen++;
             return seen;
           }).reduce((one, other) => one + other, 0)""",
        place,
    )
    return int(count)


def test_a_drawing_that_cannot_be_made_leaves_the_page_whole(page: Page, site: Site) -> None:
    """The control: without the library, nothing counts as drawn, and the words are all there."""
    page.route(re.compile("cytoscape"), lambda route: route.abort())
    page.goto(site.why())
    page.wait_for_load_state("networkidle")
    assert page.locator(".drawing[data-nodes]").count() == 0
    assert page.locator(".drawing:visible").count() == 0
    assert page.locator(".steps .node").count() == 7
    assert [trouble for trouble in site.troubles if trouble.startswith("failed")]


def test_everything_is_there_without_script(browser: Browser, site: Site) -> None:
    with_script, without = browser.new_context(), browser.new_context(java_script_enabled=False)
    texts = []
    for context in (with_script, without):
        page = context.new_page()
        page.goto(site.why())
        page.wait_for_load_state("networkidle")
        texts.append(re.sub(r"\s+", " ", page.locator("main").inner_text()))
    assert texts[0] == texts[1]
    page.locator("details summary").first.click()
    assert page.locator("details code").first.is_visible()
    page.locator("ol.list a").nth(2).click()
    assert page.locator(".eyebrow").first.inner_text() == "Recommendation no. 3"
    for context in (with_script, without):
        context.close()


def test_the_keyboard_reaches_everything_and_shows_where_it_is(page: Page, site: Site) -> None:
    page.goto(site.why())
    wanted = page.locator(FOCUSABLE).count()
    assert wanted >= 5 + 2 + 2 + 3
    reached = []
    for _ in range(wanted):
        page.keyboard.press("Tab")
        reached.append(
            page.evaluate(
                """focusable => {
                  const found = document.activeElement, style = getComputedStyle(found);
                  return [[...document.querySelectorAll(focusable)].indexOf(found),
                          style.outlineStyle !== "none" && parseFloat(style.outlineWidth) >= 2];
                }""",
                FOCUSABLE,
            )
        )
    hidden = page.locator("details:not([open]) pre").count()
    assert len({place for place, _ in reached if place >= 0}) == wanted - hidden
    assert all(visible for place, visible in reached if place >= 0)
    page.keyboard.press("Home")
    page.locator("details summary").first.focus()
    page.keyboard.press("Enter")
    assert page.locator("details").first.get_attribute("open") is not None


def test_what_people_wrote_is_shown_and_never_run(page: Page, site: Site) -> None:
    dialogs: list[str] = []

    def dismiss(dialog: Dialog) -> None:
        dialogs.append(dialog.message)
        dialog.dismiss()

    page.on("dialog", dismiss)
    page.goto(site.why())
    page.wait_for_selector(".drawing[data-nodes]")
    assert HOSTILE in page.locator(".sentences").inner_text()
    assert page.locator("img[src=x]").count() == 0
    assert dialogs == []


def test_a_breach_of_the_policy_would_be_heard(page: Page, site: Site) -> None:
    """The control of every `troubles == []` above."""
    page.goto(site.why())
    page.evaluate("""() => { const style = document.createElement("style"); style.textContent = "p { color: red }";
                             document.head.append(style); }""")
    page.wait_for_timeout(200)
    assert any("Content Security Policy" in trouble for trouble in site.troubles)


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_it_fits_a_phone_in_light_and_dark(browser: Browser, site: Site, scheme: str) -> None:
    colours = "dark" if scheme == "dark" else "light"
    context = browser.new_context(viewport={"width": 380, "height": 800}, color_scheme=colours)  # type: ignore[arg-type]
    page = context.new_page()
    troubles = troubles_of(page)
    page.goto(site.why())
    page.wait_for_selector(".drawing[data-nodes]")
    assert page.evaluate("document.documentElement.scrollWidth") <= 380
    background = page.evaluate("getComputedStyle(document.body).backgroundColor")
    assert (background == "rgb(18, 21, 28)") == (scheme == "dark")
    assert troubles == []
    context.close()


def test_an_unknown_id_gets_a_page_that_says_so(page: Page, site: Site) -> None:
    answer = page.goto(f"{site.address}/why/nonsense")
    assert answer is not None
    assert answer.status == 404
    assert page.locator("h1").inner_text() == "Not found"


def test_the_libraries_are_those_that_were_reviewed() -> None:
    static = Path(__file__).parents[2] / "api" / "static"
    lines = (static / "checksums.sha256").read_text("utf-8").splitlines()
    listed = {name: digest for digest, name in map(str.split, lines)}
    assert {name: hashlib.sha256((static / name).read_bytes()).hexdigest() for name in listed} == listed
    foreign = {file.name for file in static.iterdir() if ".min." in file.name or "LICENSE" in file.name}
    assert foreign == listed.keys()
    assert len(foreign) == 8
    for name in (name for name in foreign if "LICENSE" in name):
        assert "Permission is hereby granted, free of charge" in (static / name).read_text("utf-8")
