"""Connections: every way to page a list gives it whole, in one order, and counts it."""

from collections.abc import Iterator
from typing import Any

import pytest

from mentorgraph.api.ids import global_id
from mentorgraph.graph.embedded.database import EmbeddedDatabase
from mentorgraph.graph.errors import DomainError
from mentorgraph.graph.facts.model import Row, uid_of
from mentorgraph.graph.paging import MOST, Part

from .conftest import Api, asked_about

SOURCE = "hr"
SKILLS = [f"s{number}" for number in range(7)]
ROWS: dict[str, list[Row]] = {
    "people": [
        {"id": "ada", "name": "Ada", "joined_on": "2024-01-01"},
        {"id": "bo", "name": "Bo", "joined_on": "2024-01-01"},
        {"id": "cy", "name": "Cy", "joined_on": "2024-01-01", "left_on": "2025-01-01"},
    ],
    "consents": [
        {"person_id": each, "purpose": "matching", "text_version": "v1", "since": "2024-01-01"}
        for each in ("ada", "bo", "cy")
    ],
    "skills": [
        {"id": key, "name": key.upper(), **({"broader": SKILLS[at - 1]} if at else {})} for at, key in enumerate(SKILLS)
    ],
    "goals": [
        {"id": f"g{number}", "person_id": "bo" if number % 2 else "ada", "title": "T", "created_on": "2025-01-01"}
        for number in range(5)
    ],
}
LISTS = {
    "skills": ("skills", SKILLS, ""),
    "people": ("people", ["ada", "bo", "cy"], ""),
    "goals": ("goals", [f"g{number}" for number in range(5)], ""),
    "goals of one": ("goals", ["g1", "g3"], f'personId: "{global_id("Person", uid_of(SOURCE, "people", "bo"))}"'),
    "people who stay": ("people", ["ada", "bo"], "hasLeft: false"),
    "people who left": ("people", ["cy"], "hasLeft: true"),
}
KIND = {"skills": "Skill", "people": "Person", "goals": "Goal"}


@pytest.fixture(scope="module")
def api(server: EmbeddedDatabase) -> Iterator[Api]:
    with asked_about(server, ROWS, SOURCE) as api:
        yield api


def page(api: Api, name: str, given: str, **paging: object) -> Any:
    told = ", ".join(
        f"{key}: {value}" if isinstance(value, int) else f'{key}: "{value}"' for key, value in paging.items()
    )
    arguments = ", ".join(filter(None, (given, told)))
    info = "pageInfo { hasNextPage hasPreviousPage startCursor endCursor }"
    shown = f"{{ edges {{ cursor node {{ id }} }} nodes {{ id }} totalCount {info} }}"
    return api.data(f"{{ {name}{f'({arguments})' if arguments else ''} {shown} }}")[name]


def expected(name: str, keys: list[str]) -> list[str]:
    """The ids in the order of the uids."""
    return [global_id(KIND[name], uid) for uid in sorted(uid_of(SOURCE, name, key) for key in keys)]


@pytest.mark.parametrize("which", LISTS)
def test_pages_forwards_and_backwards_give_the_list_whole_and_in_one_order(api: Api, which: str) -> None:
    name, keys, given = LISTS[which]
    whole = expected(name, keys)
    for size in (1, 2, 3, len(whole)):
        for end, size_name, at_name in (("endCursor", "first", "after"), ("startCursor", "last", "before")):
            seen: list[str] = []
            cursor: dict[str, object] = {}
            while True:
                found = page(api, name, given, **{size_name: size}, **cursor)
                assert [each["node"] for each in found["edges"]] == found["nodes"]
                assert [each["cursor"] for each in found["edges"]] == [each["id"] for each in found["nodes"]]
                assert found["totalCount"] == len(whole)
                ids = [each["id"] for each in found["nodes"]]
                seen = seen + ids if size_name == "first" else ids + seen
                info = found["pageInfo"]
                more, begun = ("hasNextPage", "hasPreviousPage")[:: 1 if size_name == "first" else -1]
                assert info[begun] is bool(cursor)
                if not info[more]:
                    break
                cursor = {at_name: info[end]}
            assert seen == whole, (size_name, size)
    if len(whole) > 2:
        between = page(api, name, given, first=MOST, after=whole[0], before=whole[-1])
        assert [each["id"] for each in between["nodes"]] == whole[1:-1]
        last = page(api, name, given, last=1, after=whole[0], before=whole[-1])
        assert [each["id"] for each in last["nodes"]] == whole[-2:-1]


def test_nothing_is_counted_that_nobody_asked_for(api: Api) -> None:
    api.data("{ skills(first: 1) { nodes { id } } }")
    assert api.statements == ["page_skills", "read_nodes"]
    api.data("{ skills(first: 1) { totalCount } }")
    assert api.statements == ["page_skills"]  # nor are nodes read


def test_a_short_list_is_paged_as_a_long_one(api: Api) -> None:
    deepest = global_id("Skill", uid_of(SOURCE, "skills", SKILLS[-1]))
    query = """
    query ($id: ID!, $first: Int, $after: String, $last: Int, $before: String) {
      node(id: $id) { ... on Skill {
        ancestors(first: $first, after: $after, last: $last, before: $before) {
          nodes { name } totalCount pageInfo { hasNextPage hasPreviousPage endCursor }
        }
      } }
    }
    """

    def names(**paging: Any) -> tuple[list[str], bool, bool]:
        found = api.data(query, id=deepest, **paging)["node"]["ancestors"]
        assert found["totalCount"] == 6
        info = found["pageInfo"]
        return [each["name"] for each in found["nodes"]], info["hasPreviousPage"], info["hasNextPage"]

    nearest_first = [key.upper() for key in SKILLS[-2::-1]]
    cursors = [global_id("Skill", uid_of(SOURCE, "skills", key)) for key in SKILLS[-2::-1]]
    assert names() == (nearest_first, False, False)
    assert names(first=2) == (nearest_first[:2], False, True)
    assert names(first=2, after=cursors[1]) == (nearest_first[2:4], True, True)
    assert names(last=2) == (nearest_first[-2:], True, False)
    assert names(last=2, before=cursors[-1]) == (nearest_first[-3:-1], True, True)
    assert names(first=9, after=cursors[-1]) == ([], True, False)
    stranger = global_id("Skill", uid_of(SOURCE, "skills", "unknown"))
    assert api.refusal(query, id=deepest, after=stranger) == ("BAD_USER_INPUT", "after")


@pytest.mark.parametrize(
    ("told", "field"),
    [
        ("first: 0", "first"),
        ("first: 101", "first"),
        ("last: 0", "last"),
        ("last: 101", "last"),
        ("first: 1, last: 1", "last"),
        ('after: "x"', "after"),
        (f'before: "{global_id("Goal", uid_of(SOURCE, "goals", "g0"))}"', "before"),
    ],
)
def test_a_page_that_cannot_be_is_refused(api: Api, told: str, field: str) -> None:
    assert api.refusal(f"{{ skills({told}) {{ totalCount }} }}") == ("BAD_USER_INPUT", field)


def test_a_part_of_a_list_is_told_once() -> None:
    assert Part.of(None, "", None, "", 20) == Part("", "", 20)
    with pytest.raises(DomainError, match="first or last"):
        Part.of(1, "", 1, "", 20)
