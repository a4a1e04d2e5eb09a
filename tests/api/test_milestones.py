"""Milestones over GraphQL: who plans and closes them, what is overdue, and that none is lost sight of."""

import asyncio
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from mentorgraph.api.ids import global_id
from mentorgraph.graph.clock import set_to
from mentorgraph.graph.embedded.database import EmbeddedDatabase
from mentorgraph.graph.exchange.check import check
from mentorgraph.graph.facts.kinds import KINDS
from mentorgraph.graph.facts.model import InvalidFact, uid_of
from mentorgraph.graph.facts.rows import facts_of
from mentorgraph.graph.store.store import Store

from .conftest import Api, asked_about, connected

SOURCE = "hr"
SINCE = "2026-01-01"
NOW = datetime(2026, 3, 2, 9, tzinfo=UTC)
NAMES = ("ada", "bo", "eve", "zoe")
WORLD: dict[str, list[dict[str, str]]] = {
    "units": [],
    "skills": [],
    "goals": [],
    "programmes": [
        {"id": "long", "name": "Long", "format": "long_term", "since": SINCE},
        {"id": "short", "name": "Short", "format": "micro", "since": SINCE},
    ],
    "people": [{"id": each, "name": each.title(), "joined_on": SINCE} for each in NAMES],
    "roles": [{"person_id": each, "role_id": "mentor", "since": SINCE} for each in ("ada", "eve")],
    "consents": [
        {"person_id": each, "purpose": "matching", "text_version": "1", "since": SINCE} for each in NAMES
    ],
    "pairings": [
        {"id": key, "mentor_id": "ada", "mentee_id": mentee, "programme_id": programme,
         "started_on": SINCE, "status": "active"}
        for key, mentee, programme in (("q", "bo", "long"), ("s", "zoe", "short"))
    ],
    "co_mentors": [{"person_id": "eve", "pairing_id": "q", "share": "0.25", "since": SINCE}],
}  # fmt: skip
SHOWN = "id title expected state dueOn plannedAt closedAt evidence isOverdue"
ERRORS = "userErrors { message field code }"
PLAN = f"""
mutation ($input: PlanMilestoneInput!) {{ told: planMilestone(input: $input) {{ milestone {{ {SHOWN} }} {ERRORS} }} }}
"""
CLOSE = f"""
mutation ($input: CloseMilestoneInput!) {{ told: closeMilestone(input: $input) {{ milestone {{ {SHOWN} }} {ERRORS} }} }}
"""
MOVE = (
    f"mutation ($input: MovePairingInput!) {{ told: movePairing(input: $input) {{ pairing {{ status }} {ERRORS} }} }}"
)
RECORD = (
    f"mutation ($input: RecordSessionInput!) {{ told: recordSession(input: $input) {{ session {{ id }} {ERRORS} }} }}"
)
READ = f"query ($id: ID!) {{ node(id: $id) {{ ... on Milestone {{ {SHOWN} }} }} }}"
OF = "query ($id: ID!) { node(id: $id) { ... on Pairing { status milestones { nodes { title state } } } } }"
OVERDUE = """
query ($programme: ID, $first: Int) { overdue: overdueMilestones(programmeId: $programme, first: $first) {
  milestone { title } pairing { id } dueOn daysOverdue
} }
"""


def gid(kind: str, key: str) -> str:
    return global_id(KINDS[kind].label, uid_of(SOURCE, kind, key))


ADA, BO, EVE, ZOE = (gid("people", each) for each in NAMES)
PAIRING, SHORT = gid("pairings", "q"), gid("pairings", "s")


class Time:
    """A clock that goes on by a second whenever it is asked."""

    def __init__(self) -> None:
        self.now = NOW

    def __call__(self) -> datetime:
        """The next instant."""
        self.now += timedelta(seconds=1)
        return self.now


@pytest.fixture
def time() -> Iterator[Time]:
    clock = Time()
    with set_to(clock):
        yield clock


@pytest.fixture
def api(server: EmbeddedDatabase, time: Time) -> Iterator[Api]:
    with asked_about(server, WORLD, SOURCE) as asking:
        yield asking


def tell(api: Api, mutation: str, viewer: str = "", **input: Any) -> dict[str, Any]:
    payload: dict[str, Any] = api.data(mutation, viewer=viewer, input=input)["told"]
    assert payload.pop("userErrors") == []
    [found] = payload.values()
    return dict(found)


def refused(api: Api, mutation: str, viewer: str = "", **input: Any) -> tuple[str, str]:
    payload: dict[str, Any] = api.data(mutation, viewer=viewer, input=input)["told"]
    [error] = payload.pop("userErrors")
    assert [*payload.values()] == [None]
    return error["code"], ".".join(error["field"][1:])


