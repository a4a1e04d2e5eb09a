"""Mutations that are sent again with their key: the first answer, and nothing written twice."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from graphql import GraphQLInputObjectType, get_named_type

from mentorgraph.api.idempotency import LONGEST, NAME
from mentorgraph.api.schema import schema
from mentorgraph.graph.embedded.database import EmbeddedDatabase
from mentorgraph.graph.errors import DomainError
from mentorgraph.graph.exchange.check import check
from mentorgraph.graph.store.database import DatabaseUnavailable
from mentorgraph.graph.store.once import Claim
from mentorgraph.graph.store.store import KEYS_DROPPED, Store

from ..conftest import run_directly
from .conftest import Api, connected

REGISTER = """
mutation Register($input: RegisterPersonInput!) {
  registerPerson(input: $input) { person { id name } userErrors { message field code } }
}
"""
CREATE_GOAL = """
mutation ($input: CreateGoalInput!) { createGoal(input: $input) { goal { id title } userErrors { code } } }
"""


def register(api: Api, key: str | None, name: str = "Ida", *, viewer: str = "", **more: object) -> dict[str, Any]:
    given = {"name": name, "roles": ["MENTOR"], **more, **({} if key is None else {NAME: key})}
    return api.ask(REGISTER, viewer=viewer, input=given)


def named(server: EmbeddedDatabase, name: str) -> int:
    """How many people have a name."""
    return sum(row["name"] == name for row in run_directly(server, "MATCH (p:Person) RETURN p.name AS name"))


def test_the_input_of_every_mutation_takes_a_key() -> None:
    assert schema.mutation_type
    fields = schema.mutation_type.fields.values()
    inputs = [get_named_type(field.args["input"].type) for field in fields]
    assert len(inputs) > 40
    assert all(isinstance(each, GraphQLInputObjectType) and NAME in each.fields for each in inputs)


def test_the_same_again_gets_the_first_answer_and_writes_nothing(empty_api: Api, server: EmbeddedDatabase) -> None:
    first = register(empty_api, "again", "Ada")
    assert "write_people" in empty_api.statements
    assert register(empty_api, "again", "Ada") == first
    assert empty_api.statements == ["read_key"]
    assert first["data"]["registerPerson"]["userErrors"] == []
    assert named(server, "Ada") == 1
    register(empty_api, None, "Ada")  # which is how it would be without a key
    assert named(server, "Ada") == 2


def test_the_first_answer_is_given_though_things_have_changed_since(empty_api: Api, server: EmbeddedDatabase) -> None:
    first = register(empty_api, "unchanged", "Before")
    run_directly(server, "MATCH (p:Person {name: 'Before'}) SET p.name = 'After'")
    assert register(empty_api, "unchanged", "Before") == first


def test_a_key_is_for_one_mutation_one_input_and_one_selection(empty_api: Api, server: EmbeddedDatabase) -> None:
    person = register(empty_api, "one", "Uma")["data"]["registerPerson"]["person"]["id"]
    used = ("IDEMPOTENCY_KEY_REUSED", NAME)
    given = {"name": "Uma", "roles": ["MENTOR"], NAME: "one"}
    assert empty_api.refusal(REGISTER, input={**given, "name": "Una"}) == used
    assert empty_api.refusal(REGISTER, input={**given, "zone": "UTC"}) == used
    assert empty_api.refusal(REGISTER.replace("id name", "id"), input=given) == used
    assert empty_api.refusal(CREATE_GOAL, input={"personId": person, "title": "Learn", NAME: "one"}) == used
    assert (named(server, "Una"), named(server, "Uma")) == (0, 1)


def test_a_refusal_uses_up_no_key(empty_api: Api) -> None:
    refused = register(empty_api, "mended", "Mona", zone="Mars/Base")["data"]["registerPerson"]
    assert [error["field"] for error in refused["userErrors"]] == [["input", "zone"]]
    assert register(empty_api, "mended", "Mona", zone="UTC")["data"]["registerPerson"]["person"]["name"] == "Mona"


@pytest.mark.parametrize("key", ["", "x" * (LONGEST + 1)])
def test_a_key_has_a_length(empty_api: Api, key: str) -> None:
    [error] = register(empty_api, key)["errors"]
    assert (error["extensions"]["code"], error["extensions"]["field"]) == ("BAD_USER_INPUT", NAME)


def test_everybody_has_keys_of_their_own(empty_api: Api) -> None:
    people = [register(empty_api, None, name)["data"]["registerPerson"]["person"]["id"] for name in ("Eve", "Abe")]
    goals = [
        empty_api.data(CREATE_GOAL, viewer=person, input={"personId": person, "title": "Learn", NAME: "own"})
        for person in people
    ]
    assert goals[0]["createGoal"]["goal"]["id"] != goals[1]["createGoal"]["goal"]["id"]


def test_several_mutations_of_one_request_are_each_known_by_their_own(empty_api: Api, server: EmbeddedDatabase) -> None:
    both = """mutation {
      a: registerPerson(input: {name: "Twin", roles: [MENTOR], idempotencyKey: "a"}) { person { id } }
      b: registerPerson(input: {name: "Twin", roles: [MENTOR], idempotencyKey: "b"}) { person { id } }
    }"""
    first = empty_api.data(both)
    assert first["a"] != first["b"]
    assert empty_api.data(both) == first
    assert named(server, "Twin") == 2


def test_of_many_at_once_one_writes_and_all_hear_of_it(
    empty_api: Api, server: EmbeddedDatabase, count: Callable[[int, int], int]
) -> None:
    for number in range(count(3, 100)):
        with ThreadPoolExecutor(8) as threads:
            answers = list(threads.map(lambda _, n=number: register(empty_api, f"many {n}", f"Max {n}"), range(8)))
        assert answers == [answers[0]] * 8, answers
        assert named(server, f"Max {number}") == 1


@pytest.mark.parametrize("failure", [DatabaseUnavailable("gone"), DomainError("cut off", code="OUTCOME_UNKNOWN")])
def test_an_answer_that_cannot_be_kept_is_given_and_what_was_done_is_not_done_again(
    failure: DomainError, empty_api: Api, server: EmbeddedDatabase, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def die(_store: Store, _claim: Claim, _answer: str) -> None:
        raise failure

    with monkeypatch.context() as patched:
        patched.setattr(Store, "keep_answer", die)
        assert (
            register(empty_api, failure.code, failure.code)["data"]["registerPerson"]["person"]["name"] == failure.code
        )
    [error] = register(empty_api, failure.code, failure.code)["errors"]
    assert error["extensions"]["code"] == "ANSWER_LOST"
    assert named(server, failure.code) == 1


def test_keys_are_kept_for_a_day_and_do_not_pile_up(empty_api: Api, server: EmbeddedDatabase) -> None:
    register(empty_api, "old", "Olga")
    run_directly(server, "MATCH (key:IdempotencyKey) SET key.at = datetime() - duration('PT25H')")
    [before] = run_directly(server, "MATCH (key:IdempotencyKey) RETURN count(key) AS keys")
    assert 0 < before["keys"] < KEYS_DROPPED
    assert register(empty_api, "old", "Olga")["data"]["registerPerson"]["userErrors"] == []
    assert named(server, "Olga") == 2
    [after] = run_directly(server, "MATCH (key:IdempotencyKey) RETURN count(key) AS keys")
    assert after["keys"] == 1
    register(empty_api, "old", "Olga")
    assert named(server, "Olga") == 2


@pytest.mark.anyio
async def test_keys_are_no_facts(empty_api: Api, server: EmbeddedDatabase) -> None:
    register(empty_api, "no fact", "Fay")
    async with connected(server) as database:
        assert await check(Store(database)) == []
