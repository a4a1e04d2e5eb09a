"""Generated communities as columns, without a database: what benchmarks of the learned part are run on."""

from collections.abc import Callable
from datetime import UTC, datetime, time, timedelta

from mentorgraph.graph.columns.columns import Columns
from mentorgraph.graph.facts.rows import FILES, facts_of
from mentorgraph.graph.world.community import generate
from mentorgraph.graph.world.tables import World

SOURCE = "bench"
"""What the keys of its facts are told apart by."""


def community(people: int, seed: int, progress: Callable[[str], None] = lambda _step: None) -> tuple[Columns, datetime]:
    """A generated community, and the instant when all that it tells has happened.

    Args:
        people: How many live in it.
        seed: Which one.
        progress: Told what is being done.
    """
    return told(world_of(people, seed, progress))


def world_of(people: int, seed: int, progress: Callable[[str], None] = lambda _step: None) -> World:
    """The same community with all that is true in it; see `community`."""
    progress("Generating people")
    return generate(people, seed=seed)


def told(world: World) -> tuple[Columns, datetime]:
    """What a world tells, and the instant when all of it has happened."""
    columns = Columns()
    for name in FILES:
        for row in world.rows.get(name, ()):
            for record in facts_of(name, row, SOURCE):
                columns.put(record)
    return columns, datetime.combine(world.last_day, time(), UTC) + timedelta(days=1)
