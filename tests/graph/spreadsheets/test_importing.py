"""Importing spreadsheets: every row is answered, people are told apart, and what is known is not told anew."""

import csv
from datetime import UTC, date, datetime
from pathlib import Path

import pytest

from mentorgraph.graph.exchange.bundle import bundle_of, import_bundle
from mentorgraph.graph.exchange.check import check, graph_hash
from mentorgraph.graph.exchange.spreadsheets.guess import guess
from mentorgraph.graph.exchange.spreadsheets.importing import SheetsResult, import_sheets
from mentorgraph.graph.exchange.spreadsheets.mapping import mapping_of
from mentorgraph.graph.exchange.spreadsheets.sheets import Sheet, open_sheets
from mentorgraph.graph.exchange.table_files import BundleError
from mentorgraph.graph.facts.kinds import KINDS
from mentorgraph.graph.facts.rows import facts_of
from mentorgraph.graph.store.store import Store

from .test_layouts import NOTHING_VOUCHED, NOW, facts_in

SAMPLES = Path(__file__).parents[4] / "shared" / "data" / "import-samples" / "civil-service-mentor-match"

pytestmark = pytest.mark.anyio


def sheet(title: str, *rows: str) -> Sheet:
    return Sheet(f"{title}.csv", title, tuple((line, row.split(",")) for line, row in enumerate(rows, 1)))


async def bring(
    store: Store,
    *sheets: Sheet,
    mapping: str = "",
    now: datetime = NOW,
    consent: tuple[tuple[str, ...], str] | None = NOTHING_VOUCHED,
    dry_run: bool = False,
) -> SheetsResult:
    told = mapping or guess(sheets, now.date())
    return await import_sheets(store, sheets, mapping_of(told), now=now, consent=consent, dry_run=dry_run)


def answers(result: SheetsResult) -> list[tuple[int, str, str]]:
    return [(row.place.line, row.status, row.why or row.warning) for row in result.rows]


async def test_one_person_in_two_files_is_one_person_with_two_roles(store: Store) -> None:
    result = await bring(
        store,
        sheet("mentors", "Name,E-mail", "Ada King,Ada@X.org"),
        sheet("mentees", "Name,E-mail", "Ada King, ada@x.ORG "),
    )
    assert [line for line in await facts_in(store) if line.startswith(("people", "roles"))] == [
        "people: id=ada@x.org, name=Ada King, joined_on=2026-11-24",
        "roles: person_id=ada@x.org, role_id=mentee, since=2026-11-24",
        "roles: person_id=ada@x.org, role_id=mentor, since=2026-11-24",
    ]
    assert [row.person for row in result.rows] == ["ada@x.org", "ada@x.org"]


async def test_two_different_people_of_one_name_are_refused_and_told_what_helps(store: Store) -> None:
    result = await bring(
        store,
        sheet(
            "mentors", "Name,E-mail,Department", "Ada King,,Water", "Bo Li,,Water", "ADA  KING,,Fire", "Bo Li,,Water"
        ),
    )
    remedy = "add an e-mail address to each, or set several_rows = true if they are one person"
    alone = "has no e-mail address: the person is known by the name, within this table only"
    assert answers(result) == [
        (
            2,
            "refused",
            f"Name 'Ada King': is also on line 4 with other values, and nothing tells the two apart; {remedy}",
        ),
        (3, "created", alone),
        (
            4,
            "refused",
            f"Name 'ADA KING': is also on line 2 with other values, and nothing tells the two apart; {remedy}",
        ),
        (5, "created", alone),
    ]
    assert result.facts.total["refused"] == 2
    # An address for each tells them apart.
    result = await bring(
        store, sheet("mentors", "Name,E-mail,Department", "Ada King,a@x.org,Water", "Ada King,b@x.org,Fire")
    )
    assert [row.status for row in result.rows] == ["created", "created"]


async def test_three_bad_rows_come_back_with_line_column_and_reason_and_the_others_go_in(store: Store) -> None:
    rows = sheet(
        "mentors",
        "Name,E-mail,Maximum mentees",
        "Ada,ada@x.org,2",
        "Bo,bo at x.org,2",
        "Cy,cy@x.org,many",
        "Di,di@x.org,3,4",
        "Ed,ed@x.org,5000",
    )
    mapping = guess([sheet("mentors", "Name,E-mail,Maximum mentees", "Ada,ada@x.org,2")], NOW.date())
    before = await graph_hash(store)
    tried = await bring(store, rows, mapping=mapping, dry_run=True)
    assert await graph_hash(store) == before
    result = await bring(store, rows, mapping=mapping)
    assert answers(result) == answers(tried)
    assert [(row.place.line, row.status) for row in result.rows] == [
        (2, "created"),
        (3, "refused"),
        (4, "refused"),
        (5, "refused"),
        (6, "refused"),
    ]
    assert [row.why for row in result.rows[1:]] == [
        "E-mail 'bo at x.org': is not one e-mail address; write it as name@example.org, or leave the cell empty",
        "Maximum mentees 'many': is not a number; write it as 3, or as a range such as 1-3",
        "has 4 cells where there are 3 columns; quote cells that hold the delimiter, or set surplus = true",
        "roles: max_mentees '5000': is not such a whole number; give a whole number from 0 to 1000",
    ]
    assert result.facts.total == tried.facts.total
    assert result.facts.total["refused"] == 4
    again = await bring(store, rows, mapping=mapping, now=datetime(2027, 3, 1, tzinfo=UTC))
    assert (again.facts.total["created"], again.facts.total["changed"]) == (0, 0)


