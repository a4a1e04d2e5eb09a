"""What can be asked: every root field on a generated community, what it costs, what it refuses and whom it shows."""

import asyncio
import base64
from collections.abc import Callable
from typing import Any

import pytest

from mentorgraph.api.examples import askers_in
from mentorgraph.api.ids import global_id
from mentorgraph.graph.embedded.database import EmbeddedDatabase
from mentorgraph.graph.store.store import Store
from mentorgraph.graph.world.tables import World

from .conftest import Api, connected, tells_nothing_inner

Gid = Callable[[str, str], str]

RECOMMEND = """
query ($mentee: ID!, $goal: ID, $first: Int, $after: String) {
  recommendMentors(menteeId: $mentee, goalId: $goal, first: $first, after: $after) {
    slateId modelVersion policyVersion totalCount notice
    pageInfo { hasNextPage hasPreviousPage startCursor endCursor }
    edges { cursor node {
      id rank score base chance { value }
      mentor { id name roles }
      signals { name value unit weight contribution }
      paths { weight sentence signal cypher steps {
        node { id } kind label relationshipId relationshipType since source holdsNow count
      } }
      sentences
    } }
  }
}
"""
EXPLAIN = """
query ($mentee: ID!, $mentor: ID!, $goal: ID) {
  explainMatch(menteeId: $mentee, mentorId: $mentor, goalId: $goal) {
    score base modelVersion policyVersion mentor { id name } signals { name contribution }
    paths(first: 3) { weight sentence cypher steps { label node { id } } } sentences refusals { rule fact remedy }
  }
}
"""
FEW = "query ($mentee: ID!) { recommendMentors(menteeId: $mentee, first: 3) { edges { node { rank score } } } }"
LISTS = {
    "recommendMentors": "query ($first: Int, $after: String, $mentee: ID!) "
    "{ found: recommendMentors(menteeId: $mentee, first: $first, after: $after) { edges { cursor } } }",
    "skills": "query ($first: Int, $after: String) "
    "{ found: skills(first: $first, after: $after) { edges { cursor node { id name } } pageInfo { hasNextPage } } }",
    "goals": "query ($first: Int, $after: String) "
    "{ found: goals(first: $first, after: $after) { edges { cursor node { id title } } pageInfo { hasNextPage } } }",
}
UNKNOWN = "00000000-0000-5000-8000-000000000000"


@pytest.fixture(scope="module")
def asker(api: Api, server: EmbeddedDatabase) -> tuple[str, str]:
    """Global ids of a mentee to whom several mentors can be recommended, and of their goal."""

    async def find() -> list[tuple[str, str]]:
        async with connected(server) as database:
            return [(each.person, each.goal) for each in await askers_in(Store(database))]

    def allowed(pair: tuple[str, str]) -> int:
        answer = api.ask(LISTS["recommendMentors"], mentee=pair[0], goal=pair[1], first=100)
        return len(answer["data"]["found"]["edges"]) if "errors" not in answer else 0

    return max(asyncio.run(find()), key=allowed)


def slate(api: Api, mentee: str, goal: str | None = None, viewer: str = "", **paging: object) -> list[dict[str, Any]]:
    answer = api.data(RECOMMEND, viewer=viewer, mentee=mentee, goal=goal, **paging)
    return [edge["node"] for edge in answer["recommendMentors"]["edges"]]


def all_of(api: Api, name: str, first: int) -> list[dict[str, Any]]:
    """Everything that a connection lists, page by page."""
    found: list[dict[str, Any]] = []
    after = None
    while True:
        page = api.data(LISTS[name], first=first, after=after)["found"]
        found += [edge["node"] for edge in page["edges"]]
        if not page["pageInfo"]["hasNextPage"]:
            return found
        assert len(page["edges"]) == first
        after = page["edges"][-1]["cursor"]


# --- what is answered -------------------------------------------------------------------------------------------------


def test_a_score_is_its_base_and_contributions_and_orders_the_mentors(api: Api, asker: tuple[str, str]) -> None:
    found = slate(api, *asker)
    assert len(found) >= 5
    assert [each["rank"] for each in found] == list(range(1, len(found) + 1))
    assert [each["score"] for each in found] == sorted((each["score"] for each in found), reverse=True)
    for each in found:
        total = each["base"] + sum(signal["contribution"] for signal in each["signals"])
        assert each["score"] == pytest.approx(total, abs=1e-6)
        assert each["score"] != pytest.approx(total + 1e-4, abs=1e-6)
        assert "MENTOR" in each["mentor"]["roles"]
        assert each["chance"] is None
    assert slate(api, *asker) == found


