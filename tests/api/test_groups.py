"""Plans of peers and circles over GraphQL, why somebody is left out, and what becomes of a plan."""

import asyncio
import json
from collections.abc import Iterator, Mapping
from datetime import datetime
from itertools import combinations, permutations
from typing import Any

import pytest
from click.testing import CliRunner, Result

from mentorgraph.api.commands import main
from mentorgraph.api.ids import global_id
from mentorgraph.graph.embedded.database import EmbeddedDatabase
from mentorgraph.graph.exchange.check import check
from mentorgraph.graph.facts.kinds import KINDS
from mentorgraph.graph.facts.model import uid_of
from mentorgraph.graph.ranking import grouping
from mentorgraph.graph.store.store import Store

from .conftest import Api, asked_about, connected
from .pages import DOCS, play

SOURCE = "hr"
SINCE = "2020-01-01"
PEERS = ("ann", "bob", "cat", "dan", "eva")
LEADERS = ("lea", "leo")
MENTEES = ("mia", "max", "moe", "ned", "noa", "odd", "rex")
EVERYBODY = (*PEERS, "pat", *LEADERS, "fay", *MENTEES)
LEARNED = {"ann": "sql", "bob": "go", "cat": "sql", "dan": "css", "eva": "go", "pat": "go"}
TAUGHT = {"ann": "go", "bob": "sql", "cat": "css", "dan": "sql", "eva": "css", "pat": "sql"}
WISHED = {"mia": "go", "max": "sql", "moe": "go", "noa": "go"}
FREE = {
    **dict.fromkeys((*PEERS, "pat"), ("3", "09:00", "12:00")),
    **dict.fromkeys(("lea", "mia", "max", "moe", "rex"), ("1", "09:20", "12:00")),
    **dict.fromkeys(("leo", "ned"), ("2", "09:00", "12:00")),
    "odd": ("1", "09:20", "10:00"),
}
"""Who is free on which day; Noa has not said."""


def window(person: str, day: str, start: str, end: str) -> dict[str, str]:
    return {"person_id": person, "weekday": day, "start": start, "end": end, "zone": "UTC", "since": SINCE}


def member(person: str, programme: str, role: str = "") -> dict[str, str]:
    return {"person_id": person, "programme_id": programme, "role": role, "since": SINCE}


