"""Programmes over GraphQL: the page for coordinators as it stands, what participants may, and what is refused."""

import asyncio
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from mentorgraph.api.ids import global_id, read_global_id
from mentorgraph.graph import clock
from mentorgraph.graph.embedded.database import EmbeddedDatabase
from mentorgraph.graph.facts.model import uid_of
from mentorgraph.graph.facts.rows import facts_of
from mentorgraph.graph.facts.values import instant
from mentorgraph.graph.store.store import Store

from .conftest import Api, asked, connected, fill
from .pages import DOCS, play
from .test_pairings import ANSWER, ASK, code, register, tell

UNKNOWN = "00000000-0000-5000-8000-000000000000"
ERRORS = "userErrors { message field code }"
CHARTER = {"why": "More lead.", "forWhom": "Everybody.", "howMeasured": "By delivery.", "skillWeight": 0.5}


def mutation(field: str, shown: str) -> str:
    kind = field[0].upper() + field[1:]
    return f"mutation ($input: {kind}Input!) {{ told: {field}(input: $input) {{ {shown} {ERRORS} }} }}"


PROGRAMME = "programme { id name isArchived until charters { why since until } tiers { nodes { id name } } }"
CREATE = mutation("createProgramme", PROGRAMME)
REVISE = mutation("reviseCharter", PROGRAMME)
CLONE = mutation("cloneProgramme", PROGRAMME)
ARCHIVE = mutation("archiveProgramme", PROGRAMME)
SET = mutation("setTier", "tier { id name since until trainings { nodes { id name } } }")
REVISE_TIER = mutation("reviseTier", "tier { id name leastDays since trainings { nodes { name } } }")
END_TIER = mutation("endTier", "tier { id until }")
DEFINE = mutation("defineTraining", "training { id name until }")
END_TRAINING = mutation("endTraining", "training { until }")
READ = f"query ($id: ID!) {{ node(id: $id) {{ id ... on Programme {{ {PROGRAMME[12:-2]} }} }} }}"
ELIGIBLE = """
query ($person: ID!, $programme: ID!) {
  eligibility(personId: $person, programmeId: $programme, role: MENTOR) {
    tier { name } isEligible unmet { rule fact remedy }
  }
}
"""
WARNING = "{ tier { name } heldUntil trainings { nodes { id } } message }"
WARNED = f"""
query ($person: ID!, $programme: ID!) {{
  eligibility(personId: $person, programmeId: $programme, role: MENTOR) {{ isEligible warning {WARNING} }}
}}
"""
WARNINGS = f"query ($person: ID!) {{ person(id: $person) {{ tierWarnings {WARNING} }} }}"


@pytest.fixture
def api(server: EmbeddedDatabase) -> Iterator[Api]:
    """An application on an empty database."""
    asyncio.run(fill(server, None))
    with asked(server) as asking:
        yield asking


def create(api: Api, key: str = "p", **input: Any) -> str:
    told = tell(
        api, CREATE, **{"name": "Cohort", "externalId": key, "charter": CHARTER, "since": "2026-01-01", **input}
    )
    assert told["userErrors"] == []
    return str(told["programme"]["id"])


def error(api: Api, document: str, viewer: str = "", **input: Any) -> tuple[str, str]:
    [found] = tell(api, document, viewer, **input)["userErrors"]
    return found["code"], ".".join(found["field"])


def write(server: EmbeddedDatabase, file: str, **row: object) -> None:
    async def put() -> None:
        async with connected(server) as database:
            await Store(database).write(facts_of(file, row, "test"))

    asyncio.run(put())


GOAL = "mutation ($input: CreateGoalInput!) { createGoal(input: $input) { goal { id } userErrors { message } } }"
FORMAT = "query ($id: ID!) { suggestFormat(goalId: $id) { format } }"


