"""A generated community of version 2, for the tests of what it tells."""

from collections import defaultdict
from typing import TypeAlias

import pytest

from mentorgraph.graph.world.community import generate
from mentorgraph.graph.world.tables import World

Row: TypeAlias = dict[str, str]
Rows: TypeAlias = dict[str, list[Row]]


@pytest.fixture(scope="session")
def second() -> World:
    """2,000 people, version 2."""
    return generate(people=2_000, seed=7, version=2)


@pytest.fixture(scope="session")
def told(second: World) -> Rows:
    """All rows of it; not to be changed."""
    return dict(second.rows)


@pytest.fixture
def rows(second: World) -> Rows:
    """All rows of it, to be changed."""
    return dict(second.rows)


def by_id(rows: list[Row]) -> dict[str, Row]:
    return {row["id"]: row for row in rows}


def moves_of(rows: Rows, of: str) -> dict[str, list[Row]]:
    """Request or pairing → its moves, in the order of time."""
    found: dict[str, list[Row]] = defaultdict(list)
    for row in rows["moves"]:
        if row[f"{of}_id"]:
            found[row[f"{of}_id"]].append(row)
    return {id: sorted(moves, key=lambda move: move["moved_on"]) for id, moves in found.items()}


def holds(row: Row, day: str) -> bool:
    return row["since"] <= day and (not row["until"] or day < row["until"])


def away_of(rows: Rows) -> dict[str, list[Row]]:
    found: dict[str, list[Row]] = defaultdict(list)
    for row in rows["absences"]:
        found[row["person_id"]].append(row)
    return found