WORLD: dict[str, list[dict[str, str]]] = {
    "units": [],
    "skills": [{"id": each, "name": each.upper()} for each in ("sql", "go", "css")],
    "programmes": [
        {"id": "pe", "name": "Peers", "format": "peer", "since": SINCE},
        {"id": "co", "name": "Circles", "format": "cohort", "since": SINCE},
        {"id": "none", "name": "Empty", "format": "peer", "since": SINCE},
        {"id": "one", "name": "One", "format": "peer", "since": SINCE},
        {"id": "led", "name": "Led by nobody", "format": "cohort", "since": SINCE},
        {"id": "old", "name": "Old", "format": "peer", "since": SINCE, "until": "2021-01-01"},
    ],
    "people": [{"id": each, "name": each.title(), "joined_on": SINCE} for each in EVERYBODY],
    "roles": [
        {"person_id": each, "role_id": "mentor", "since": SINCE, "max_mentees": "4"}
        for each in (*PEERS, "pat", *LEADERS)
    ]
    + [{"person_id": each, "role_id": "mentee", "since": SINCE} for each in (*PEERS, "pat", *MENTEES)],
    "consents": [{"person_id": each, "purpose": "matching", "text_version": "1", "since": SINCE} for each in EVERYBODY],
    "profiles": [
        {"person_id": each, "grade": "principal" if each == "pat" else "senior", "since": SINCE}
        for each in (*PEERS, "pat")
    ],
    "memberships": [member(each, "pe") for each in ("ann", "bob", "cat", "pat")]
    + [member(each, "pe", role) for each in ("dan", "eva") for role in ("mentor", "mentee")]
    + [member(each, "co", "mentor") for each in LEADERS]
    + [member("fay", "co", "facilitator"), member("lea", "pe", "mentor")]
    + [member("ann", "one"), member("mia", "led", "mentee")]
    + [member(each, "co", "mentee") for each in MENTEES],
    "goals": [
        {"id": f"of {each}", "person_id": each, "title": f"Learn {skill}", "skills": skill, "created_on": SINCE}
        for each, skill in {**LEARNED, **WISHED}.items()
    ],
    "person_skills": [
        {"person_id": each, "skill_id": skill, "stance": "offers", "since": SINCE}
        for each, skill in {**TAUGHT, "lea": "go", "leo": "css"}.items()
    ],
    "reporting_lines": [{"person_id": "rex", "manager_id": each, "since": SINCE} for each in (*LEADERS, "fay")],
    "availability": [window(each, *when) for each, when in FREE.items()],
    "pairings": [],
}
PLAN = """
query ($id: ID!) { plan: planPeers(programmeId: $id) {
  total modelVersion
  pairs { one { name } other { name } score scores whyForOne { score sentences refusals { rule } } }
  leftOver { person { name } cause nearest { name } takenBy { name } hindrances { rule others example remedy } }
  paired { nodes { name } } waiting { nodes { name } }
} }
"""
CIRCLES = """
query ($id: ID!, $least: Int, $most: Int, $leastSkills: Int) {
  plan: planCircles(programmeId: $id, least: $least, most: $most, leastSkills: $leastSkills) {
    total idle { nodes { name } } paired { nodes { name } } waiting { nodes { name } }
    circles {
      leader { name } startsAt wishes { skill { name } wishing isOffered }
      seats { mentee { name } score signals { contribution } }
    }
    unseated { person { name } cause hindrances { rule others } }
  }
}
"""
PROPOSE = """
mutation ($input: ProposePairsInput!) {
  told: proposePairs(input: $input) {
    requests { id state mentee { name } mentor { name } } userErrors { message field code }
  }
}
"""
WHY = """
query ($mentee: ID!, $mentor: ID!, $programme: ID!) {
  why: explainMatch(menteeId: $mentee, mentorId: $mentor, programmeId: $programme) { score refusals { rule } }
}
"""
MOVE = """
mutation ($input: MoveRequestInput!) { told: moveRequest(input: $input) { request { state } userErrors { code } } }
"""
REQUESTS = "query ($id: ID!) { requests(personId: $id) { edges { node { id } } } }"


def gid(kind: str, key: str) -> str:
    return global_id(KINDS[kind].label, uid_of(SOURCE, kind, key))


PE, CO = gid("programmes", "pe"), gid("programmes", "co")
ID = {each: gid("people", each) for each in EVERYBODY}


@pytest.fixture(scope="module")
def api(server: EmbeddedDatabase) -> Iterator[Api]:
    with asked_about(server, WORLD, SOURCE) as asking:
        yield asking


@pytest.fixture
def fresh(server: EmbeddedDatabase) -> Iterator[Api]:
    with asked_about(server, WORLD, SOURCE) as asking:
        yield asking


def plan(api: Api, query: str, **variables: Any) -> dict[str, Any]:
    found: dict[str, Any] = api.data(query, **variables)["plan"]
    return found


def propose(api: Api, pairs: list[tuple[str, str]], viewer: str = "", **more: Any) -> dict[str, Any]:
    told = [{"menteeId": ID[mentee], "mentorId": ID[mentor]} for mentee, mentor in pairs]
    payload: dict[str, Any] = api.data(PROPOSE, viewer=viewer, input={"programmeId": PE, "pairs": told, **more})["told"]
    return payload


def refused(api: Api, pairs: list[tuple[str, str]], **more: Any) -> tuple[str, str]:
    payload = propose(api, pairs, **more)
    assert payload["requests"] is None
    [error] = payload["userErrors"]
    return error["code"], ".".join(error["field"][1:])


def judged(api: Api) -> dict[tuple[str, str], tuple[float, bool]]:
    """What `explainMatch` says of each peer as the mentor of each other one: the score, and whether it is allowed."""
    found = {}
    for mentee, mentor in permutations((*PEERS, "pat"), 2):
        why = api.data(WHY, mentee=ID[mentee], mentor=ID[mentor], programme=PE)["why"]
        found[mentee, mentor] = why["score"], why["refusals"] == []
    return found


def best_of(scores: Mapping[tuple[str, str], float], left: frozenset[str]) -> tuple[int, float]:
    """Number and worth of the best pairs of some people, by trying every way."""
    best = (0, 0.0)
    for pair, score in scores.items():
        if {*pair} <= left:
            number, worth = best_of(scores, left - {*pair})
            best = max(best, (number + 1, worth + score))
    return best


