"""Skills over GraphQL: asked by id, key and free text, and changed by those who may."""

import asyncio
from typing import Any

import pytest

from mentorgraph.api.ids import global_id
from mentorgraph.graph.embedded.database import EmbeddedDatabase
from mentorgraph.graph.exchange.bundle import bundle_of, import_bundle
from mentorgraph.graph.facts.model import uid_of
from mentorgraph.graph.store.store import Store

from .conftest import Api, connected

WELDING = "http://data.europa.eu/esco/skill/welding"
FIELDS = (
    "name tier cluster aliases state ancestors { nodes { name } } mergedInto { id name } splitInto { nodes { name } }"
)
SKILL = "query ($id: ID, $key: ID, $source: String) { skill(id: $id, externalId: $key, source: $source) { id %s } }"
NAMED = (
    "query ($text: String!, $first: Int) { skillsNamed(text: $text, first: $first) { score spelling skill { name } } }"
)
ROWS: dict[str, list[dict[str, str]]] = {
    "units": [],
    "skills": [
        {"id": "code", "name": "Programming", "tier": "1", "cluster": "technical"},
        {"id": "python", "name": "Python", "aliases": "py|CPython", "broader": "code", "tier": "2"},
        {"id": "asyncio", "name": "asyncio", "broader": "python"},
        {"id": "snake", "name": "Snake language"},
        {"id": "sql", "name": "SQL"},
        {"id": "plsql", "name": "PL/SQL"},
        {"id": WELDING, "name": "weld", "source": "esco"},
    ],
    "people": [
        {"id": "p1", "name": "Ada", "joined_on": "2020-01-01", "roles": "mentee"},
        {"id": "p2", "name": "Bo", "joined_on": "2020-01-01", "roles": "mentor"},
    ],
    "consents": [],
    "goals": [],
    "pairings": [],
}


def gid(key: str) -> str:
    return global_id("Skill", uid_of("hr", "skills", key))


ADA, BO = (global_id("Person", uid_of("hr", "people", key)) for key in ("p1", "p2"))


@pytest.fixture(scope="module")
def asked(empty_api: Api, server: EmbeddedDatabase) -> Api:
    async def fill() -> None:
        async with connected(server) as database:
            result = await import_bundle(Store(database), bundle_of(ROWS), source="hr")
        assert set(result.total) == {"created"}

    asyncio.run(fill())
    return empty_api


def skill(api: Api, **variables: str) -> dict[str, Any] | None:
    found: dict[str, Any] | None = api.data(SKILL % FIELDS, **variables)["skill"]
    return found


def told(api: Api, field: str, viewer: str = "", **input: Any) -> dict[str, Any]:
    kind = field[0].upper() + field[1:]
    document = f"mutation ($input: {kind}Input!) {{ told: {field}(input: $input) "
    document += f"{{ skill {{ id {FIELDS} }} userErrors {{ message field code }} }} }}"
    payload: dict[str, Any] = api.data(document, viewer=viewer, input=input)["told"]
    assert (payload["skill"] is None) == bool(payload["userErrors"])
    return payload


def refused(api: Api, field: str, viewer: str = "", **input: Any) -> tuple[str, str]:
    [error] = told(api, field, viewer, **input)["userErrors"]
    return error["code"], ".".join(error["field"])


def named(api: Api, text: str) -> list[tuple[str, float]]:
    return [(each["skill"]["name"], each["score"]) for each in api.data(NAMED, text=text)["skillsNamed"]]


def test_a_skill_is_found_by_its_id_and_by_its_key(asked: Api) -> None:
    found = skill(asked, id=gid("python"))
    assert found == {
        "id": gid("python"),
        "name": "Python",
        "tier": 2,
        "cluster": None,
        "aliases": ["py", "CPython"],
        "state": "APPROVED",
        "ancestors": {"nodes": [{"name": "Programming"}]},
        "mergedInto": None,
        "splitInto": {"nodes": []},
    }
    assert (skill(asked, key="python", source="hr") or {})["id"] == gid("python")
    assert (skill(asked, key=WELDING) or {})["name"] == "weld"
    assert skill(asked, key="python") is None
    assert asked.refusal(SKILL % "name") == ("BAD_USER_INPUT", "id")
    assert asked.refusal(SKILL % "name", id=gid("sql"), key="sql") == ("BAD_USER_INPUT", "id")
    assert asked.refusal(SKILL % "name", id=ADA) == ("BAD_USER_INPUT", "id")


