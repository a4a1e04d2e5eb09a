"""The appeal of every mentor for a goal: the noise-free utility behind each choice, for the generator and the oracle.

A goal's appeal is a sum of rows of small tables, one number per mentor, so that 100,000 people take seconds. Both users
build it from the same hidden facts, the oracle from what the truth file says about them.
"""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import date
from functools import cache
from typing import Any, TypeVar

import numpy as np
import numpy.typing as npt

from mentorgraph.graph.world import truth
from mentorgraph.graph.world.clocks import Clock, iso, overlap_minutes
from mentorgraph.graph.world.taxonomy import taxonomy

T = TypeVar("T")

LEVELS = 5
Row = npt.NDArray[np.int16]


@dataclass(frozen=True, slots=True)
class Topic:
    """What goals are about: a subject in words, and skills of mostly one field."""

    subject: str
    field: str
    skills: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class HiddenMentor:
    """What is true about a mentor; days count as `date.toordinal` does, `until` is 0 for those who stay.

    Attributes:
        topics: The main topic first; numbers of `Topic`s.
        offers: Skill id and level.
        fame: 0 to 10: how widely known.
        quality: -2 to 2: how good.
        pace: 0 weekly, 1 fortnightly, 2 monthly.
    """

    id: str
    topics: tuple[int, ...]
    offers: tuple[tuple[str, int], ...]
    fame: int
    quality: int
    pace: int
    clock: Clock
    unit: str
    since: int
    until: int


@dataclass(frozen=True, slots=True)
class HiddenGoal:
    """What is true about a goal and the mentee who has it.

    Attributes:
        needs: Skill id and the level to reach.
        motivation: The mentee's, 0 to 4.
        pace: The mentee's, 0 to 2.
        assigned_in: The mentee's unit where a coordinator assigns the mentor, else empty.
        asked: The day on which it was written down.
    """

    id: str
    topic: int
    needs: tuple[tuple[str, int], ...]
    motivation: int
    pace: int
    clock: Clock
    assigned_in: str
    asked: int


class Appeal:
    """The appeal of all mentors, in the order given, for any goal.

    Args:
        topics: All topics of the world.
        mentors: All mentors of the world.
    """

    def __init__(self, topics: Sequence[Topic], mentors: Sequence[HiddenMentor]) -> None:
        self.topics = topics
        self.mentors = mentors
        self.known = _known_levels(mentors)
        self._cover = _skill_appeals()
        self._paces = np.array([mentor.pace for mentor in mentors])
        self._fame = np.array([mentor.fame for mentor in mentors], np.int16)
        self._clocks, self._clock_of = _numbered([mentor.clock for mentor in mentors])
        self._units, self._unit_of = _numbered([mentor.unit for mentor in mentors])
        self._main = np.array([mentor.topics[0] for mentor in mentors])
        self._seconds: dict[int, list[int]] = {}
        for number, mentor in enumerate(mentors):
            for topic in mentor.topics[1:]:
                self._seconds.setdefault(topic, []).append(number)
        self._topic = cache(self._topic_row)
        self._skill = cache(self._skill_row)
        self._time = cache(self._time_row)
        self._pace = cache(self._pace_row)

    @classmethod
    def from_truth(cls, told: Mapping[str, Any]) -> "Appeal":
        """The appeal that a truth file describes."""
        topics = [Topic(t["subject"], t["field"], tuple(t["skills"])) for t in told["topics"]]
        return cls(topics, [mentor_from(each) for each in told["mentors"]])

    def of(self, goal: HiddenGoal) -> Row:
        """Hundredths of a logit, one number per mentor."""
        total = (
            self._topic(goal.topic)
            + self._time(goal.clock)
            + self._pace(goal.pace)
            + self._fame * truth.FAME_APPEAL[goal.motivation]
        )
        for skill, level in goal.needs:
            total += self._skill(skill, level)
        if goal.assigned_in in self._units:
            total[self._unit_of == self._units.index(goal.assigned_in)] += truth.UNIT_BIAS
        return total

    def nearness(self, mentor: int, topic: int) -> str:
        """How near a mentor, by position, is to a topic: a key of `truth.TOPIC_APPEAL`."""
        own = self.mentors[mentor].topics
        if topic in own:
            return "main" if topic == own[0] else "second"
        main, asked = self.topics[own[0]], self.topics[topic]
        return "subject" if main.subject == asked.subject else "field" if main.field == asked.field else "none"

    def coverages(self, mentor: int, goal: HiddenGoal) -> list[int]:
        """`truth.coverage` of each skill that the goal needs, by one mentor."""
        numbers = _skill_numbers()
        return [truth.coverage(int(self.known[numbers[skill], mentor]), level) for skill, level in goal.needs]

    def _topic_row(self, topic: int) -> Row:
        asked = self.topics[topic]
        by_main = np.array(
            [
                truth.TOPIC_APPEAL[
                    "main"
                    if number == topic
                    else "subject"
                    if other.subject == asked.subject
                    else "field"
                    if other.field == asked.field
                    else "none"
                ]
                for number, other in enumerate(self.topics)
            ],
            np.int16,
        )
        row: Row = by_main[self._main]
        row[self._seconds.get(topic, [])] = truth.TOPIC_APPEAL["second"]
        return row

    def _skill_row(self, skill: str, level: int) -> Row:
        row: Row = self._cover[level][self.known[_skill_numbers()[skill]]]
        return row

    def _time_row(self, clock: Clock) -> Row:
        each = [truth.TIME_APPEAL[truth.time_level(overlap_minutes(clock, other))] for other in self._clocks]
        row: Row = np.array(each, np.int16)[self._clock_of]
        return row

    def _pace_row(self, pace: int) -> Row:
        row: Row = np.array(truth.PACE_APPEAL, np.int16)[np.abs(self._paces - pace)]
        return row