def test_peers_are_paired_as_well_as_trying_every_way_pairs_them(api: Api) -> None:
    found = judged(api)
    scores = {
        (one, other): (found[one, other][0] + found[other, one][0]) / 2
        for one, other in combinations((*PEERS, "pat"), 2)
        if found[one, other][1] and found[other, one][1]
    }
    assert len(scores) == 10  # all but those with Pat
    told = plan(api, PLAN, id=PE)
    number, worth = best_of(scores, frozenset(EVERYBODY))
    assert (len(told["pairs"]), told["total"]) == (number, pytest.approx(worth, abs=1e-6))
    assert number == 2
    assert told["pairs"][0]["score"] >= told["pairs"][1]["score"]
    assert told["paired"]["nodes"] == []


def test_each_pair_comes_with_what_speaks_for_it_on_both_sides(api: Api) -> None:
    found, told = judged(api), plan(api, PLAN, id=PE)
    for pair in told["pairs"]:
        one, other = pair["one"]["name"].lower(), pair["other"]["name"].lower()
        assert pair["scores"] == [found[one, other][0], found[other, one][0]]
        assert pair["scores"][0] >= pair["scores"][1]
        assert pair["score"] == pytest.approx(sum(pair["scores"]) / 2, abs=1e-9)
        assert pair["whyForOne"]["score"] == pair["scores"][0]
        assert pair["whyForOne"]["refusals"] == []
    first = told["pairs"][0]
    assert any(first["other"]["name"] in each for each in first["whyForOne"]["sentences"]), first


def test_who_is_left_over_is_told_why(api: Api) -> None:
    told = plan(api, PLAN, id=PE)
    left = {each["person"]["name"]: each for each in told["leftOver"]}
    assert len(left) == 2
    pat = left.pop("Pat")
    assert (pat["cause"], pat["nearest"], pat["takenBy"]) == ("NOBODY_ALLOWED", None, None)
    [hindrance] = pat["hindrances"]
    assert (hindrance["rule"], hindrance["others"]) == ("LEVEL_DISTANCE", 5)
    assert hindrance["example"] == "the mentor stands 2 levels below the mentee; from -1 to 1 above are allowed"
    [(name, odd)] = left.items()
    assert odd["cause"] == "OTHERS_PAIRED"
    partners = {
        pair[one]["name"]: pair[other]["name"]
        for pair in told["pairs"]
        for one, other in permutations(("one", "other"))
    }
    assert name not in partners
    assert partners[odd["nearest"]["name"]] == odd["takenBy"]["name"]
    assert plan(api, PLAN, id=gid("programmes", "none"))["leftOver"] == []
    [alone] = plan(api, PLAN, id=gid("programmes", "one"))["leftOver"]
    assert (alone["person"]["name"], alone["cause"], alone["hindrances"]) == ("Ann", "ALONE", [])


def test_circles_have_a_leader_an_hour_and_a_size_and_the_others_are_told_why(api: Api) -> None:
    told = plan(api, CIRCLES, id=CO)
    [circle] = told["circles"]
    assert circle["leader"] == {"name": "Lea"}
    assert sorted(seat["mentee"]["name"] for seat in circle["seats"]) == ["Max", "Mia", "Moe"]
    starts = datetime.fromisoformat(circle["startsAt"])
    assert (starts.isoweekday(), starts.hour, starts.minute) == (1, 10, 0)  # the first full hour after 9:20
    assert circle["wishes"] == [
        {"skill": {"name": "GO"}, "wishing": 2, "isOffered": True},
        {"skill": {"name": "SQL"}, "wishing": 1, "isOffered": False},
    ]
    for seat in circle["seats"]:
        assert sum(signal["contribution"] for signal in seat["signals"]) == pytest.approx(seat["score"], abs=1e-6)
    causes = {each["person"]["name"]: each["cause"] for each in told["unseated"]}
    assert causes == {"Ned": "NO_SEAT", "Noa": "TIME_UNKNOWN", "Odd": "NO_COMMON_HOUR", "Rex": "NOBODY_ALLOWED"}
    [rex] = [each for each in told["unseated"] if each["person"]["name"] == "Rex"]
    assert {"rule": "REPORTING_LINE", "others": 3} in rex["hindrances"]
    [ned] = [each for each in told["unseated"] if each["person"]["name"] == "Ned"]
    assert {"rule": "NOT_A_MENTOR", "others": 1} in ned["hindrances"]  # Fay facilitates, but mentors nobody
    assert {each["name"] for each in told["idle"]["nodes"]} == {"Fay", "Leo"}
    [led] = plan(api, CIRCLES, id=gid("programmes", "led"))["unseated"]
    assert (led["person"]["name"], led["cause"]) == ("Mia", "NO_LEADER")