def test_all_states_of_a_page_take_one_reading_of_the_taxonomy(asked: Api) -> None:
    asked.data("{ skills { edges { node { name state ancestors { nodes { name } } mergedInto { name } } } } }")
    assert sorted(asked.statements) == ["page_skills", "read_changes", "read_nodes"]


def test_free_text_proposes_skills_and_records_nothing(asked: Api) -> None:
    assert named(asked, "PY") == [("Python", 0.9)]
    assert named(asked, "Pythons")[0] == ("Python", 1.0)
    assert named(asked, "nothing at all like it") == named(asked, "") == []
    assert len(named(asked, "Python, SQL and programming")) == 3
    assert len(asked.data(NAMED, text="Python and SQL", first=1)["skillsNamed"]) == 1
    assert "write_skills" not in asked.statements
    assert asked.refusal(NAMED, text="x" * 501) == ("BAD_USER_INPUT", "text")
    assert asked.refusal(NAMED, text="x", first=0) == ("BAD_USER_INPUT", "first")


def test_anybody_proposes_and_coordinators_approve_and_deprecate(asked: Api) -> None:
    input = {"name": "Rust", "tier": 2, "cluster": "technical", "aliases": ["rustlang"], "broaderIds": [gid("code")]}
    proposed = told(asked, "proposeSkill", ADA, **input)["skill"]
    assert (proposed["name"], proposed["tier"], proposed["cluster"]) == ("Rust", 2, "technical")
    assert (proposed["state"], proposed["ancestors"]["nodes"]) == ("PROPOSED", [{"name": "Programming"}])
    assert named(asked, "rustlang") == [("Rust", 0.9)]
    for field in ("approveSkill", "deprecateSkill"):
        assert refused(asked, field, ADA, skillId=proposed["id"]) == ("FORBIDDEN", "input")
    assert told(asked, "approveSkill", skillId=proposed["id"])["skill"]["state"] == "APPROVED"
    assert told(asked, "deprecateSkill", skillId=proposed["id"], reason="old")["skill"]["state"] == "DEPRECATED"
    assert named(asked, "rustlang") == []
    assert refused(asked, "proposeSkill", ADA, name="CPython") == ("CONFLICT", "input.name")
    assert refused(asked, "proposeSkill", ADA, name=" ") == ("BAD_USER_INPUT", "input.name")
    assert refused(asked, "proposeSkill", ADA, name="New", tier=10) == ("BAD_USER_INPUT", "input.tier")
    assert refused(asked, "proposeSkill", ADA, name="New", broaderIds=[ADA]) == ("BAD_USER_INPUT", "input.broaderIds.0")
    assert refused(asked, "deprecateSkill", skillId=gid("nothing")) == ("NOT_FOUND", "input.skillId")
    assert refused(asked, "deprecateSkill", skillId=gid("sql"), reason="x" * 501) == ("BAD_USER_INPUT", "input.reason")


def test_a_merged_skill_is_found_by_its_old_id_and_says_what_it_counts_for(asked: Api) -> None:
    assert refused(asked, "mergeSkills", ADA, skillId=gid("snake"), intoId=gid("python")) == ("FORBIDDEN", "input")
    merged = told(asked, "mergeSkills", skillId=gid("snake"), intoId=gid("python"), reason="the same")["skill"]
    assert (merged["id"], merged["state"]) == (gid("snake"), "MERGED")
    assert merged["mergedInto"] == {"id": gid("python"), "name": "Python"}
    assert merged["ancestors"]["nodes"] == [{"name": "Programming"}]
    assert skill(asked, id=gid("snake")) == merged
    assert named(asked, "snake language") == [("Python", 0.9)]
    for into, code in (("snake", "CONFLICT"), ("asyncio", "CONFLICT"), ("nothing", "NOT_FOUND")):
        assert refused(asked, "mergeSkills", skillId=gid("python"), intoId=gid(into)) == (code, "input.intoId")
    assert refused(asked, "mergeSkills", skillId=gid("code"), intoId=gid("asyncio")) == ("CONFLICT", "input.intoId")


