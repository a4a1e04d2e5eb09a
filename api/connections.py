"""Lists as Relay wants them: connections of edges with cursors, and where the page stands.

Every list of nodes is one, also a short one, so that clients page, count and cache all lists in the same way. What
stands on a page is read only where it is selected. The cursor of a node is its global id.
"""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Any

import graphene

from mentorgraph.api.ids import global_id, read_global_id
from mentorgraph.graph.paging import MOST, Found, Part

DEFAULT_PAGE = 20

Load = Callable[[str], object]
"""Returns the node with a uid, or what gives it when it is awaited."""


class PageInfo(graphene.ObjectType):
    """Where a page of a connection stands."""

    has_next_page = graphene.Boolean(required=True, description="Whether more follow.")
    has_previous_page = graphene.Boolean(required=True, description="Whether there are earlier ones.")
    start_cursor = graphene.String(description="Cursor of the first entry.")
    end_cursor = graphene.String(description="Cursor of the last entry; pass it as after to go on.")


def connection_type(name: str, node: Any, one: str, several: str) -> Any:
    """The type of a connection of nodes, with that of its edges.

    Args:
        name: That of the type of node; the connection is called `<name>Connection`.
        node: The type of node, or what returns it.
        one: What a node is called in descriptions, with its article.
        several: The plural.
    """
    edge: Any = type(
        f"{name}Edge",
        (graphene.ObjectType,),
        {
            "__doc__": f"{one[0].upper()}{one[1:]} in a list.",
            "cursor": graphene.String(required=True, description="Where to go on after it."),
            "node": graphene.Field(node, description=f"{one[0].upper()}{one[1:]}."),
        },
    )
    return type(
        f"{name}Connection",
        (graphene.ObjectType,),
        {
            "__doc__": f"A page of {several}.",
            "edges": graphene.List(
                graphene.NonNull(edge), required=True, description=f"The {several}, each with its cursor."
            ),
            "nodes": graphene.List(node, required=True, description=f"The {several} without their cursors."),
            "page_info": graphene.Field(PageInfo, required=True, description="Where the page stands."),
            "total_count": graphene.Int(required=True, description=f"How many {several} there are on all pages."),
        },
    )


def paging_arguments(default: int = DEFAULT_PAGE) -> dict[str, Any]:
    """The arguments of every field that returns a connection of nodes.

    Args:
        default: Entries on a page where nothing is told.
    """
    return {
        "first": graphene.Int(description=f"So many from the beginning, 1 to {MOST}; {default} if neither is given."),
        "after": graphene.String(description="Cursor behind which to begin; none for the beginning."),
        "last": graphene.Int(description=f"So many from the end, 1 to {MOST}; not together with first."),
        "before": graphene.String(description="Cursor before which to end; none for the end."),
    }


@dataclass(frozen=True, slots=True)
class Edge:
    """A node in a list.

    Attributes:
        cursor: Where to go on after it.
        uid: Which it is.
        load: Gives it.
    """

    cursor: str
    uid: str
    load: Load

    @property
    def node(self) -> object:
        """It itself."""
        return self.load(self.uid)


@dataclass(frozen=True, slots=True)
class Connection:
    """A page of nodes.

    Attributes:
        kind: That of the nodes.
        uids: Those on the page.
        load: Gives a node.
        has_previous: Whether something comes before the page.
        has_next: Whether something follows.
        total_count: How many there are on all pages; None where nobody asked.
    """

    kind: str
    uids: Sequence[str]
    load: Load
    has_previous: bool
    has_next: bool
    total_count: int | None

    @property
    def edges(self) -> list[Edge]:
        """The nodes with their cursors."""
        return [Edge(global_id(self.kind, uid), uid, self.load) for uid in self.uids]

    @property
    def nodes(self) -> list[object]:
        """The nodes."""
        return [self.load(uid) for uid in self.uids]

    @property
    def page_info(self) -> dict[str, object]:
        """Where the page stands."""
        return {
            "has_next_page": self.has_next,
            "has_previous_page": self.has_previous,
            "start_cursor": global_id(self.kind, self.uids[0]) if self.uids else None,
            "end_cursor": global_id(self.kind, self.uids[-1]) if self.uids else None,
        }


def part_of(kind: str, paging: dict[str, Any], default: int = DEFAULT_PAGE) -> Part:
    """The part of a list that the arguments of a field ask for.

    Raises:
        DomainError: `BAD_USER_INPUT`.
    """
    after, before = (
        read_global_id(text, expected=kind, field=name)[1] if (text := paging.get(name)) else ""
        for name in ("after", "before")
    )
    return Part.of(paging.get("first"), after, paging.get("last"), before, default)


def listed(
    kind: str, uids: Sequence[str], load: Load, paging: dict[str, Any], default: int = DEFAULT_PAGE
) -> Connection:
    """A page of a list of which all uids are known.

    Args:
        kind: That of the nodes.
        uids: Those of all nodes, in their order.
        load: Gives a node.
        paging: The arguments of the field.
        default: Entries on a page where nothing is told.

    Raises:
        DomainError: `BAD_USER_INPUT`.
    """
    chosen, has_previous, has_next = part_of(kind, paging, default).of_list(uids)
    return Connection(kind, chosen, load, has_previous, has_next, len(uids))


async def paged(kind: str, read: Callable[[Part], Awaitable[Found]], load: Load, paging: dict[str, Any]) -> Connection:
    """A page of a list of which the database reads the part that is asked for.

    Args:
        kind: That of the nodes.
        read: Reads a part.
        load: Gives a node.
        paging: The arguments of the field.

    Raises:
        DomainError: `BAD_USER_INPUT`.
    """
    part = part_of(kind, paging)
    found = await read(part)
    chosen, has_previous, has_next = part.of_page(found.uids)
    return Connection(kind, chosen, load, has_previous, has_next, found.total)


def connection_of(
    nodes: Sequence[object], cursors: Sequence[str], has_next: bool, after: str | None
) -> dict[str, object]:
    """A page of a connection of what is no node, or is ranked anew for each page.

    Args:
        nodes: What stands on the page.
        cursors: Where to go on after each of them.
        has_next: Whether more follow.
        after: The cursor that the page began after, if it did.
    """
    return {
        "edges": [{"cursor": cursor, "node": node} for cursor, node in zip(cursors, nodes, strict=True)],
        "nodes": nodes,
        "page_info": {
            "has_next_page": has_next,
            "has_previous_page": after is not None,
            "start_cursor": cursors[0] if cursors else None,
            "end_cursor": cursors[-1] if cursors else None,
        },
    }
