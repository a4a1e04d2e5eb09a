"""Rosters: two exports a week apart give joiners, movers and leavers, and a broken one changes nothing."""

from datetime import UTC, datetime

import pytest

from mentorgraph.graph.exchange.check import check, graph_hash
from mentorgraph.graph.exchange.spreadsheets.importing import Limit, SheetsResult, import_sheets
from mentorgraph.graph.exchange.spreadsheets.mapping import mapping_of
from mentorgraph.graph.exchange.spreadsheets.sheets import Sheet
from mentorgraph.graph.exchange.table_files import BundleError
from mentorgraph.graph.facts.kinds import KINDS
from mentorgraph.graph.facts.model import uid_of
from mentorgraph.graph.facts.rows import facts_of
from mentorgraph.graph.store.store import Store

from .test_layouts import facts_in

MAPPING = mapping_of("""
version = 1
source = "hr"
[tables.everybody]
[[tables.everybody.people]]
[tables.everybody.people.columns]
"Employee ID" = "key"
"Legal Name" = "name"
"Supervisory Organization" = "unit"
"Mentoring role" = "role"
"Strengths" = "offers"
""")
HEADINGS = ["Employee ID", "Legal Name", "Supervisory Organization", "Mentoring role", "Strengths"]
FIRST, SECOND = datetime(2026, 11, 2, 9, tzinfo=UTC), datetime(2026, 11, 9, 9, tzinfo=UTC)
WEEK_1 = {f"e{n:02d}": [f"e{n:02d}", f"Person {n}", "Water", "mentor", "Excel"] for n in range(40)}
WEEK_2 = {
    **{key: row for key, row in WEEK_1.items() if key not in {"e38", "e39"}},
    "e01": ["e01", "Person 1", "Fire", "mentor", "Excel"],
    "e02": ["e02", "Person 2", "Water", "both", "Excel"],
    "e03": ["e03", "Person 3", "Water", "mentee", "Excel"],
    "e40": ["e40", "Person 40", "Fire", "mentee", ""],
}


async def bring(
    store: Store,
    rows: dict[str, list[str]],
    now: datetime,
    *,
    roster: bool = True,
    limit: str = "5%",
    dry: bool = False,
) -> SheetsResult:
    table = Sheet("hr.csv", "hr", tuple(enumerate([HEADINGS, *rows.values()], 1)))
    return await import_sheets(
        store,
        [table],
        MAPPING,
        now=now,
        consent=(("matching",), "works agreement"),
        roster=roster,
        max_leavers=Limit.read(limit),
        dry_run=dry,
    )


def of(facts: list[str], *keys: str) -> list[str]:
    return [line for line in facts if any(f"={key}," in line for key in keys) and not line.startswith("consents")]


