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
    validate_schema,
)

from mentorgraph.api.schema import printed, schema
from mentorgraph.graph.statements import statement

FILE = Path(__file__).parents[2] / "schema.graphql"

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
