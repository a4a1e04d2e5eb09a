"""Execution of operations, with a short way for what is plain: fields that are read off their object and are values.

graphql-core asks of every field anew which one it is, what its arguments are, whether its value has to be waited for
and of which kind its type is, and of most fields of most answers all of that is known beforehand. Here it is found out
once for each selection of a document (`Compiled`), and a field whose value is as expected is done with it. Whatever is
not (another type, an error, null where there must be none, something to wait for) goes graphql-core's own way, which
is still there, since this is a subclass of its `ExecutionContext`; so answers and errors are the same, to the byte.

This rests on methods of graphql-core 3.2 that are not public. A test compares both ways on random documents.
"""

from asyncio import gather, sleep
from collections.abc import Mapping, Sequence
from inspect import CORO_CREATED, getcoroutinelocals, getcoroutinestate, iscoroutine
from typing import Any, cast

from graphql import (
    DirectiveNode,
    DocumentNode,
    ExecutionContext,
    ExecutionResult,
    FieldNode,
    FragmentDefinitionNode,
    GraphQLError,
    GraphQLList,
    GraphQLNonNull,
    GraphQLObjectType,
    GraphQLOutputType,
    GraphQLResolveInfo,
    GraphQLSchema,
    OperationDefinitionNode,
    VariableNode,
    Visitor,
    default_field_resolver,
    default_type_resolver,
    is_leaf_type,
    located_error,
    visit,
)
from graphql.execution.collect_fields import collect_sub_fields
from graphql.execution.execute import CollectedErrors
from graphql.execution.values import get_variable_values
from graphql.pyutils import AwaitableOrValue, Path, Undefined

from mentorgraph.api.selections import Field, Selection, Values, is_settled, leaf_of

MOST_ERRORS_IN_VARIABLES = 50
"""As many as graphql-core tells."""

