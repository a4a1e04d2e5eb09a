"""People over GraphQL: what they tell, who reads it, who goes away and comes back, and the page of docs/ about it."""

import asyncio
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from itertools import product
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from mentorgraph.api.commands import main
from mentorgraph.api.ids import global_id
from mentorgraph.graph.clock import present, set_to
from mentorgraph.graph.embedded.database import EmbeddedDatabase
from mentorgraph.graph.exchange.bundle import bundle_of, import_bundle
from mentorgraph.graph.exchange.check import check
from mentorgraph.graph.facts.kinds import KINDS
from mentorgraph.graph.facts.model import uid_of
from mentorgraph.graph.pairings import away
from mentorgraph.graph.pairings.away import set_silent_away
from mentorgraph.graph.store.database import DatabaseUnavailable
from mentorgraph.graph.store.store import Store

from .conftest import Api, asked_about, connected
from .pages import DOCS, play

SOURCE = "hr"
JOINED = "2026-01-01"
NAMES = ("ada", "eve", "bo", "cy")
WORLD: dict[str, list[dict[str, str]]] = {
    "units": [],
    "skills": [{"id": "py", "name": "Python"}],
    "person_skills": [
        {"person_id": "ada", "skill_id": "py", "stance": "offers", "level": "4", "since": JOINED},
        {"person_id": "eve", "skill_id": "py", "stance": "offers", "level": "5", "since": JOINED},
    ],
    "pairings": [],
    "goals": [],
    "programmes": [
        {"id": "one", "name": "One", "since": JOINED},
        {"id": "two", "name": "Two", "since": JOINED},
        {"id": "old", "name": "Old", "since": JOINED, "until": "2026-02-01"},
    ],
    "trainings": [{"id": "listen", "name": "Listening well", "since": JOINED, "valid_days": "10"}],
    "people": [{"id": each, "name": each.title(), "joined_on": JOINED} for each in NAMES],
    "roles": [{"person_id": each, "role_id": "mentor", "since": JOINED} for each in ("ada", "eve")]
    + [{"person_id": each, "role_id": "mentee", "since": JOINED} for each in ("bo", "cy")],
    "consents": [
        {"person_id": each, "purpose": "matching", "text_version": "1", "since": JOINED}
        for each in ("ada", "eve", "bo")
    ],
}
ERRORS = "userErrors { message field code }"
OTHERS = """
offerOthers {
  mentee { name } request { state } pairing { status } alternatives(first: 2) { nodes { mentor { name } } }
}
"""
PERSON = """
query ($id: ID!) {
  person(id: $id) {
    name
    profile { jobTitle pace languages }
    completeness { share missing { field message } }
    consents { purpose textVersion }
    enrolments { programme { name } role maxMentees hoursPerMonth }
    onboarding { isComplete steps { step { name necessity } doneAt } }
    completions { training { name } expiresAt }
    away { cause }
  }
}
"""
FIELDS = ("profile", "completeness", "consents", "enrolments", "onboarding", "completions", "away")


def mutation(name: str, input: str, payload: str) -> str:
    return f"mutation ($input: {input}Input!) {{ told: {name}(input: $input) {{ {payload} {ERRORS} }} }}"


PROFILE = mutation("updateProfile", "UpdateProfile", "person { profile { jobTitle pace languages formats } }")
ENROL = mutation("enrol", "Enrol", "person { roles enrolments { role maxMentees } }")
CHANGE = mutation("changeEnrolment", "ChangeEnrolment", "person { enrolments { role maxMentees hoursPerMonth } }")
LEAVE = mutation("leaveProgramme", "LeaveProgramme", "person { enrolments { role } }")
STEP = mutation("defineOnboardingStep", "DefineStep", "step { id name }")
END = mutation("endOnboardingStep", "EndStep", "step { endedAt }")
DONE = mutation("markStepDone", "MarkStepDone", "person { onboarding { isComplete } }")
TAKEN = mutation("recordCompletion", "RecordCompletion", "person { completions { training { name } expiresAt } }")
CONSENT = mutation("recordConsent", "RecordConsent", "person { consents { purpose textVersion } }")
ASK = mutation("requestMentor", "RequestMentor", "request { id }")
ANSWER = mutation("moveRequest", "MoveRequest", "request { id pairing { id } }")
AWAY = mutation("setAway", "SetAway", "person { away { cause } } " + OTHERS)
BACK = mutation("comeBack", "ComeBack", "person { away { cause } }")
LEFT = mutation("recordLeaving", "RecordLeaving", "person { roles } " + OTHERS)
POLICY = mutation("setPolicy", "SetPolicy", "policy { version }")
MENTORS = "query ($id: ID!) { recommendMentors(menteeId: $id) { edges { node { mentor { name } } } } }"
EXPIRING = """
query ($days: Int) { expiringTrainings(withinDays: $days) { person { name } training { name } daysLeft } }
"""


