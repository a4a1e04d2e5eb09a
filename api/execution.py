"""Execution of operations, with a short way for what is plain: fields that are read off their object and are values.

graphql-core asks of every field anew which one it is, what its arguments are, whether its value has to be waited for
and of which kind its type is, and of most fields of most answers all of that is known beforehand. Here it is found out
once for each selection of a document (`Compiled`), and a field whose value is as expected is done with it. Whatever is
not (another type, an error, null where there must be none, something to wait for) goes graphql-core's own way, which
is still there, since this is a subclass of its `ExecutionContext`; so answers and errors are the same, to the byte.

This rests on methods of graphql-core 3.2 that are not public. A test compares both ways on random documents.
"""

from asyncio import gather
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache, partial
from itertools import chain, groupby
from math import isfinite
from types import GeneratorType, NoneType
from typing import Any, cast

from graphene.types.resolver import dict_or_attr_resolver
from graphql import (
    DirectiveNode,
    DocumentNode,
    ExecutionContext,
    ExecutionResult,
    FieldNode,
    GraphQLBoolean,
    GraphQLError,
    GraphQLField,
    GraphQLFloat,
    GraphQLID,
    GraphQLInt,
    GraphQLLeafType,
    GraphQLList,
    GraphQLNonNull,
    GraphQLObjectType,
    GraphQLOutputType,
    GraphQLResolveInfo,
    GraphQLSchema,
    GraphQLString,
    TypeNameMetaFieldDef,
    VariableNode,
    Visitor,
    default_field_resolver,
    execute,
    is_leaf_type,
    located_error,
    visit,
)
from graphql.execution.collect_fields import collect_sub_fields
from graphql.execution.execute import get_field_def
from graphql.pyutils import AwaitableOrValue, Path, Undefined, UndefinedType
from graphql.type.scalars import GRAPHQL_MAX_INT, GRAPHQL_MIN_INT

Read = Callable[[Any], Any]
"""What reads a field off its object. It may be called twice, and gives the same then."""

MOST_CONDITIONS = 32
"""Values of the variables in @skip and @include, together, for which a document keeps what is selected."""


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


class Compiled:
    """A valid document, and what was found out about its selections while it was executed.

    Args:
        schema: What the document is for.
        document: What it says.
        execution: The class that executes it.
    """

    def __init__(
        self, schema: GraphQLSchema, document: DocumentNode, execution: "type[FlatExecution] | None" = None
    ) -> None:
        self.document = document
        self._schema = schema
        self._execution = execution or FlatExecution
        self._conditions = _variables_in_conditions(document)
        self._selections: dict[tuple[object, ...], dict[Any, Any]] = {}

    def execute(
        self,
        *,
        root_value: object = None,
        context_value: object = None,
        variable_values: dict[str, Any] | None = None,
        operation_name: str | None = None,
        hide_suggestions: bool = False,
    ) -> AwaitableOrValue[ExecutionResult]:
        """Execute one of the operations, as `graphql.execute`."""
        return execute(
            self._schema,
            self.document,
            root_value,
            context_value,
            variable_values,
            operation_name,
            execution_context_class=cast(Any, self),  # all that graphql-core does with it is to call its `build`
            hide_suggestions=hide_suggestions,
        )

    def build(self, *arguments: Any, **options: Any) -> "list[GraphQLError] | FlatExecution":
        """What executes an operation, as `ExecutionContext.build`, with what is known from earlier executions."""
        made = self._execution.build(*arguments, **options)
        if isinstance(made, FlatExecution):
            made.remember(self._selections_under(made.variable_values))
        return cast("list[GraphQLError] | FlatExecution", made)

    def _selections_under(self, values: Mapping[str, Any]) -> dict[Any, Any]:
        """What is selected depends on nothing but these variables, and on the type of the object."""
        conditions = tuple(values.get(name) for name in self._conditions)
        found = self._selections.get(conditions)
        if found is None:
            if len(self._selections) >= MOST_CONDITIONS:
                self._selections.clear()
            found = self._selections[conditions] = {}
        return found


