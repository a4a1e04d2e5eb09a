"""The contract: the committed schema is the served one, is described throughout, and holds what was promised."""

import re
from collections.abc import Iterable, Iterator
from pathlib import Path

import pytest
from graphql import (
    GraphQLEnumType,
    GraphQLInputObjectType,
    GraphQLInterfaceType,
    GraphQLObjectType,
    GraphQLSchema,
    build_schema,
    find_breaking_changes,
    validate_schema,
)

from mentorgraph.api.schema import printed, schema
from mentorgraph.graph.statements import statement

FILE = Path(__file__).parents[2] / "schema.graphql"
CHANGELOG = FILE.with_name("CHANGELOG.md")
RELEASED = Path(__file__).with_name("released.graphql")
"""The contract of the last release, without descriptions; a release replaces it."""

NAMED = re.compile(r"[A-Z]\w*\.\w+|^[A-Z]\w+")
"""The element that graphql-core's description of a change begins with, or comes to."""

PROMISED = {
    "Query": (
        "recommendMentors(menteeId: ID!, goalId: ID, first: Int, after: String): RecommendationConnection",
        "explainMatch(menteeId: ID!, mentorId: ID!, goalId: ID): Explanation",
        "explainRecommendation(recommendationId: ID!): Explanation",
    ),
    "RecommendationConnection": (
        "slateId: ID!",
        "modelVersion: String!",
        "policyVersion: String!",
        "edges: [RecommendationEdge!]!",
        "pageInfo: PageInfo!",
        "totalCount: Int",
    ),
    "RecommendationEdge": ("cursor: String!", "node: Recommendation"),
    "Recommendation": (
        "id: ID!",
        "rank: Int!",
        "score: Float!",
        "chance: Chance",
        "mentor: Person",
        "signals: [Signal!]!",
        "paths(first: Int): [EvidencePath!]!",
        "sentences(language: Language): [String!]!",
    ),
    "Signal": ("name: String!", "value: Float", "unit: String", "weight: Float", "contribution: Float!"),
    "EvidencePath": (
        "weight: Float!",
        "sentence(language: Language): String!",
        "steps: [PathStep!]!",
        "cypher: String",
    ),
    "PathStep": (
        "node: Node",
        "kind: String!",
        "label: String",
        "relationshipId: ID",
        "relationshipType: String",
        "since: DateTime",
        "source: String",
        "holdsNow: Boolean!",
        "count: Int",
    ),
}
"""What clients were promised, by type: names, arguments and types are fixed."""


def fields_of(schema: GraphQLSchema, type_name: str) -> list[str]:
    """The fields of a type as a schema prints them."""
    found = schema.type_map[type_name]
    assert isinstance(found, GraphQLObjectType)
    shown = []
    for name, field in found.fields.items():
        arguments = ", ".join(f"{key}: {argument.type}" for key, argument in field.args.items())
        shown.append(f"{name}({arguments}): {field.type}" if arguments else f"{name}: {field.type}")
    return shown


def broken(promised: Iterable[str], fields: Iterable[str]) -> set[str]:
    """Promises that no field keeps; one may take further arguments that can be left out."""

    def parts(field: str) -> tuple[str, str, set[str]]:
        name, _, rest = field.partition("(") if "(" in field else field.partition(":")
        arguments, _, kind = rest.rpartition(":")
        return name, kind, {each for each in arguments.rstrip(")").split(", ") if each}

    def keeps(field: str, promise: str) -> bool:
        (name, kind, shown), (own, wanted, asked) = parts(field), parts(promise)
        return (
            (name, kind) == (own, wanted) and asked <= shown and not any(each.endswith("!") for each in shown - asked)
        )

    return {promise for promise in promised if not any(keeps(field, promise) for field in fields)}


def undescribed(schema: GraphQLSchema) -> Iterator[str]:
    """What lacks a description: types, fields, arguments, input fields and enum values."""
    for name, each in schema.type_map.items():
        own = name.startswith("__") or name in {"ID", "Int", "String", "Float", "Boolean"}
        if own:
            continue
        if not each.description:
            yield name
        if isinstance(each, GraphQLObjectType | GraphQLInterfaceType):
            for field_name, field in each.fields.items():
                if not field.description:
                    yield f"{name}.{field_name}"
                yield from (f"{name}.{field_name}({key})" for key, each in field.args.items() if not each.description)
        elif isinstance(each, GraphQLInputObjectType):
            yield from (f"{name}.{key}" for key, each in each.fields.items() if not each.description)
        elif isinstance(each, GraphQLEnumType):
            yield from (f"{name}.{key}" for key, each in each.values.items() if not each.description)