def plan(api: Api, viewer: str = BO, pairing: str = PAIRING, **more: Any) -> dict[str, Any]:
    return tell(api, PLAN, viewer, **{"pairingId": pairing, "title": "A talk", "dueOn": "2026-04-01", **more})


def told(api: Api) -> list[tuple[str, str]]:
    return [
        (each["title"], each["state"]) for each in api.data(OF, viewer=BO, id=PAIRING)["node"]["milestones"]["nodes"]
    ]


async def problems(server: EmbeddedDatabase) -> list[object]:
    async with connected(server) as database:
        return [*await check(Store(database))]


def test_milestones_are_planned_reached_and_dropped_by_those_who_take_part(
    api: Api, server: EmbeddedDatabase, time: Time
) -> None:
    later = plan(api, EVE, title="A book", dueOn="2026-06-01")
    talk = plan(api, expected="Twenty minutes")
    assert talk == {
        "id": talk["id"], "title": "A talk", "expected": "Twenty minutes", "state": "PLANNED",
        "dueOn": "2026-04-01T00:00:00Z", "plannedAt": talk["plannedAt"], "closedAt": None, "evidence": None,
        "isOverdue": False,
    }  # fmt: skip
    assert told(api) == [("A talk", "PLANNED"), ("A book", "PLANNED")]
    reached = tell(api, CLOSE, ADA, milestoneId=talk["id"], state="REACHED", evidence="Recorded.")
    assert (reached["state"], reached["evidence"]) == ("REACHED", "Recorded.")
    assert reached["closedAt"] > reached["plannedAt"]
    assert tell(api, CLOSE, "", milestoneId=later["id"], state="DROPPED")["evidence"] is None
    assert told(api) == [("A talk", "REACHED"), ("A book", "DROPPED")]
    assert api.data(READ, viewer=BO, id=talk["id"])["node"] == reached
    assert asyncio.run(problems(server)) == []


def test_what_was_told_is_told_once(api: Api) -> None:
    first = plan(api, externalId="t1", source="plans")
    assert plan(api, externalId="t1", source="plans", title="Another") == first
    done = tell(api, CLOSE, BO, milestoneId=first["id"], state="REACHED", evidence="Recorded.")
    assert tell(api, CLOSE, BO, milestoneId=first["id"], state="REACHED") == done
    assert told(api) == [("A talk", "REACHED")]
    close = {"milestoneId": first["id"]}
    assert refused(api, CLOSE, BO, **close, state="DROPPED") == ("FORBIDDEN_MOVE", "state")
    assert refused(api, CLOSE, BO, **close, state="REACHED", evidence="Otherwise.") == ("FORBIDDEN_MOVE", "state")
    assert refused(api, CLOSE, BO, **close, state="PLANNED") == ("FORBIDDEN_MOVE", "state")


def test_bad_input_and_those_without_a_part_are_refused_and_nothing_is_written(api: Api) -> None:
    given = {"pairingId": PAIRING, "title": "A talk", "dueOn": "2026-04-01"}
    for more, field in (
        ({"title": " "}, "title"),
        ({"title": "x" * 201}, "title"),
        ({"expected": "x" * 2_001}, "expected"),
        ({"dueOn": "2026-03-01"}, "dueOn"),
    ):
        assert refused(api, PLAN, BO, **{**given, **more}) == ("BAD_USER_INPUT", field)
    assert refused(api, PLAN, ZOE, **given) == ("NOT_FOUND", "pairingId")
    assert refused(api, PLAN, "", **{**given, "pairingId": gid("pairings", "none")}) == ("NOT_FOUND", "pairingId")
    assert told(api) == []
    milestone = plan(api)["id"]
    assert refused(api, CLOSE, ZOE, milestoneId=milestone, state="REACHED") == ("NOT_FOUND", "milestoneId")
    gone = gid("milestones", "none")
    assert refused(api, CLOSE, "", milestoneId=gone, state="REACHED") == ("NOT_FOUND", "milestoneId")
    long = {"milestoneId": milestone, "evidence": "x" * 2_001}
    assert refused(api, CLOSE, BO, **long, state="REACHED") == ("BAD_USER_INPUT", "evidence")
    dropped = {"milestoneId": milestone, "evidence": "It never came."}
    assert refused(api, CLOSE, BO, **dropped, state="DROPPED") == ("BAD_USER_INPUT", "evidence")
    assert api.data(READ, viewer=ZOE, id=milestone)["node"] is None
    assert told(api) == [("A talk", "PLANNED")]