class FlatExecution(ExecutionContext):
    """Executes one operation as `ExecutionContext` does, and plain fields on a short way."""

    def remember(self, selections: dict[Any, Any]) -> None:
        """Take, and add to, what earlier executions of the same document have found out under the same conditions."""
        self._subfields_cache = selections

    def collect_subfields(
        self, return_type: GraphQLObjectType, field_nodes: list[FieldNode]
    ) -> dict[str, list[FieldNode]]:
        """Return the fields that are selected on an object of a type."""
        return self._selection(return_type, field_nodes)

    def _selection(self, return_type: GraphQLObjectType, field_nodes: list[FieldNode]) -> "_Selection":
        # Nodes of a document live as long as what is remembered of it, so their numbers stay theirs.
        key = (return_type, *map(id, field_nodes))
        found = self._subfields_cache.get(key)
        if found is None:
            nodes = collect_sub_fields(self.schema, self.fragments, self.variable_values, return_type, field_nodes)
            found = self._subfields_cache[key] = _Selection(self.schema, return_type, nodes)
        return cast(_Selection, found)

    def execute_fields(
        self, parent_type: GraphQLObjectType, source_value: Any, path: Path | None, fields: dict[str, list[FieldNode]]
    ) -> AwaitableOrValue[dict[str, Any]]:
        """Return the values of the selected fields of an object."""
        selected = fields if type(fields) is _Selection else self._root(parent_type, fields)
        results: dict[str, Any] = {}
        awaited: list[str] = []
        for part in selected.parts:
            if type(part) is _Values and part.read_into(results, source_value):
                continue
            for field in part.fields:
                inner_path = Path(path, field.name, parent_type.name)
                if field.object_type is not None:
                    result = self._object_field(field, field.object_type, parent_type, source_value, inner_path)
                else:
                    result = self.execute_field(parent_type, source_value, field.nodes, inner_path)
                results[field.name] = result
                if type(result) is not dict and self.is_awaitable(result):
                    awaited.append(field.name)
        if not awaited:
            return results
        # One root field alone may begin at once. Anywhere else that would tear apart what loaders read together.
        return _alone(results, awaited[0]) if path is None and len(awaited) == 1 else _gathered(results, awaited)

    def _root(self, root_type: GraphQLObjectType, nodes: dict[str, list[FieldNode]]) -> "_Selection":
        key = (root_type, id(self.operation))
        found = self._subfields_cache.get(key)
        if found is None:
            found = self._subfields_cache[key] = _Selection(self.schema, root_type, nodes)
        return cast(_Selection, found)

    def complete_list_value(
        self,
        return_type: GraphQLList[GraphQLOutputType],
        field_nodes: list[FieldNode],
        info: GraphQLResolveInfo,
        path: Path,
        result: Any,
    ) -> AwaitableOrValue[list[Any]]:
        """Return the items of a list."""
        if type(result) is list or type(result) is tuple:
            item_type = return_type.of_type
            inner = item_type.of_type if isinstance(item_type, GraphQLNonNull) else item_type
            kinds = set(map(type, result))
            if isinstance(inner, GraphQLObjectType):
                if all(map(is_settled, kinds)):
                    return self._objects(inner, item_type, field_nodes, info, path, result)
            elif is_leaf_type(inner):
                leaf = _leaf_of(inner)
                if kinds <= {leaf.kind} and (leaf.holds is None or all(map(leaf.holds, result))):
                    return list(result)
        return super().complete_list_value(return_type, field_nodes, info, path, result)

    def _objects(
        self,
        object_type: GraphQLObjectType,
        item_type: GraphQLOutputType,
        field_nodes: list[FieldNode],
        info: GraphQLResolveInfo,
        path: Path,
        items: Sequence[Any],
    ) -> AwaitableOrValue[list[Any]]:
        plain = None if object_type.is_type_of else self._selection(object_type, field_nodes).plain
        results: list[Any] = []
        awaited: list[int] = []
        for index, item in enumerate(items):
            values: dict[str, Any] = {}
            if plain is not None and plain.read_into(values, item):
                results.append(values)
                continue
            result = self._object(object_type, item_type, field_nodes, info, Path(path, index, None), item)
            results.append(result)
            if type(result) is not dict and self.is_awaitable(result):
                awaited.append(index)
        return _gathered(results, awaited) if awaited else results

    def _object_field(
        self,
        field: "_Field",
        object_type: GraphQLObjectType,
        parent_type: GraphQLObjectType,
        source: Any,
        path: Path,
    ) -> AwaitableOrValue[Any]:
        """Return the value of a field that is read off its object, and is an object itself."""
        try:
            value = field.read(source) if field.read else Undefined
        except Exception:  # the long way meets it again, and tells it
            return self.execute_field(parent_type, source, field.nodes, path)
        if value is None and field.is_nullable:
            return None
        if not is_settled(type(value)):
            return self.execute_field(parent_type, source, field.nodes, path)
        info = self.build_resolve_info(field.definition, field.nodes, parent_type, path)
        return self._object(object_type, field.definition.type, field.nodes, info, path, value)

    def _object(
        self,
        object_type: GraphQLObjectType,
        return_type: GraphQLOutputType,
        field_nodes: list[FieldNode],
        info: GraphQLResolveInfo,
        path: Path,
        value: Any,
    ) -> AwaitableOrValue[Any]:
        """Return an object that is there, or null for one that cannot be had."""
        try:
            if object_type.is_type_of is None:
                selected = self.collect_subfields(object_type, field_nodes)
                completed = self.execute_fields(object_type, value, path, selected)
            else:
                completed = self.complete_object_value(object_type, field_nodes, info, path, value)
        except Exception as error:
            self._failed(error, return_type, field_nodes, path)
            return None
        if type(completed) is not dict and self.is_awaitable(completed):
            return self._awaited(completed, return_type, field_nodes, path)
        return completed

    async def _awaited(
        self, completed: Any, return_type: GraphQLOutputType, field_nodes: list[FieldNode], path: Path
    ) -> Any:
        try:
            return await completed
        except Exception as error:
            self._failed(error, return_type, field_nodes, path)
            return None

    def _failed(
        self, error: Exception, return_type: GraphQLOutputType, field_nodes: list[FieldNode], path: Path
    ) -> None:
        self.handle_field_error(located_error(error, field_nodes, path.as_list()), return_type, path)