async def test_the_same_facts_come_by_spreadsheet_and_by_bundle(store: Store) -> None:
    table = sheet("all", "Name,E-mail,Role", "Ada,ada@x.org,mentor", "Bo,bo@x.org,both")
    await bring(store, table, consent=(("matching",), "terms"))
    by_sheet = await graph_hash(store)
    people = [
        {"id": "ada@x.org", "name": "Ada", "joined_on": "2026-11-24", "roles": "mentor"},
        {"id": "bo@x.org", "name": "Bo", "joined_on": "2026-11-24", "roles": "mentor|mentee"},
    ]
    bundle = bundle_of({"people": people})
    result = await import_bundle(store, bundle, source="spreadsheet", consent=(("matching",), "terms"))
    assert (set(result.total), await graph_hash(store)) == ({"same"}, by_sheet)
    result = await import_bundle(store, bundle, source="another", consent=(("matching",), "terms"))
    assert (set(result.total), await graph_hash(store) == by_sheet) == ({"created"}, False)


async def test_skills_and_units_that_are_known_by_name_or_alias_are_used(store: Store) -> None:
    await store.write(facts_of("skills", {"id": "js", "name": "JavaScript", "aliases": "JS|ECMAScript"}, "esco"))
    await store.write(facts_of("units", {"id": "u1", "name": "Water"}, "hr"))
    table = sheet("mentors", "E-mail,Name,Skills,Department", "a@x.org,A,js;javascript;Excel,WATER")
    await bring(store, table)
    facts = await facts_in(store)
    assert [line for line in facts if line.startswith(("skills", "units", "offers", "unit_m"))] == [
        "offers: person_id=a@x.org, skill_id=excel, stance=offers, since=2026-11-24",
        "offers: person_id=a@x.org, skill_id=js, stance=offers, since=2026-11-24",
        "skills: id=excel, name=Excel",
        "skills: id=js, name=JavaScript, aliases=JS|ECMAScript",
        "unit_membership: person_id=a@x.org, unit_id=u1, since=2026-11-24",
        "units: id=u1, name=Water",
    ]


async def test_of_several_rows_the_later_value_counts_and_is_warned_of(store: Store) -> None:
    table = sheet("mentors", "Name,E-mail,Maximum mentees", "Ada,a@x.org,2", "Ada,A@x.org,3")
    result = await bring(store, table)
    assert answers(result)[1] == (3, "created", "has another max_mentees than mentors.csv line 2; this one counts")
    assert "roles: person_id=a@x.org, role_id=mentor, since=2026-11-24, max_mentees=3" in await facts_in(store)


async def test_a_mentor_who_is_available_again_takes_people_again(store: Store) -> None:
    roles = []
    for available in ("1", "0", "1"):
        await bring(store, sheet("mentors", "Name,E-mail,is_available", f"Ada,a@x.org,{available}"))
        roles += [line for line in await facts_in(store) if line.startswith("roles")]
    free = "roles: person_id=a@x.org, role_id=mentor, since=2026-11-24"
    assert roles == [free, f"{free}, max_mentees=0", free]


async def test_a_last_day_ends_what_somebody_was_and_did(store: Store) -> None:
    row = "Ada,a@x.org,Water,mentor,Excel"
    headings = "Name,E-mail,Department,Role,Skills,Last day"
    await bring(store, sheet("all", headings, f"{row},"))
    later = datetime(2026, 12, 20, tzinfo=UTC)
    ended = sheet("all", headings, f"{row},2026-12-18")
    result = await bring(store, ended, now=later)
    assert (answers(result), result.facts.total["ended"]) == ([(2, "changed", "")], 4)
    assert [line for line in await facts_in(store) if not line.startswith(("units", "skills"))] == [
        "offers: person_id=a@x.org, skill_id=excel, stance=offers, since=2026-11-24, until=2026-12-18",
        "people: id=a@x.org, name=Ada, joined_on=2026-11-24, left_on=2026-12-18",
        "roles: person_id=a@x.org, role_id=mentor, since=2026-11-24, until=2026-12-18",
        "unit_membership: person_id=a@x.org, unit_id=water, since=2026-11-24, until=2026-12-18",
    ]
    again = await bring(store, ended, now=later)
    assert set(again.facts.total) == {"same"}


# --- consent ----------------------------------------------------------------------------------------------------------

ASKED = "Name,E-mail,I agree to be matched"


def consents(facts: list[str]) -> list[str]:
    return [line.removeprefix("consents: person_id=") for line in facts if line.startswith("consents")]


