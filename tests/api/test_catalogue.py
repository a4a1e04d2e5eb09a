"""The catalogue of mentors over GraphQL: what an entry shows, to whom, page by page, at a bounded price."""

from collections.abc import Iterator
from typing import Any

import pytest

from mentorgraph.api.ids import global_id
from mentorgraph.graph.embedded.database import EmbeddedDatabase
from mentorgraph.graph.facts.kinds import KINDS
from mentorgraph.graph.facts.model import uid_of

from .conftest import Api, asked_about

SOURCE = "hr"
SINCE = "2026-01-01"
MENTORS = ("ada", "eve", "gil", "ian")
NAMES = (*MENTORS, "bo")
WORLD: dict[str, list[dict[str, str]]] = {
    "units": [],
    "pairings": [],
    "goals": [
        {"id": "lead", "person_id": "ada", "title": "Lead a team", "created_on": SINCE},
        {"id": "old", "person_id": "ada", "title": "Old", "created_on": SINCE, "closed_on": "2026-02-01"},
        {"id": "next", "person_id": "ada", "title": "Speak up", "created_on": "2026-02-01"},
    ],
    "skills": [{"id": each, "name": each.upper()} for each in ("code", "py", "go")],
    "broader": [{"skill_id": each, "broader_id": "code", "since": SINCE} for each in ("py", "go")],
    "people": [{"id": each, "name": each.title(), "joined_on": SINCE} for each in NAMES],
    "roles": [{"person_id": each, "role_id": "mentor", "since": SINCE, "max_mentees": "1"} for each in MENTORS]
    + [{"person_id": "bo", "role_id": "mentee", "since": SINCE}],
    "consents": [
        {"person_id": each, "purpose": "matching", "text_version": "1", "since": SINCE}
        for each in ("ada", "eve", "gil", "bo")
    ],
    "blocks": [{"person_id": "gil", "blocked_id": "bo", "since": SINCE}],
    "profiles": [
        {"person_id": "ada", "coaching_style": "challenging", "formats": "async|live", "languages": "en",
         "communication": "mixed", "pace": "steady", "job_title": "Engineer", "about": "Hello", "grade": "L9",
         "experience_years": "9", "since": SINCE}
    ],
    "person_skills": [
        {"person_id": "ada", "skill_id": "go", "stance": "offers", "level": "2", "since": SINCE},
        {"person_id": "ada", "skill_id": "py", "stance": "offers", "level": "4", "since": SINCE},
        {"person_id": "ada", "skill_id": "code", "stance": "wants", "level": "5", "since": SINCE},
        {"person_id": "gil", "skill_id": "py", "stance": "offers", "level": "5", "since": SINCE},
    ],
    "availability": [
        {"person_id": "ada", "weekday": "3", "start": "18:00", "end": "20:00", "zone": "Asia/Tokyo", "since": SINCE}
    ],
}  # fmt: skip
CATALOGUE = """
query ($filter: MentorCatalogueFilter, $first: Int, $after: String) {
  mentorCatalogue(filter: $filter, first: $first, after: $after) {
    edges { cursor node {
      mentor { id name profile { grade } skillLevels { level } }
      skills { skill { name } level }
      jobTitle about formats coachingStyle communication pace languages
      availability { weekday start end zone }
      hasFreePlaces goals { nodes { title } }
    } }
    pageInfo { hasNextPage hasPreviousPage startCursor endCursor }
  }
}
"""


@pytest.fixture(scope="module")
def api(server: EmbeddedDatabase) -> Iterator[Api]:
    with asked_about(server, WORLD, SOURCE) as asking:
        yield asking


def gid(kind: str, key: str) -> str:
    return global_id(KINDS[kind].label, uid_of(SOURCE, kind, key))


BO = gid("people", "bo")


def page(api: Api, viewer: str = "", **variables: Any) -> dict[str, Any]:
    found: dict[str, Any] = api.data(CATALOGUE, viewer=viewer, **variables)["mentorCatalogue"]
    return found


def names(found: dict[str, Any]) -> set[str]:
    return {edge["node"]["mentor"]["name"] for edge in found["edges"]}