@pytest.fixture
def api(server: EmbeddedDatabase) -> Iterator[Api]:
    """An application on a database that holds two mentors and two mentees, of whom one has not agreed to anything."""
    with asked_about(server, WORLD, SOURCE) as asking:
        yield asking


def gid(kind: str, key: str) -> str:
    return global_id(KINDS[kind].label, uid_of(SOURCE, kind, key))


ADA, EVE, BO, CY = (gid("people", each) for each in NAMES)
ONE, TWO = (gid("programmes", each) for each in ("one", "two"))


def tell(api: Api, mutation: str, viewer: str = "", **input: Any) -> dict[str, Any]:
    """What is told; it is not refused."""
    payload: dict[str, Any] = api.data(mutation, viewer=viewer, input=input)["told"]
    assert payload["userErrors"] == []
    return payload


def refused(api: Api, mutation: str, viewer: str = "", **input: Any) -> tuple[str, list[str]]:
    """Code and field of the one refusal."""
    payload = api.data(mutation, viewer=viewer, input=input)["told"]
    [error] = payload["userErrors"]
    assert error["message"]
    return error["code"], error["field"]


def mentors(api: Api, mentee: str = BO) -> list[str]:
    edges = api.data(MENTORS, id=mentee)["recommendMentors"]["edges"]
    return sorted(edge["node"]["mentor"]["name"] for edge in edges)


def test_what_is_told_is_read_by_the_person_and_by_coordinators_only(api: Api) -> None:
    tell(api, PROFILE, ADA, personId=ADA, jobTitle="Engineer", pace="STEADY", languages=["sv"])
    told = tell(api, PROFILE, ADA, personId=ADA, pace=None, formats=["live"])
    assert told["person"]["profile"] == {"jobTitle": "Engineer", "pace": None, "languages": ["sv"], "formats": ["live"]}
    assert tell(api, ENROL, personId=ADA, programmeId=ONE, role="MENTEE")["person"]["roles"] == ["MENTEE", "MENTOR"]
    tell(api, ENROL, ADA, personId=ADA, programmeId=ONE, role="MENTOR", maxMentees=2, hoursPerMonth=4.5)
    tell(api, CHANGE, ADA, personId=ADA, programmeId=ONE, role="MENTOR", maxMentees=1)
    tell(api, LEAVE, ADA, personId=ADA, programmeId=ONE, role="MENTEE")
    tell(api, CONSENT, ADA, personId=ADA, purpose="STORIES", textVersion="2", granted=True)
    tell(api, CONSENT, ADA, personId=ADA, purpose="AUDIT_ATTRIBUTES", textVersion="1", granted=True)
    step: dict[str, Any] = {
        "name": "Read it",
        "necessity": "MANDATORY",
        "position": 1,
        "role": "MENTOR",
        "programmeId": ONE,
    }
    own = tell(api, STEP, **step)["step"]["id"]
    tell(api, DONE, ADA, personId=ADA, stepId=own)
    tell(api, TAKEN, ADA, personId=ADA, trainingId=gid("trainings", "listen"))
    assert api.data(PERSON, viewer=BO, id=ADA)["person"] is None  # who takes part in another programme is not met
    tell(api, ENROL, personId=BO, programmeId=ONE, role="MENTEE")
    shown = {viewer: api.data(PERSON, viewer=viewer, id=ADA)["person"] for viewer in ("", ADA, BO)}
    assert shown[""] == shown[ADA]
    assert shown[BO] == {"name": "Ada", **dict.fromkeys(FIELDS)}
    found = shown[ADA]
    assert found["profile"] == {"jobTitle": "Engineer", "pace": None, "languages": ["sv"]}
    missing = {each["field"]: each["message"] for each in found["completeness"]["missing"]}
    assert list(missing)[:2] == ["wantedSkills", "availability"]
    assert missing["zone"] == "meetings are proposed at hours of day in which people are awake"
    assert 0 < found["completeness"]["share"] < 1
    assert found["consents"] == [
        {"purpose": "MATCHING", "textVersion": "1"},
        {"purpose": "STORIES", "textVersion": "2"},
        {"purpose": "AUDIT_ATTRIBUTES", "textVersion": "1"},
    ]
    assert found["enrolments"] == [
        {"programme": {"name": "One"}, "role": "MENTOR", "maxMentees": 1, "hoursPerMonth": 4.5}
    ]
    [progress] = found["onboarding"]["steps"]
    assert (found["onboarding"]["isComplete"], progress["step"]) == (
        True,
        {"name": "Read it", "necessity": "MANDATORY"},
    )
    assert progress["doneAt"]
    [taken] = found["completions"]
    assert taken["training"] == {"name": "Listening well"}
    assert found["away"] is None
    assert api.data(EXPIRING, days=10)["expiringTrainings"] == [
        {"person": {"name": "Ada"}, "training": {"name": "Listening well"}, "daysLeft": 9}
    ]
    assert api.data(EXPIRING, days=8)["expiringTrainings"] == []
    assert api.refusal(EXPIRING, viewer=ADA) == ("FORBIDDEN", None)


