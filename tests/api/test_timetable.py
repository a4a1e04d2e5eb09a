"""Calendars, time in common, sessions and check-ins over GraphQL and from the shell."""

import asyncio
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from mentorgraph.api.commands import main
from mentorgraph.api.ids import global_id
from mentorgraph.graph.calendar.reading import Span, read_calendar
from mentorgraph.graph.embedded.database import EmbeddedDatabase
from mentorgraph.graph.exchange.bundle import bundle_of, import_bundle
from mentorgraph.graph.facts.kinds import KINDS
from mentorgraph.graph.facts.model import uid_of
from mentorgraph.graph.people.timetable import WEEKS_AHEAD
from mentorgraph.graph.store.store import Store

from ..conftest import empty
from .conftest import Api, asked, connected

SOURCE = "hr"
TODAY = datetime.now(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
DAYS = [TODAY + timedelta(days=day) for day in range(1, 29)]
THIS_MONTH = f"{TODAY:%Y-%m}"
MONTH_BEGINS = TODAY.replace(day=1)
ALWAYS = {"start": "00:00", "end": "24:00", "zone": "UTC", "since": "2020-01-01"}
WORLD: dict[str, list[dict[str, str]]] = {
    "units": [{"id": "u", "name": "Lab"}],
    "skills": [],
    "programmes": [{"id": "pr", "name": "Pr", "since": "2020-01-01", "check_in_days": "10"}],
    "people": [{"id": each, "name": each.title(), "joined_on": "2020-01-01"} for each in ("ada", "bo", "cy")],
    "roles": [{"person_id": "ada", "role_id": "mentor", "since": "2020-01-01", "hours_per_month": "2"}],
    "consents": [
        {"person_id": each, "purpose": "recording", "text_version": "1", "since": "2020-01-01"}
        for each in ("ada", "bo")
    ],
    "goals": [],
    "pairings": [
        {
            "id": "p", "mentor_id": "ada", "mentee_id": "bo", "programme_id": "pr",
            "started_on": "2020-02-01", "status": "active",
        }
    ],
    "availability": [
        {"person_id": each, "weekday": str(day), **ALWAYS} for each in ("ada", "bo") for day in range(1, 8)
    ],
}  # fmt: skip
IMPORT = """
mutation ($input: ImportCalendarInput!) {
  told: importCalendar(input: $input) {
    person { id } busyTimes absences windows begun ended leftOut { reason count } userErrors { message field code }
  }
}
"""
PHASE = """
mutation ($input: RecordPhaseInput!) {
  told: recordPhase(input: $input) { of { id } userErrors { message field code } }
}
"""
SLOTS = """
query ($pairing: ID, $people: [ID!], $minutes: Int, $first: Int, $weeks: Int, $holidays: [DateTime!]) {
  found: proposeSlots(
    pairingId: $pairing, personIds: $people, minutes: $minutes, first: $first, weeks: $weeks, holidays: $holidays
  ) { startsAt endsAt }
}
"""
RECORD = """
mutation ($input: RecordSessionInput!) {
  told: recordSession(input: $input) {
    session { id startedAt minutes kind link } userErrors { message field code }
  }
}
"""
MINUTES = (
    "query ($id: ID!, $month: String!) { person(id: $id) { minutesUsed(month: $month) minutesLeft(month: $month) } }"
)
AS_MENTEE = f'query ($id: ID!) {{ person(id: $id) {{ minutesUsed(month: "{THIS_MONTH}", role: MENTEE) }} }}'
OVERDUE = """
query ($programme: ID, $first: Int) {
  found: overdueCheckIns(programmeId: $programme, first: $first) {
    pairing { id } mentor { name } mentee { name } lastSessionAt dueAt daysOverdue
  }
}
"""


def gid(kind: str, key: str) -> str:
    return global_id(KINDS[kind].label, uid_of(SOURCE, kind, key))


ADA, BO, CY, PAIRING = gid("people", "ada"), gid("people", "bo"), gid("people", "cy"), gid("pairings", "p")


def written(at: datetime) -> str:
    return at.isoformat().replace("+00:00", "Z")


def calendar(*spans: tuple[datetime, datetime]) -> str:
    lines = ["BEGIN:VCALENDAR", "VERSION:2.0", "PRODID:test"]
    for since, until in spans:
        lines += [
            "BEGIN:VEVENT",
            "SUMMARY:Surgery",
            f"DTSTART:{since:%Y%m%dT%H%M%SZ}",
            f"DTEND:{until:%Y%m%dT%H%M%SZ}",
            "END:VEVENT",
        ]
    return "\r\n".join([*lines, "END:VCALENDAR", ""])


async def fill(server: EmbeddedDatabase) -> None:
    await empty(server)
    async with connected(server) as database:
        assert set((await import_bundle(Store(database), bundle_of(WORLD), source=SOURCE)).total) == {"created"}


@pytest.fixture(scope="module")
def people(server: EmbeddedDatabase) -> Iterator[Api]:
    """The application on three people of whom two are a pairing and always free."""
    asyncio.run(fill(server))
    with asked(server) as asking:
        yield asking


def told(api: Api, mutation: str, viewer: str = "", **input: Any) -> dict[str, Any]:
    payload: dict[str, Any] = api.data(mutation, viewer=viewer, input=input)["told"]
    return payload


def refused(api: Api, mutation: str, viewer: str = "", **input: Any) -> tuple[str, list[str]]:
    [error] = told(api, mutation, viewer, **input)["userErrors"]
    return error["code"], error["field"]


def test_a_calendar_is_taken_and_its_times_are_not_proposed(people: Api) -> None:
    day = DAYS[0]
    whole = calendar(*((each, each + timedelta(hours=23)) for each in DAYS[:2]))
    first = told(people, IMPORT, ADA, personId=ADA, text=whole)
    assert (first["person"], first["userErrors"], first["leftOut"]) == ({"id": ADA}, [], [])
    assert (first["busyTimes"], first["absences"], first["windows"], first["begun"], first["ended"]) == (
        2,
        0,
        None,
        2,
        0,
    )
    again = told(people, IMPORT, personId=ADA, text=whole)
    assert (again["busyTimes"], again["begun"], again["ended"]) == (2, 0, 0)
    slots = people.data(SLOTS, viewer=BO, pairing=PAIRING, first=200 // 4, minutes=60)["found"]
    inside = [each for each in slots if written(day) <= each["startsAt"] < written(day + timedelta(days=1))]
    assert inside == [{"startsAt": written(day + timedelta(hours=23)), "endsAt": written(day + timedelta(hours=24))}]
    alone = people.data(SLOTS, people=[ADA, BO], first=1, weeks=1, holidays=[])["found"]
    assert len(alone) == 1
    ended = told(people, IMPORT, personId=ADA, text=calendar())
    assert (ended["ended"], ended["busyTimes"]) == (2, 0)


def test_coordinators_tell_when_a_unit_has_no_time(people: Api) -> None:
    phase = {"name": "Release", "startsAt": written(DAYS[3]), "endsAt": written(DAYS[5]), "unitId": gid("units", "u")}
    assert told(people, PHASE, **phase) == {"of": {"id": gid("units", "u")}, "userErrors": []}
    assert refused(people, PHASE, BO, **phase)[0] == "FORBIDDEN"
    assert refused(people, PHASE, **phase | {"endsAt": written(DAYS[2])}) == ("BAD_USER_INPUT", ["input", "endsAt"])
    del phase["unitId"]
    assert refused(people, PHASE, **phase) == ("BAD_USER_INPUT", ["input", "programmeId"])


def test_what_a_calendar_says_that_is_not_understood_is_told(people: Api) -> None:
    text = calendar().replace(
        "END:VCALENDAR", "BEGIN:VEVENT\r\nSUMMARY:Surgery\r\nDTSTART:Surgery\r\nEND:VEVENT\r\nEND:VCALENDAR"
    )
    found = told(people, IMPORT, personId=ADA, text=text)
    assert found["leftOut"] == [{"reason": "has a time that cannot be read", "count": 1}]
    bomb = calendar().replace("END:VCALENDAR", "BEGIN:VEVENT\r\n" * 9 + "END:VEVENT\r\n" * 9 + "END:VCALENDAR")
    for bad in ("Surgery", bomb, ""):
        error = told(people, IMPORT, personId=ADA, text=bad)["userErrors"]
        assert [(each["code"], each["field"]) for each in error] == [("BAD_USER_INPUT", ["input", "text"])]
        assert "Surgery" not in str(error)


def test_people_tell_and_see_their_own_calendars_only(people: Api) -> None:
    assert refused(people, IMPORT, BO, personId=ADA, text=calendar()) == ("FORBIDDEN", ["input", "personId"])
    assert refused(people, IMPORT, personId=gid("people", "x"), text=calendar()) == ("NOT_FOUND", ["input", "personId"])
    query = "query ($id: ID!) { calendar(personId: $id) }"
    assert people.refusal(query, viewer=BO, id=ADA) == ("FORBIDDEN", "personId")
    for viewer in (ADA, ""):
        assert people.data(query, viewer=viewer, id=ADA)["calendar"].startswith("BEGIN:VCALENDAR\r\n")
    assert people.refusal(SLOTS, viewer=CY, pairing=PAIRING) == ("NOT_FOUND", "pairingId")
    assert people.refusal(SLOTS, viewer=ADA, people=[ADA, CY]) == ("FORBIDDEN", "personIds")
    assert people.refusal(SLOTS, pairing=ADA) == ("BAD_USER_INPUT", "pairingId")
    assert people.refusal(SLOTS, pairing=PAIRING, minutes=0) == ("BAD_USER_INPUT", "minutes")


def test_a_session_moves_the_minutes_by_exactly_its_length_and_meets_the_check_in(people: Api) -> None:
    [late] = people.data(OVERDUE, programme=gid("programmes", "pr"))["found"]
    assert (late["pairing"], late["mentor"], late["mentee"]) == ({"id": PAIRING}, {"name": "Ada"}, {"name": "Bo"})
    assert (late["lastSessionAt"], late["dueAt"]) == (None, "2020-02-11T00:00:00Z")
    assert people.refusal(OVERDUE, viewer=ADA) == ("FORBIDDEN", None)
    assert people.data(OVERDUE, programme=gid("programmes", "none"))["found"] == []

    def minutes(viewer: str = "") -> tuple[int | None, int | None]:
        found = people.data(MINUTES, viewer=viewer, id=ADA, month=THIS_MONTH)["person"]
        return found["minutesUsed"], found["minutesLeft"]

    assert minutes() == (0, 120)
    session: dict[str, Any] = {"pairingId": PAIRING, "startedAt": written(MONTH_BEGINS), "minutes": 25}
    live = told(people, RECORD, BO, **session, kind="LIVE")
    assert (live["userErrors"], live["session"]["minutes"], live["session"]["kind"]) == ([], 25, "LIVE")
    link = "https://example.org/talk"
    recorded = told(people, RECORD, ADA, **{**session, "minutes": 15}, kind="RECORDED", link=link)
    assert recorded["session"]["link"] == link
    assert minutes() == minutes(ADA) == (40, 80)
    assert people.data(AS_MENTEE, id=BO)["person"] == {"minutesUsed": 40}
    assert people.refusal(AS_MENTEE.replace(THIS_MONTH, "March"), id=ADA) == ("BAD_USER_INPUT", "month")
    assert refused(people, RECORD, **session, kind="LIVE") == ("CONFLICT", ["input", "startedAt"])
    assert refused(people, RECORD, CY, **session, kind="WRITTEN") == ("NOT_FOUND", ["input", "pairingId"])
    assert refused(people, RECORD, **session, kind="RECORDED") == ("BAD_USER_INPUT", ["input", "link"])
    early = {**session, "startedAt": "2020-01-31T23:59:59Z"}
    assert refused(people, RECORD, **early, kind="WRITTEN") == ("BAD_USER_INPUT", ["input", "startedAt"])
    assert minutes() == (40, 80)
    due = MONTH_BEGINS + timedelta(days=10)
    late_now = people.data(OVERDUE)["found"]
    assert [each["lastSessionAt"] for each in late_now] == ([written(MONTH_BEGINS)] if due < datetime.now(UTC) else [])


def test_nobody_sees_how_much_time_others_have(people: Api) -> None:
    asked_by_bo = people.ask(MINUTES, viewer=BO, id=BO, month=THIS_MONTH)["data"]["person"]
    assert asked_by_bo["minutesLeft"] is None
    assert people.data(AS_MENTEE, viewer=BO, id=CY) == {"person": None}
    assert people.data(MINUTES, viewer=BO, id=ADA, month=THIS_MONTH)["person"] == dict.fromkeys(
        ("minutesUsed", "minutesLeft")
    )


# --- the shell --------------------------------------------------------------------------------------------------------


def mentorgraph(*arguments: str | Path) -> Result:
    return CliRunner().invoke(main, [str(each) for each in arguments])


def test_a_calendar_goes_in_and_out_from_the_shell(emptied: EmbeddedDatabase, tmp_path: Path) -> None:
    asyncio.run(fill(emptied))
    file, out = tmp_path / "work.ics", tmp_path / "out.ics"
    spans = [(each + timedelta(hours=9), each + timedelta(hours=10)) for each in DAYS[:3]]
    file.write_text(calendar(*spans), "utf-8", newline="")
    arguments = ("calendar", "import", "--person", "ada", "--source", SOURCE)
    assert mentorgraph(*arguments, file).stdout == "busy times 3, absences 0; new 3, ended 0\n"
    assert mentorgraph(*arguments, file).stdout == "busy times 3, absences 0; new 0, ended 0\n"
    file.write_text(
        calendar(*spans).replace("END:VCALENDAR", "BEGIN:VEVENT\r\nEND:VEVENT\r\nEND:VCALENDAR"), "utf-8", newline=""
    )
    assert "Notice: 1 left out: has no DTSTART\n" in mentorgraph(*arguments, file).stdout
    assert mentorgraph("calendar", "export", "--person", ADA, "--output", out).exit_code == 0
    horizon = Span(TODAY, TODAY + timedelta(weeks=WEEKS_AHEAD))
    assert read_calendar(out.read_bytes(), horizon).busy == tuple(Span(*each) for each in spans)
    assert mentorgraph("calendar", "export", "--person", ADA).stdout_bytes.startswith(b"BEGIN:VCALENDAR\r\n")
    assert b"Surgery" not in out.read_bytes()
    assert mentorgraph("db", "check").exit_code == 0


def test_what_goes_wrong_in_the_shell_is_one_sentence(emptied: EmbeddedDatabase, tmp_path: Path) -> None:
    file = tmp_path / "work.ics"
    file.write_text("Surgery", "utf-8")
    missing = mentorgraph("calendar", "import", "--person", "ada", tmp_path / "missing.ics")
    assert (missing.exit_code, "missing.ics: No such file or directory" in missing.stderr) == (1, True)
    for arguments, message in (
        (("import", "--person", "nobody", file), "no person has this id"),
        (("export", "--person", "nobody"), "no person has this id"),
    ):
        result = mentorgraph("calendar", *arguments)
        assert (result.exit_code, result.stderr) == (1, f"Error: {message}\n")
    asyncio.run(fill(emptied))
    result = mentorgraph("calendar", "import", "--person", "ada", "--source", SOURCE, file)
    assert (result.exit_code, "Surgery" in result.output) == (1, False)
    assert result.stderr == "Error: this is no iCalendar file; it begins with BEGIN:VCALENDAR\n"


@pytest.mark.parametrize("command", ["import", "export"])
def test_help_teaches_by_an_example(command: str) -> None:
    assert f"Example:\n    mentorgraph calendar {command}" in mentorgraph("calendar", command, "--help").stdout
