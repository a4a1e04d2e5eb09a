"""The short way of executing plain fields: the same as graphql-core's, to the byte, on random documents and values."""

import asyncio
import gc
import re
import sys
import warnings
from collections import UserDict
from collections.abc import Callable, Generator, Iterator
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from decimal import Decimal
from functools import partial
from random import Random
from types import SimpleNamespace
from typing import Any

import orjson
import pytest
from graphene.types.resolver import dict_or_attr_resolver
from graphql import (
    ExecutionResult,
    GraphQLEnumType,
    GraphQLError,
    GraphQLInterfaceType,
    GraphQLObjectType,
    GraphQLResolveInfo,
    GraphQLSchema,
    GraphQLUnionType,
    build_schema,
    execute,
    is_introspection_type,
    parse,
    validate,
)
from graphql.pyutils import Undefined
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from mentorgraph.api import execution, selections
from mentorgraph.api.execution import Compiled, FlatExecution
from mentorgraph.api.schema import unguarded
from mentorgraph.api.selections import Leaf, Reading, Values, leaf_of

from .random_documents import Writer

SDL = """
scalar Day
enum Mood { GLAD SAD }
interface Thing { id: ID! name: String }
union Pet = Dog | Cat
type Dog implements Thing {
  id: ID! name: String age: Int! weight: Float good: Boolean! born: Day mood: Mood! moods: [Mood!] days: [Day]
  tags: [String!]! sizes: [Int] shares: [Float!] matrix: [[Int!]!] mother: Dog friend: Thing friends: [Dog!]!
  maybe: [Dog] pets: [Pet!] told(times: Int = 1, mood: Mood): String late: String! lateDogs: [Dog!]! owner: Owner!
  read: String! readDog: Dog
}
type Cat implements Thing { id: ID! name: String lives: Int! friend: Cat }
type Owner { id: ID! name: String! pets: [Pet] dog: Dog! }
type Query { dog: Dog owner: Owner! thing: Thing things: [Thing!] pets: [Pet] dogs: [Dog!]! late: Dog }
"""
ODD_VALUES: tuple[Any, ...] = (
    *("text", "", 7, -1, 2**31, 2**31 - 1, True, False, 1.5, 2.0, float("nan"), float("inf"), b"bytes", Decimal("2.5")),
    *(Undefined, "GLAD", "nothing", {}, [], {"id": "x"}, [None], ["a", None, 3], (1, 2), {"age"}, int, len),
)


ADDRESS = re.compile(rb" at 0x[0-9a-f]+")


def _same(value: Any) -> Callable[[], Any]:
    return lambda: value


ODD: tuple[Callable[[], Any], ...] = (
    *map(_same, ODD_VALUES),
    lambda: ValueError("told, not raised"),
    lambda: GraphQLError("told as GraphQL tells it"),
    lambda: (each for each in (1, 2)),
    lambda: lambda *_: "called",
    lambda: lambda *_: _raise(KeyError("called in vain")),
    lambda: Later("late", 1),
    lambda: Later(None, 2),
    lambda: Later(RuntimeError("failed at once"), 0),
    lambda: Later(RuntimeError("failed later"), 3),
)


class Later:
    """A value to be waited for, or an error; unlike a coroutine it may be left alone."""

    def __init__(self, value: object, turns: int) -> None:
        self._value = value
        self._turns = turns

    def __repr__(self) -> str:
        return "Later"

    def __await__(self) -> Generator[None, None, object]:
        for _ in range(self._turns):
            yield
        if isinstance(self._value, RuntimeError):
            raise self._value
        return self._value


class Broken:
    """An object of which nothing can be read."""

    def __getattr__(self, name: str) -> object:
        if name.startswith("__"):
            raise AttributeError(name)
        raise RuntimeError(f"{name} cannot be read")


def _raise(error: Exception) -> None:
    raise error