def test_what_is_read_of_many_people_takes_two_statements(api: Api) -> None:
    query = "query ($ids: [ID!]!) { nodes(ids: $ids) { ... on Person { profile { pace } onboarding { isComplete } } } }"
    api.data(query, ids=[ADA, EVE, BO, CY])
    assert api.statements == ["read_nodes", "read_onboarding", "read_facts_of_people"]


def test_nobody_is_recommended_or_sought_for_before_the_mandatory_steps(api: Api) -> None:
    step: dict[str, Any] = {"name": "Read it", "necessity": "MANDATORY", "position": 1}
    own = tell(api, STEP, **step, role="MENTOR", externalId="x", source="hr")["step"]["id"]
    assert tell(api, STEP, **step, externalId="x", source="hr")["step"]["id"] == own
    assert mentors(api) == []
    assert refused(api, ASK, BO, menteeId=BO, mentorId=ADA) == ("NOT_ALLOWED", ["input", "mentorId"])
    tell(api, DONE, personId=ADA, stepId=own)
    assert mentors(api) == ["Ada"]
    other = tell(api, STEP, **step, role="MENTEE")["step"]["id"]
    assert api.refusal(MENTORS, id=BO) == ("NOT_ONBOARDED", "menteeId")
    assert refused(api, ASK, BO, menteeId=BO, mentorId=ADA) == ("NOT_ONBOARDED", ["input", "menteeId"])
    tell(api, END, stepId=other)
    tell(api, END, stepId=own)
    assert mentors(api) == ["Ada", "Eve"]


def test_bad_input_is_named(api: Api) -> None:
    where: dict[str, Any] = {"personId": ADA, "programmeId": ONE, "role": "MENTOR"}
    assert refused(api, ENROL, **{**where, "programmeId": gid("programmes", "old")}) == (
        "ARCHIVED", ["input", "programmeId"],
    )  # fmt: skip
    assert refused(api, ENROL, **where, since="2025-01-01") == ("BAD_USER_INPUT", ["input", "since"])
    assert refused(api, ENROL, **where, maxMentees=-1) == ("BAD_USER_INPUT", ["input", "maxMentees"])
    assert refused(api, ENROL, ADA, **{**where, "role": "COORDINATOR"}) == ("FORBIDDEN", ["input", "role"])
    assert refused(api, CHANGE, **where, maxMentees=1) == ("NOT_FOUND", ["input", "programmeId"])
    assert refused(api, PROFILE, personId=ADA, languages=["?"]) == ("BAD_USER_INPUT", ["input", "languages"])
    assert refused(api, PROFILE, BO, personId=ADA, about="x") == ("FORBIDDEN", ["input", "personId"])
    step: dict[str, Any] = {"name": "x", "necessity": "OPTIONAL", "position": 1}
    assert refused(api, STEP, **{**step, "position": 101}) == ("BAD_USER_INPUT", ["input", "position"])
    assert refused(api, STEP, ADA, **step) == ("FORBIDDEN", ["input"])
    unknown = gid("onboarding_steps", "none")
    assert refused(api, DONE, personId=ADA, stepId=unknown) == ("NOT_FOUND", ["input", "stepId"])
    taken: dict[str, Any] = {"personId": ADA, "trainingId": gid("trainings", "listen")}
    assert refused(api, TAKEN, **taken, at="2190-01-01") == ("BAD_USER_INPUT", ["input", "at"])
    assert refused(api, LEFT, personId=ADA, leftAt="2025-01-01") == ("BAD_USER_INPUT", ["input", "leftAt"])
    assert refused(api, LEFT, ADA, personId=ADA, leftAt="2026-02-01") == ("FORBIDDEN", ["input"])
    long: dict[str, Any] = {"personId": ADA, "since": "2026-01-01", "until": "2190-01-01"}
    tell(api, AWAY, **long)
    overlapping: dict[str, Any] = {**long, "since": "2026-01-02"}
    assert refused(api, AWAY, **overlapping) == ("CONFLICT", ["input", "since"])