def test_limits_of_circles_are_kept(api: Api) -> None:
    [small] = plan(api, CIRCLES, id=CO, most=2)["circles"]
    assert {seat["mentee"]["name"] for seat in small["seats"]} == {"Mia", "Moe"}  # who wish what Lea offers
    [mixed] = plan(api, CIRCLES, id=CO, most=2, leastSkills=2)["circles"]
    assert "Max" in {seat["mentee"]["name"] for seat in mixed["seats"]}
    assert len(mixed["wishes"]) == 2
    assert plan(api, CIRCLES, id=CO, leastSkills=3)["circles"] == []
    assert plan(api, CIRCLES, id=CO, least=4)["circles"] == []


@pytest.mark.parametrize(
    ("given", "field"),
    [
        ({"least": 1}, "least"),
        ({"least": 5, "most": 4}, "most"),
        ({"most": 13}, "most"),
        ({"leastSkills": -1}, "leastSkills"),
    ],
)
def test_limits_that_make_no_sense_are_refused(api: Api, given: dict[str, Any], field: str) -> None:
    assert api.refusal(CIRCLES, id=CO, **given) == ("BAD_USER_INPUT", field)


def test_plans_are_for_coordinators_and_for_programmes_of_their_format(
    api: Api, monkeypatch: pytest.MonkeyPatch
) -> None:
    for query, own, other in ((PLAN, PE, CO), (CIRCLES, CO, PE)):
        assert api.refusal(query, viewer=ID["ann"], id=own) == ("FORBIDDEN", None)
        assert api.refusal(query, id=other) == ("BAD_USER_INPUT", "programmeId")
        assert api.refusal(query, id=gid("programmes", "gone")) == ("NOT_FOUND", "programmeId")
        assert api.refusal(query, id=ID["ann"])[1] == "programmeId"
    assert api.refusal(PLAN, id=gid("programmes", "old")) == ("ARCHIVED", "programmeId")
    monkeypatch.setattr(grouping, "MOST_PLANNED", 6)
    assert api.refusal(PLAN, id=PE) == ("BAD_USER_INPUT", "programmeId")


def test_a_plan_that_is_proposed_and_accepted_is_planned_no_more(fresh: Api, server: EmbeddedDatabase) -> None:
    told = plan(fresh, PLAN, id=PE)
    pairs = [(pair["one"]["name"].lower(), pair["other"]["name"].lower()) for pair in told["pairs"]]
    payload = propose(fresh, pairs, note="Try it.")
    assert payload["userErrors"] == []
    assert [
        (each["state"], each["mentee"]["name"].lower(), each["mentor"]["name"].lower()) for each in payload["requests"]
    ] == [("PROPOSED", *pair) for pair in pairs]
    assert refused(fresh, pairs) == ("CONFLICT", "pairs.0.mentorId")
    asked = plan(fresh, PLAN, id=PE)
    assert {each["name"].lower() for each in asked["waiting"]["nodes"]} == {each for pair in pairs for each in pair}
    assert asked["pairs"] == []
    assert len(asked["leftOver"]) == 2
    one, other = pairs[0]
    for viewer, to in ((one, "REQUESTED"), (other, "ACCEPTED")):
        moved = fresh.data(MOVE, viewer=ID[viewer], input={"requestId": payload["requests"][0]["id"], "to": to})["told"]
        assert moved == {"request": {"state": to}, "userErrors": []}
    again = plan(fresh, PLAN, id=PE)
    assert {each["name"].lower() for each in again["paired"]["nodes"]} == {one, other}
    named = {pair[side]["name"].lower() for pair in again["pairs"] for side in ("one", "other")}
    assert not named & {one, other}

    async def problems() -> list[object]:
        async with connected(server) as database:
            return [*await check(Store(database))]

    assert asyncio.run(problems()) == []