def test_an_entry_shows_what_a_mentor_offers_and_nothing_else_of_their_profile(api: Api) -> None:
    wanted = {"skillId": gid("skills", "code"), "minLevel": 3, "format": "ASYNC", "coachingStyle": "Challenging"}
    [edge] = page(api, BO, filter=wanted)["edges"]
    assert edge["node"] == {
        "mentor": {"id": gid("people", "ada"), "name": "Ada", "profile": None, "skillLevels": None},
        "skills": [{"skill": {"name": "PY"}, "level": 4.0}, {"skill": {"name": "GO"}, "level": 2.0}],
        "jobTitle": "Engineer",
        "about": "Hello",
        "formats": ["async", "live"],
        "coachingStyle": "challenging",
        "communication": "MIXED",
        "pace": "STEADY",
        "languages": ["en"],
        "availability": [{"weekday": 3, "start": "18:00", "end": "20:00", "zone": "Asia/Tokyo"}],
        "hasFreePlaces": True,
        "goals": None,
    }
    assert page(api, BO, filter={**wanted, "minLevel": 5})["edges"] == []


def test_who_has_not_agreed_is_in_nobodys_catalogue_and_who_blocks_one_not_in_ones_own(api: Api) -> None:
    assert names(page(api)) == {"Ada", "Eve", "Gil"}
    assert names(page(api, BO)) == {"Ada", "Eve"}
    assert names(page(api, BO, filter={"skillId": gid("skills", "py")})) == {"Ada"}
    assert names(page(api, BO, filter={"communication": "ASYNCHRONOUS", "language": "en"})) == {"Ada"}
    assert names(page(api, BO, filter={"hasFreePlaces": False})) == set()


def test_what_a_mentor_wants_to_reach_is_for_them_and_coordinators(api: Api) -> None:
    wanted = {"skillId": gid("skills", "go")}
    for viewer, right in ((gid("people", "ada"), 2), ("", 2), (BO, None), (gid("people", "eve"), None)):
        [edge] = page(api, viewer, filter=wanted)["edges"]
        goals = [{"title": "Speak up"}, {"title": "Lead a team"}]
        assert edge["node"]["goals"] == ({"nodes": goals} if right else None)
    [other] = (each for each in page(api, gid("people", "ada"))["edges"] if each["node"]["mentor"]["name"] == "Eve")
    assert other["node"]["goals"] is None


def test_pages_go_on_after_a_cursor_until_nothing_follows(api: Api) -> None:
    first = page(api, first=2)
    assert first["pageInfo"] == {
        "hasNextPage": True,
        "hasPreviousPage": False,
        "startCursor": first["edges"][0]["cursor"],
        "endCursor": first["edges"][1]["cursor"],
    }
    rest = page(api, first=2, after=first["pageInfo"]["endCursor"])
    assert (rest["pageInfo"]["hasNextPage"], rest["pageInfo"]["hasPreviousPage"]) == (False, True)
    assert [*first["edges"], *rest["edges"]] == page(api)["edges"]


def test_a_page_costs_four_round_trips_however_long_it_is(api: Api) -> None:
    for first in (1, 100):
        page(api, BO, first=first, filter={"skillId": gid("skills", "code")})
        # The columns, for what counts for what; the ids of the filter; the page; and the people and skills on it.
        assert sorted(api.statements) == ["find_existing", "page_catalogue", "read_changes", "read_nodes"]


@pytest.mark.parametrize(
    ("variables", "refusal"),
    [
        ({"first": 0}, ("BAD_USER_INPUT", "first")),
        ({"first": 101}, ("BAD_USER_INPUT", "first")),
        ({"after": gid("skills", "py")}, ("BAD_USER_INPUT", "after")),
        ({"filter": {"skillId": gid("people", "ada")}}, ("BAD_USER_INPUT", "filter.skillId")),
        ({"filter": {"skillId": gid("skills", "none")}}, ("NOT_FOUND", "filter.skillId")),
        ({"filter": {"programmeId": gid("programmes", "none")}}, ("NOT_FOUND", "filter.programmeId")),
        ({"filter": {"minLevel": 3}}, ("BAD_USER_INPUT", "filter.minLevel")),
    ],
)
def test_what_makes_no_sense_is_refused_by_name(api: Api, variables: dict[str, Any], refusal: tuple[str, str]) -> None:
    assert api.refusal(CATALOGUE, viewer=BO, **variables) == refusal