def test_who_goes_away_or_leaves_leaves_nobody_without_others(api: Api) -> None:
    tell(api, ASK, BO, menteeId=BO, mentorId=ADA)
    now = present()
    span: dict[str, Any] = {
        "since": (now - timedelta(days=1)).isoformat(),
        "until": (now + timedelta(days=9)).isoformat(),
    }
    expected = {"mentee": {"name": "Bo"}, "request": {"state": "RELEASED"}, "pairing": None}
    told = tell(api, AWAY, personId=ADA, **span)
    assert told["person"]["away"] == {"cause": "TOLD"}
    assert told["offerOthers"] == [{**expected, "alternatives": {"nodes": [{"mentor": {"name": "Eve"}}]}}]
    assert tell(api, BACK, ADA, personId=ADA)["person"]["away"] is None
    assert mentors(api) == ["Ada", "Eve"]
    tell(api, ASK, BO, menteeId=BO, mentorId=EVE)
    by_herself = tell(api, AWAY, EVE, personId=EVE, **span)
    assert by_herself["offerOthers"] == [{**expected, "alternatives": None, "mentee": {"name": "Bo"}}]
    tell(api, BACK, personId=EVE)
    request = tell(api, ASK, BO, menteeId=BO, mentorId=ADA)["request"]["id"]
    tell(api, ANSWER, ADA, requestId=request, to="ACCEPTED")
    told = tell(api, LEFT, personId=ADA, leftAt=now.isoformat())
    assert told["person"]["roles"] == []
    [behind] = told["offerOthers"]
    assert behind["pairing"] == {"status": "ENDED"}
    assert behind["alternatives"]["nodes"] == [{"mentor": {"name": "Eve"}}]


def test_others_are_offered_in_the_programme_that_it_was_about(api: Api) -> None:
    for programme, (person, role) in product((ONE, TWO), ((BO, "MENTEE"), (ADA, "MENTOR"))):
        tell(api, ENROL, personId=person, programmeId=programme, role=role)
    tell(api, POLICY, programmeId=ONE, draft="[rules]\nmembers_only = true")
    for there, others in ((ONE, []), (TWO, [{"mentor": {"name": "Eve"}}])):  # Eve is enrolled nowhere
        tell(api, ASK, BO, menteeId=BO, mentorId=ADA, programmeId=there)
        now = present()
        span = {"since": now.isoformat(), "until": (now + timedelta(days=9)).isoformat()}
        [offered] = tell(api, AWAY, personId=ADA, **span)["offerOthers"]
        assert offered["alternatives"]["nodes"] == others
        tell(api, BACK, ADA, personId=ADA)


