"""The planted reasons of a pair in a generated world: what drew the mentee to the mentor, of what evidence can tell.

The appeal of a mentor is a sum (`truth`). Two of its parts leave traces that a path can lead along: the topic of the
goal and the skills that it needs. The larger one is a planted reason, and so is the other if it is worth half as much;
a pair that has neither has none. Fame, rhythm and common hours leave no trace, and that a coordinator assigns, and so
favours a unit, is the planted bias: nothing that is told of a goal gives it away.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from mentorgraph.graph.facts.model import uid_of
from mentorgraph.graph.world import truth
from mentorgraph.graph.world.appeal import Appeal, HiddenGoal, goal_from
from mentorgraph.graph.world.taxonomy import taxonomy

TOPIC, SKILLS = "topic", "skills"

_OF_TOPIC = ("similar_text", "similar_meaning", "similar_goal")
_OF_SKILLS = ("_skill",)


class PlantedReasons:
    """The planted reasons of all pairs of a world.

    Args:
        told: The content of its truth file.
        source: The source under which the world was imported.
    """

    def __init__(self, told: Mapping[str, Any], source: str) -> None:
        self._appeal = Appeal.from_truth(told)
        self._mentors = {uid_of(source, "people", each.id): place for place, each in enumerate(self._appeal.mentors)}
        self._goals = {uid_of(source, "goals", each["id"]): goal_from(each) for each in told["goals"]}
        self._skills = {uid_of(source, "skills", each): each for each in taxonomy().skills}

    def of(self, goal: str, mentor: str) -> set[str]:
        """The planted reasons for a goal and a mentor, by uid; empty where there is none."""
        if goal not in self._goals or mentor not in self._mentors:
            return set()
        asked, place = self._goals[goal], self._mentors[mentor]
        nearness = self._appeal.nearness(place, asked.topic)
        parts = {
            TOPIC: truth.TOPIC_APPEAL[nearness],
            SKILLS: sum(truth.SKILL_APPEAL[each] for each in self._appeal.coverages(place, asked)),
        }
        return {each for each, worth in parts.items() if worth and 2 * worth >= max(parts.values())}

    def tells(self, goal: str, mentor: str, metapath: str, nodes: Sequence[str]) -> set[str]:
        """What a path tells of what was planted.

        A past goal tells of the topic if its own hidden topic is as near to the asked one as the mentor is. An offered
        skill tells of the skills if it covers a real need, and of the topic too if it is one of the topic's skills and
        the mentor has that topic: a topic is a subject together with its skills.

        Args:
            goal: uid of the asking goal.
            mentor: uid of the mentor.
            metapath: Which kind of path it is.
            nodes: uids of its nodes, in order.
        """
        asked, place = self._goals[goal], self._mentors[mentor]
        nearness = self._appeal.nearness(place, asked.topic)
        if metapath.endswith(_OF_TOPIC):
            past = [self._goals[uid] for uid in nodes if uid in self._goals and uid != goal]
            return {TOPIC} if past and self._is_near(past[-1], asked, nearness) else set()
        if metapath.endswith(_OF_SKILLS):
            offered = [self._skills[uid] for uid in nodes if uid in self._skills][-1:]
            found = {SKILLS} if offered and self._covers(place, offered[0], asked) else set()
            in_topic = offered and offered[0] in self._appeal.topics[asked.topic].skills
            return found | ({TOPIC} if in_topic and nearness in ("main", "second") else set())
        return set()

    def _is_near(self, past: HiddenGoal, asked: HiddenGoal, nearness: str) -> bool:
        own, other = self._appeal.topics[asked.topic], self._appeal.topics[past.topic]
        if nearness in ("main", "second"):
            return past.topic == asked.topic
        return other.subject == own.subject if nearness == "subject" else other.field == own.field

    def _covers(self, place: int, offered: str, asked: HiddenGoal) -> bool:
        """Whether a skill that a mentor offers is worth something for one that the goal needs."""
        level = dict(self._appeal.mentors[place].offers).get(offered, 0)
        near = {skill: taxonomy().near(skill) for skill, _ in asked.needs}
        for skill, needed in asked.needs:
            steps = 0 if offered == skill else 1 if offered in near[skill][0] else 2 if offered in near[skill][1] else 9
            if steps < 3 and truth.coverage(truth.known_level(level, steps), needed):
                return True
        return False
