"""What one GraphQL request may ask for, and the check that it does not ask for more.

Validation is the costliest step that a stranger can reach, so the size of a document is taken before it. Each fragment
is measured once, after the fragments that it spreads, which keeps the work linear where fragments multiply each other.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from graphlib import CycleError, TopologicalSorter

from graphql import (
    DocumentNode,
    FieldNode,
    FragmentDefinitionNode,
    FragmentSpreadNode,
    OperationDefinitionNode,
    SelectionSetNode,
)

from mentorgraph.api.errors import DocumentRefused

INTROSPECTION_FIELDS = frozenset({"__schema", "__type"})


@dataclass(frozen=True, slots=True)
class Limits:
    """The bounds of one request, and of what is kept between requests.

    Depth, fields, aliases and directives count a fragment each time that it is spread.
    """

    max_body_bytes: int = 100_000
    max_tokens: int = 2_000
    max_depth: int = 15  # not below __schema and __type, which a validation rule of their own bounds
    max_fields: int = 500
    max_aliases: int = 50  # a field that is selected again under the same name counts as well
    max_directives: int = 50
    max_cost: int = 25_000  # objects that an answer may hold, see `cost`
    max_concurrent: int = 100  # requests that a worker answers at the same time
    requests_per_minute: int = 0  # of one caller to one worker; 0 if nothing is set
    failed_sign_ins_per_minute: int = 30  # of one address to one worker
    receipt_s: float = 10.0
    execution_s: float = 5.0
    max_kept_documents: int = 1_000
    max_kept_bytes: int = 64_000_000
    allows_introspection: bool = False
    hides_suggestions: bool = True


@dataclass(frozen=True, slots=True)
class StreamLimits:
    """The bounds of subscriptions and of the connections that carry them."""

    max_subscriptions: int = 500  # at once in one process
    max_sockets: int = 1_000  # WebSocket connections at once in one process
    max_socket_operations: int = 50  # at once on one of them
    socket_init_s: float = 5.0  # for how long one may say nothing of who it is
    max_beginning: int = 4  # subscriptions at once in one process that take their first look; more wait for it
    subscription_begin_s: float = 30.0  # for how long one may wait for its first look, and take it
    heartbeat_s: float = 12.0  # pause after which an event stream says that it is alive


@dataclass(slots=True)
class _Size:
    depth: int = 0
    fields: int = 0
    aliases: int = 0
    directives: int = 0


@dataclass(frozen=True, slots=True)
class _Spread:
    fragment: str
    depth: int | None  # of the selection it stands in; None where depth does not count


def check_size(document: DocumentNode, limits: Limits) -> None:
    """Refuse a document that is larger than the limits once its fragments are spread out.

    Raises:
        DocumentRefused: An operation or a fragment is too large, or a fragment spreads itself.
    """
    operations = [_measure(node) for node in document.definitions if isinstance(node, OperationDefinitionNode)]
    fragments = {
        node.name.value: _measure(node) for node in document.definitions if isinstance(node, FragmentDefinitionNode)
    }
    spread_by = {name: {spread.fragment for spread in spreads} for name, (_, spreads) in fragments.items()}
    sizes: dict[str, _Size] = {}
    try:
        for name in TopologicalSorter(spread_by).static_order():
            if name in fragments:  # validation reports the unknown ones
                sizes[name] = _spread_out(*fragments[name], sizes)
    except CycleError as error:
        circle = error.args[1]
        raise DocumentRefused(f"Fragment '{circle[0]}' spreads itself.", code="GRAPHQL_VALIDATION_FAILED") from None
    for size in [*sizes.values(), *(_spread_out(*operation, sizes) for operation in operations)]:
        _compare(size, limits)


def _measure(definition: OperationDefinitionNode | FragmentDefinitionNode) -> tuple[_Size, list[_Spread]]:
    """Return the size of a definition apart from the fragments that it spreads, and those spreads."""
    size, spreads = _Size(directives=len(definition.directives)), list[_Spread]()
    to_visit: list[tuple[SelectionSetNode | None, int | None, set[str]]] = [(definition.selection_set, 0, set())]
    while to_visit:
        selection_set, depth, keys = to_visit.pop()
        for selection in selection_set.selections if selection_set else ():
            size.directives += len(selection.directives)
            if isinstance(selection, FragmentSpreadNode):
                spreads.append(_Spread(selection.name.value, depth))
            elif isinstance(selection, FieldNode):
                key = (selection.alias or selection.name).value
                size.fields += 1
                size.aliases += selection.alias is not None or key in keys
                keys.add(key)
                inner_depth = None if depth is None else depth + 1
                size.depth = max(size.depth, inner_depth or 0)
                is_introspection = selection.name.value in INTROSPECTION_FIELDS
                to_visit.append((selection.selection_set, None if is_introspection else inner_depth, set()))
            else:  # an inline fragment selects on the same object
                to_visit.append((getattr(selection, "selection_set", None), depth, keys))
    return size, spreads


def _spread_out(own: _Size, spreads: Iterable[_Spread], fragments: dict[str, _Size]) -> _Size:
    """Return the size of a definition with its fragments, whose sizes are known."""
    whole = _Size(own.depth, own.fields, own.aliases, own.directives)
    for spread in spreads:
        size = fragments.get(spread.fragment, _Size())
        whole.fields += size.fields
        whole.aliases += size.aliases
        whole.directives += size.directives
        if spread.depth is not None:
            whole.depth = max(whole.depth, spread.depth + size.depth)
    return whole


def _compare(size: _Size, limits: Limits) -> None:
    for limit, what, found, allowed in (
        ("depth", "levels of fields", size.depth, limits.max_depth),
        ("fields", "fields", size.fields, limits.max_fields),
        ("aliases", "aliases and repeated fields", size.aliases, limits.max_aliases),
        ("directives", "directives", size.directives, limits.max_directives),
    ):
        if found > allowed:
            raise DocumentRefused(
                f"The document asks for more than {allowed} {what}.", code="LIMIT_EXCEEDED", limit=limit
            )