def test_the_page_of_programmes_works(api: Api, server: EmbeddedDatabase) -> None:
    ada = register(api, "Ada", "MENTOR")
    created = api.data(GOAL, input={"personId": ada, "title": "How do I run a retrospective?"})["createGoal"]
    goal = created["goal"]["id"]
    now = datetime.now(UTC)
    day = timedelta(days=1)
    values = {
        "owner": ada,
        "goal": goal,
        "person": ada,
        "since": (now - 30 * day).isoformat(),
        "until": (now + 200 * day).isoformat(),
        "from": (now - 10 * day).isoformat(),
        "day": (now - 20 * day).isoformat(),
        "later": (now + 2 * day).isoformat(),
        "next": (now + 210 * day).isoformat(),
        "programme": lambda answers: answers["Begin"]["createProgramme"]["programme"]["id"],
        "training": lambda answers: answers["Define"]["defineTraining"]["training"]["id"],
        "tier": lambda answers: answers["Set"]["setTier"]["tier"]["id"],
    }
    answers = play(api, DOCS / "programmes.md", values, {"Eligible": ada, "AsItWas": ada, "Tiers": ada})
    begun = answers["Begin"]["createProgramme"]["programme"]
    assert begun["charter"] == {
        "why": "More of us are to lead.",
        "successThreshold": 0.6,
        "ownerName": "Ada",
    }
    versions = answers["Revise"]["reviseCharter"]["programme"]["charters"]
    assert [(each["skillWeight"], each["deliveryWeight"]) for each in versions] == [(0.5, 0.3), (0.2, 0.6)]
    assert versions[0]["until"] == versions[1]["since"]
    assert answers["AsItWas"]["programme"]["charter"]["skillWeight"] == 0.5
    suggested = answers["WhichFormat"]["suggestFormat"]
    assert (suggested["format"], [each["rule"] for each in suggested["why"]]) == ("MICRO", ["ASKS_A_QUESTION"])
    assert suggested["why"][0]["points"] == [{"format": "MICRO", "points": 3.0}]
    assert api.refusal(FORMAT, viewer=register(api, "Bo", "MENTEE"), id=goal) == ("NOT_FOUND", "goalId")
    assert api.refusal(FORMAT, id=ada)[1] == "goalId"
    [eligible] = answers["Eligible"]["eligibility"]
    assert eligible["tier"] == {"name": "Guide", "rank": 1}
    assert not eligible["isEligible"]
    assert [each["rule"] for each in eligible["unmet"]] == ["TOO_NEW", "LEVEL_TOO_LOW", "TRAINING_MISSING"]
    changed = answers["Change"]["reviseTier"]["tier"]
    assert (changed["leastDays"], changed["leastLevel"]) == (30, None)
    assert changed["trainings"]["nodes"] == [{"name": "Listening well"}]
    assert len(answers["Tiers"]["programme"]["tiers"]["nodes"]) == 2
    copied = answers["Clone"]["cloneProgramme"]["programme"]
    assert (copied["format"], copied["charter"]) == ("COHORT", {"why": "More of us are to lead."})
    assert copied["tiers"]["nodes"] == [{"name": "Guide", "trainings": {"nodes": [{"name": "Listening well"}]}}]
    archived = answers["Archive"]["archiveProgramme"]["programme"]
    assert archived["isArchived"]
    assert archived["charter"]["until"] == archived["until"]
    assert [each["node"]["name"] for each in answers["Running"]["programmes"]["edges"]] == ["Second cohort"]


def test_participants_read_programmes_and_change_nothing(api: Api) -> None:
    ada, bo = register(api, "Ada", "COORDINATOR"), register(api, "Bo", "MENTEE")
    programme = create(api, charter={**CHARTER, "ownerId": ada})
    training = tell(api, DEFINE, name="Listening")["training"]["id"]
    tier = tell(api, SET, programmeId=programme, name="Guide", role="MENTOR", rank=1)["tier"]["id"]
    assert api.data(READ, viewer=bo, id=programme) == api.data(READ, id=programme)
    assert [each["name"] for each in api.data(READ, viewer=bo, id=programme)["node"]["tiers"]["nodes"]] == ["Guide"]
    owner = "query ($id: ID!) { programme(id: $id) { charter { ownerName owner { name } } } }"
    assert api.data(owner, viewer=bo, id=programme)["programme"]["charter"] == {"ownerName": "Ada", "owner": None}
    assert api.data(owner, id=programme)["programme"]["charter"]["owner"] == {"name": "Ada"}
    for document, input in (
        (CREATE, {"name": "x", "charter": CHARTER}),
        (REVISE, {"programmeId": programme, "why": "x"}),
        (CLONE, {"programmeId": programme, "name": "x"}),
        (ARCHIVE, {"programmeId": programme}),
        (SET, {"programmeId": programme, "name": "x", "role": "MENTEE", "rank": 1}),
        (REVISE_TIER, {"tierId": tier, "rank": 2}),
        (END_TIER, {"tierId": tier}),
        (DEFINE, {"name": "x"}),
        (END_TRAINING, {"trainingId": training}),
    ):
        assert error(api, document, bo, **input) == ("FORBIDDEN", "input"), document
        assert not any(each.startswith("write_") for each in api.statements)
    assert api.refusal(ELIGIBLE, viewer=bo, person=ada, programme=programme) == ("FORBIDDEN", "personId")
    assert api.data(ELIGIBLE, viewer=bo, person=bo, programme=programme)["eligibility"] == [
        {"tier": {"name": "Guide"}, "isEligible": True, "unmet": []}
    ]


