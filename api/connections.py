"""Pages of lists as Relay wants them: edges with cursors, and where the page stands."""

from collections.abc import Sequence

from graphql import FieldNode, FragmentSpreadNode, GraphQLResolveInfo, InlineFragmentNode

from mentorgraph.graph.ranking.listing import Slate
from mentorgraph.graph.ranking.options import NO_MIX


def connection_of(
    nodes: Sequence[object], cursors: Sequence[str], has_next: bool, after: str | None
) -> dict[str, object]:
    """A page of a connection.

    Args:
        nodes: What stands on the page.
        cursors: Where to go on after each of them.
        has_next: Whether more follow.
        after: The cursor that the page began after, if it did.
    """
    return {
        "edges": [{"cursor": cursor, "node": node} for cursor, node in zip(cursors, nodes, strict=True)],
        "page_info": {
            "has_next_page": has_next,
            "has_previous_page": after is not None,
            "start_cursor": cursors[0] if cursors else None,
            "end_cursor": cursors[-1] if cursors else None,
        },
    }


def list_of(slate: Slate, after: str | None) -> dict[str, object]:
    """A page of recommendations; `after` is as for `connection_of`."""
    return {
        "slate_id": slate.uid,
        "model_version": slate.model_version,
        "policy_version": slate.policy_version,
        "total_count": slate.total,
        "notice": slate.notice or None,
        "mix_shortfall": slate.lacking if slate.lacking != NO_MIX else None,
        **connection_of(slate.recommendations, slate.cursors, slate.has_next, after),
    }


def names_selected(info: GraphQLResolveInfo) -> set[str]:
    """Names of all fields that are selected anywhere below a field, fragments included."""
    names: set[str] = set()
    spread: set[str] = set()
    sets = [node.selection_set for node in info.field_nodes]
    while sets:
        selections = sets.pop()
        for selection in selections.selections if selections else ():
            if isinstance(selection, FragmentSpreadNode):
                name = selection.name.value
                if name not in spread:
                    spread.add(name)
                    sets.append(info.fragments[name].selection_set)
            elif isinstance(selection, FieldNode | InlineFragmentNode):
                sets.append(selection.selection_set)
                if isinstance(selection, FieldNode):
                    names.add(selection.name.value)
    return names