def _numbered(values: Sequence[T]) -> tuple[list[T], npt.NDArray[np.int64]]:
    """The different values, and which of them each one is."""
    different = list(dict.fromkeys(values))
    numbers = {value: number for number, value in enumerate(different)}
    return different, np.array([numbers[value] for value in values], np.int64)


def _skill_appeals() -> Row:
    """The appeal of one needed skill; needed level × known level."""
    levels = range(LEVELS + 1)
    rows = [[truth.SKILL_APPEAL[truth.coverage(known, needed)] for known in levels] for needed in levels]
    return np.array(rows, np.int16)


@cache
def _skill_numbers() -> dict[str, int]:
    return {skill: number for number, skill in enumerate(taxonomy().skills)}


def _known_levels(mentors: Sequence[HiddenMentor]) -> npt.NDArray[np.int8]:
    """What each mentor knows of each skill, counting near ones of the taxonomy; skills × mentors."""
    numbers = _skill_numbers()
    offered = np.zeros((len(numbers), len(mentors)), np.int8)
    for position, mentor in enumerate(mentors):
        for skill_id, level in mentor.offers:
            offered[numbers[skill_id], position] = level
    worth = np.array([[truth.known_level(level, steps) for level in range(LEVELS + 1)] for steps in range(3)], np.int8)
    known = offered.copy()
    for skill in taxonomy().skills.values():
        if skill.tier < 3:
            continue
        row = known[numbers[skill.id]]
        for steps, near in enumerate(taxonomy().near(skill.id), start=1):
            for other in near:
                np.maximum(row, worth[steps][offered[numbers[other]]], out=row)
    return known


def tell(hidden: HiddenMentor | HiddenGoal) -> dict[str, Any]:
    """A mentor or a goal as the truth file tells of it, with dates for days."""
    told = asdict(hidden)
    return told | {name: iso(told[name]) if told[name] else "" for name in _DAYS if name in told}


def mentor_from(told: Mapping[str, Any]) -> HiddenMentor:
    """The mentor that the truth file tells of."""
    return HiddenMentor(**_read(told))


def goal_from(told: Mapping[str, Any]) -> HiddenGoal:
    """The goal that the truth file tells of."""
    return HiddenGoal(**_read(told))


_DAYS = ("since", "until", "asked")


def _read(told: Mapping[str, Any]) -> dict[str, Any]:
    """JSON knows no tuples and no dates."""
    read = {name: _tuples(value) for name, value in told.items()}
    return read | {
        name: date.fromisoformat(told[name]).toordinal() if told[name] else 0 for name in _DAYS if name in told
    }


def _tuples(value: Any) -> Any:
    return tuple(_tuples(each) for each in value) if isinstance(value, list | tuple) else value