def test_each_path_ends_at_its_mentor_and_its_cypher_returns_exactly_it(
    api: Api, asker: tuple[str, str], server: EmbeddedDatabase
) -> None:
    found = slate(api, *asker, first=5)
    paths = [(each["mentor"]["id"], path) for each in found for path in each["paths"]]
    assert len(paths) >= 5

    async def rows_of(queries: list[str]) -> list[int]:
        async with connected(server) as database:
            return [len(await database.run_directly(query)) for query in queries]

    assert [path["steps"][-1]["node"]["id"] for _, path in paths] == [mentor for mentor, _ in paths]
    queries = [path["cypher"] for _, path in paths]
    assert asyncio.run(rows_of(queries)) == [1] * len(queries)
    changed = [query.replace("uid: '", "uid: '0", 1) for query in queries]
    assert asyncio.run(rows_of(changed)) == [0] * len(queries)


def test_an_explanation_says_the_same_as_the_recommendation(api: Api, asker: tuple[str, str]) -> None:
    first = slate(api, *asker, first=1)[0]
    found = api.data(EXPLAIN, mentee=asker[0], goal=asker[1], mentor=first["mentor"]["id"])["explainMatch"]
    assert found["score"] == first["score"]
    assert found["sentences"] == first["sentences"]
    assert found["refusals"] == []
    assert [path["cypher"] for path in found["paths"]] == [path["cypher"] for path in first["paths"][:3]]
    self_found = api.data(EXPLAIN, mentee=asker[0], goal=asker[1], mentor=asker[0])["explainMatch"]
    assert "SELF" in [each["rule"] for each in self_found["refusals"]]


def test_people_skills_and_goals_are_those_of_the_world(api: Api, world: World, gid: Gid) -> None:
    row = world.rows["people"][3]
    query = "query ($id: ID!) { person(id: $id) { id name zone joinedAt roles } node(id: $id) { __typename id } }"
    found = api.data(query, id=gid("people", row["id"]))
    assert found["person"]["name"] == row["name"]
    assert found["person"]["zone"] == (row["zone"] or None)
    assert found["person"]["joinedAt"] == f"{row['joined_on']}T00:00:00Z"
    assert found["node"] == {"__typename": "Person", "id": gid("people", row["id"])}
    assert sorted(each["name"] for each in all_of(api, "skills", 100)) == sorted(
        each["name"] for each in world.rows["skills"]
    )
    owner = world.rows["goals"][0]["person_id"]
    theirs = "query ($id: ID!) { goals(personId: $id) { edges { node { title person { id } } } } }"
    edges = api.data(theirs, id=gid("people", owner))["goals"]["edges"]
    assert sorted(edge["node"]["title"] for edge in edges) == sorted(
        each["title"] for each in world.rows["goals"] if each["person_id"] == owner
    )
    assert {edge["node"]["person"]["id"] for edge in edges} == {gid("people", owner)}


def test_pages_one_after_another_are_the_whole_list(api: Api, asker: tuple[str, str], world: World) -> None:
    whole = slate(api, *asker, first=100)
    paged: list[dict[str, Any]] = []
    after = None
    for _ in range(len(whole)):
        page = api.data(RECOMMEND, mentee=asker[0], goal=asker[1], first=2, after=after)["recommendMentors"]
        paged += [edge["node"] for edge in page["edges"]]
        assert page["totalCount"] == len(whole)
        assert page["pageInfo"]["hasPreviousPage"] == (after is not None)
        after = page["pageInfo"]["endCursor"]
        if not page["pageInfo"]["hasNextPage"]:
            break
    assert [(each["rank"], each["mentor"]["id"]) for each in paged] == [
        (each["rank"], each["mentor"]["id"]) for each in whole
    ]
    ids = [each["id"] for each in all_of(api, "goals", 10)]
    assert len(ids) == len(set(ids)) == len(world.rows["goals"])


def test_aliases_are_answered_each_for_itself_and_fragments_count_as_selected(api: Api, asker: tuple[str, str]) -> None:
    query = """
    query ($mentee: ID!) {
      one: recommendMentors(menteeId: $mentee, first: 1) { ...all }
      two: recommendMentors(menteeId: $mentee, first: 2) { edges { node { rank ... on Recommendation { sentences } } } }
    }
    fragment all on RecommendationConnection { totalCount edges { node { ...reasons } } }
    fragment reasons on Recommendation { rank paths { sentence } }
    """
    found = api.data(query, mentee=asker[0])
    assert found["one"]["totalCount"] == len(slate(api, asker[0], first=100))
    assert found["one"]["edges"][0]["node"]["paths"]
    assert len(found["two"]["edges"]) == 2
    assert found["two"]["edges"][0]["node"]["sentences"]