def test_what_cannot_be_taken_is_named_by_its_field(api: Api) -> None:
    register(api, "Ada", "MENTOR")
    programme = create(api, until="2190-01-01")
    tier = tell(api, SET, programmeId=programme, name="Guide", role="MENTOR", rank=1)["tier"]["id"]
    unknown = {kind: global_id(kind, UNKNOWN) for kind in ("Programme", "Person", "Tier", "Training")}
    zero = {"skillWeight": 0, "confidenceWeight": 0, "deliveryWeight": 0}
    for document, input, expected in (
        (CREATE, {"name": "x", "since": "2026-02-01", "until": "2026-01-01"}, ("BAD_USER_INPUT", "until")),
        (CREATE, {"name": "x", "checkInDays": 400}, ("BAD_USER_INPUT", "checkInDays")),
        (CREATE, {"name": "x", "charter": {**CHARTER, **zero}}, ("BAD_USER_INPUT", "charter.skillWeight")),
        (CREATE, {"name": "x", "charter": {**CHARTER, "surveyDays": 0}}, ("BAD_USER_INPUT", "charter.surveyDays")),
        (CREATE, {"name": "x", "charter": {**CHARTER, "ownerId": unknown["Person"]}}, ("NOT_FOUND", "charter.ownerId")),
        (CREATE, {"name": "x", "charter": {**CHARTER, "ownerId": programme}}, ("BAD_USER_INPUT", "charter.ownerId")),
        (REVISE, {"programmeId": programme, "since": "2025-01-01", "why": "x"}, ("BAD_USER_INPUT", "since")),
        (REVISE, {"programmeId": programme, "since": "2026-01-01", "why": "x"}, ("CONFLICT", "since")),
        (REVISE, {"programmeId": programme, **zero}, ("BAD_USER_INPUT", "skillWeight")),
        (REVISE, {"programmeId": programme, "howMeasured": None}, ("BAD_USER_INPUT", "howMeasured")),
        (REVISE, {"programmeId": unknown["Programme"], "why": "x"}, ("NOT_FOUND", "programmeId")),
        (SET, {"programmeId": programme, "name": "x", "role": "MENTOR", "rank": 1}, ("CONFLICT", "rank")),
        (SET, {"programmeId": programme, "name": "x", "role": "MENTOR", "rank": 0}, ("BAD_USER_INPUT", "rank")),
        (
            SET,
            {"programmeId": programme, "name": "x", "role": "MENTEE", "rank": 1, "trainingIds": [unknown["Training"]]},
            ("NOT_FOUND", "trainingIds.0"),
        ),
        (REVISE_TIER, {"tierId": tier, "leastLevel": 6}, ("BAD_USER_INPUT", "leastLevel")),
        (REVISE_TIER, {"tierId": unknown["Tier"]}, ("NOT_FOUND", "tierId")),
        (END_TIER, {"tierId": tier, "until": "2020-01-01"}, ("BAD_USER_INPUT", "until")),
        (DEFINE, {"name": "x", "validDays": 0}, ("BAD_USER_INPUT", "validDays")),
        (DEFINE, {"name": "x", "link": "javascript:x"}, ("BAD_USER_INPUT", "link")),
        (END_TRAINING, {"trainingId": unknown["Training"]}, ("NOT_FOUND", "trainingId")),
        (CLONE, {"programmeId": unknown["Programme"], "name": "x"}, ("NOT_FOUND", "programmeId")),
        (CLONE, {"programmeId": programme, "name": ""}, ("BAD_USER_INPUT", "name")),
        (ARCHIVE, {"programmeId": unknown["Programme"]}, ("NOT_FOUND", "programmeId")),
    ):
        given = {"charter": CHARTER, **input} if document == CREATE else input
        found, field = error(api, document, **given)
        assert (found, field) == (expected[0], f"input.{expected[1]}"), (document, input)
    assert len(api.data("{ programmes { edges { node { id } } } }")["programmes"]["edges"]) == 1