@pytest.mark.anyio
async def test_a_second_roster_tells_joiners_movers_and_leavers(store: Store) -> None:
    first = await bring(store, WEEK_1, FIRST)
    assert (len(first.statements.joiners), first.statements.movers, first.statements.leavers) == (40, [], [])
    before = await graph_hash(store)
    tried = await bring(store, WEEK_2, SECOND, dry=True)
    assert await graph_hash(store) == before
    second = await bring(store, WEEK_2, SECOND)
    for result in (tried, second):
        told = result.statements
        assert (told.joiners, told.movers, told.leavers) == (["e40"], ["e01", "e02", "e03"], ["e38", "e39"])
    assert [(row.person, row.status) for row in second.rows if row.status != "same"] == [
        ("e01", "changed"),
        ("e02", "changed"),
        ("e03", "changed"),
        ("e40", "created"),
        ("e38", "left"),
        ("e39", "left"),
    ]
    facts = await facts_in(store)
    assert of(facts, "e01", "e02", "e03", "e39", "e40") == [
        "offers: person_id=e01, skill_id=excel, stance=offers, since=2026-11-02",
        "offers: person_id=e02, skill_id=excel, stance=offers, since=2026-11-02",
        "offers: person_id=e03, skill_id=excel, stance=offers, since=2026-11-02",
        "offers: person_id=e39, skill_id=excel, stance=offers, since=2026-11-02, until=2026-11-09",
        "people: id=e01, name=Person 1, joined_on=2026-11-02",
        "people: id=e02, name=Person 2, joined_on=2026-11-02",
        "people: id=e03, name=Person 3, joined_on=2026-11-02",
        "people: id=e39, name=Person 39, joined_on=2026-11-02, left_on=2026-11-09",
        "people: id=e40, name=Person 40, joined_on=2026-11-09",
        "roles: person_id=e01, role_id=mentor, since=2026-11-02",
        "roles: person_id=e02, role_id=mentee, since=2026-11-09",
        "roles: person_id=e02, role_id=mentor, since=2026-11-02",
        "roles: person_id=e03, role_id=mentee, since=2026-11-09",
        "roles: person_id=e03, role_id=mentor, since=2026-11-02, until=2026-11-09",
        "roles: person_id=e39, role_id=mentor, since=2026-11-02, until=2026-11-09",
        "roles: person_id=e40, role_id=mentee, since=2026-11-09",
        "unit_membership: person_id=e01, unit_id=fire, since=2026-11-09",
        "unit_membership: person_id=e01, unit_id=water, since=2026-11-02, until=2026-11-09",
        "unit_membership: person_id=e02, unit_id=water, since=2026-11-02",
        "unit_membership: person_id=e03, unit_id=water, since=2026-11-02",
        "unit_membership: person_id=e39, unit_id=water, since=2026-11-02, until=2026-11-09",
        "unit_membership: person_id=e40, unit_id=fire, since=2026-11-09",
    ]
    assert await check(store) == []
    third = await bring(store, WEEK_2, datetime(2026, 11, 16, tzinfo=UTC))
    assert (third.statements.joiners, third.statements.movers, third.statements.leavers) == ([], [], [])
    assert set(third.facts.total) == {"same"}


async def matters(store: Store) -> dict[str, tuple[object, ...]]:
    """Where every request and pairing stands: key → status, its last move and the reason of that."""
    found: dict[str, tuple[object, ...]] = {}
    for kind in ("requests", "pairings"):
        records = [each.record async for each in store.facts(KINDS[kind])]
        moves = await store.read_moves([each.uid for each in records])
        for each in records:
            last = moves[each.uid][-1] if moves.get(each.uid) else None
            told = (last.state, last.reason, last.at) if last else None
            found[str(each.properties["external_id"])] = (each.properties["status"], told)
    return found


@pytest.mark.anyio
async def test_what_went_on_with_a_leaver_ends_as_if_their_leaving_were_recorded(store: Store) -> None:
    await bring(store, WEEK_1, FIRST)
    pairs = {"lost": ("e38", "e01"), "own": ("e02", "e38"), "both": ("e38", "e39"), "stays": ("e02", "e01")}
    asked = {"waits": ("e39", "e01"), "made": ("e02", "e38"), "keeps": ("e02", "e01")}
    facts = [
        fact
        for file, rows in (("pairings", pairs), ("requests", asked))
        for key, (mentor, mentee) in rows.items()
        for fact in facts_of(
            file,
            {"id": key, "mentor_id": mentor, "mentee_id": mentee, "started_on": FIRST, "asked_on": FIRST}
            | {"status": "active" if file == "pairings" else "requested", "answer_within_days": 30},
            "hr",
        )
    ]
    await store.write(facts)
    before = await matters(store)
    hash_before = await graph_hash(store)
    tried = await bring(store, WEEK_2, SECOND, dry=True)
    assert await graph_hash(store) == hash_before
    with pytest.raises(BundleError):
        await bring(store, WEEK_2, SECOND, limit="1")
    assert await graph_hash(store) == hash_before

    done = await bring(store, WEEK_2, SECOND)
    ended, released = ("ended", ("ended", "left", SECOND)), ("released", ("released", "", SECOND))
    assert await matters(store) == {
        **before,
        "lost": ended,
        "own": ended,
        "both": ended,
        "waits": released,
        "made": ("withdrawn", ("withdrawn", "", SECOND)),
    }
    assert {key: each.summary for key, each in done.left.items()} == {
        "e38": "3 pairings ended, 1 request taken back",
        "e39": "1 request released",
    }
    mentees = {uid_of("hr", "people", each) for each in ("e01", "e39")}
    assert {each.mentee for each in done.left["e38"].left_behind} == mentees
    assert [row.warning for row in done.rows if row.status == "left"] == [each.summary for each in done.left.values()]
    # A trial cannot know that what two leavers share ends with the first of them.
    assert tried.left["e38"] == done.left["e38"]
    assert tried.left["e39"].summary == "1 pairing ended, 1 request released"
    assert await check(store) == []
    again = await bring(store, WEEK_2, datetime(2026, 11, 16, tzinfo=UTC))
    assert (again.left, set(again.facts.total)) == ({}, {"same"})


