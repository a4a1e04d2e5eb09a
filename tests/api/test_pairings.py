"""A request from asking to a completed pairing, through GraphQL alone, and who gets to read what of it."""

import asyncio
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from mentorgraph.api.commands import main
from mentorgraph.api.ids import global_id
from mentorgraph.graph.embedded.database import EmbeddedDatabase
from mentorgraph.graph.facts.model import uid_of

from .conftest import Api, asked, fill

EVERY_COLUMN = Path(__file__).parents[1] / "every_column"
SOURCE = "bundle"
UNKNOWN = "00000000-0000-5000-8000-000000000000"
ERRORS = "userErrors { message field code }"
REQUEST = "request { id state mentor { name } mentee { name } pairing { id status } moves { state by note reason } }"
PAIRING = "pairing { id status startedAt endedAt moves { state by reason } }"
REGISTER = (
    f"mutation ($input: RegisterPersonInput!) {{ told: registerPerson(input: $input) {{ person {{ id }} {ERRORS} }} }}"
)
ASK = f"mutation ($input: RequestMentorInput!) {{ told: requestMentor(input: $input) {{ {REQUEST} {ERRORS} }} }}"
ANSWER = f"mutation ($input: MoveRequestInput!) {{ told: moveRequest(input: $input) {{ {REQUEST} {ERRORS} }} }}"
SIGN = f"mutation ($input: SignAgreementInput!) {{ told: signAgreement(input: $input) {{ {PAIRING} {ERRORS} }} }}"
MOVE = f"mutation ($input: MovePairingInput!) {{ told: movePairing(input: $input) {{ {PAIRING} {ERRORS} }} }}"
AWAY = f"""
mutation ($input: SetAwayInput!) {{
  told: setAway(input: $input) {{
    person {{ name }} released {{ id state mentee {{ id }} moves {{ state by }} }} {ERRORS}
  }}
}}
"""
INBOX = """
query ($id: ID!, $isOpen: Boolean) {
  requests(personId: $id, isOpen: $isOpen, first: 10) { edges { node { id state } } }
}
"""
NODE = "query ($id: ID!) { node(id: $id) { id ... on Request { state moves { reason } } ... on Pairing { status } } }"
MENTORS = "query ($id: ID!) { recommendMentors(menteeId: $id) { edges { node { mentor { id } } } } }"


@pytest.fixture
def api(server: EmbeddedDatabase) -> Iterator[Api]:
    """An application on an empty database."""
    asyncio.run(fill(server, None))
    with asked(server) as asking:
        yield asking


def tell(api: Api, mutation: str, viewer: str = "", **input: Any) -> dict[str, Any]:
    payload: dict[str, Any] = api.data(mutation, viewer=viewer, input=input)["told"]
    return payload


def code(api: Api, mutation: str, viewer: str = "", **input: Any) -> str:
    [error] = tell(api, mutation, viewer, **input)["userErrors"]
    return str(error["code"])


def register(api: Api, name: str, role: str) -> str:
    told = tell(api, REGISTER, name=name, roles=[role], consents=["MATCHING"], consentTextVersion="1")
    return str(told["person"]["id"])


@pytest.fixture
def people(api: Api) -> tuple[str, str, str]:
    """A mentor, a mentee and somebody else."""
    return register(api, "Ada", "MENTOR"), register(api, "Bo", "MENTEE"), register(api, "Cy", "MENTEE")


def test_a_programme_of_two_is_played_from_asking_to_completion(api: Api, people: tuple[str, str, str]) -> None:
    ada, bo, _ = people
    told = tell(api, ASK, bo, menteeId=bo, mentorId=ada, note="Could we meet?")
    assert told["userErrors"] == []
    request = told["request"]["id"]
    assert told["request"] | {"id": ""} == {
        "id": "",
        "state": "REQUESTED",
        "mentor": {"name": "Ada"},
        "mentee": {"name": "Bo"},
        "pairing": None,
        "moves": [{"state": "REQUESTED", "by": "MENTEE", "note": "Could we meet?", "reason": None}],
    }
    assert api.data(INBOX, viewer=ada, id=ada, isOpen=True)["requests"]["edges"] == [
        {"node": {"id": request, "state": "REQUESTED"}}
    ]
    tell(api, ANSWER, ada, requestId=request, to="MORE_INFORMATION", note="What for?")
    tell(api, ANSWER, bo, requestId=request, to="REQUESTED", note="To lead a team")
    accepted = tell(api, ANSWER, ada, requestId=request, to="ACCEPTED")["request"]
    assert accepted["pairing"]["status"] == "ACCEPTED"
    assert [each["by"] for each in accepted["moves"]] == ["MENTEE", "MENTOR", "MENTEE", "MENTOR"]
    pairing = accepted["pairing"]["id"]
    assert ada not in mentors_of(api, bo)
    assert code(api, MOVE, bo, pairingId=pairing, to="ACTIVE") == "NOT_SIGNED"
    for person in (ada, bo):
        assert tell(api, SIGN, person, pairingId=pairing, textVersion="v1")["userErrors"] == []
    for state in ("ACTIVE", "PAUSED", "ACTIVE", "COMPLETED"):
        told = tell(api, MOVE, ada, pairingId=pairing, to=state)
        assert told["userErrors"] == []
        assert told["pairing"]["status"] == state
    assert told["pairing"]["endedAt"] >= told["pairing"]["startedAt"]
    assert code(api, MOVE, ada, pairingId=pairing, to="ACTIVE") == "FORBIDDEN_MOVE"
    assert ada in mentors_of(api, bo)