def test_an_expired_training_is_named_with_its_day(api: Api, server: EmbeddedDatabase) -> None:
    ada = register(api, "Ada", "MENTOR")
    programme = create(api)
    training = tell(api, DEFINE, name="Listening well", validDays=30, externalId="t")["training"]["id"]
    tell(api, SET, programmeId=programme, name="Guide", role="MENTOR", rank=1, trainingIds=[training])
    person, uid = read_uid(ada), uid_of("api", "trainings", "t")
    write(server, "completions", person_id=person, training_id=uid, since="2026-01-30")
    [found] = api.data(ELIGIBLE, person=ada, programme=programme)["eligibility"]
    assert found["unmet"] == [
        {
            "rule": "TRAINING_EXPIRED",
            "fact": "'Listening well' expired on 2026-03-01",
            "remedy": "take 'Listening well' again: it expired on 2026-03-01",
        }
    ]


def test_a_tier_that_will_be_lost_says_until_when_it_is_held_and_what_mends_it(
    api: Api, server: EmbeddedDatabase
) -> None:
    ada, bo = register(api, "Ada", "MENTOR"), register(api, "Bo", "MENTEE")
    programme = create(api)
    training = tell(api, DEFINE, name="Listening well", validDays=30, externalId="t")["training"]["id"]
    tell(api, SET, programmeId=programme, name="Guide", role="MENTOR", rank=1, trainingIds=[training])
    person, uid, today = read_uid(ada), uid_of("api", "trainings", "t"), clock.present()
    write(server, "completions", person_id=person, training_id=uid, since=today)
    enrolled = {"person_id": person, "programme_id": read_uid(programme), "role": "mentor", "since": today}
    write(server, "memberships", **enrolled)
    lost = instant(today) + timedelta(days=30)
    warning = {
        "tier": {"name": "Guide"},
        "heldUntil": lost.isoformat().replace("+00:00", "Z"),
        "trainings": {"nodes": [{"id": training}]},
        "message": f"holds until {lost.date()}; to stay, take 'Listening well' before {lost.date()} again",
    }
    for days, right in ((15, None), (14, warning), (13, warning), (0, None), (-1, None)):
        with clock.set_to(at(lost - timedelta(days=days))):
            [found] = api.data(WARNED, viewer=ada, person=ada, programme=programme)["eligibility"]
            own = api.data(WARNINGS, viewer=ada, person=ada)["person"]["tierWarnings"]
            assert api.data(WARNINGS, viewer=bo, person=ada)["person"] is None  # of another programme
        assert (found["warning"], found["isEligible"]) == (right, days > 0)
        assert own == ([right] if right else [])


def at(instant: datetime) -> clock.Clock:
    """A clock that stands."""
    return lambda: instant


def read_uid(text: str) -> str:
    return read_global_id(text)[1]


def test_an_archived_programme_takes_no_requests_and_waits_for_those_that_are_open(api: Api) -> None:
    ada, bo = register(api, "Ada", "MENTOR"), register(api, "Bo", "MENTEE")
    programme = create(api)
    request = tell(api, ASK, bo, menteeId=bo, mentorId=ada, programmeId=programme)["request"]["id"]
    assert error(api, ARCHIVE, programmeId=programme) == ("IN_USE", "input.programmeId")
    assert tell(api, ANSWER, bo, requestId=request, to="WITHDRAWN")["userErrors"] == []
    archived = tell(api, ARCHIVE, programmeId=programme)["programme"]
    assert archived["isArchived"]
    assert archived["charters"][-1]["until"] == archived["until"]
    assert error(api, ARCHIVE, programmeId=programme) == ("CONFLICT", "input.programmeId")
    assert code(api, ASK, bo, menteeId=bo, mentorId=ada, programmeId=programme) == "ARCHIVED"
    assert code(api, ASK, "", menteeId=bo, mentorId=ada, programmeId=programme, isProposal=True) == "ARCHIVED"
    unknown = global_id("Programme", UNKNOWN)
    assert code(api, ASK, bo, menteeId=bo, mentorId=ada, programmeId=unknown) == "NOT_FOUND"
    assert api.data(READ, viewer=bo, id=programme)["node"]["charters"][0]["why"] == "More lead."