@dataclass
class Things:
    """Draws objects with values, of which some are other than they should be."""

    random: Random
    schema: GraphQLSchema
    odd: float

    def of(self, kind: Any, depth: int = 2) -> Any:
        """Something for a place of a type."""
        if self.random.random() < self.odd:
            return self.random.choice(ODD)()
        if str(kind).endswith("!"):
            kind = kind.of_type
        elif self.random.random() < 0.1:
            return None
        if str(kind).startswith("["):
            items = [self.of(kind.of_type, depth) for _ in range(self.random.randint(0, 3))]
            return tuple(items) if self.random.random() < 0.2 else items
        drawn = self._object(kind, depth) if hasattr(kind, "fields") or isinstance(kind, GraphQLUnionType) else None
        found = drawn if drawn is not None else self._value(kind)
        return Later(found, self.random.randint(0, 2)) if self.random.random() < 0.06 else found

    def _value(self, kind: Any) -> Any:
        if isinstance(kind, GraphQLEnumType):
            return self.random.choice([each.value for each in kind.values.values()])
        choices: dict[str, tuple[Any, ...]] = {
            "Int": (3, 0, -5, 2**31 - 1, 2**31),
            "Float": (1.5, 2, -0.25, float("nan")),
            "Boolean": (True, False),
            "ID": ("i", 4),
            "DateTime": (datetime(2026, 1, 31, tzinfo=UTC),),
        }
        return self.random.choice(choices.get(kind.name, ("text", "other")))

    def _object(self, kind: Any, depth: int) -> Any:
        if depth == 0:
            return None if self.random.random() < 0.5 else Broken()
        if not isinstance(kind, GraphQLObjectType):
            kind = self.random.choice(self.schema.get_possible_types(kind))
        values = {
            name: self.of(each.type, depth - 1) for name, each in kind.fields.items() if self.random.random() < 0.95
        }
        values["__typename"] = kind.name
        form = self.random.random()
        if form < 0.5:
            return values
        return SimpleNamespace(**values) if form < 0.9 else UserDict(values)


@dataclass
class Asked:
    """What one execution hands to resolvers as its context; they take down what they were told of their place."""

    notes: list[tuple[object, ...]] = field(default_factory=list)

    def note(self, info: GraphQLResolveInfo, arguments: object) -> None:
        """Takes it down."""
        nodes = [node.loc.start for node in info.field_nodes if node.loc]
        place = info.field_name, str(info.return_type), info.parent_type.name, info.path.as_list(), nodes
        self.notes.append((*place, repr(arguments)))


def read_of(root: Any, name: str) -> Any:
    return root[name] if isinstance(root, dict | UserDict) else getattr(root, name)


def noting(name: str) -> Callable[..., Any]:
    def resolve(root: Any, info: GraphQLResolveInfo, **arguments: Any) -> Any:
        info.context.note(info, arguments)
        return read_of(root, name)

    return resolve


def small_schema() -> GraphQLSchema:
    """A schema with every kind of resolver."""
    schema = build_schema(SDL)
    dog, owner, cat = (schema.type_map[name] for name in ("Dog", "Owner", "Cat"))
    assert isinstance(dog, GraphQLObjectType)
    assert isinstance(owner, GraphQLObjectType)
    assert isinstance(cat, GraphQLObjectType)

    async def late(root: Any, info: GraphQLResolveInfo) -> Any:
        info.context.note(info, None)
        await asyncio.sleep(0)
        return read_of(root, info.field_name)

    for name in ("told", "friend", "moods"):
        dog.fields[name].resolve = noting(name)
    for name in ("late", "lateDogs"):
        dog.fields[name].resolve = late
    for name in ("read", "readDog"):
        dog.fields[name].resolve = Reading(partial(read_of, name=name))
    for name in ("name", "age", "tags", "mother"):
        dog.fields[name].resolve = partial(dict_or_attr_resolver, name, None)

    def is_cat(root: Any, info: GraphQLResolveInfo) -> bool:
        info.context.note(info, "a cat?")
        return bool(read_of(root, "__typename") == "Cat")

    cat.is_type_of = is_cat
    owner.is_type_of = lambda root, _info: not isinstance(root, str)

    def told_day(value: Any) -> Any:
        return f"day {value}" if value != "other" else _raise(ValueError(value))

    schema.type_map["Day"].serialize = told_day  # type: ignore[attr-defined]
    return schema


SMALL = small_schema()


