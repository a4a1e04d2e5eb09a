"""A pattern that looks good and goes badly: mentors of one area for goals of one area.

Its mentors have the skills, their past goals speak of the same things, they are chosen often, and nothing but the
outcome tells that it does not work. Worlds that differ in nothing but these outcomes show whether outcomes teach.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from mentorgraph.graph.world import truth_2
from mentorgraph.graph.world.appeal import Appeal, HiddenGoal, HiddenMentor, Row, Topic
from mentorgraph.graph.world.choices import Pairing
from mentorgraph.graph.world.draws import Draws
from mentorgraph.graph.world.people import Unit
from mentorgraph.graph.world.taxonomy import taxonomy

OUTCOMES = ("bad", "usual", "shuffled")


@dataclass(frozen=True, slots=True)
class Pattern:
    """Which pairings form the pattern, and how they go.

    Attributes:
        unit_area: Area of the units that its mentors belong to.
        goal_area: Area of the taxonomy that its goals are about.
        outcomes: `bad`; `usual`, like those of any other pairing; `shuffled`, as many outcomes are bad, but those of
            pairings drawn by chance.
    """

    unit_area: str = "Software engineering"
    goal_area: str = "Software engineering"
    outcomes: str = "bad"

    def __post_init__(self) -> None:
        areas = set(taxonomy().fields().values())
        if not {self.unit_area, self.goal_area} <= areas or self.outcomes not in OUTCOMES:
            raise ValueError(f"a pattern has areas among {', '.join(sorted(areas))}; outcomes {', '.join(OUTCOMES)}")

    def has_topic(self, topic: Topic) -> bool:
        """Whether the pattern is about goals of this topic."""
        return taxonomy().fields()[topic.field] == self.goal_area

    def appeal(self, topics: Sequence[Topic], mentors: Sequence[HiddenMentor], units: Sequence[Unit]) -> Appeal:
        """The appeal of all mentors where the pattern is planted."""
        own = {unit.id for unit in units if unit.area == self.unit_area}
        return _PatternAppeal(self, topics, mentors, [mentor.unit in own for mentor in mentors])

    def losses(self, seed: int, appeal: Appeal, pairings: Mapping[str, Pairing]) -> dict[str, int]:
        """Pairing → the thousandths that its outcome loses."""
        if self.outcomes == "usual":
            return {}
        own = self.pairings(appeal, pairings)
        if self.outcomes == "shuffled":
            own = sorted(Draws(seed, "pattern").some(list(pairings), len(own)))
        return dict.fromkeys(own, truth_2.PATTERN_LOSS)

    def pairings(self, appeal: Appeal, pairings: Mapping[str, Pairing]) -> list[str]:
        """The ids of the pairings that form the pattern."""
        assert isinstance(appeal, _PatternAppeal)  # noqa: S101 - made by this pattern
        return [
            id
            for id, each in pairings.items()
            if appeal.is_of_pattern(each.mentor) and self.has_topic(appeal.topics[each.goal.hidden.topic])
        ]

    def tell(self, appeal: Appeal, pairings: Mapping[str, Pairing], losses: Mapping[str, int]) -> dict[str, Any]:
        """The pattern as the truth file tells of it."""
        assert isinstance(appeal, _PatternAppeal)  # noqa: S101 - made by this pattern
        return {
            "what": "mentors of one area look good for goals of one area, and their pairings go badly",
            "unit_area": self.unit_area,
            "goal_area": self.goal_area,
            "outcomes": self.outcomes,
            "mentors": [each.id for place, each in enumerate(appeal.mentors) if appeal.is_of_pattern(place)],
            "topics": [number for number, topic in enumerate(appeal.topics) if self.has_topic(topic)],
            "pairings": self.pairings(appeal, pairings),
            "lowered": list(losses),
        }


class _PatternAppeal(Appeal):
    """The appeal of version 1, and more of it for the mentors of a pattern where its goals are asked for."""

    def __init__(
        self, pattern: Pattern, topics: Sequence[Topic], mentors: Sequence[HiddenMentor], own: Sequence[bool]
    ) -> None:
        super().__init__(topics, mentors)
        self._pattern = pattern
        self._more = np.array(own, np.int16) * truth_2.PATTERN_APPEAL

    def is_of_pattern(self, mentor: int) -> bool:
        """Whether a mentor, by position, is one of the pattern's."""
        return bool(self._more[mentor])

    def of(self, goal: HiddenGoal) -> Row:
        """See `Appeal.of`."""
        total = super().of(goal)
        if self._pattern.has_topic(self.topics[goal.topic]):
            total += self._more
        return total