def test_nodes_come_in_the_order_of_their_ids_and_null_for_what_does_not_exist(
    api: Api, gid: Gid, world: World
) -> None:
    person, other = (gid("people", row["id"]) for row in world.rows["people"][:2])
    skill = gid("skills", world.rows["skills"][0]["id"])
    disguised = global_id("Skill", base64.urlsafe_b64decode(person + "==").decode().split(":")[1])
    ids = [skill, global_id("Person", UNKNOWN), person, disguised, other, person]
    found = api.data("query ($ids: [ID!]!) { nodes(ids: $ids) { id __typename } }", ids=ids)["nodes"]
    assert [each and each["id"] for each in found] == [skill, None, person, None, other, person]
    assert api.data("{ nodes(ids: []) { id } }")["nodes"] == []


def test_a_mentee_without_goals_is_answered_with_a_notice(api: Api, world: World, gid: Gid) -> None:
    with_goals = {row["person_id"] for row in world.rows["goals"]}
    with_wishes = {row["person_id"] for row in world.rows["person_skills"] if row["stance"] == "wants"}
    consented = {
        row["person_id"] for row in world.rows["consents"] if row["purpose"] == "matching" and not row["until"]
    }
    without = [row["id"] for row in world.rows["people"] if row["id"] in consented - with_goals - with_wishes]
    answer = api.data(RECOMMEND, mentee=gid("people", without[0]))["recommendMentors"]
    assert answer["notice"].startswith("This person has no open goal")
    assert [each["node"]["rank"] for each in answer["edges"]][:1] == [1]


def test_a_list_with_a_goal_has_no_notice(api: Api, asker: tuple[str, str]) -> None:
    assert api.data(RECOMMEND, mentee=asker[0], goal=asker[1])["recommendMentors"]["notice"] is None


# --- what is refused --------------------------------------------------------------------------------------------------

BY_ID = {
    "menteeId": "query ($id: ID!) { recommendMentors(menteeId: $id) { slateId } }",
    "goalId": "query ($id: ID!, $mentee: ID!) { recommendMentors(menteeId: $mentee, goalId: $id) { slateId } }",
    "mentorId": "query ($id: ID!, $mentee: ID!) { explainMatch(menteeId: $mentee, mentorId: $id) { score } }",
    "recommendationId": "query ($id: ID!) { explainRecommendation(recommendationId: $id) { score } }",
    "id": "query ($id: ID!) { person(id: $id) { id } }",
    "personId": "query ($id: ID!) { goals(personId: $id) { edges { cursor } } }",
}


@pytest.mark.parametrize("field", BY_ID)
def test_the_id_of_another_kind_is_refused_at_its_argument(api: Api, field: str, asker: tuple[str, str]) -> None:
    needs_mentee = {"mentee": asker[0]} if "$mentee" in BY_ID[field] else {}
    assert api.refusal(BY_ID[field], id=global_id("Skill", UNKNOWN), **needs_mentee) == ("BAD_USER_INPUT", field)


@pytest.mark.parametrize("field", BY_ID)
@pytest.mark.parametrize(
    "text",
    [
        pytest.param("", id="empty"),
        pytest.param(" ", id="space"),
        pytest.param("p001", id="key"),
        pytest.param(UNKNOWN, id="uid"),
        pytest.param("💥", id="emoji"),
        pytest.param("\x00", id="null"),
        pytest.param("é" * 3_000, id="long"),
        pytest.param("' OR 1=1 //", id="cypher"),
        pytest.param(base64.b64encode(b"Person:1").decode(), id="short uid"),
        pytest.param(base64.b64encode(b"Person\n:" + UNKNOWN.encode()).decode(), id="line in kind"),
        pytest.param(base64.b64encode(b"\xff\xfe").decode(), id="not text"),
    ],
)
def test_what_is_no_id_is_refused_at_its_argument(api: Api, field: str, text: str, asker: tuple[str, str]) -> None:
    needs_mentee = {"mentee": asker[0]} if "$mentee" in BY_ID[field] else {}
    assert api.refusal(BY_ID[field], id=text, **needs_mentee) == ("BAD_USER_INPUT", field)