async def test_nothing_comes_in_unless_something_says_what_people_agreed_to(store: Store) -> None:
    with pytest.raises(BundleError, match="nothing says what these people agreed to; use --consent"):
        await bring(store, sheet("mentors", "Name,E-mail", "A,a@x.org"), consent=None)
    await bring(store, sheet("mentors", ASKED, "A,a@x.org,yes"), consent=None)
    assert consents(await facts_in(store)) == [
        "a@x.org, purpose=matching, text_version=I agree to be matched, since=2026-11-24"
    ]


async def test_who_was_asked_is_not_vouched_for(store: Store) -> None:
    result = await bring(
        store,
        sheet("mentors", ASKED, "A,a@x.org,yes", "B,b@x.org,no", "C,c@x.org,"),
        sheet("mentees", "Name,E-mail", "D,d@x.org"),
        consent=(("matching",), "terms"),
    )
    assert consents(await facts_in(store)) == [
        "a@x.org, purpose=matching, text_version=I agree to be matched, since=2026-11-24",
        "d@x.org, purpose=matching, text_version=terms, since=2026-11-24",
    ]
    statuses = {row.person: row.status for row in result.rows}
    assert statuses == {"a@x.org": "created", "b@x.org": "refused", "c@x.org": "created", "d@x.org": "created"}
    assert not [line for line in await facts_in(store) if "b@x.org" in line]


async def test_a_later_no_ends_a_consent_and_the_old_yes_does_not_bring_it_back(store: Store) -> None:
    yes, no = (sheet("mentors", ASKED, f"A,a@x.org,{answer}") for answer in ("yes", "no"))
    await bring(store, yes)
    later = datetime(2026, 12, 1, 8, tzinfo=UTC)
    await bring(store, no, now=later)
    ended = ["a@x.org, purpose=matching, text_version=I agree to be matched, since=2026-11-24, until=2026-12-01"]
    assert consents(await facts_in(store)) == ended
    await bring(store, yes, now=later)
    assert consents(await facts_in(store)) == ended


# --- the Civil Service samples ----------------------------------------------------------------------------------------


@pytest.mark.skipif(not SAMPLES.is_dir(), reason="the samples are not on this machine")
async def test_a_profile_that_is_told_otherwise_ends_and_keeps_what_is_not_told_again(store: Store) -> None:
    async def told(heading: str, cell: str, day: int) -> list[dict[str, object]]:
        table = sheet("p", f"E-mail,Name,{heading}", f"a@x.org,Ada,{cell}")
        await bring(store, table, now=datetime(2026, 11, day, 12, tzinfo=UTC))
        names = ("job_title", "grade", "since", "until")
        facts = [each.record.properties async for each in store.facts(KINDS["profiles"])]
        rows: list[dict[str, object]] = [{name: each[name] for name in names if name in each} for each in facts]
        return sorted(rows, key=lambda each: str(each["since"]))

    first, second = (datetime(2026, 11, day, tzinfo=UTC) for day in (24, 25))
    assert await told("Job title", "Clerk", 24) == [{"job_title": "Clerk", "since": first}]
    assert await told("Grade", "G7", 24) == [{"job_title": "Clerk", "grade": "G7", "since": first}]
    assert await told("Grade", "G7", 25) == [{"job_title": "Clerk", "grade": "G7", "since": first}]
    assert await told("Job title", "Head of Data", 25) == [
        {"job_title": "Clerk", "grade": "G7", "since": first, "until": second},
        {"job_title": "Head of Data", "grade": "G7", "since": second},
    ]
    assert await check(store) == []


async def test_the_samples_of_the_civil_service_come_in_whole(store: Store) -> None:
    paths = sorted((SAMPLES / "sample_data").rglob("*.csv"))
    assert len(paths) == 4
    people: dict[str, set[str]] = {}
    protected: set[str] = set()
    units: set[str] = set()
    for path in paths:
        with path.open(encoding="utf-8", newline="") as stream:
            for row in csv.DictReader(stream):
                roles = people.setdefault(row["email address"].lower(), {path.stem.removesuffix("s")})
                roles |= {"mentor", "mentee"} if row["both mentor and mentee"] == "yes" else set()
                protected |= {each.strip() for each in (row.get("characteristics") or "").split(",") if each.strip()}
                units |= {row["organisation"], row["profession"]}
    sheets = open_sheets([*paths, SAMPLES / "form-output-headings.csv"])
    mapping = mapping_of(guess(sheets, date(2026, 11, 24)))
    result = await import_sheets(store, sheets, mapping, now=NOW, consent=(("matching",), "terms"))
    counts = {file: count["created"] for file, count in result.facts.counts.items()}
    assert counts == {
        "units": len(units),
        "people": len(people),
        "roles": sum(map(len, people.values())),
        "consents": len(people),
        "unit_membership": 2 * len(people),
        "profiles": len(people),
    }
    assert (len(people), set(result.facts.total)) == (1100, {"created"})
    facts = "\n".join(await facts_in(store))
    assert len(protected) > 5
    assert [each for each in protected if each in facts] == []
    assert await check(store) == []
    small = [each for each in sheets if len(each.rows) < 100]
    again = await import_sheets(store, small, mapping, now=NOW, consent=(("matching",), "terms"))
    assert (set(again.facts.total), len(again.rows)) == ({"same"}, 100)
