"""Surveys, outcomes, stalls and co-mentors over GraphQL and from the shell, and who gets to read what."""

import asyncio
import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from mentorgraph.api.commands import main
from mentorgraph.api.ids import global_id
from mentorgraph.graph.embedded.database import EmbeddedDatabase
from mentorgraph.graph.exchange.bundle import bundle_of, import_bundle
from mentorgraph.graph.facts.kinds import KINDS
from mentorgraph.graph.facts.model import uid_of
from mentorgraph.graph.store.store import Store

from ..conftest import empty
from .conftest import Api, asked, connected
from .pages import DOCS, play

SOURCE = "hr"
TODAY = datetime.now(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
ERRORS = "userErrors { message field code }"
ANSWER = f"""
mutation ($input: AnswerSurveyInput!) {{
  told: answerSurvey(input: $input) {{ pairing {{ id outcome answers {{ round rating comment }} }} {ERRORS} }}
}}
"""
MOVE = f"""
mutation ($input: MovePairingInput!) {{
  told: movePairing(input: $input) {{ pairing {{ outcome status }} {ERRORS} }}
}}
"""
ADD = f"""
mutation ($input: AddCoMentorInput!) {{
  told: addCoMentor(input: $input) {{ pairing {{ coMentors {{ person {{ name }} share until }} }} {ERRORS} }}
}}
"""
DUE = "query ($id: ID!) { found: dueSurveys(personId: $id) { person { name } round isClosing closesAt daysDue } }"
OVERDUE = (
    "query ($after: String) { found: overdueSurveys(first: 1, after: $after) { edges { node { person { name } } } } }"
)
STALLED = """
{ found: stalledPairings(first: 5) {
    pairing { id } status cause sentence furtherCauses alternatives(first: 5) { nodes { id mentor { name } } } } }
"""
FULL = """
query ($mentee: ID!, $mentor: ID!, $programme: ID!) {
  list: recommendMentors(menteeId: $mentee, programmeId: $programme) { edges { node { id } } }
  whyNot(menteeId: $mentee, mentorId: $mentor, programmeId: $programme) { blockers { rule } }
}
"""
TODAY_OF = "query ($id: ID!) { decision(recommendationId: $id) { today { mentors { isIn refusals { rule } } } } }"
PAIRING = """
query ($id: ID!) {
  node(id: $id) { ... on Pairing {
    status outcome answers { rating comment person { name } } moves { state cause by } coMentors { share } } }
}
"""


def ago(days: int) -> str:
    return (TODAY - timedelta(days=days)).date().isoformat()


def gid(kind: str, key: str) -> str:
    return global_id(KINDS[kind].label, uid_of(SOURCE, kind, key))


ADA, BO, CY, EVE, PAIR = (
    gid(kind, key)
    for kind, key in (("people", "ada"), ("people", "bo"), ("people", "cy"), ("people", "eve"), ("pairings", "p"))
)


def world() -> dict[str, list[dict[str, str]]]:
    """Ada has mentored Bo for 70 days; they met once, 60 days ago. Cy and Eve are mentors too. One mentor is enough."""
    names = ("ada", "bo", "cy", "eve")
    return {
        "units": [],
        "skills": [],
        "programmes": [{"id": "pr", "name": "Pr", "since": ago(400)}],
        "policies": [{"programme_id": "pr", "content": "[rules]\nmost_mentors = 1\n", "since": ago(400)}],
        "people": [{"id": each, "name": each.title(), "joined_on": ago(400)} for each in names],
        "roles": [
            {"person_id": each, "role_id": "mentor", "since": ago(400), "max_mentees": "3"}
            for each in ("ada", "cy", "eve")
        ],
        "consents": [
            {"person_id": each, "purpose": "matching", "text_version": "1", "since": ago(400)} for each in names
        ],
        "goals": [{"id": "g", "person_id": "bo", "title": "Learn", "created_on": ago(100)}],
        "pairings": [
            {
                "id": "p", "mentor_id": "ada", "mentee_id": "bo", "goal_id": "g", "programme_id": "pr",
                "started_on": ago(70), "status": "active",
            }
        ],
        "sessions": [{"id": "s", "pairing_id": "p", "started_at": ago(60), "minutes": "30", "kind": "live"}],
    }  # fmt: skip


@pytest.fixture
def api(server: EmbeddedDatabase) -> Iterator[Api]:
    """The application on a small world."""

    async def prepare() -> None:
        await empty(server)
        async with connected(server) as database:
            result = await import_bundle(Store(database), bundle_of(world()), source=SOURCE)
            assert set(result.total) == {"created"}

    asyncio.run(prepare())
    with asked(server) as asking:
        yield asking


def tell(api: Api, mutation: str, viewer: str = "", **input: Any) -> dict[str, Any]:
    told: dict[str, Any] = api.data(mutation, viewer=viewer, input=input)["told"]
    return told


def errors(api: Api, mutation: str, viewer: str = "", **input: Any) -> list[tuple[str, list[str]]]:
    told = tell(api, mutation, viewer, **input)
    assert told["pairing"] is None
    return [(each["code"], each["field"]) for each in told["userErrors"]]


def test_surveys_are_due_answered_once_and_make_the_outcome(api: Api) -> None:
    [due] = api.data(DUE, viewer=BO, id=BO)["found"]
    assert due == {"person": {"name": "Bo"}, "round": 2, "isClosing": False, "closesAt": None, "daysDue": 10}
    assert api.refusal(DUE, viewer=ADA, id=BO) == ("FORBIDDEN", "personId")
    assert len(api.data(DUE, id=BO)["found"]) == 1
    answer = {"pairingId": PAIR, "rating": 0.5, "skill": 0.25, "comment": "between us", "externalId": "a"}
    for _ in range(2):
        told = tell(api, ANSWER, BO, **answer)
        assert told["pairing"]["answers"] == [{"round": 2, "rating": 0.5, "comment": "between us"}]
        assert told["userErrors"] == []
    assert errors(api, ANSWER, BO, pairingId=PAIR, rating=1) == [("CONFLICT", ["input", "round"])]
    assert errors(api, ANSWER, BO, **{**answer, "rating": 0.75}) == [("CONFLICT", ["input", "externalId"])]
    assert errors(api, ANSWER, ADA, pairingId=PAIR, rating=1.5, skill=-1) == [
        ("BAD_USER_INPUT", ["input", "rating"]),
        ("BAD_USER_INPUT", ["input", "skill"]),
    ]
    assert errors(api, ANSWER, CY, pairingId=PAIR, rating=1) == [("NOT_FOUND", ["input", "pairingId"])]
    later = (TODAY + timedelta(days=9)).isoformat()
    assert errors(api, ANSWER, pairingId=PAIR, rating=1, personId=ADA, givenAt=later) == [
        ("BAD_USER_INPUT", ["input", "givenAt"])
    ]
    overdue = api.data(OVERDUE)["found"]["edges"]
    assert [each["node"]["person"]["name"] for each in overdue] == ["Ada"]
    assert api.refusal(OVERDUE, viewer=ADA) == ("FORBIDDEN", None)
    assert tell(api, MOVE, pairingId=PAIR, to="COMPLETED")["pairing"] == {"outcome": 0.25, "status": "COMPLETED"}
    [closing] = api.data(DUE, viewer=ADA, id=ADA)["found"]
    assert (closing["round"], closing["isClosing"]) == (4, True)
    told = tell(api, ANSWER, pairingId=PAIR, rating=1, skill=0.75, personId=ADA)
    assert told["pairing"]["outcome"] == 0.5


def test_each_side_reads_its_own_words_only(api: Api) -> None:
    for viewer, words in ((ADA, "from Ada"), (BO, "from Bo")):
        assert tell(api, ANSWER, viewer, pairingId=PAIR, rating=0.5, skill=0.5, comment=words)["userErrors"] == []
    tell(api, MOVE, pairingId=PAIR, to="COMPLETED")
    for viewer, read, outcome in (
        (ADA, {"from Ada"}, None),
        (BO, {"from Bo"}, None),
        ("", {"from Ada", "from Bo"}, 0.5),
    ):
        found = api.data(PAIRING, viewer=viewer, id=PAIR)["node"]
        assert {each["comment"] for each in found["answers"]} == read
        assert found["outcome"] == outcome
    assert api.data(PAIRING, viewer=CY, id=PAIR)["node"] is None


def test_what_has_stalled_is_listed_with_alternatives_that_are_nobody_of_the_pairing(api: Api) -> None:
    assert api.refusal(STALLED, viewer=ADA) == ("FORBIDDEN", None)
    [stall] = api.data(STALLED)["found"]
    assert stall == {
        "pairing": {"id": PAIR},
        "status": "ACTIVE",
        "cause": "STOPPED_MEETING",
        "sentence": f"The last session was on {ago(60)}.",
        "furtherCauses": [],
        "alternatives": stall["alternatives"],
    }
    assert {each["mentor"]["name"] for each in stall["alternatives"]["nodes"]} == {"Cy", "Eve"}
    beside = api.data(FULL, mentee=BO, mentor=CY, programme=gid("programmes", "pr"))
    assert beside["list"]["edges"] == []  # the control: without ending that pairing Bo has a mentor, which is enough
    assert {each["rule"] for each in beside["whyNot"]["blockers"]} == {"MENTEE_FULL"}
    now = api.data(TODAY_OF, id=stall["alternatives"]["nodes"][0]["id"])["decision"]["today"]["mentors"]
    assert [(each["isIn"], each["refusals"]) for each in now] == [(True, []), (True, [])]
    assert tell(api, ADD, pairingId=PAIR, personId=EVE, share=0.5)["userErrors"] == []
    [stall] = api.data(STALLED)["found"]
    assert [each["mentor"]["name"] for each in stall["alternatives"]["nodes"]] == ["Cy"]


def test_a_co_mentor_is_added_seen_and_sees(api: Api) -> None:
    told = tell(api, ADD, pairingId=PAIR, personId=EVE, share=0.25)
    assert told["pairing"]["coMentors"] == [{"person": {"name": "Eve"}, "share": 0.25, "until": None}]
    assert api.data(PAIRING, viewer=EVE, id=PAIR)["node"]["coMentors"] == [{"share": 0.25}]
    assert tell(api, ANSWER, EVE, pairingId=PAIR, rating=0.5)["userErrors"] == []
    assert errors(api, ADD, pairingId=PAIR, personId=BO, share=0.25) == [("BAD_USER_INPUT", ["input", "personId"])]
    for share in (0, 0.75, 1):
        assert errors(api, ADD, pairingId=PAIR, personId=CY, share=share) == [("BAD_USER_INPUT", ["input", "share"])]
    assert errors(api, ADD, ADA, pairingId=PAIR, personId=CY, share=0.25) == [("FORBIDDEN", ["input"])]


def command(*arguments: str) -> Result:
    return CliRunner().invoke(main, arguments)


def test_the_shell_marks_what_has_stalled_once_and_a_session_wakes_it(api: Api, local: None) -> None:
    uid = uid_of(SOURCE, "pairings", "p")
    listed = command("pairings", "stalled")
    assert listed.output.splitlines() == [
        f"{uid} {ago(15)} stopped_meeting: The last session was on {ago(60)}. Ask both how they want to go on.",
        "stalled 1",
    ]
    assert command("pairings", "stalled", "--mark").output.splitlines()[-1] == "marked 1"
    assert command("pairings", "stalled", "--mark").output == "marked 0\n"
    moved = {"state": "STALLED", "by": "TIME"}
    assert api.data(PAIRING, id=PAIR)["node"]["moves"] == [moved | {"cause": "STOPPED_MEETING"}]
    assert api.data(PAIRING, viewer=ADA, id=PAIR)["node"]["moves"] == [moved | {"cause": None}]
    assert api.data(STALLED)["found"][0]["status"] == "STALLED"


@pytest.fixture
def local(server: EmbeddedDatabase, monkeypatch: pytest.MonkeyPatch) -> None:
    """Commands find the server's database."""
    monkeypatch.delenv("NEO4J_URI", raising=False)
    monkeypatch.setenv("MENTORGRAPH_HOME", str(server.home))
    monkeypatch.setenv("MENTORGRAPH_NEO4J_LINE", server.line.name)


def test_the_shell_takes_events_in_any_order_and_twice(api: Api, local: None, tmp_path: Path) -> None:
    answer = {"file": "feedback", "id": "f", "pairing_id": "p", "person_id": "bo", "given_on": ago(10), "rating": 1}
    events = [
        {"file": "moves", "pairing_id": "p", "moved_on": ago(5), "state": "completed"},
        {**answer, "skill": 0.75, "round": 1},
        {"file": "sessions", "id": "x", "pairing_id": "unknown", "started_at": ago(3), "minutes": 30},
    ]
    file = tmp_path / "news.jsonl"
    file.write_text("\n".join(map(json.dumps, events)) + "\n", "utf-8")
    told = command("events", "--source", SOURCE, str(file))
    assert told.output == "event 3: early\nnew 2, known 0, early 1, other 0\n"
    found = api.data(PAIRING, id=PAIR)["node"]
    assert (found["status"], found["outcome"]) == ("COMPLETED", 0.75)
    again = command("events", "--source", SOURCE, str(file))
    assert again.output.splitlines()[-1] == "new 0, known 2, early 1, other 0"
    file.write_text(json.dumps({**answer, "id": "g", "rating": 7, "comment": "a secret"}) + "\n", "utf-8")
    refused = command("events", "--source", SOURCE, str(file))
    assert refused.exit_code == 1
    assert "rating '7': is out of range" in refused.output
    assert "secret" not in refused.output
    file.write_text(json.dumps({**answer, "id": "g", "comment": "a secret " * 1000}) + "\n", "utf-8")
    refused = command("events", "--source", SOURCE, str(file))
    assert "comment has 8999 characters" in refused.output
    assert "secret" not in refused.output
    file.write_text('{"file": "people", "id": "x"}\n', "utf-8")
    assert "line 1 is no event" in command("events", str(file)).output


def test_the_page_on_surveys_outcomes_and_stalls_works(api: Api) -> None:
    values = {"mentee": BO, "pairing": PAIR, "programme": gid("programmes", "pr"), "coMentor": EVE}
    answers = play(api, DOCS / "feedback.md", values, {"WhatAmIToAnswer": BO, "Answer": BO})
    assert answers["WhatAmIToAnswer"]["dueSurveys"][0]["round"] == 2
    assert answers["Answer"]["answerSurvey"]["pairing"]["answers"][0]["comment"] == "We found a rhythm"
    [edge] = answers["WhoHasNotAnswered"]["overdueSurveys"]["edges"]
    assert edge["node"]["person"]["name"] == "Ada"
    [stall] = answers["WhatDoesNotMove"]["stalledPairings"]
    assert {each["mentor"]["name"] for each in stall["alternatives"]["nodes"]} == {"Cy", "Eve"}
    [share] = answers["EndIt"]["endCoMentor"]["pairing"]["coMentors"]
    assert share["until"] is not None
