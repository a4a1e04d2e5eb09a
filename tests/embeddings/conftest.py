"""A small generated community in memory, and a model of it that is taught in seconds."""

from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime

import pytest

from mentorgraph.embeddings import tasks
from mentorgraph.embeddings.model import Model
from mentorgraph.embeddings.tasks import FULL, Task
from mentorgraph.embeddings.teaching import Recipe
from mentorgraph.embeddings.training import train
from mentorgraph.graph.columns.columns import Columns
from mentorgraph.graph.facts.model import Row
from mentorgraph.graph.facts.rows import FILES, facts_of
from mentorgraph.graph.rules.policy import load_policy
from mentorgraph.graph.world.community import generate

NOW = datetime(2026, 3, 1, tzinfo=UTC)
UNTIL = datetime(2026, 7, 1, tzinfo=UTC)
POLICY = load_policy()
QUICK = Recipe(fewest_asks=20, most_asks=60, epochs=1, seeds=2)


def columns_of(rows: Mapping[str, Sequence[Row]]) -> Columns:
    """The columns that an import of these rows would give."""
    columns = Columns()
    for name in FILES:
        for row in rows.get(name, ()):
            for record in facts_of(name, row, "test"):
                columns.put(record)
    return columns


def community() -> Columns:
    """A community of 600 people; a new one each time, for tests that change it."""
    return columns_of(generate(people=600, months=18, seed=3).rows)


@pytest.fixture(scope="session")
def columns() -> Columns:
    """The community, for tests that only read it."""
    return community()


@pytest.fixture
def new_community() -> Callable[[], Columns]:
    """Makes the community once more, to be changed."""
    return community


@pytest.fixture(scope="session")
def task(columns: Columns) -> Task:
    """The goals of the months after `NOW`."""
    return tasks.task(columns, NOW, UNTIL)


@pytest.fixture(scope="session")
def model(columns: Columns) -> Model:
    """A model taught with what was known at `NOW`."""
    return train(columns, NOW, FULL, POLICY, QUICK)
