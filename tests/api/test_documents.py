"""Documents: how large one may be, what is refused before it is validated, and which are kept."""

from collections.abc import Callable
from typing import Any
from unittest.mock import Mock

import graphql
import pytest
from graphql import GraphQLError, build_schema, get_introspection_query

from mentorgraph.api import documents
from mentorgraph.api.documents import Documents
from mentorgraph.api.errors import DocumentRefused
from mentorgraph.api.limits import Limits

SCHEMA = build_schema("""
type Person { name: String friend: Person }
type Query { hello: String me: Person }
""")


def refusal(query: str, **limits: Any) -> str:
    with pytest.raises(DocumentRefused) as caught:
        Documents(SCHEMA, Limits(**limits)).prepare(query)
    return str(caught.value.errors[0]["extensions"]["code"])


def passes(query: str, **limits: Any) -> bool:
    return Documents(SCHEMA, Limits(**limits)).prepare(query) is not None


def deep(levels: int) -> str:
    return "{ me " + "{ friend " * (levels - 2) + "{ name }" + "}" * (levels - 2) + "}"


def deep_by_fragment(levels: int) -> str:
    return deep(2).replace("name", "...F") + " fragment F on Person " + deep(levels - 1).replace("me", "friend", 1)


def fields(count: int) -> str:
    return "{ " + "hello " * count + "}"


def fields_by_fragment(count: int) -> str:
    return "{ me { " + "...F " * (count - 1) + "} } fragment F on Person { name }"


def comments(count: int) -> str:
    return "#\n" * count + "{ hello }"


def aliases(count: int, directive: str = "") -> str:
    return "{ " + " ".join(f"a{i}: hello {directive}" for i in range(count)) + " }"


def repetitions(count: int) -> str:
    return "{ hello " + "... { hello } " * count + " }"


def directives(count: int) -> str:
    return aliases(count, "@skip(if: false)")


@pytest.mark.parametrize(
    ("limits", "bound", "query"),
    [
        ({"max_tokens": 100, "max_aliases": 100}, 98, fields),
        ({"max_tokens": 100}, 100, comments),
        ({"max_depth": 15}, 15, deep),
        ({"max_depth": 6}, 6, deep_by_fragment),
        ({"max_fields": 30}, 30, fields),
        ({"max_fields": 30}, 30, fields_by_fragment),
        ({"max_aliases": 10}, 10, aliases),
        ({"max_aliases": 10}, 10, repetitions),
        ({"max_directives": 10}, 10, directives),
    ],
)
def test_a_document_may_reach_each_bound_and_not_pass_it(
    limits: dict[str, int], bound: int, query: Callable[[int], str]
) -> None:
    assert passes(query(bound), **limits)
    assert refusal(query(bound + 1), **limits) == "LIMIT_EXCEEDED"


def bomb(generations: int) -> str:
    fragments = " ".join(f"fragment F{i} on Person {{ ...F{i + 1} ...F{i + 1} }}" for i in range(generations))
    return f"{{ me {{ ...F0 }} }} {fragments} fragment F{generations} on Person {{ name }}"


def test_limits_are_checked_before_validation(monkeypatch: pytest.MonkeyPatch) -> None:
    def validate(*_: object, **__: object) -> list[GraphQLError]:
        raise AssertionError("validated")

    monkeypatch.setattr(documents, "validate", validate)
    for query in (bomb(120), fields(500), fields(47_000), deep(100)):
        assert refusal(query) == "LIMIT_EXCEEDED"
    with pytest.raises(AssertionError, match="validated"):
        refusal(bomb(5))


def test_fragment_bombs_are_counted_without_being_spread_out() -> None:
    assert refusal(bomb(250), max_tokens=10_000) == "LIMIT_EXCEEDED"
    assert passes(bomb(5))


def test_a_long_chain_of_fragments_is_measured_without_recursion() -> None:
    chain = " ".join(f"fragment F{i} on Person {{ friend {{ ...F{i + 1} }} }}" for i in range(3_000))
    query = f"{{ me {{ ...F0 }} }} {chain} fragment F3000 on Person {{ name }}"
    assert refusal(query, max_tokens=100_000, max_fields=10_000) == "LIMIT_EXCEEDED"


@pytest.mark.parametrize(
    "query",
    [
        "{ me { ...A } } fragment A on Person { ...A }",
        "{ me { ...A } } fragment A on Person { friend { ...B } } fragment B on Person { ...A }",
        "{ me { ...Unknown } }",
        "{ hello(hello: 1) }",
        "{ me }",
        "fragment A on Person { name }",
        "type A { b: Int }",
    ],
)
def test_documents_that_fit_no_schema_are_refused_as_such(query: str) -> None:
    assert refusal(query) == "GRAPHQL_VALIDATION_FAILED"


def test_the_standard_introspection_query_passes_and_a_deeper_one_does_not() -> None:
    standard = get_introspection_query(
        descriptions=True, specified_by_url=True, directive_is_repeatable=True, input_value_deprecation=True
    )
    assert passes(standard, allows_introspection=True)
    assert passes("{ __typename me { __typename } }", allows_introspection=False)
    assert refusal(standard, allows_introspection=False) == "GRAPHQL_VALIDATION_FAILED"
    circle = "{ __schema { types " + "{ fields { type " * 4 + "{ name }" + "} }" * 4 + "} }"
    assert refusal(circle, allows_introspection=True) == "GRAPHQL_VALIDATION_FAILED"


def test_names_are_suggested_only_where_wanted() -> None:
    with pytest.raises(DocumentRefused, match=r"^Cannot query field 'helo' on type 'Query'.$"):
        Documents(SCHEMA, Limits()).prepare("{ helo }")
    with pytest.raises(DocumentRefused, match="Did you mean 'hello'"):
        Documents(SCHEMA, Limits(hides_suggestions=False)).prepare("{ helo }")


def test_a_valid_document_is_validated_once(monkeypatch: pytest.MonkeyPatch) -> None:
    validate = Mock(wraps=graphql.validate)
    monkeypatch.setattr(documents, "validate", validate)
    kept = Documents(SCHEMA, Limits(max_kept_documents=2))
    first = kept.prepare("{ hello }")
    assert kept.prepare("{ hello }") is first
    assert validate.call_count == 1
    for query in ("{ a: hello }", "{ hello }", "{ b: hello }"):  # the second one is used again, so the first one goes
        kept.prepare(query)
    assert kept.prepare("{ hello }") is first
    kept.prepare("{ a: hello }")
    assert validate.call_count == 4


def test_kept_documents_are_bounded_in_bytes() -> None:
    kept = Documents(SCHEMA, Limits(max_kept_bytes=20_000))
    documents_made = [kept.prepare(f"{{ a{i}: hello }}") for i in range(20)]
    assert kept.prepare("{ a19: hello }") is documents_made[19]
    assert kept.prepare("{ a0: hello }") is not documents_made[0]


def test_a_refused_document_is_not_kept() -> None:
    kept = Documents(SCHEMA, Limits(max_kept_documents=1))
    good = kept.prepare("{ hello }")
    for _ in range(3):
        with pytest.raises(DocumentRefused):
            kept.prepare("{ nope }")
    assert kept.prepare("{ hello }") is good