def test_the_first_thing_that_somebody_silent_tells_brings_them_back(api: Api) -> None:
    assert api.client.portal is not None
    tell(api, ASK, BO, menteeId=BO, mentorId=ADA)
    later = present() + timedelta(days=61)
    with set_to(lambda: later):
        [silent] = api.client.portal.call(set_silent_away, api.service.recommender.store)
    assert len(silent.released) == 1
    with set_to(lambda: later + timedelta(seconds=1)):
        assert api.data(PERSON, id=ADA)["person"]["away"] == {"cause": "SILENT"}
        assert mentors(api) == ["Eve"]
        tell(api, PROFILE, EVE, personId=EVE, about="x")
        assert mentors(api) == ["Eve"]
        tell(api, PROFILE, ADA, personId=ADA, about="Here again")
    with set_to(lambda: later + timedelta(seconds=2)):
        assert mentors(api) == ["Ada", "Eve"]
        assert api.data(PERSON, id=ADA)["person"]["away"] is None


def test_what_was_told_counts_though_the_database_goes_away_right_after_it(
    api: Api, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def gone(*_arguments: object) -> bool:
        raise DatabaseUnavailable("the database cannot be reached; try again")

    monkeypatch.setattr(away, "sign_of_life", gone)
    told = tell(api, PROFILE, ADA, personId=ADA, jobTitle="Guide")
    assert told["person"]["profile"]["jobTitle"] == "Guide"


def test_the_load_of_a_mentor_is_for_them_and_coordinators(api: Api) -> None:
    load = "query ($id: ID!) { person(id: $id) { mentorLoad { taken places left isNearLimit programmes { taken } } } }"
    request = tell(api, ASK, BO, menteeId=BO, mentorId=ADA)["request"]["id"]
    assert api.data(load, id=ADA)["person"]["mentorLoad"]["taken"] == 0
    tell(api, ANSWER, ADA, requestId=request, to="ACCEPTED")
    own, seen = (api.data(load, viewer=each, id=ADA)["person"]["mentorLoad"] for each in (ADA, ""))
    assert own == seen
    assert (own["taken"], own["places"] - own["left"]) == (1, 1)
    assert api.data(load, viewer=BO, id=ADA) == {"person": {"mentorLoad": None}}
    assert api.data(load, id=BO) == {"person": {"mentorLoad": None}}


def test_the_page_about_people_works(api: Api) -> None:
    values: dict[str, Any] = {
        "person": ADA,
        "mentee": BO,
        "programme": ONE,
        "training": gid("trainings", "listen"),
        "skill": gid("skills", "py"),
        "step": lambda answers: answers["DefineStep"]["defineOnboardingStep"]["step"]["id"],
        "since": (present() - timedelta(days=1)).isoformat(),
        "until": (present() + timedelta(days=14)).isoformat(),
        "today": present().isoformat(),
    }
    answers = play(api, DOCS / "people.md", values)
    assert [edge["node"]["mentor"]["name"] for edge in answers["Catalogue"]["mentorCatalogue"]["edges"]] == ["Ada"]
    assert answers["Onboarded"]["person"]["onboarding"]["isComplete"] is True
    assert answers["Away"]["setAway"]["person"]["away"]["cause"] == "TOLD"
    assert answers["Left"]["recordLeaving"]["person"]["roles"] == []


def test_the_command_says_whom_it_sets_away_and_what_it_releases(emptied: EmbeddedDatabase, tmp_path: Path) -> None:
    run = CliRunner().invoke
    rows = {**WORLD, "requests": [{"id": "q", "mentor_id": "ada", "mentee_id": "bo", "asked_on": JOINED,
                                   "answer_within_days": "365", "status": "requested"}]}  # fmt: skip

    async def fill() -> None:
        async with connected(emptied) as database:
            await import_bundle(Store(database), bundle_of(rows), source=SOURCE)

    asyncio.run(fill())
    ada, bo = (uid_of(SOURCE, "people", each) for each in ("ada", "bo"))
    with set_to(lambda: datetime(2026, 4, 1, tzinfo=UTC)):
        dry, first, second = (
            run(main, ["people", "silent", *more]).stdout.splitlines() for more in (["--dry-run"], [], ["--days", "30"])
        )
    assert dry == [f"{ada} 2026-01-01", "would set 1 away"]
    assert first == [f"{ada} 2026-01-01", f"  {uid_of(SOURCE, 'requests', 'q')} {bo} -", "set 1 away"]
    assert second == ["set 0 away"]
    assert run(main, ["people", "silent", "--days", "0"]).exit_code == 2

    async def checked() -> list[Any]:
        async with connected(emptied) as database:
            return list(await check(Store(database)))

    assert asyncio.run(checked()) == []