async def told(answering: Any, asked: Asked) -> tuple[object, ...]:
    """All that can be seen of an execution."""
    result = await answering if hasattr(answering, "__await__") else answering
    errors = result.errors or []
    body = {"data": result.data, "errors": [error.formatted for error in errors]}
    causes = [(type(error.original_error), [str(node.loc) for node in error.nodes or ()]) for error in errors]
    # A thing that is told as itself is another one each time that it is drawn.
    return ADDRESS.sub(b"", orjson.dumps(body, default=repr)), causes, asked.notes


async def both(schema: GraphQLSchema, seed: int, odd: float) -> tuple[list[object], list[object]]:
    """What graphql-core says to a random document about random things, and what the short way does; several times."""
    random = Random(seed)  # noqa: S311
    writer = Writer(random, schema)
    document = parse(writer.query())
    if validate(schema, document):  # two fields of one name that cannot be merged
        return [], []
    compiled = Compiled(schema, document)
    root_type = schema.query_type
    assert root_type is not None

    async def run(answer: Callable[..., Any], variables: dict[str, Any], things: int) -> tuple[object, ...]:
        drawn = Things(Random(things), schema, odd)  # noqa: S311
        root = {name: drawn.of(each.type) for name, each in root_type.fields.items()}
        asked = Asked()
        return await told(answer(root_value=root, context_value=asked, variable_values=variables), asked)

    slow, fast = list[object](), list[object]()
    for _ in range(3):
        variables, things = writer.variables(), random.getrandbits(60)
        slow.append(await run(partial(execute, schema, document), variables, things))
        fast.append(await run(compiled.execute, variables, things))
    return slow, fast


pytestmark = pytest.mark.filterwarnings("ignore:coroutine .* was never awaited:RuntimeWarning")