def mentors_of(api: Api, person: str) -> list[str]:
    edges = api.data(MENTORS, id=person)["recommendMentors"]["edges"]
    return [edge["node"]["mentor"]["id"] for edge in edges]


def test_a_reason_is_for_coordinators_only(api: Api, people: tuple[str, str, str]) -> None:
    ada, bo, _ = people
    request = tell(api, ASK, bo, menteeId=bo, mentorId=ada)["request"]["id"]
    assert code(api, ANSWER, ada, requestId=request, to="DECLINED") == "REASON_REQUIRED"
    told = tell(api, ANSWER, ada, requestId=request, to="DECLINED", reason="NOT_MY_FIELD")["request"]
    assert [each["reason"] for each in told["moves"]] == [None, None]
    for viewer, reason in ((ada, None), (bo, None), ("", "NOT_MY_FIELD")):
        found = api.data(NODE, viewer=viewer, id=request)["node"]
        assert found["state"] == "DECLINED"
        assert [each["reason"] for each in found["moves"]] == [None, reason]


def test_who_has_no_part_in_it_sees_and_moves_nothing(api: Api, people: tuple[str, str, str]) -> None:
    ada, bo, cy = people
    request = tell(api, ASK, bo, menteeId=bo, mentorId=ada)["request"]["id"]
    assert api.data(NODE, viewer=cy, id=request)["node"] is None
    assert code(api, ANSWER, cy, requestId=request, to="WITHDRAWN") == "NOT_FOUND"
    assert code(api, ASK, cy, menteeId=bo, mentorId=ada) == "FORBIDDEN"
    assert api.refusal(INBOX, viewer=cy, id=bo) == ("FORBIDDEN", "personId")
    pairing = tell(api, ANSWER, ada, requestId=request, to="ACCEPTED")["request"]["pairing"]["id"]
    assert api.data(NODE, viewer=cy, id=pairing)["node"] is None
    assert api.data(NODE, viewer=bo, id=pairing)["node"]["status"] == "ACCEPTED"
    assert code(api, MOVE, cy, pairingId=pairing, to="ENDED", reason="OTHER") == "NOT_FOUND"
    assert code(api, SIGN, "", pairingId=pairing, textVersion="v1") == "FORBIDDEN"


def test_whoever_goes_away_releases_what_waits_and_the_mentee_is_offered_others(
    api: Api, people: tuple[str, str, str]
) -> None:
    ada, bo, _ = people
    eve = register(api, "Eve", "MENTOR")
    request = tell(api, ASK, bo, menteeId=bo, mentorId=ada)["request"]["id"]
    when = {"since": "2020-01-01", "until": "2190-01-01"}
    assert code(api, AWAY, bo, personId=ada, **when) == "FORBIDDEN"
    assert code(api, AWAY, ada, personId=ada, since="2190-01-01", until="2020-01-01") == "BAD_USER_INPUT"
    told = tell(api, AWAY, ada, personId=ada, **when)
    moves = [{"state": "REQUESTED", "by": "MENTEE"}, {"state": "RELEASED", "by": "TIME"}]
    assert told["released"] == [{"id": request, "state": "RELEASED", "mentee": {"id": bo}, "moves": moves}]
    assert mentors_of(api, bo) == [eve]
    assert code(api, ANSWER, ada, requestId=request, to="ACCEPTED") == "FORBIDDEN_MOVE"


def test_bad_input_is_named_and_nothing_is_written(api: Api, people: tuple[str, str, str]) -> None:
    ada, bo, _ = people
    unknown = global_id("Person", UNKNOWN)
    for wrong, expected in (
        ({"mentorId": unknown}, "NOT_FOUND"),
        ({"mentorId": bo}, "NOT_ALLOWED"),
        ({"mentorId": ada, "answerWithinDays": 0}, "BAD_USER_INPUT"),
        ({"mentorId": ada, "note": "x" * 2_001}, "BAD_USER_INPUT"),
        ({"mentorId": "nonsense"}, "BAD_USER_INPUT"),
    ):
        assert code(api, ASK, "", menteeId=bo, **wrong) == expected, wrong
    assert api.data(INBOX, id=bo)["requests"]["edges"] == []
    assert code(api, ANSWER, "", requestId=global_id("Request", UNKNOWN), to="ACCEPTED") == "NOT_FOUND"


def test_late_requests_end_by_a_command_that_says_whose_they_were(emptied: EmbeddedDatabase, tmp_path: Path) -> None:
    run = CliRunner().invoke
    for path in EVERY_COLUMN.glob("*.csv"):
        content = path.read_text("utf-8")
        (tmp_path / path.name).write_text(content.replace("2026-01-10T09:30:00Z,,30", "2020-01-10,,30"), "utf-8")
    assert run(main, ["import", str(tmp_path)]).exit_code == 0
    first, second = (run(main, ["requests", "expire"]).stdout.splitlines() for _ in range(2))
    uids = [uid_of(SOURCE, kind, key) for kind, key in (("requests", "q2"), ("people", "p3"), ("goals", "g2"))]
    assert first == [" ".join(uids), "expired 1"]
    assert second == ["expired 0"]
    assert run(main, ["db", "check"]).exit_code == 0