def test_a_split_skill_names_its_parts(asked: Api) -> None:
    parts = [gid("sql"), gid("plsql")]
    assert refused(asked, "splitSkill", skillId=gid("asyncio"), intoIds=parts[:1]) == (
        "BAD_USER_INPUT",
        "input.intoIds",
    )
    split = told(asked, "splitSkill", skillId=gid("asyncio"), intoIds=parts)["skill"]
    assert (split["state"], sorted(each["name"] for each in split["splitInto"]["nodes"])) == (
        "SPLIT",
        ["PL/SQL", "SQL"],
    )
    assert [each["name"] for each in (skill(asked, id=gid("sql")) or {})["ancestors"]["nodes"]] == [
        "asyncio",
        "Python",
        "Programming",
    ]
    assert sorted(named(asked, "asyncio")) == [("PL/SQL", 0.9), ("SQL", 0.9)]


def test_levels_name_their_sources_to_the_person_and_to_coordinators(asked: Api) -> None:
    rate = """
    mutation ($input: RateSkillInput!) {
      told: rateSkill(input: $input) { person { skillLevels { %s } } userErrors { code field } }
    }
    """
    rate %= "skill { name } level sources { ratedBy at level weight }"
    given = {"personId": ADA, "skillId": gid("sql"), "level": 5, "ratedBy": "SELF", "since": "2022-07-01"}
    asked.data(rate, viewer=ADA, input=given)
    mentor = {"level": 2, "ratedBy": "MENTOR", "since": "2026-06-01"}
    answer = asked.data(rate, input={**given, **mentor})["told"]
    assert answer["userErrors"] == []
    [found] = answer["person"]["skillLevels"]
    weights = {each["ratedBy"]: each["weight"] for each in found["sources"]}
    assert found["skill"] == {"name": "SQL"}
    assert sorted((each["ratedBy"], each["level"], each["at"]) for each in found["sources"]) == [
        ("MENTOR", 2.0, "2026-06-01T00:00:00Z"),
        ("SELF", 5.0, "2022-07-01T00:00:00Z"),
    ]
    assert weights["MENTOR"] > 4 * weights["SELF"]
    mean = (2 * weights["MENTOR"] + 5 * weights["SELF"]) / sum(weights.values())
    assert found["level"] == pytest.approx(mean)
    query = "query ($id: ID!) { person(id: $id) { skillLevels { level } } }"
    assert asked.data(query, viewer=ADA, id=ADA) == asked.data(query, id=ADA)
    assert asked.data(query, viewer=BO, id=BO) == {"person": {"skillLevels": []}}
    assert asked.data(query, viewer=ADA, id=BO) == {"person": {"skillLevels": None}}
    for viewer, change, expected in (
        (ADA, {"ratedBy": "MENTOR"}, ("FORBIDDEN", "input.ratedBy")),
        (BO, {}, ("FORBIDDEN", "input.ratedBy")),
        ("", {"level": 6}, ("BAD_USER_INPUT", "input.level")),
        ("", {"skillId": gid("nothing")}, ("NOT_FOUND", "input.skillId")),
    ):
        [error] = asked.data(rate, viewer=viewer, input={**given, **change})["told"]["userErrors"]
        assert (error["code"], ".".join(error["field"])) == expected


def test_a_change_is_seen_by_the_rest_of_its_request(asked: Api) -> None:
    document = """
    mutation ($first: ProposeSkillInput!, $second: DeprecateSkillInput!) {
      a: proposeSkill(input: $first) { skill { state } }
      b: deprecateSkill(input: $second) { skill { state } }
    }
    """
    first = {"name": "Go", "externalId": "go"}
    second = {"skillId": global_id("Skill", uid_of("api", "skills", "go"))}
    answer = asked.data(document, first=first, second=second)
    assert answer == {"a": {"skill": {"state": "PROPOSED"}}, "b": {"skill": {"state": "DEPRECATED"}}}