@pytest.fixture(autouse=True)
def _left(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Nobody hears of the coroutines that graphql-core leaves, once a field that must not be null is."""
    monkeypatch.setattr(sys, "unraisablehook", lambda _: None)
    yield
    gc.collect()


@given(seed=st.integers(0, 2**60), odd=st.sampled_from((0.0, 0.01, 0.05, 0.2)))
@example(seed=743, odd=0.2)  # told as itself
@settings(
    deadline=None, max_examples=max(1, settings().max_examples // 2), suppress_health_check=[HealthCheck.too_slow]
)
def test_answers_are_those_of_graphql_core(seed: int, odd: float) -> None:
    slow, fast = asyncio.run(both(SMALL, seed, odd))
    assert fast == slow


def plain_copy() -> GraphQLSchema:
    """The schema that is served, whose fields read what an object has under their name."""
    schema = unguarded()
    for each in schema.type_map.values():
        if isinstance(each, GraphQLObjectType) and not is_introspection_type(each):
            each.is_type_of = None
            for name, known in each.fields.items():
                known.resolve = None if len(name) % 3 else partial(dict_or_attr_resolver, name, None)
        elif isinstance(each, GraphQLInterfaceType | GraphQLUnionType):
            each.resolve_type = None
    return schema


SERVED = plain_copy()


@given(seed=st.integers(0, 2**60), odd=st.sampled_from((0.0, 0.02)))
@settings(
    deadline=None, max_examples=max(1, settings().max_examples // 3), suppress_health_check=[HealthCheck.too_slow]
)
def test_so_are_answers_in_the_types_of_the_schema_that_is_served(seed: int, odd: float) -> None:
    slow, fast = asyncio.run(both(SERVED, seed, odd))
    assert fast == slow


def differs(most: int) -> bool:
    """Whether the check sees a difference on some random document; one that raises is one."""

    async def look() -> bool:
        for seed in range(most):
            try:
                slow, fast = await both(SMALL, seed, 0.3)
            except Exception:
                return True
            if slow != fast:
                return True
        return False

    return asyncio.run(look())


def forgets_to_propagate(self: FlatExecution, error: Exception, _type: object, nodes: Any, path: Any) -> None:
    self.collected_errors.add(GraphQLError(str(error), nodes, path=path.as_list()), path)


def takes_any_integer(kind: Any) -> Leaf:
    return replace(leaf_of(kind), holds=None)


def null_at_all(self: Values, results: dict[str, Any]) -> bool:
    results.update({each.name: None for each in self.fields})
    return True


FAULTS: dict[str, Callable[[pytest.MonkeyPatch], None]] = {
    "an error does not reach the parent": lambda patch: patch.setattr(FlatExecution, "_failed", forgets_to_propagate),
    "integers of any size": lambda patch: patch.setattr(selections, "leaf_of", takes_any_integer),
    "nothing has to be waited for": lambda patch: patch.setattr(execution, "is_settled", lambda _kind: True),
    "conditions do not matter": lambda patch: patch.setattr(
        execution, "_variables_in_conditions", lambda _document: ()
    ),
    "null where there must be none": lambda patch: patch.setattr(Values, "read_into", with_a_way_out(null_at_all)),
    "a path without its item": lambda patch: patch.setattr(execution, "Path", lambda prev, _key, _type: prev),
}


def with_a_way_out(function: Callable[..., bool]) -> Callable[..., bool]:
    """The function as a method that calls the true one."""
    true = Values.read_into

    def method(self: Values, results: dict[str, Any], source: Any) -> bool:
        return true(self, results, source) or function(self, results)

    return method


@pytest.mark.parametrize("fault", FAULTS)
def test_a_short_way_with_a_fault_is_found_out(fault: str, monkeypatch: pytest.MonkeyPatch) -> None:
    FAULTS[fault](monkeypatch)
    assert differs(200)


def test_plain_fields_take_the_short_way(monkeypatch: pytest.MonkeyPatch) -> None:
    long_way: list[str] = []
    true = FlatExecution.execute_field

    def noting_field(self: FlatExecution, parent: Any, source: Any, nodes: Any, path: Any) -> Any:
        long_way.append(f"{parent.name}.{nodes[0].name.value}")
        return true(self, parent, source, nodes, path)

    monkeypatch.setattr(FlatExecution, "execute_field", noting_field)
    compiled = Compiled(SMALL, parse("{ dogs { id name age owner { id name } told mother { __typename mood } } }"))
    dog = {"id": "d", "name": "Rex", "age": 3, "owner": {"id": "o", "name": "Ada"}, "told": "x"}
    dog |= {"mother": {"mood": "GLAD"}}
    result = compiled.execute(root_value={"dogs": [dog, dog]}, context_value=Asked())
    assert isinstance(result, ExecutionResult)
    assert result.errors is None
    assert long_way == ["Query.dogs", "Dog.told", "Dog.told"]


def test_what_is_kept_of_a_document_is_bounded() -> None:
    names = [f"v{number}" for number in range(8)]
    declared = ", ".join(f"${name}: Boolean!" for name in names)
    skipped = " ".join(f"{name}: __typename @skip(if: ${name})" for name in names)
    compiled = Compiled(SMALL, parse(f"query ({declared}) {{ {skipped} }}"))
    for number in range(2 ** len(names)):
        values = {name: bool(number >> place & 1) for place, name in enumerate(names)}
        result = compiled.execute(variable_values=values)
        assert isinstance(result, ExecutionResult)
        assert set(result.data or {}) == {name for name in names if not values[name]}
        assert len(compiled._selections) <= execution.MOST_CONDITIONS


def test_nothing_is_left_to_be_waited_for_once_it_is_not_wanted() -> None:
    schema = build_schema("type Query { dogs: [Dog!] } type Dog { late: Dog friends: [Dog] age: Int! }")
    document = parse("{ dogs { late { age } friends { late { age } age } age } }")

    async def late(_info: object = None) -> dict[str, object]:
        return {"age": 1}

    def left(answer: Callable[..., Any]) -> int:
        async def run() -> tuple[object, int]:
            friends = [{"late": late, "age": 1}]
            found = answer(root_value={"dogs": [{"late": late, "friends": friends, "age": 1}, {"late": late}]})
            result = await found if hasattr(found, "__await__") else found
            return result.data, len(result.errors or ())  # and not the result, whose errors hold what was left

        with warnings.catch_warnings(record=True) as told:
            warnings.simplefilter("always")
            assert asyncio.run(run()) == ({"dogs": None}, 1)
            gc.collect()
        return sum("never awaited" in str(each.message) for each in told)

    assert left(Compiled(schema, document).execute) == 0
    assert left(partial(execute, schema, document)) > 0
