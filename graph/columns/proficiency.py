"""How good people are at skills: ratings as they are told, and the levels that they come to in columns."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

import numpy as np

from mentorgraph.graph.clock import Clock, present
from mentorgraph.graph.columns.columns import Columns
from mentorgraph.graph.columns.table import NONE, Reals
from mentorgraph.graph.errors import DomainError
from mentorgraph.graph.facts.levels import DAY_S, Rating, level_of
from mentorgraph.graph.facts.model import Record
from mentorgraph.graph.facts.rows import facts_of
from mentorgraph.graph.people.recording import SOURCE
from mentorgraph.graph.store.store import Store
from mentorgraph.graph.viewer import Viewer


async def rate_skill(
    store: Store,
    viewer: Viewer,
    person: str,
    skill: str,
    level: int,
    rated_by: str,
    *,
    source: str = SOURCE,
    since: datetime | None = None,
    clock: Clock = present,
) -> None:
    """Records how good somebody is at a skill.

    Args:
        store: The graph.
        viewer: On whose behalf; participants rate themselves and, as their mentor, whom they mentor or have mentored;
            coordinators record the ratings of all sources.
        person: uid of the person.
        skill: uid of the skill.
        level: 1 to 5.
        rated_by: One of `vocabulary.RATERS`.
        source: Where this is known from.
        since: Day of the rating, from which it ages; now if not given.
        clock: The present instant.

    Raises:
        InvalidFact: A value cannot be taken.
        DomainError: `FORBIDDEN` or `NOT_FOUND`.
    """
    row = {"person_id": person, "skill_id": skill, "level": level, "rated_by": rated_by, "since": since or clock()}
    facts = facts_of("skill_ratings", row, source)

    async def may_rate(known: Store) -> bool:
        if viewer.coordinates or (viewer.person == person and rated_by == "self"):
            return True
        return rated_by == "mentor" and viewer.person in await known.read_mentors_of(person, clock())

    async def decide(known: Store) -> tuple[list[Record], None]:
        if not await may_rate(known):
            told = "you may rate yourself as yourself, and whom you mentor as their mentor"
            raise DomainError(told, code="FORBIDDEN", field="ratedBy")
        found = await known.find_existing([person, skill])
        for uid, label, field in ((person, "Person", "personId"), (skill, "Skill", "skillId")):
            if found.get(uid) != label:
                raise DomainError(f"no {label.lower()} has this id", code="NOT_FOUND", field=field)
        return facts, None

    await store.decide_and_write(decide)


@dataclass(frozen=True, slots=True)
class SkillLevel:
    """How good one person is at one skill.

    Attributes:
        skill: uid of the skill, by what it counts for.
        level: 1 to 5; None where somebody offers it without a level.
        ratings: What the level comes from, an offer's own among them.
    """

    skill: str
    level: float | None
    ratings: tuple[Rating, ...]


def person_levels(columns: Columns, person: str, now: float) -> list[SkillLevel]:
    """The levels of one person as of an instant, in all skills that they offer or were rated in."""
    number = columns.people.find(person)
    if number == NONE:
        return []
    found = {skill: list(rated) for (rated_one, skill), rated in _ratings(columns, now).items() if rated_one == number}
    offers, skills = columns.tables["offers"], columns.skills_of("offers", "skill", now)
    valid = offers.valid(now)
    for row in columns.rows_by("offers", "person").of(number):
        if valid[row]:
            found.setdefault(int(skills[row]), []).extend(_own(columns, int(row)))
    levels = [SkillLevel(columns.skills.uids[skill], level_of(each, now), tuple(each)) for skill, each in found.items()]
    return sorted(levels, key=lambda each: each.skill)


def offer_levels(columns: Columns, now: float) -> Reals:
    """The levels at which skills are offered, all ratings considered: `float64[offers]`, NaN where none is known.

    An offer of somebody whom nobody rated has the level that it states.
    """
    offers, ratings = columns.tables["offers"], columns.tables["skill_ratings"]
    if not len(ratings):
        return offers.reals("level")
    tables = (offers, ratings, columns.tables["successions"])
    key = (*(each.state(now) for each in tables), len(columns.skills), now // DAY_S)
    return columns.remember("offer levels", key, lambda: _offer_levels(columns, now))


def _offer_levels(columns: Columns, now: float) -> Reals:
    levels, skills = columns.tables["offers"].reals("level").copy(), columns.skills_of("offers", "skill", now)
    by_person = columns.rows_by("offers", "person")
    for (person, skill), ratings in _ratings(columns, now).items():
        for row in by_person.of(person):
            if skills[row] == skill:
                levels[row] = level_of([*ratings, *_own(columns, int(row))], now)
    return levels


def _own(columns: Columns, row: int) -> list[Rating]:
    """What an offer says of its own level; nothing where it states none."""
    offers = columns.tables["offers"]
    level = float(offers.reals("level")[row])
    return [] if np.isnan(level) else [Rating(level, "self", float(offers.reals("since")[row]))]


def _ratings(columns: Columns, now: float) -> Mapping[tuple[int, int], Sequence[Rating]]:
    """The ratings that hold as of an instant: number of the person and of the counted skill → ratings."""
    table = columns.tables["skill_ratings"]
    key = (table.state(now), columns.tables["successions"].state(now), len(columns.skills))

    def gather() -> dict[tuple[int, int], list[Rating]]:
        skills = columns.skills_of("skill_ratings", "skill", now)
        people, since, levels = table.numbers("person"), table.reals("since"), table.reals("level")
        found: dict[tuple[int, int], list[Rating]] = {}
        for row in sorted(np.flatnonzero(table.valid(now)), key=table.rows.uids.__getitem__):
            rating = Rating(float(levels[row]), str(table.strings("rated_by")[row]), float(since[row]))
            found.setdefault((int(people[row]), int(skills[row])), []).append(rating)
        return found

    return columns.remember("ratings", key, gather)
