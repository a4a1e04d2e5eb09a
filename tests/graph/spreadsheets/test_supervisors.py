"""Supervisors of a spreadsheet: who they are, what becomes of earlier lines, and circles, which are refused by row."""

from datetime import timedelta

import pytest

from mentorgraph.graph.exchange.bundle import bundle_of, import_bundle
from mentorgraph.graph.exchange.check import check
from mentorgraph.graph.exchange.spreadsheets.guess import guess
from mentorgraph.graph.exchange.spreadsheets.importing import Limit, SheetsResult, import_sheets
from mentorgraph.graph.exchange.spreadsheets.mapping import mapping_of
from mentorgraph.graph.exchange.spreadsheets.sheets import Sheet
from mentorgraph.graph.facts.kinds import KINDS
from mentorgraph.graph.facts.model import uid_of
from mentorgraph.graph.ranking.matching import Recommender
from mentorgraph.graph.ranking.scoring import RulesScorer
from mentorgraph.graph.rules.policy import load_policy
from mentorgraph.graph.store.store import Store
from mentorgraph.graph.viewer import COORDINATOR

from .test_importing import answers, sheet
from .test_layouts import NOW

pytestmark = pytest.mark.anyio
AGREED = (("matching",), "sign-up")
HEADINGS = "Name,E-mail,Line manager"


async def bring(
    store: Store, *rows: str, headings: str = HEADINGS, days: int = 0, roster: bool = False
) -> SheetsResult:
    sheets: list[Sheet] = [sheet("mentors", headings, *rows)]
    now = NOW + timedelta(days=days)
    return await import_sheets(
        store,
        sheets,
        mapping_of(guess(sheets, now.date())),
        now=now,
        consent=AGREED,
        roster=roster,
        max_leavers=Limit(1.0),
    )


async def lines(store: Store) -> list[str]:
    """Who reports to whom, since and until when."""
    names = {each.record.uid: each.record.properties["name"] async for each in store.facts(KINDS["people"])}
    found = []
    async for each in store.facts(KINDS["reporting_lines"]):
        fact = each.record
        until = fact.properties.get("until")
        span = f"{fact.properties['since']:%d}" + (f"-{until:%d}" if until else "")
        found.append(f"{names[fact.links['person']]} > {names[fact.links['manager']]} {span}")
    return sorted(found)


async def test_a_supervisor_is_known_by_address_or_by_name(store: Store) -> None:
    result = await bring(store, "Ada,a@x.org,", "Bo,b@x.org,A@X.org", "Cy,c@x.org,bo", "Di,d@x.org,-")
    assert {status for _, status, _ in answers(result)} == {"created"}
    assert await lines(store) == ["Bo > Ada 24", "Cy > Bo 24"]
    again = await bring(store, "Ada,a@x.org,", "Bo,b@x.org,A@X.org", "Cy,c@x.org,bo", days=1)
    assert {status for _, status, _ in answers(again)} == {"same"}
    assert await lines(store) == ["Bo > Ada 24", "Cy > Bo 24"]
    assert await check(store) == []


async def test_the_rule_of_reporting_lines_sees_them(store: Store) -> None:
    await bring(store, "Ada,a@x.org,", "Bo,b@x.org,a@x.org", "Eve,e@x.org,")
    recommender = Recommender(Store(store.database), RulesScorer(load_policy()), clock=lambda: NOW + timedelta(days=2))
    ada, bo, eve = (uid_of("spreadsheet", "people", f"{each}@x.org") for each in "abe")
    found = await recommender.recommend(COORDINATOR, bo)
    assert [each.mentor for each in found.recommendations] == [eve]
    told = await recommender.explain(COORDINATOR, bo, ada)
    assert [each.rule for each in told.refusals] == ["REPORTING_LINE"]


async def test_another_supervisor_ends_the_line_and_an_empty_cell_does_only_in_a_roster(store: Store) -> None:
    rows = ("Ada,a@x.org,", "Bo,b@x.org,")
    await bring(store, *rows, "Cy,c@x.org,Ada")
    await bring(store, *rows, "Cy,c@x.org,Bo", days=2)
    assert await lines(store) == ["Cy > Ada 24-26", "Cy > Bo 26"]
    await bring(store, *rows, "Cy,c@x.org,", days=3)
    assert await lines(store) == ["Cy > Ada 24-26", "Cy > Bo 26"]
    await bring(store, *rows, "Cy,c@x.org,", days=4, roster=True)
    assert await lines(store) == ["Cy > Ada 24-26", "Cy > Bo 26-28"]


