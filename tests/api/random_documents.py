"""Random documents that are valid for a schema, and random values for their variables."""

from random import Random
from typing import Any

from graphql import (
    GraphQLEnumType,
    GraphQLField,
    GraphQLInputObjectType,
    GraphQLInterfaceType,
    GraphQLList,
    GraphQLNonNull,
    GraphQLObjectType,
    GraphQLSchema,
    GraphQLUnionType,
    get_named_type,
    is_composite_type,
    is_required_argument,
)

CONDITIONS = ("a", "b", "c")
"""Variables that decide in @skip and @include; each may be given or not, and is false where it is not."""


class Writer:
    """Writes one document."""

    def __init__(self, random: Random, schema: GraphQLSchema, depth: int = 3) -> None:
        self._random = random
        self._schema = schema
        self._depth = depth
        self._fragments: list[str] = []
        self._names = 0

    def query(self) -> str:
        """A query with whatever fragments it spreads."""
        root = self._schema.query_type
        assert root is not None
        selected = self._selection(root, self._depth)
        declared = ", ".join(f"${name}: Boolean! = false" for name in CONDITIONS)
        unused = "".join(f" {name}: __typename @skip(if: ${name})" for name in CONDITIONS)
        return "\n".join([f"query Asked({declared}) {{ {selected}{unused} }}", *self._fragments])

    def variables(self) -> dict[str, Any]:
        """Values for its variables."""
        return {name: self._random.random() < 0.5 for name in CONDITIONS if self._random.random() < 0.8}

    def _selection(self, kind: Any, depth: int) -> str:
        return " ".join(self._part(kind, depth) for _ in range(self._random.randint(1, 4)))

    def _part(self, kind: Any, depth: int) -> str:
        fields = getattr(kind, "fields", {})
        choice = self._random.random()
        if choice < 0.12 or not fields or depth == 0:
            if choice < 0.06 or depth == 0:
                return "__typename" + self._directive()
            return self._fragment(kind, depth - 1)
        if choice < 0.25:
            return self._fragment(kind, depth - 1)
        name = self._random.choice(list(fields))
        return self._field(name, fields[name], depth)

    def _field(self, name: str, field: GraphQLField, depth: int) -> str:
        arguments = [
            f"{each}: {self._value(argument.type)}"
            for each, argument in field.args.items()
            if is_required_argument(argument) or self._random.random() < 0.3
        ]
        # What has arguments gets a name of its own, so that no two of them are to be merged.
        alias = f"{name}{self._next()}: " if arguments or self._random.random() < 0.25 else ""
        given = f"({', '.join(arguments)})" if arguments else ""
        inner = get_named_type(field.type)
        below = f" {{ {self._selection(inner, depth - 1)} }}" if is_composite_type(inner) else ""
        return f"{alias}{name}{given}{self._directive()}{below}"

    def _fragment(self, kind: Any, depth: int) -> str:
        on = self._random.choice(self._conditions_of(kind))
        selected = self._selection(on, max(depth, 0))
        if self._random.random() < 0.5:
            named = "" if on is kind and self._random.random() < 0.5 else f" on {on.name}"
            return f"...{named}{self._directive()} {{ {selected} }}"
        name = f"F{self._next()}"
        self._fragments.append(f"fragment {name} on {on.name} {{ {selected} }}")
        spread = f"...{name}{self._directive()}"
        return f"{spread} ...{name}" if self._random.random() < 0.2 else spread

    def _conditions_of(self, kind: Any) -> list[Any]:
        """The types that something of this type may be asked for being."""
        if isinstance(kind, GraphQLUnionType | GraphQLInterfaceType):
            return [kind, *self._schema.get_possible_types(kind)]
        assert isinstance(kind, GraphQLObjectType)
        return [kind, *kind.interfaces]

    def _directive(self) -> str:
        if self._random.random() < 0.85:
            return ""
        value = self._random.choice(("true", "false", *(f"${name}" for name in CONDITIONS)))
        return f" @{self._random.choice(('skip', 'include'))}(if: {value})"

    def _value(self, kind: Any) -> str:
        if isinstance(kind, GraphQLNonNull):
            return self._value(kind.of_type)
        if isinstance(kind, GraphQLList):
            return f"[{', '.join(self._value(kind.of_type) for _ in range(self._random.randint(0, 2)))}]"
        if isinstance(kind, GraphQLEnumType):
            return self._random.choice(list(kind.values))
        if isinstance(kind, GraphQLInputObjectType):
            given = (f"{name}: {self._value(each.type)}" for name, each in kind.fields.items())
            return f"{{ {', '.join(given)} }}"
        literals = {"Int": "3", "Float": "1.5", "Boolean": "true", "DateTime": '"2026-01-31T09:30:00Z"'}
        return literals.get(kind.name, '"text"')

    def _next(self) -> int:
        self._names += 1
        return self._names