def test_what_is_overdue_is_listed_for_coordinators(api: Api, time: Time) -> None:
    plan(api, title="First", dueOn="2026-03-10T12:00:00Z")
    second = plan(api, title="Second", dueOn="2026-03-12")
    plan(api, title="Third", dueOn="2026-05-01")
    assert api.data(OVERDUE)["overdue"] == []
    time.now = datetime(2026, 3, 13, 13, tzinfo=UTC)
    found = api.data(OVERDUE)["overdue"]
    assert [(each["milestone"]["title"], each["daysOverdue"]) for each in found] == [("First", 3), ("Second", 1)]
    assert (found[0]["pairing"], found[0]["dueOn"]) == ({"id": PAIRING}, "2026-03-10T12:00:00Z")
    assert api.data(READ, id=second["id"])["node"]["isOverdue"]
    assert len(api.data(OVERDUE, first=1)["overdue"]) == 1
    assert len(api.data(OVERDUE, programme=gid("programmes", "long"))["overdue"]) == 2
    assert api.data(OVERDUE, programme=gid("programmes", "short"))["overdue"] == []
    assert api.refusal(OVERDUE, viewer=BO) == ("FORBIDDEN", None)
    assert api.refusal(OVERDUE, first=0)[0] == "BAD_USER_INPUT"
    tell(api, CLOSE, BO, milestoneId=second["id"], state="REACHED")
    assert [each["milestone"]["title"] for each in api.data(OVERDUE)["overdue"]] == ["First"]
    tell(api, MOVE, BO, pairingId=PAIRING, to="ENDED", reason="GOAL_CHANGED")
    assert api.data(OVERDUE)["overdue"] == []


def test_nobody_completes_a_pairing_with_a_planned_milestone_unless_they_say_why(api: Api) -> None:
    milestone = plan(api)["id"]
    done = {"pairingId": PAIRING, "to": "COMPLETED"}
    for viewer in (ADA, BO, ""):
        assert refused(api, MOVE, viewer, **done) == ("REASON_REQUIRED", "reason")
    [error] = api.data(MOVE, viewer=BO, input=done)["told"]["userErrors"]
    assert error["message"] == (
        "a milestone is planned still ('A talk'); say whether it was reached or dropped, or give a reason"
    )
    assert tell(api, MOVE, BO, pairingId=PAIRING, to="PAUSED") == {"status": "PAUSED"}
    tell(api, MOVE, BO, pairingId=PAIRING, to="ACTIVE")
    tell(api, CLOSE, BO, milestoneId=milestone, state="REACHED")
    assert tell(api, MOVE, BO, **done) == {"status": "COMPLETED"}
    assert refused(api, PLAN, BO, pairingId=PAIRING, title="More", dueOn="2026-09-01") == (
        "FORBIDDEN_MOVE",
        "pairingId",
    )


def test_a_reason_lets_them_complete_it_and_the_milestone_stays_as_it_was(api: Api, server: EmbeddedDatabase) -> None:
    milestone = plan(api)["id"]
    assert tell(api, MOVE, BO, pairingId=PAIRING, to="COMPLETED", reason="GOAL_REACHED") == {"status": "COMPLETED"}
    assert told(api) == [("A talk", "PLANNED")]
    assert refused(api, CLOSE, BO, milestoneId=milestone, state="REACHED") == ("FORBIDDEN_MOVE", "milestoneId")
    assert asyncio.run(problems(server)) == []


@pytest.mark.parametrize(("planned", "status"), [(True, "ACTIVE"), (False, "COMPLETED")])
def test_a_short_question_is_over_with_a_session_unless_a_milestone_is_planned(
    api: Api, planned: bool, status: str
) -> None:
    if planned:
        plan(api, ZOE, SHORT)
    held = {"kind": "WRITTEN", "startedAt": "2026-03-01T09:00:00Z", "minutes": 20}
    tell(api, RECORD, ZOE, pairingId=SHORT, **held)
    assert api.data(OF, viewer=ZOE, id=SHORT)["node"]["status"] == status


@pytest.mark.parametrize(
    ("changes", "column"),
    [
        ({"due_on": "2025-12-31"}, "due_on"),
        ({"state": "reached"}, "state"),
        ({"closed_on": "2026-02-01"}, "state"),
        ({"closed_on": "2025-02-01", "state": "dropped"}, "closed_on"),
        ({"evidence": "Seen."}, "evidence"),
        ({"state": "open"}, "state"),
        ({"title": ""}, "title"),
    ],
)
def test_rows_that_contradict_themselves_are_refused(changes: dict[str, str], column: str) -> None:
    row = {"id": "t", "pairing_id": "q", "title": "A", "due_on": "2026-05-01", "planned_on": SINCE, "state": "planned"}
    assert len(facts_of("milestones", row, SOURCE)) == 1
    with pytest.raises(InvalidFact) as caught:
        facts_of("milestones", {**row, **changes}, SOURCE)
    assert caught.value.problems[0].column == column