MOST_CONDITIONS = 32
"""Values of the variables in @skip and @include, together, for which a document keeps what is selected."""


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
        self._operations = operations_of(document)
        self._fragments = {
            each.name.value: each for each in document.definitions if isinstance(each, FragmentDefinitionNode)
        }
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
        """Execute one of the operations, as `graphql.execute`.

        Raises:
            KeyError: The document has no such operation, or none is named where it has several.
        """
        operation = self._operations[operation_name]
        values: dict[str, Any] = {}
        if operation.variable_definitions:
            coerced = get_variable_values(
                self._schema,
                operation.variable_definitions,
                variable_values or {},
                max_errors=MOST_ERRORS_IN_VARIABLES,
                hide_suggestions=hide_suggestions,
            )
            if isinstance(coerced, list):
                return ExecutionResult(None, coerced)
            values = coerced
        made = self._execution(
            self._schema,
            self._fragments,
            root_value,
            context_value,
            operation,
            values,
            default_field_resolver,
            default_type_resolver,
            default_field_resolver,
            CollectedErrors(),
            None,
            None,
        )
        made.remember(self._selections_under(values))
        try:
            data = made.execute_operation(operation, root_value)
        except GraphQLError as error:
            return made.failed(error)
        return made.awaited(data) if made.is_awaitable(data) else made.response(cast("dict[str, Any]", data))

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

    def response(self, data: dict[str, Any] | None) -> ExecutionResult:
        """Return the data with the errors of the fields that failed."""
        return self.build_response(data, self.collected_errors.errors)

    def failed(self, error: GraphQLError) -> ExecutionResult:
        """Return that there is no data, since a field failed that no null could stand for."""
        self.collected_errors.add(error, None)
        return self.response(None)

    async def awaited(self, data: Any) -> ExecutionResult:
        """Return the data, when it is there, with the errors of the fields that failed."""
        try:
            found = await data
        except GraphQLError as error:
            return self.failed(error)
        return self.response(found)

    def execute_operation(self, operation: OperationDefinitionNode, root_value: Any) -> AwaitableOrValue[Any]:
        """Return the values of the root fields."""
        found = cast("Selection | None", self._subfields_cache.get((operation.operation, id(operation))))
        if found is None:
            return super().execute_operation(operation, root_value)
        return self.execute_fields(found.parent, root_value, None, found)

    def collect_subfields(
        self, return_type: GraphQLObjectType, field_nodes: list[FieldNode]
    ) -> dict[str, list[FieldNode]]:
        """Return the fields that are selected on an object of a type."""
        return self._selection(return_type, field_nodes)

    def _selection(self, return_type: GraphQLObjectType, field_nodes: list[FieldNode]) -> "Selection":
        # Nodes of a document live as long as what is remembered of it, so their numbers stay theirs.
        key = (return_type, *map(id, field_nodes))
        found = self._subfields_cache.get(key)
        if found is None:
            nodes = collect_sub_fields(self.schema, self.fragments, self.variable_values, return_type, field_nodes)
            found = self._subfields_cache[key] = Selection(self.schema, return_type, nodes)
        return cast("Selection", found)

    def execute_fields(
        self, parent_type: GraphQLObjectType, source_value: Any, path: Path | None, fields: dict[str, list[FieldNode]]
    ) -> AwaitableOrValue[dict[str, Any]]:
        """Return the values of the selected fields of an object."""
        selected = fields if type(fields) is Selection else self._root(parent_type, fields)
        results: dict[str, Any] = {}
        awaited: list[str] = []
        try:
            for part in selected.parts:
                if type(part) is Values and part.read_into(results, source_value):
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
        except Exception:
            _discard(results)
            raise
        if not awaited:
            return results
        # One root field alone may begin at once. Anywhere else that would tear apart what loaders read together.
        return _alone(results, awaited[0]) if path is None and len(awaited) == 1 else _gathered(results, awaited)

    def _root(self, root_type: GraphQLObjectType, nodes: dict[str, list[FieldNode]]) -> "Selection":
        key = (self.operation.operation, id(self.operation))
        found = self._subfields_cache.get(key)
        if found is None:
            found = self._subfields_cache[key] = Selection(self.schema, root_type, nodes)
        return cast("Selection", found)

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
                leaf = leaf_of(inner)
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
        try:
            for index, item in enumerate(items):
                values: dict[str, Any] = {}
                if plain is not None and plain.read_into(values, item):
                    results.append(values)
                    continue
                result = self._object(object_type, item_type, field_nodes, info, Path(path, index, None), item)
                results.append(result)
                if type(result) is not dict and self.is_awaitable(result):
                    awaited.append(index)
        except Exception:
            _discard(results)
            raise
        return _gathered(results, awaited) if awaited else results

    def _object_field(
        self,
        field: "Field",
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
        if not is_settled(type(value)) or callable(value):
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


async def _alone(results: dict[str, Any], name: str) -> dict[str, Any]:
    """The results of an object of which one field has to be waited for."""
    try:
        results[name] = await results[name]
    except Exception:
        # A task takes two turns of the loop to tell of its failure. What else fails meanwhile is told with it.
        await sleep(0)
        await sleep(0)
        raise
    return results


def _discard(value: Any) -> None:
    """Close what was to be waited for and has not begun, with all that it would have waited for itself."""
    if iscoroutine(value):
        if getcoroutinestate(value) == CORO_CREATED:
            held = getcoroutinelocals(value)
            value.close()
            _discard(held)
    elif type(value) is dict:
        _discard([*value.values()])
    elif type(value) is list or type(value) is tuple:
        for each in value:
            _discard(each)


async def _gathered(results: Any, awaited: Sequence[Any]) -> Any:
    """The results of an object or a list, when those at some places are there."""
    for place, result in zip(awaited, await gather(*(results[place] for place in awaited)), strict=True):
        results[place] = result
    return results


def operations_of(document: DocumentNode) -> dict[str | None, OperationDefinitionNode]:
    """Each operation of a document by its name, and the only one also by None."""
    found = [each for each in document.definitions if isinstance(each, OperationDefinitionNode)]
    named: dict[str | None, OperationDefinitionNode] = {each.name.value: each for each in found if each.name}
    return {**named, None: found[0]} if len(found) == 1 else named


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
