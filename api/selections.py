"""What a selection of fields is known to ask for before any object is there.

Most fields are read off their object and are values, of which nothing else has to be found out (`Values`): neither
who asks, nor arguments, nor whether something has to be waited for.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache, partial
from itertools import chain, groupby
from math import isfinite
from types import GeneratorType, NoneType
from typing import Any, cast

from graphene.types.resolver import dict_or_attr_resolver
from graphql import (
    FieldNode,
    GraphQLBoolean,
    GraphQLField,
    GraphQLFloat,
    GraphQLID,
    GraphQLInt,
    GraphQLLeafType,
    GraphQLNonNull,
    GraphQLObjectType,
    GraphQLResolveInfo,
    GraphQLSchema,
    GraphQLString,
    TypeNameMetaFieldDef,
    default_field_resolver,
    is_leaf_type,
)
from graphql.execution.execute import get_field_def
from graphql.pyutils import Undefined, UndefinedType
from graphql.type.scalars import GRAPHQL_MAX_INT, GRAPHQL_MIN_INT

Read = Callable[[Any], Any]
"""What reads a field off its object. It may be called twice, and gives the same then."""


class Reading:
    """A resolver of a field without arguments that only reads its object."""

    __slots__ = ("read",)

    def __init__(self, read: Read) -> None:
        """Makes one.

        Args:
            read: Returns the value. It has no effects and does not look at who asks.
        """
        self.read = read

    def __call__(self, root: Any, _info: GraphQLResolveInfo) -> Any:
        """The value, for whoever calls it as any resolver."""
        return self.read(root)


@dataclass(frozen=True, slots=True)
class Leaf:
    """A type of values.

    Attributes:
        kind: The type in Python whose values are written as they are; None if there is none.
        holds: Says which of them; None for all.
        serialize: Turns any other value into one that can be written, or raises.
    """

    kind: type | None
    holds: Callable[[Any], bool] | None
    serialize: Callable[[Any], Any]


@dataclass(frozen=True, slots=True)
class Field:
    """A field that is selected.

    Attributes:
        name: What it is called in the answer.
        nodes: Where the document selects it.
        definition: What the schema says of it.
        read: What reads it off its object, if no more than that is called for; raises where it is after all.
        leaf: Its type, if it is a value that is only read.
        object_type: Its type, if it is an object that is only read.
        is_nullable: Whether it may be null.
    """

    name: str
    nodes: list[FieldNode]
    definition: GraphQLField
    read: Read | None
    leaf: Leaf | None
    object_type: GraphQLObjectType | None
    is_nullable: bool

    @classmethod
    def of(cls, name: str, nodes: list[FieldNode], definition: GraphQLField, parent: GraphQLObjectType) -> "Field":
        """What is known of a field beforehand."""
        is_nullable = not isinstance(definition.type, GraphQLNonNull)
        inner = definition.type if is_nullable else cast(GraphQLNonNull[Any], definition.type).of_type
        read = _read_of(nodes[0].name.value, definition, parent)
        leaf = leaf_of(inner) if read and is_leaf_type(inner) else None
        object_type = inner if read and isinstance(inner, GraphQLObjectType) else None
        return cls(name, nodes, definition, read, leaf, object_type, is_nullable)

    @property
    def fields(self) -> "tuple[Field]":
        """It alone, as a part of a selection."""
        return (self,)


class Values:
    """Fields of a selection, one after the other, that are values and only read."""

    __slots__ = ("_are_named", "_steps", "fields")

    def __init__(self, fields: Sequence[Field]) -> None:
        self.fields = fields
        self._are_named = all(isinstance(each.read, _Named) for each in fields)
        self._steps = [
            (
                each.name,
                each.read,
                *((each.read.name, each.read.default) if isinstance(each.read, _Named) else (None, None)),
                each.leaf.kind,
                each.leaf.holds,
                each.leaf.serialize,
                each.is_nullable,
            )
            for each in fields
            if each.read is not None and each.leaf is not None
        ]

    def read_into(self, results: dict[str, Any], source: Any) -> bool:
        """Read them off an object; say no where one of them is not as expected, so that all have to go the long way."""
        get = source.get if type(source) is dict and self._are_named else None
        try:
            for name, read, key, default, kind, holds, serialize, is_nullable in self._steps:
                value = get(key, default) if get else read(source)
                if type(value) is kind and (holds is None or holds(value)):
                    results[name] = value
                elif value is None:
                    if not is_nullable:
                        return False
                    results[name] = None
                elif is_settled(type(value)) and not callable(value):
                    serialized = serialize(value)
                    if serialized is None or serialized is Undefined:
                        return False
                    results[name] = serialized
                else:
                    return False
        except Exception:  # the long way meets it again, and tells it
            return False
        return True


class Selection(dict[str, list[FieldNode]]):
    """What is selected on objects of a type: the nodes of each field, as graphql-core has them, and what is known.

    Attributes:
        parent: The type.
        parts: The fields in their order.
        plain: They as well, if all of them are values that are only read.
    """

    __slots__ = ("parent", "parts", "plain")

    def __init__(self, schema: GraphQLSchema, parent: GraphQLObjectType, nodes: dict[str, list[FieldNode]]) -> None:
        super().__init__(nodes)
        found = ((name, each, get_field_def(schema, parent, each[0])) for name, each in nodes.items())
        self.parent = parent
        fields = [Field.of(name, each, known, parent) for name, each, known in found if known is not None]
        runs = groupby(fields, lambda field: field.leaf is not None)
        parts = [[Values(list(run))] if are_values else list(run) for are_values, run in runs]
        self.parts: tuple[Values | Field, ...] = tuple(chain.from_iterable(parts))
        self.plain = self.parts[0] if len(self.parts) == 1 and isinstance(self.parts[0], Values) else None


def _read_of(name: str, definition: GraphQLField, parent: GraphQLObjectType) -> Read | None:
    """What reads a field, if nothing else is called for."""
    resolve = definition.resolve
    if definition is TypeNameMetaFieldDef:
        return lambda _source: parent.name
    if definition.args:
        return None
    if isinstance(resolve, Reading):
        return resolve.read
    if isinstance(resolve, partial) and resolve.func is dict_or_attr_resolver:
        return _Named(resolve.args[0], resolve.args[1], dict)
    if resolve is None or resolve is default_field_resolver:
        return _Named(name, None, Mapping)
    return None


@dataclass(frozen=True, slots=True)
class _Named:
    """Reads what has a name, of whatever an object is.

    Attributes:
        name: Key or attribute.
        default: What it is where an object lacks it.
        mapping: The kind of object that has keys; others have attributes.
    """

    name: str
    default: object
    mapping: type[Any]

    def __call__(self, source: Any) -> Any:
        """The value."""
        if isinstance(source, self.mapping):
            return source.get(self.name, self.default)
        return getattr(source, self.name, self.default)


@lru_cache(maxsize=4096)
def leaf_of(kind: GraphQLLeafType) -> Leaf:
    """What is known of a type of values."""
    if kind is GraphQLString or kind is GraphQLID:
        return Leaf(str, None, kind.serialize)
    if kind is GraphQLBoolean:
        return Leaf(bool, None, kind.serialize)
    if kind is GraphQLInt:
        return Leaf(int, range(GRAPHQL_MIN_INT, GRAPHQL_MAX_INT + 1).__contains__, kind.serialize)
    if kind is GraphQLFloat:
        return Leaf(float, isfinite, kind.serialize)
    return Leaf(None, None, kind.serialize)


_settled: dict[type, bool] = {}


def is_settled(kind: type) -> bool:
    """Say whether what is of this type is a value at once: nothing to wait for, no error, not null."""
    found = _settled.get(kind)
    if found is None:
        is_other = issubclass(kind, Exception | GeneratorType | NoneType | UndefinedType)
        found = _settled[kind] = not is_other and not hasattr(kind, "__await__")
    return found