def test_unknown_ids_are_null_or_not_found(api: Api, asker: tuple[str, str]) -> None:
    unknown = {kind: global_id(kind, UNKNOWN) for kind in ("Person", "Goal")}
    assert api.data("query ($id: ID!) { person(id: $id) { id } node(id: $id) { id } }", id=unknown["Person"]) == {
        "person": None,
        "node": None,
    }
    assert api.refusal(FEW, mentee=unknown["Person"]) == ("NOT_FOUND", "menteeId")
    assert api.refusal(RECOMMEND, mentee=asker[0], goal=unknown["Goal"]) == ("NOT_FOUND", "goalId")
    assert api.refusal(EXPLAIN, mentee=asker[0], mentor=unknown["Person"]) == ("NOT_FOUND", "mentorId")
    assert api.data(BY_ID["personId"], id=unknown["Person"])["goals"]["edges"] == []


@pytest.mark.parametrize("name", LISTS)
def test_a_page_has_1_to_100_entries(api: Api, name: str, asker: tuple[str, str]) -> None:
    variables = {"mentee": asker[0]} if name == "recommendMentors" else {}
    for first in (0, -1, 101, 10_000):
        assert api.refusal(LISTS[name], first=first, **variables) == ("BAD_USER_INPUT", "first")
    for allowed in (1, 100, None):
        assert api.data(LISTS[name], first=allowed, **variables)["found"]["edges"]


def test_more_paths_or_nodes_than_a_page_are_refused(api: Api, asker: tuple[str, str]) -> None:
    query = FEW.replace("rank score", "paths(first: 0) { weight }")
    assert set(map(str, api.ask(query, mentee=asker[0])["errors"][0]["path"])) >= {"paths"}
    many = "query ($ids: [ID!]!) { nodes(ids: $ids) { id } }"
    assert api.refusal(many, ids=[asker[0]] * 101) == ("BAD_USER_INPUT", "ids")
    assert len(api.data(many, ids=[asker[0]] * 100)["nodes"]) == 100


def test_the_cursor_of_another_question_is_refused(api: Api, asker: tuple[str, str], world: World, gid: Gid) -> None:
    cursors = {
        name: api.data(LISTS[name], first=1, **({"mentee": asker[0]} if name == "recommendMentors" else {}))["found"][
            "edges"
        ][0]["cursor"]
        for name in LISTS
    }
    for name, query in LISTS.items():
        variables = {"mentee": asker[0]} if name == "recommendMentors" else {}
        for other, cursor in {**cursors, "nonsense": "nonsense", "emoji": "💥"}.items():
            if other == name:
                assert "errors" not in api.ask(query, after=cursor, **variables)
            else:
                assert api.refusal(query, after=cursor, **variables) == ("BAD_USER_INPUT", "after")
    others = [gid("people", row["person_id"]) for row in world.rows["goals"]]
    other_mentee = next(each for each in others if each != asker[0] and "errors" not in api.ask(FEW, mentee=each))
    assert api.refusal(LISTS["recommendMentors"], after=cursors["recommendMentors"], mentee=other_mentee) == (
        "BAD_USER_INPUT",
        "after",
    )


def test_errors_that_would_tell_of_the_inside_are_noticed() -> None:
    assert tells_nothing_inner([{"message": "first is 0; ask for 1 to 100"}])
    for text in ("Traceback (most recent call last)", "Neo.ClientError", "bolt://h", "ValueError('x')", "store.py"):
        assert not tells_nothing_inner([{"message": text}])


# --- whom it shows ----------------------------------------------------------------------------------------------------


def third_people(world: World, gid: Gid, *known: str) -> set[str]:
    """Ids and names of everybody but those who are known."""
    rows = [row for row in world.rows["people"] if gid("people", row["id"]) not in known]
    return {gid("people", row["id"]) for row in rows} | {row["name"] for row in rows}


def test_reasons_name_third_people_to_coordinators_only(
    api: Api, asker: tuple[str, str], world: World, gid: Gid
) -> None:
    shown = {viewer: slate(api, *asker, viewer=viewer, first=5) for viewer in ("", asker[0])}
    titles = {row["title"] for row in world.rows["goals"] if gid("people", row["person_id"]) != asker[0]}
    leaks = {}
    for viewer, found in shown.items():
        leaks[viewer] = [
            secret
            for each in found
            for secret in third_people(world, gid, asker[0], each["mentor"]["id"]) | titles
            if secret in str(each["paths"]) + str(each["sentences"])
        ]
    assert leaks[asker[0]] == []
    assert leaks[""] != []
    assert [each["score"] for each in shown[""]] == [each["score"] for each in shown[asker[0]]]


