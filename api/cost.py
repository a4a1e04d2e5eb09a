"""What a document may cost: how many objects its answer may hold, by the pages that it asks for.

A field that returns objects counts one for each object that it may return, times those of the fields around it. A page
counts as long as it is asked to be, any other list as `UNPAGED_ROWS`; values and the wrapping of connections count
nothing, a mutation counts `MUTATION_COST` more. What @skip and @include leave out is counted.

The document is walked once, when it is validated; what is left to do for each request is to put its variables in.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from graphql import (
    DocumentNode,
    FieldNode,
    FragmentDefinitionNode,
    FragmentSpreadNode,
    GraphQLList,
    GraphQLNonNull,
    GraphQLOutputType,
    GraphQLSchema,
    InlineFragmentNode,
    IntValueNode,
    ListValueNode,
    OperationDefinitionNode,
    OperationType,
    SelectionSetNode,
    VariableNode,
    get_named_type,
    is_composite_type,
)
from graphql.utilities import value_from_ast_untyped

from mentorgraph.graph.paging import MOST

DEFAULT_ROWS = 20
"""Length of a page that is not told."""

UNPAGED_ROWS = 5
"""Length of a list that has no pages."""

MUTATION_COST = 10

SIZES = ("first", "last", "ids")
"""Arguments that tell how many rows are asked for, by their number or their list."""

WRAPPING = frozenset({"edges", "nodes", "node", "pageInfo"})
"""Fields of connections and edges that hold rows which are counted already."""


@dataclass(frozen=True, slots=True)
class _Variable:
    name: str
    default: object


@dataclass(frozen=True, slots=True)
class _Step:
    """A field that returns objects.

    Attributes:
        weight: What each of its rows counts by itself.
        rows: How many rows it may have for each row around it; the most of several that are told.
        inner: The fields below it that return objects.
    """

    weight: int
    rows: tuple[int | _Variable | None, ...]
    inner: tuple["_Step", ...]

    def cost(self, variables: Mapping[str, Any]) -> int:
        told = [
            _rows(variables.get(each.name, each.default)) if isinstance(each, _Variable) else each for each in self.rows
        ]
        rows = max((each for each in told if each is not None), default=DEFAULT_ROWS)
        return rows * (self.weight + sum(step.cost(variables) for step in self.inner))


@dataclass(frozen=True, slots=True)
class Plan:
    """What one operation costs, but for its variables."""

    fixed: int
    steps: tuple[_Step, ...]

    def cost(self, variables: Mapping[str, Any]) -> int:
        """Objects that the answer may hold, with these values of the variables."""
        return self.fixed + sum(step.cost(variables) for step in self.steps)


def plans_of(schema: GraphQLSchema, document: DocumentNode) -> dict[str, Plan]:
    """What each operation of a valid document costs, by its name; an operation without one is called "".

    The size of the document has to be within the limits, since a fragment is walked each time that it is spread.
    """
    fragments = {node.name.value: node for node in document.definitions if isinstance(node, FragmentDefinitionNode)}
    plans = {}
    for node in document.definitions:
        if not isinstance(node, OperationDefinitionNode):
            continue
        root = schema.get_root_type(node.operation)
        defaults = {
            each.variable.name.value: value_from_ast_untyped(each.default_value) if each.default_value else None
            for each in node.variable_definitions
        }
        walk = _Walk(schema, fragments, defaults)
        steps = tuple(walk.steps(node.selection_set, root.name if root else ""))
        is_mutation = node.operation is OperationType.MUTATION
        fixed = MUTATION_COST * len(node.selection_set.selections) if is_mutation else 0
        plans[node.name.value if node.name else ""] = Plan(fixed, steps)
    return plans


@dataclass(frozen=True, slots=True)
class _Walk:
    schema: GraphQLSchema
    fragments: Mapping[str, FragmentDefinitionNode]
    defaults: Mapping[str, object]

    def steps(self, selected: SelectionSetNode | None, parent: str) -> Iterable[_Step]:
        """The steps of a selection on a type."""
        for node in selected.selections if selected else ():
            if isinstance(node, FieldNode):
                yield from self._field(node, parent)
            elif isinstance(node, FragmentSpreadNode):
                fragment = self.fragments[node.name.value]
                yield from self.steps(fragment.selection_set, fragment.type_condition.name.value)
            elif isinstance(node, InlineFragmentNode):
                condition = node.type_condition
                yield from self.steps(node.selection_set, condition.name.value if condition else parent)

    def _field(self, node: FieldNode, parent: str) -> Iterable[_Step]:
        fields = getattr(self.schema.get_type(parent), "fields", {})
        field = fields.get(node.name.value)
        if field is None or not is_composite_type(get_named_type(field.type)):
            return
        inner = tuple(self.steps(node.selection_set, get_named_type(field.type).name))
        if node.name.value in WRAPPING and parent.endswith(("Connection", "Edge")):
            yield _Step(0, (1,), inner)
            return
        given = {argument.name.value: argument.value for argument in node.arguments}
        names = [name for name in SIZES if name in field.args]
        rows = tuple(self._told(given[name]) for name in names if name in given)
        if not names:
            rows = (UNPAGED_ROWS if _is_list(field.type) else 1,)
        yield _Step(1, rows, inner)

    def _told(self, value: object) -> int | _Variable | None:
        if isinstance(value, VariableNode):
            return _Variable(value.name.value, self.defaults.get(value.name.value))
        if isinstance(value, IntValueNode):
            return _rows(int(value.value))
        return len(value.values) if isinstance(value, ListValueNode) else None


def _rows(told: object) -> int | None:
    """How many rows a value asks for, None for no value; what is no page that anybody answers is refused elsewhere."""
    if isinstance(told, list | tuple):
        return len(told)
    is_number = isinstance(told, int) and not isinstance(told, bool)
    return min(max(told, 0), MOST) if is_number else None  # type: ignore[call-overload]


def _is_list(kind: GraphQLOutputType) -> bool:
    return isinstance(kind.of_type if isinstance(kind, GraphQLNonNull) else kind, GraphQLList)
