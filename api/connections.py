"""Pages of lists as Relay wants them: edges with cursors, and where the page stands."""

from collections.abc import Sequence


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