async def test_a_line_from_another_source_stays(store: Store) -> None:
    await bring(store, "Ada,a@x.org,", "Bo,b@x.org,")
    ends = {each: uid_of("spreadsheet", "people", f"{each}@x.org") for each in "ab"}
    row = {"person_id": ends["b"], "manager_id": ends["a"], "since": "2026-11-24", "source": "hr"}
    await import_bundle(store, bundle_of({"reporting_lines": [row], "consents": []}), source="hr")
    await bring(store, "Ada,a@x.org,", "Bo,b@x.org,", "Cy,c@x.org,", days=1, roster=True)
    await bring(store, "Ada,a@x.org,", "Bo,b@x.org,Cy", "Cy,c@x.org,", days=2)
    assert await lines(store) == ["Bo > Ada 24", "Bo > Cy 26"]


SELF = "Line manager 'a@x.org': is the person themself; name their supervisor, or leave the cell empty"
ROUND = "reports to this person, too, directly or over others; correct the supervisor of one of them"


@pytest.mark.parametrize(
    ("rows", "why", "kept"),
    [
        (["Ada,a@x.org,a@x.org", "Bo,b@x.org,Ada"], {2: SELF}, ["Bo > Ada 24"]),
        (
            ["Ada,a@x.org,Bo", "Bo,b@x.org,Ada", "Cy,c@x.org,Bo"],
            {2: f"Line manager 'Bo': {ROUND}", 3: f"Line manager 'Ada': {ROUND}"},
            ["Cy > Bo 24"],
        ),
        (
            ["Ada,a@x.org,Bo", "Bo,b@x.org,Cy", "Cy,c@x.org,Ada", "Di,d@x.org,Ada"],
            {line: f"Line manager '{name}': {ROUND}" for line, name in ((2, "Bo"), (3, "Cy"), (4, "Ada"))},
            ["Di > Ada 24"],
        ),
        (["Ada,a@x.org,", "Bo,b@x.org,Ada", "Cy,c@x.org,Bo"], {}, ["Bo > Ada 24", "Cy > Bo 24"]),
    ],
    ids=["self", "two", "three", "none"],
)
async def test_a_circle_is_refused_by_row(store: Store, rows: list[str], why: dict[int, str], kept: list[str]) -> None:
    result = await bring(store, *rows)
    assert {line: told for line, status, told in answers(result) if status == "refused"} == why
    assert await lines(store) == kept
    people = [each.record.properties["name"] async for each in store.facts(KINDS["people"])]
    assert len(people) == len(rows)  # the rest of a refused row is taken


async def test_a_circle_with_what_the_graph_knows_is_refused_too(store: Store) -> None:
    await bring(store, "Ada,a@x.org,", "Bo,b@x.org,Ada", "Cy,c@x.org,Bo")
    result = await bring(store, "Ada,a@x.org,c@x.org", days=1)
    assert answers(result) == [(2, "refused", f"Line manager 'c@x.org': {ROUND}")]
    assert await lines(store) == ["Bo > Ada 24", "Cy > Bo 24"]
    # What the same file replaces makes no circle.
    turned = await bring(store, "Ada,a@x.org,c@x.org", "Bo,b@x.org,", "Cy,c@x.org,", days=2, roster=True)
    assert {status for _, status, _ in answers(turned)} == {"changed"}
    assert await lines(store) == ["Ada > Cy 26", "Bo > Ada 24-26", "Cy > Bo 24-26"]
    assert await check(store) == []


async def test_a_supervisor_who_is_nobody_known_is_said_and_left_out(store: Store) -> None:
    result = await bring(store, "Ada,a@x.org,Zed", "Bo,b@x.org,", "Bo,b2@x.org,", "Cy,c@x.org,bo")
    warned = {line: told for line, _, told in answers(result) if told}
    assert warned == {
        2: "reports to 'Zed', who is nobody of these files or of before; that was not recorded",
        5: "reports to 'bo', which is several people; that was not recorded",
    }
    assert await lines(store) == []


@pytest.mark.parametrize(
    "heading", ["Manager", "Line manager", "Supervisor", "Manager's e-mail", "Reporting manager ID", "Reports to"]
)
async def test_headings_of_many_layouts_are_recognised(store: Store, heading: str) -> None:
    await bring(store, "Ada,a@x.org,", "Bo,b@x.org,a@x.org", headings=f"Name,E-mail,{heading}")
    assert await lines(store) == ["Bo > Ada 24"]


@pytest.mark.parametrize(
    "heading", ["Job title", "Has your manager agreed?", "Supervisory organisation", "Manager notes"]
)
async def test_other_headings_are_none(store: Store, heading: str) -> None:
    assert (
        '"supervisor"'
        not in guess([sheet("mentors", f"Name,E-mail,{heading}", "Bo,b@x.org,yes")], NOW.date()).split("version = 1")[1]
    )