def test_all_pairs_are_proposed_or_none(fresh: Api) -> None:
    assert refused(fresh, [("ann", "bob"), ("cat", "pat")]) == ("NOT_ALLOWED", "pairs.1.mentorId")
    assert refused(fresh, [("ann", "bob"), ("bob", "ann")]) == ("BAD_USER_INPUT", "pairs.1")
    assert refused(fresh, []) == ("BAD_USER_INPUT", "pairs")
    assert refused(fresh, [("ann", "bob")] * 101) == ("BAD_USER_INPUT", "pairs")
    assert refused(fresh, [("ann", "bob")], answerWithinDays=0) == ("BAD_USER_INPUT", "answerWithinDays")
    assert refused(fresh, [("ann", "bob")], viewer=ID["ann"]) == ("FORBIDDEN", "")
    assert refused(fresh, [("ann", "bob")], programmeId=gid("programmes", "old")) == ("ARCHIVED", "programmeId")
    assert refused(fresh, [("ann", "bob"), ("cat", "ned")]) == ("NOT_ALLOWED", "pairs.1.mentorId")
    assert fresh.data(REQUESTS, id=ID["bob"])["requests"]["edges"] == []


def test_a_mentor_is_not_proposed_to_more_than_they_have_places_for(server: EmbeddedDatabase) -> None:
    roles = [{**each, "max_mentees": "2"} if each["person_id"] == "lea" else each for each in WORLD["roles"]]
    with asked_about(server, {**WORLD, "roles": roles}, SOURCE) as api:
        three = [(each, "lea") for each in ("mia", "max", "moe")]
        assert refused(api, three, programmeId=CO) == ("NO_CAPACITY", "pairs.2.mentorId")
        [circle] = plan(api, CIRCLES, id=CO)["circles"]
        assert len(circle["seats"]) == 2
        assert propose(api, three[:2], programmeId=CO)["userErrors"] == []
        left = plan(api, CIRCLES, id=CO)
        assert {each["name"] for each in left["waiting"]["nodes"]} == {"Mia", "Max"}
        assert left["circles"] == []


def test_the_shell_plans_what_graphql_plans(
    fresh: Api, server: EmbeddedDatabase, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("NEO4J_URI", raising=False)
    monkeypatch.setenv("MENTORGRAPH_HOME", str(server.home))
    monkeypatch.setenv("MENTORGRAPH_NEO4J_LINE", server.line.name)

    def command(*arguments: str) -> Result:
        return CliRunner().invoke(main, ["plan", "--source", SOURCE, *arguments], env={"COLUMNS": "200"})

    told = json.loads(command("--programme", "pe", "--json").stdout)
    asked = plan(fresh, PLAN, id=PE)
    assert told["total"] == asked["total"]
    assert [each["score"] for each in told["pairs"]] == [each["score"] for each in asked["pairs"]]
    assert {each["cause"] for each in told["leftOver"]} == {each["cause"] for each in asked["leftOver"]}
    shown = command("--programme", "pe").stdout.splitlines()
    assert "Pat: nobody allowed" in shown
    assert any(each.startswith("  LEVEL_DISTANCE forbids 5, for instance: the mentor stands") for each in shown)
    assert shown[-1] == "pairs 2, left over 2, paired already 0, asked 0"

    told = json.loads(command("--programme", "co", "--json", "--most", "2").stdout)
    assert [len(each["seats"]) for each in told["circles"]] == [2]
    shown = command("--programme", "co").stdout.splitlines()
    assert "Odd: no common hour" in shown
    assert shown[-1] == "circles 1, without 4, paired already 0, asked 0"
    for arguments, words in (
        (("--programme", "gone"), "no programme has this id"),
        (("--programme", "co", "--least", "5", "--most", "4"), "least is 5 and most is 4"),
        (("--programme", "old"), "ended on"),
    ):
        result = command(*arguments)
        assert (result.exit_code, words in result.stderr) == (1, True), result.output


def test_the_page_about_plans_works(fresh: Api) -> None:
    values = {"programme": PE, "cohort": CO, "one": ID["ann"], "other": ID["bob"]}
    answers = play(fresh, DOCS / "groups.md", values)
    [request] = answers["Propose"]["proposePairs"]["requests"]
    assert request["state"] == "PROPOSED"
    assert len(answers["Peers"]["planPeers"]["pairs"]) == 2