@dataclass(frozen=True, slots=True)
class _Leaf:
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
class _Field:
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
    leaf: _Leaf | None
    object_type: GraphQLObjectType | None
    is_nullable: bool

    @classmethod
    def of(cls, name: str, nodes: list[FieldNode], definition: GraphQLField, parent: GraphQLObjectType) -> "_Field":
        """What is known of a field beforehand."""
        is_nullable = not isinstance(definition.type, GraphQLNonNull)
        inner = definition.type if is_nullable else cast(GraphQLNonNull[Any], definition.type).of_type
        read = _read_of(nodes[0].name.value, definition, parent)
        leaf = _leaf_of(inner) if read and is_leaf_type(inner) else None
        object_type = inner if read and isinstance(inner, GraphQLObjectType) else None
        return cls(name, nodes, definition, read, leaf, object_type, is_nullable)

    @property
    def fields(self) -> "tuple[_Field]":
        """It alone, as a part of a selection."""
        return (self,)


class _Values:
    """Fields of a selection, one after the other, that are values and only read."""

    __slots__ = ("_steps", "fields")

    def __init__(self, fields: Sequence[_Field]) -> None:
        self.fields = fields
        self._steps = [
            (each.name, each.read, each.leaf.kind, each.leaf.holds, each.leaf.serialize, each.is_nullable)
            for each in fields
            if each.read is not None and each.leaf is not None
        ]

    def read_into(self, results: dict[str, Any], source: Any) -> bool:
        """Read them off an object; say no where one of them is not as expected, so that all have to go the long way."""
        try:
            for name, read, kind, holds, serialize, is_nullable in self._steps:
                value = read(source)
                if type(value) is kind and (holds is None or holds(value)):
                    results[name] = value
                elif value is None:
                    if not is_nullable:
                        return False
                    results[name] = None
                elif is_settled(type(value)):
                    value = serialize(value)
                    if value is None or value is Undefined:
                        return False
                    results[name] = value
                else:
                    return False
        except Exception:  # the long way meets it again, and tells it
            return False
        return True


