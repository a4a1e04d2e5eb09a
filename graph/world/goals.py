"""The goals of a generated world, and the skills that people offer and want."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from mentorgraph.graph.world.appeal import HiddenGoal, HiddenMentor, Topic
from mentorgraph.graph.world.clocks import iso
from mentorgraph.graph.world.draws import Draws
from mentorgraph.graph.world.people import Ids, Period, Person
from mentorgraph.graph.world.programmes import ASSIGNED_FORMATS, Programme, tell_membership
from mentorgraph.graph.world.tables import Tables
from mentorgraph.graph.world.taxonomy import taxonomy
from mentorgraph.graph.world.wording import goal_text, wording

LONGEST_WAIT_DAYS = 35
"""From writing a goal down to starting with a mentor."""


@dataclass(frozen=True, slots=True)
class Goal:
    """A goal, its mentee, what is true about it, and the day on which the mentee is ready to start, 0 for never."""

    person: Person
    hidden: HiddenGoal
    programme: Programme | None
    starts: int


def make_goals(
    seed: int,
    people: Sequence[Person],
    topics: list[Topic],
    programmes: Sequence[Programme],
    period: Period,
    width: int,
) -> list[Goal]:
    """One goal for each mentee, a second one for one in eight."""
    draws = Draws(seed, "goals")
    ids = Ids("g", width)
    goals = []
    for person in people:
        if not person.asks:
            continue
        asked = max(period.first, person.joined) + draws.between(0, 20)
        topic = person.topics[0]
        for later in (False, True):
            if later:
                if not draws.chance(0.125) or person.mentors_from:
                    break
                asked += draws.between(180, 330)
                topic = topic if draws.chance(0.4) else draws.below(len(topics))
            if asked > period.last:
                break
            programme = _programme(draws, programmes, asked)
            assigned = programme is not None and programme.format in ASSIGNED_FORMATS
            needs = _needs(draws, topics[topic])
            motivation, pace = person.motivation, person.pace
            hidden = HiddenGoal(
                ids.next(), topic, needs, motivation, pace, person.clock, person.unit.id if assigned else "", asked
            )
            paired = draws.chance(0.87) and person.agrees
            starts = asked + draws.between(3, LONGEST_WAIT_DAYS)
            goals.append(Goal(person, hidden, programme, starts if paired and starts <= period.last else 0))
    return goals


def _programme(draws: Draws, programmes: Sequence[Programme], day: int) -> Programme | None:
    running = [each for each in programmes if each.since <= day < each.until]
    return draws.pick(running) if running and draws.chance(0.85) else None


def _needs(draws: Draws, topic: Topic) -> tuple[tuple[str, int], ...]:
    """Three to six skills, all or most of them the topic's, and the levels to reach."""
    skills = dict.fromkeys(draws.some(topic.skills, draws.pick((3, 3, 4, 4, 5))))
    field = [skill.id for skill in taxonomy().of_field(topic.field)]
    skills |= dict.fromkeys(draws.some(field, draws.between(0, 1)))
    return tuple((skill, draws.between(2, 5)) for skill in skills)


def tell_goals(
    seed: int,
    tables: Tables,
    goals: Sequence[Goal],
    topics: list[Topic],
    achieved: Mapping[str, str],
    period: Period,
) -> None:
    """Writes the goals with their text and programme, and what mentees want: incompletely, and other wishes among it.

    Args:
        seed: The world's.
        tables: Where the rows go.
        goals: What to write.
        topics: All topics of the world.
        achieved: Goal → the day on which it was reached.
        period: The days of the world.
    """
    draws = Draws(seed, "goal text")
    kinds, areas = taxonomy().kind_of_field(), taxonomy().fields()
    everything = [skill.id for skill in taxonomy().skills.values() if skill.tier >= 3]
    priorities: dict[str, list[str]] = {}
    for number, priority in enumerate(wording()["priorities"], start=1):
        priorities.setdefault(priority["area"], []).append(f"priority-{number}")
    members: set[tuple[str, str]] = set()
    for goal in goals:
        hidden, person = goal.hidden, goal.person
        topic = topics[hidden.topic]
        skills = [skill for skill, _ in hidden.needs]
        title, description = goal_text(draws, kinds[topic.field], topic.subject, skills, hidden.pace, hidden.motivation)
        serves = priorities.get(areas[topic.field], [])
        priority = draws.pick(serves) if serves and draws.chance(0.4) else ""
        day = iso(hidden.asked)
        tables.add(
            "goals",
            hidden.id,
            person.id,
            person.unit.id,
            priority,
            title,
            description,
            day,
            achieved.get(hidden.id, ""),
        )
        if goal.programme and (person.id, goal.programme.id) not in members:
            members.add((person.id, goal.programme.id))
            tell_membership(tables, goal.programme, person.id, "mentee", hidden.asked, period.last)
        for skill, level in _stated(draws, hidden.needs, 0.85):
            tables.add("goal_skills", hidden.id, skill, str(level), day)
        wants = dict(_stated(draws, hidden.needs, 0.9))
        wants |= {skill: draws.between(2, 5) for skill in draws.some(everything, draws.between(0, 1))}
        for skill, level in wants.items():
            tables.add("person_skills", person.id, skill, "wants", str(level), day, "")
        if draws.chance(0.2):
            skill = draws.pick(everything)
            if skill not in wants:
                tables.add("person_skills", person.id, skill, "offers", str(draws.between(1, 3)), day, "")


def _stated(draws: Draws, needs: Sequence[tuple[str, int]], share: float) -> list[tuple[str, int]]:
    """What people say of their needs: most of them, at least one, with levels that are off by one at times."""
    stated = [need for need in needs if draws.chance(share)] or [draws.pick(needs)]
    return [(skill, min(5, max(1, level + draws.bell(1)))) for skill, level in stated]


def tell_offers(seed: int, tables: Tables, mentors: Sequence[HiddenMentor], period: Period) -> None:
    """Writes what mentors offer; one in twelve of these grew by a level on the way."""
    draws = Draws(seed, "offers")
    for mentor in mentors:
        since = iso(mentor.since)
        until = iso(mentor.until) if mentor.until else ""
        for skill, level in mentor.offers:
            grew = mentor.since + draws.between(30, 120)
            if draws.chance(0.08) and grew < (mentor.until or period.last):
                tables.add("person_skills", mentor.id, skill, "offers", str(level - 1), since, iso(grew))
                tables.add("person_skills", mentor.id, skill, "offers", str(level), iso(grew), until)
            else:
                tables.add("person_skills", mentor.id, skill, "offers", str(level), since, until)