def test_the_committed_schema_is_the_served_one() -> None:
    assert FILE.read_text("utf-8") == printed(), "write mentorgraph.api.schema.printed() to schema.graphql"


def test_the_schema_is_valid_and_the_file_alone_describes_it() -> None:
    assert validate_schema(schema) == []
    assert build_schema(FILE.read_text("utf-8")).type_map.keys() == schema.type_map.keys()


def test_everything_is_described() -> None:
    assert list(undescribed(schema)) == []


def test_what_is_not_described_is_found() -> None:
    bare = build_schema('"""x"""\ntype Query { a(b: C, d: E): Int }\ninput C { f: Int }\nenum E { G }\nscalar H')
    expected = ["C", "C.f", "E", "E.G", "H", "Query.a", "Query.a(b)", "Query.a(d)"]
    assert sorted(undescribed(bare)) == expected


@pytest.mark.parametrize("type_name", PROMISED)
def test_what_was_promised_is_there(type_name: str) -> None:
    assert broken(PROMISED[type_name], fields_of(schema, type_name)) == set()


def test_a_broken_promise_is_found() -> None:
    changed = build_schema(FILE.read_text("utf-8").replace("rank: Int!", "rank: Int"))
    assert broken(PROMISED["Recommendation"], fields_of(changed, "Recommendation")) == {"rank: Int!"}
    [one, *_] = PROMISED["Query"]
    assert broken([one], [one.replace("goalId: ID", "goalId: ID, more: Int")]) == set()
    for other in ("goalId: ID, more: Int!", "goalId: ID!", "goal: ID"):
        assert broken([one], [one.replace("goalId: ID", other)]) == {one}


def test_nodes_are_what_has_an_id() -> None:
    nodes = {each.name for each in schema.get_possible_types(schema.type_map["Node"])}  # type: ignore[arg-type]
    with_id = {
        name for name, each in schema.type_map.items() if isinstance(each, GraphQLObjectType) and "id" in each.fields
    }
    assert with_id == nodes
    assert "Recommendation" in nodes


def test_whatever_is_read_as_a_node_has_a_type() -> None:
    [labels] = re.findall(r"MATCH \(node:([\w|]+) ", statement("read_nodes"))
    nodes = {each.name for each in schema.get_implementations(node_type()).objects}
    assert set(labels.split("|")) == nodes - {"Recommendation"}


def node_type() -> GraphQLInterfaceType:
    found = schema.type_map["Node"]
    assert isinstance(found, GraphQLInterfaceType)
    return found


def unannounced(released: GraphQLSchema, now: GraphQLSchema, changelog: str) -> list[str]:
    """What clients of the last release cannot go on with, and the changes of the next one do not name."""
    said = changelog.split("\n## [", 2)[1]
    broken = [each.description for each in find_breaking_changes(released, now)]
    return [each for each in broken if (named := NAMED.search(each)) is None or f"`{named[0]}`" not in said]


def test_what_breaks_with_the_last_release_is_named_in_the_changelog() -> None:
    released, changelog = RELEASED.read_text("utf-8"), CHANGELOG.read_text("utf-8")
    assert unannounced(build_schema(released), build_schema(printed()), changelog) == [], (
        "name each as `Type.field`, under Unreleased"
    )


def test_a_change_that_breaks_and_is_not_named_is_found() -> None:
    old = build_schema("type Query { a: Int b(c: Int): Int e: E } enum E { FULL GONE }")
    new = build_schema("type Query { a: String b(c: Int!): Int e: E } enum E { FULL }")
    more = build_schema("type Query { a: Int b(c: Int): Int e: E f: Int } enum E { FULL GONE NEW }")
    log = "# Changelog\n\n## [Unreleased]\n\n%s\n\n## [0.1.0]\n\n- `Query.a`\n"
    assert len(unannounced(old, new, log % "")) == 3
    assert len(unannounced(old, new, log % "- `Query.a` is a text")) == 2
    assert unannounced(old, new, log % "- `Query.a`, `Query.b`, and E has no `GONE`") == []
    assert unannounced(old, more, log % "") == []