class _Selection(dict[str, list[FieldNode]]):
    """What is selected on objects of a type: the nodes of each field, as graphql-core has them, and what is known.

    Attributes:
        parts: The fields in their order.
        plain: They as well, if all of them are values that are only read.
    """

    __slots__ = ("parts", "plain")

    def __init__(self, schema: GraphQLSchema, parent: GraphQLObjectType, nodes: dict[str, list[FieldNode]]) -> None:
        super().__init__(nodes)
        found = ((name, each, get_field_def(schema, parent, each[0])) for name, each in nodes.items())
        fields = [_Field.of(name, each, known, parent) for name, each, known in found if known is not None]
        runs = groupby(fields, lambda field: field.leaf is not None)
        parts = [[_Values(list(run))] if are_values else list(run) for are_values, run in runs]
        self.parts: tuple[_Values | _Field, ...] = tuple(chain.from_iterable(parts))
        self.plain = self.parts[0] if len(self.parts) == 1 and isinstance(self.parts[0], _Values) else None


class _LongWay(Exception):
    """A field has to be resolved as graphql-core does it."""


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
        return _reading(*resolve.args)
    return _reading_or_called(name) if resolve is None or resolve is default_field_resolver else None


def _reading(name: str, default: object) -> Read:
    """Reads as graphene does where a class says nothing else."""

    def read(source: Any) -> Any:
        return source.get(name, default) if isinstance(source, dict) else getattr(source, name, default)

    return read


def _reading_or_called(name: str) -> Read:
    """Reads as graphql-core does where a schema says nothing else."""

    def read(source: Any) -> Any:
        value = source.get(name) if isinstance(source, Mapping) else getattr(source, name, None)
        if callable(value):
            raise _LongWay
        return value

    return read


@lru_cache(maxsize=4096)
def _leaf_of(kind: GraphQLLeafType) -> _Leaf:
    if kind is GraphQLString or kind is GraphQLID:
        return _Leaf(str, None, kind.serialize)
    if kind is GraphQLBoolean:
        return _Leaf(bool, None, kind.serialize)
    if kind is GraphQLInt:
        return _Leaf(int, lambda value: GRAPHQL_MIN_INT <= value <= GRAPHQL_MAX_INT, kind.serialize)
    if kind is GraphQLFloat:
        return _Leaf(float, isfinite, kind.serialize)
    return _Leaf(None, None, kind.serialize)


_settled: dict[type, bool] = {}


def is_settled(kind: type) -> bool:
    """Say whether what is of this type is a value at once: nothing to wait for, no error, not null."""
    found = _settled.get(kind)
    if found is None:
        is_other = issubclass(kind, Exception | GeneratorType | NoneType | UndefinedType)
        found = _settled[kind] = not is_other and not hasattr(kind, "__await__")
    return found


async def _alone(results: dict[str, Any], name: str) -> dict[str, Any]:
    """The results of an object of which one field has to be waited for."""
    results[name] = await results[name]
    return results


async def _gathered(results: Any, awaited: Sequence[Any]) -> Any:
    """The results of an object or a list, when those at some places are there."""
    for place, result in zip(awaited, await gather(*(results[place] for place in awaited)), strict=True):
        results[place] = result
    return results


def _variables_in_conditions(document: DocumentNode) -> tuple[str, ...]:
    """Names of the variables on which it depends what is selected."""
    names: dict[str, None] = {}

    class Finding(Visitor):
        """Finds them."""

        def enter_directive(self, node: DirectiveNode, *_: object) -> None:
            """Notes those of one directive."""
            names.update(
                (each.value.name.value, None) for each in node.arguments if isinstance(each.value, VariableNode)
            )

    visit(document, Finding())
    return tuple(names)