@pytest.mark.anyio
async def test_without_roster_nobody_leaves_and_nothing_ends(store: Store) -> None:
    await bring(store, WEEK_1, FIRST)
    result = await bring(store, WEEK_2, SECOND, roster=False)
    assert (result.statements.leavers, result.facts.total["ended"]) == ([], 0)


@pytest.mark.anyio
async def test_who_comes_back_is_a_joiner_again(store: Store) -> None:
    await bring(store, WEEK_1, FIRST)
    await bring(store, WEEK_2, SECOND)
    back = await bring(store, WEEK_2 | {"e39": WEEK_1["e39"]}, datetime(2026, 11, 16, tzinfo=UTC))
    assert back.statements.joiners == ["e39"]
    facts = of(await facts_in(store), "e39")
    assert "people: id=e39, name=Person 39, joined_on=2026-11-02" in facts
    assert "roles: person_id=e39, role_id=mentor, since=2026-11-16" in facts
    assert "roles: person_id=e39, role_id=mentor, since=2026-11-02, until=2026-11-09" in facts


@pytest.mark.anyio
@pytest.mark.parametrize(("kept", "limit"), [(37, "5%"), (0, "5%"), (20, "19"), (0, "99.9%")])
async def test_a_roster_from_which_too_many_are_missing_changes_nothing(store: Store, kept: int, limit: str) -> None:
    await bring(store, WEEK_1, FIRST)
    before = await graph_hash(store)
    part = dict(list(WEEK_1.items())[:kept]) | {"e41": ["e41", "New", "Fire", "mentor", ""]}
    with pytest.raises(BundleError) as caught:
        await bring(store, part, SECOND, limit=limit)
    assert caught.value.message == (
        f"{40 - kept} of the 40 people of hr are not in this roster, more than --max-leavers {limit}; "
        "see that the files are whole, or allow more. Nothing was written"
    )
    assert await graph_hash(store) == before
    allowed = await bring(store, part, SECOND, limit=str(40 - kept))
    assert len(allowed.statements.leavers) == 40 - kept


@pytest.mark.anyio
async def test_a_refused_row_is_no_leaver_and_one_without_key_stops_all(store: Store) -> None:
    await bring(store, WEEK_1, FIRST)
    before = await graph_hash(store)
    result = await bring(store, WEEK_1 | {"e07": ["e07", "Person 7", "Water", "chief", ""]}, SECOND)
    assert (result.statements.leavers, result.facts.total["refused"]) == ([], 1)
    assert await graph_hash(store) == before
    with pytest.raises(BundleError, match=r"hr.csv line 9 does not say whose row it is.*Nothing was written"):
        await bring(store, WEEK_1 | {"e07": ["", "", "Water", "mentor", ""]}, SECOND, limit="100%")
    assert await graph_hash(store) == before


@pytest.mark.anyio
async def test_people_and_facts_of_other_sources_stay(store: Store) -> None:
    await bring(store, WEEK_1, FIRST)
    person = uid_of("hr", "people", "e05")
    own = {"person_id": person, "role_id": "mentee", "since": FIRST}
    await store.write(facts_of("people", {"id": "x", "name": "X", "joined_on": FIRST}, "other"))
    await store.write(facts_of("roles", own, "api"))
    result = await bring(store, WEEK_1, SECOND)
    assert (result.statements.leavers, result.statements.movers) == ([], [])
    facts = await facts_in(store)
    assert "people: id=x, name=X, joined_on=2026-11-02T09:00:00Z" in facts
    assert "roles: person_id=e05, role_id=mentee, since=2026-11-02T09:00:00Z" in facts


@pytest.mark.parametrize("text", ["", "5 people", "-1", "101%", "2.5", "%"])
def test_a_limit_that_is_neither_share_nor_number_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"\|write it as 5% or 12"):
        Limit.read(text)
