"""Communities as columns, without a database: what benchmarks of the learned part are run on."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from multiprocessing import get_context
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np

from mentorgraph.graph.columns.columns import SCORED, Columns
from mentorgraph.graph.columns.table import Reals
from mentorgraph.graph.errors import DomainError
from mentorgraph.graph.exchange.bundle import open_bundle
from mentorgraph.graph.facts.model import InvalidFact, Row, uid_of
from mentorgraph.graph.facts.rows import FILES, facts_of
from mentorgraph.graph.world.appeal import Appeal, goal_from
from mentorgraph.graph.world.community import generate
from mentorgraph.graph.world.tables import World, write

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
            _put(columns, name, row)
    return columns, _after(world.last_day)


def read_of(people: int, seed: int, progress: Callable[[str], None] = lambda _step: None) -> tuple[Columns, datetime]:
    """The same as `community`, written and forgotten by another process: this one only ever holds what is told."""
    progress("Generating people")
    with TemporaryDirectory() as folder, ProcessPoolExecutor(1, get_context("spawn")) as beside:
        last_day = beside.submit(_write, people, seed, Path(folder)).result()
        columns, _ = of_bundle(Path(folder))
    return columns, _after(last_day)


def _write(people: int, seed: int, folder: Path) -> date:
    world = world_of(people, seed)
    write(world, folder)
    return world.last_day


def _after(last_day: date) -> datetime:
    return datetime.combine(last_day, time(), UTC) + timedelta(days=1)


def of_bundle(folder: Path) -> tuple[Columns, datetime]:
    """The community that a bundle states, and the day after its last pairing began.

    Raises:
        DomainError: The bundle or one of its rows cannot be read, with file and line; or it holds no pairing.
    """
    columns = Columns()
    for name, file in open_bundle(folder).items():
        for line, row in file.rows():
            try:
                if isinstance(row, InvalidFact):
                    raise row
                _put(columns, name, row)
            except InvalidFact as error:
                told_of = f"{file.name}, line {line}: {error.problems[0]}; mentorgraph import --dry-run tells of all"
                raise DomainError(told_of, code="BAD_USER_INPUT") from error
    began = columns.tables["pairings"].reals("since")
    if not len(began):
        raise DomainError(f"{folder} holds no pairing, so there is nothing to rank by", code="TOO_LITTLE_DATA")
    return columns, datetime.fromtimestamp(float(began.max()), UTC) + timedelta(days=1)


def _put(columns: Columns, file: str, row: Row) -> None:
    """Takes in what a row tells, as far as a snapshot would hold it: what is taught and ranked by."""
    for record in facts_of(file, row, SOURCE):
        if record.kind in SCORED:
            columns.put(record)


@dataclass(frozen=True)
class Truth:
    """What is true in a world, by uids: how well every mentor suits a goal, without the noise of choices.

    Attributes:
        appeal: Of all mentors, by their places.
        goals: uid of a goal → what is true of it.
        places: uid of a mentor → their place.
    """

    appeal: Appeal
    goals: Mapping[str, Mapping[str, Any]]
    places: Mapping[str, int]

    @classmethod
    def of(cls, world: World) -> "Truth":
        """The truth of a world."""
        appeal = Appeal.from_truth(world.truth)
        goals = {uid_of(SOURCE, "goals", each["id"]): each for each in world.truth["goals"]}
        return cls(appeal, goals, {uid_of(SOURCE, "people", each.id): n for n, each in enumerate(appeal.mentors)})

    def knows(self, goals: Iterable[str], mentors: Iterable[str]) -> bool:
        """Whether some goals and mentors, by their uids, are of this world."""
        return self.goals.keys() >= set(goals) and self.places.keys() >= set(mentors)

    def scores(self, goal: str, mentors: Sequence[str]) -> Reals:
        """The appeal of some mentors for a goal, all by their uids: `float64[mentors]`."""
        places = np.array([self.places[each] for each in mentors], np.int64)
        found: Reals = self.appeal.of(goal_from(self.goals[goal])).astype(np.float64)[places]
        return found
