"""How commands ask the recommender: on which database, about whom, and on whose behalf."""

from collections.abc import Awaitable, Callable, Iterable
from dataclasses import replace
from datetime import datetime
from typing import TypeVar

from mentorgraph.api.commands.session import run
from mentorgraph.api.context import recommender_on
from mentorgraph.api.ids import read_given_id
from mentorgraph.graph.embedded.progress import Report
from mentorgraph.graph.errors import DomainError
from mentorgraph.graph.home import mentorgraph_home
from mentorgraph.graph.ranking.matching import Recommender
from mentorgraph.graph.store.database import Database
from mentorgraph.graph.store.store import NodeRecord
from mentorgraph.graph.viewer import COORDINATOR, Viewer

Answer = TypeVar("Answer")


def ask(work: Callable[[Recommender, Report], Awaitable[Answer]]) -> Answer:
    """Does the work with a recommender on the database of this home."""

    async def session(database: Database, show: Report) -> Answer:
        show("Reading the graph", 0, 0)
        return await work(await recommender_on(database, mentorgraph_home()), show)

    return run(session)


def uid_given(text: str | None, kind: str, source: str) -> str | None:
    """The uid that an option names, if it is given."""
    return read_given_id(text, kind, source).uid if text else None


async def person_of(recommender: Recommender, text: str, source: str, option: str) -> str:
    """The uid of a person who is named by an id, or by a name that only they have.

    Raises:
        DomainError: `NOT_FOUND`, or `BAD_USER_INPUT` where several people have that name.
    """
    given = read_given_id(text, "people", source)
    people = recommender.columns.tables["people"]
    if recommender.columns.people.find(given.uid) >= 0:
        return given.uid
    named = [uid for uid, name in zip(people.rows.uids, people.strings("name"), strict=True) if name == given.text]
    if len(named) > 1:
        raise DomainError(
            f"{option}: {len(named)} people are called {given.text}; give the id of the one you mean",
            code="BAD_USER_INPUT",
        )
    if not named:
        raise DomainError(
            f"{option}: nobody has the id or the name {given.text}, nor the key {given.text} of the source {source}",
            code="NOT_FOUND",
        )
    return named[0]


async def viewer_of(recommender: Recommender, text: str | None, source: str) -> Viewer:
    """On whose behalf a command asks: a person, in no role that sees more, or whoever coordinates."""
    if not text:
        return COORDINATOR
    person = await person_of(recommender, text, source, "--viewer")
    known = await recommender.store.read_viewer(person, recommender.clock())
    return replace(known[0], roles=frozenset()) if known else Viewer(person)


async def nodes_of(recommender: Recommender, uids: Iterable[str], as_of: datetime | None) -> dict[str, NodeRecord]:
    """The nodes of some uids, for their names."""
    return await recommender.store.read_nodes(filter(None, uids), as_of or recommender.clock())