def test_a_change_is_seen_by_the_rest_of_its_request(api: Api) -> None:
    programme = create(api)
    document = """
    mutation ($id: ID!) {
      first: setTier(input: { programmeId: $id, name: "Guide", role: MENTOR, rank: 1, externalId: "t" }) {
        tier { until }
      }
      revised: reviseCharter(input: { programmeId: $id, why: "Second." }) {
        programme { charter { why } tiers { nodes { name } } }
      }
      again: archiveProgramme(input: { programmeId: $id }) {
        programme { isArchived tiers { nodes { name } } charter { why } }
      }
    }
    """
    assert api.data(document, id=programme) == {
        "first": {"tier": {"until": None}},
        "revised": {"programme": {"charter": {"why": "Second."}, "tiers": {"nodes": [{"name": "Guide"}]}}},
        "again": {"programme": {"isArchived": True, "tiers": {"nodes": []}, "charter": {"why": "Second."}}},
    }
    tier = global_id("Tier", uid_of("api", "tiers", "t"))
    shown = api.data("query ($id: ID!) { node(id: $id) { ... on Tier { name until } } }", id=tier)["node"]
    assert shown["until"] is not None


def test_programmes_come_in_pages_whose_round_trips_do_not_grow_with_them(api: Api) -> None:
    training = tell(api, DEFINE, name="Listening")["training"]["id"]
    page = """
    query ($first: Int, $after: String, $archived: Boolean) {
      programmes(first: $first, after: $after, isArchived: $archived) {
        edges { node { name charter { why }
        tiers { nodes { name trainings { nodes { name } } } } } }
        pageInfo { hasNextPage endCursor }
      }
    }
    """
    for number in range(3):
        programme = create(api, key=f"p{number}", name=f"P{number}")
        for rank in (1, 2):
            told = tell(
                api, SET, programmeId=programme, name=f"T{rank}", role="MENTOR", rank=rank, trainingIds=[training]
            )
            assert told["userErrors"] == []
    tell(api, ARCHIVE, programmeId=programme)
    seen: list[str] = []
    after = None
    for more in (True, True, False):
        found = api.data(page, first=1, after=after)["programmes"]
        seen += [edge["node"]["name"] for edge in found["edges"]]
        after = found["pageInfo"]["endCursor"]
        assert found["pageInfo"]["hasNextPage"] is more
    assert sorted(seen) == ["P0", "P1", "P2"]
    running = api.data(page, archived=False)["programmes"]["edges"]
    assert sorted(edge["node"]["name"] for edge in running) == ["P0", "P1"]
    assert [tier["trainings"]["nodes"] for tier in running[0]["node"]["tiers"]["nodes"]] == [
        [{"name": "Listening"}]
    ] * 2
    assert [edge["node"]["name"] for edge in api.data(page, archived=True)["programmes"]["edges"]] == ["P2"]
    for first in (1, 2):
        api.data(page, first=first, archived=False)
        assert api.statements == [
            "page_programmes",
            "read_nodes",
            "read_programmes",
            "read_nodes",
            "read_demands",
            "read_nodes",
        ]
    names = [
        edge["node"]["name"] for edge in api.data("{ trainings { edges { node { name } } } }")["trainings"]["edges"]
    ]
    assert names == ["Listening"]


def test_the_charter_of_a_day_is_read_by_the_clock_of_the_program(api: Api) -> None:
    programme = create(api)
    tell(api, REVISE, programmeId=programme, since="2180-01-01", why="Later.")
    shown = (
        "query ($id: ID!, $at: DateTime) { programme(id: $id) { now: charter { why } then: charter(at: $at) { why } } }"
    )
    found = api.data(shown, id=programme, at="2180-01-02")["programme"]
    assert found == {"now": {"why": "More lead."}, "then": {"why": "Later."}}
    with clock.set_to(lambda: datetime(2185, 1, 1, tzinfo=UTC)):
        assert api.data(shown, id=programme, at="2025-01-01")["programme"] == {"now": {"why": "Later."}, "then": None}