def test_participants_ask_for_themselves_only(api: Api, asker: tuple[str, str], world: World, gid: Gid) -> None:
    own, _ = asker
    other = next(
        gid("people", row["person_id"]) for row in world.rows["goals"] if gid("people", row["person_id"]) != own
    )
    assert api.refusal(FEW, mentee=other, viewer=own)[0] == "FORBIDDEN"
    assert api.data(FEW, mentee=own, viewer=own)["recommendMentors"]["edges"]
    goals = "query ($id: ID) { goals(personId: $id) { edges { node { id } } } }"
    assert api.refusal(goals, id=other, viewer=own) == ("FORBIDDEN", "personId")
    assert api.refusal(goals, viewer=own) == ("FORBIDDEN", "personId")
    assert api.data(goals, id=own, viewer=own)["goals"]["edges"]


def test_participants_see_mentors_but_not_each_other(api: Api, asker: tuple[str, str], world: World, gid: Gid) -> None:
    roles: dict[str, set[str]] = {}
    for row in world.rows["roles"]:
        if not row["until"]:
            roles.setdefault(gid("people", row["person_id"]), set()).add(row["role_id"])
    mentor = next(id for id, found in roles.items() if "mentor" in found and id != asker[0])
    mentee = next(id for id, found in roles.items() if found == {"mentee"} and id != asker[0])
    query = "query ($ids: [ID!]!) { nodes(ids: $ids) { id } }"
    ids = [asker[0], mentor, mentee]
    assert [bool(each) for each in api.data(query, ids=ids, viewer=asker[0])["nodes"]] == [True, True, False]
    assert all(api.data(query, ids=ids)["nodes"])


def test_a_viewer_that_is_no_person_is_refused(api: Api) -> None:
    for viewer in ("nobody", global_id("Skill", UNKNOWN)):
        assert api.refusal("{ __typename }", viewer=viewer) == ("BAD_USER_INPUT", "Mentorgraph-Viewer")


# --- what it costs ----------------------------------------------------------------------------------------------------


def test_round_trips_of_each_root_field(api: Api, asker: tuple[str, str], gid: Gid, world: World) -> None:
    mentee, goal = asker
    mentor = slate(api, mentee, goal, first=1)[0]["mentor"]["id"]
    ranking = ["read_changes"]
    deep = RECOMMEND.replace("totalCount", "")
    for query, variables, expected in (
        (FEW, {"mentee": mentee}, [*ranking, "read_edges"]),  # the decision log keeps the evidence of every answer
        (deep, {"mentee": mentee, "goal": goal, "first": 5}, [*ranking, "read_edges", "read_nodes"]),
        (RECOMMEND, {"mentee": mentee}, [*ranking, "read_edges", "read_nodes"]),
        (EXPLAIN, {"mentee": mentee, "mentor": mentor}, [*ranking, "read_edges", "read_nodes"]),
        (BY_ID["id"], {"id": mentee}, ["read_nodes"]),
        ("query ($id: ID!) { node(id: $id) { id } }", {"id": goal}, ["read_nodes"]),
        (LISTS["skills"], {"first": 100}, ["page_skills", "read_nodes"]),
        (LISTS["goals"], {"first": 40}, ["page_goals", "read_nodes"]),
        ("{ goals(first: 40) { edges { node { person { name } } } } }", {}, ["page_goals", "read_nodes", "read_nodes"]),
        ("{ __typename __schema { queryType { name } } }", {}, []),
    ):
        api.data(query, **variables)
        assert api.statements == expected, query


def test_many_nodes_are_read_in_one_statement(api: Api, gid: Gid, world: World) -> None:
    ids = [gid("people", row["id"]) for row in world.rows["people"]]
    aliased = " ".join(f'a{place}: person(id: "{id}") {{ name }}' for place, id in enumerate(ids[:40]))
    api.data(f"query ($ids: [ID!]!) {{ nodes(ids: $ids) {{ id }} {aliased} }}", ids=ids[:100])
    assert api.statements == ["read_nodes"]
    sent = []
    for id in ids[:3]:
        api.data(BY_ID["id"], id=id)
        sent += api.statements
    assert sent == ["read_nodes"] * 3
