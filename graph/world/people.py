"""Who lives in a generated world: topics, units, and people with their hidden traits."""

from dataclasses import dataclass
from datetime import date

from mentorgraph.graph.world.appeal import HiddenMentor, Topic
from mentorgraph.graph.world.clocks import PATTERNS, Clock, regions
from mentorgraph.graph.world.draws import Draws, Weighted
from mentorgraph.graph.world.taxonomy import taxonomy
from mentorgraph.graph.world.truth import TOPICS
from mentorgraph.graph.world.wording import wording

PEOPLE_PER_UNIT = 100
MENTOR_PERCENT = 12
MENTEE_FIRST_DAYS = 240
"""Who joins this long before they mentor, came as a mentee."""


@dataclass(frozen=True, slots=True)
class Period:
    """The days of a world, counted as `date.toordinal` does."""

    first: int
    last: int

    @classmethod
    def of(cls, first: date, last: date) -> "Period":
        """The period from one day to another."""
        return cls(first.toordinal(), last.toordinal())


@dataclass(frozen=True, slots=True)
class Unit:
    """An organisation unit, at home in one region and one area of the taxonomy."""

    id: str
    name: str
    area: str
    region: int


@dataclass(slots=True)
class Person:
    """Somebody with the traits that the bundle hides or tells only in part.

    Attributes:
        role: What they mostly are.
        topics: What a mentor knows or a mentee comes for.
        mentors_from: The day on which they became a mentor, 0 for others.
        left: The day on which they left, 0 for those who stay.
        asks: Whether they come as a mentee; some mentors did at first.
        agrees: Whether they consented to be matched.
    """

    id: str
    name: str
    role: str
    clock: Clock
    unit: Unit
    topics: tuple[int, ...]
    joined: int
    mentors_from: int
    left: int
    asks: bool
    pace: int
    motivation: int
    places: int
    agrees: bool
    absences: list[tuple[int, int]]


class Ids:
    """Numbers things with ids of one width, so that they sort as they were made."""

    def __init__(self, prefix: str, width: int) -> None:
        self._format = f"{prefix}{{:0{width}d}}".format
        self._count = 0

    def next(self) -> str:
        """The next id."""
        self._count += 1
        return self._format(self._count)


def make_topics(seed: int) -> list[Topic]:
    """What the goals of this world are about."""
    draws = Draws(seed, "topics")
    fields = list(taxonomy().fields())
    kinds = taxonomy().kind_of_field()
    often = Weighted(fields, [3 if kinds[name] == "technical" else 2 for name in fields])
    subjects = list(wording()["subjects"])
    topics = []
    for number in range(TOPICS):
        field = often.draw(draws)
        core = draws.some([skill.id for skill in taxonomy().of_field(field)], 5)
        other = draws.pick([skill.id for skill in taxonomy().of_field(often.draw(draws)) if skill.id not in core])
        topics.append(Topic(subjects[number % len(subjects)], field, (*core, other)))
    return topics


def make_units(seed: int, people: int, width: int) -> list[Unit]:
    """The units of an organisation of this size, each with a name of its own."""
    draws = Draws(seed, "units")
    ids = Ids("u", width)
    seconds = wording()["units"]["second"]
    areas = list(seconds)
    names: set[str] = set()
    units = []
    for number in range(max(4, people // PEOPLE_PER_UNIT)):
        area = areas[number % len(areas)]
        name = f"{draws.pick(wording()['units']['first'])} {draws.pick(seconds[area])}"
        serial = 2
        plain = name
        while name in names:
            name = f"{plain} {serial}"
            serial += 1
        names.add(name)
        units.append(Unit(ids.next(), name, area, draws.below(len(regions()))))
    return units


def make_people(
    seed: int, count: int, width: int, period: Period, topics: list[Topic], units: list[Unit]
) -> list[Person]:
    """Everybody, in no order that would tell their role."""
    ids = Ids("p", width)
    arrivals = Arrivals(seed, period, topics, units)
    return [arrivals.person(ids.next(), role) for role in _roles(seed, count)]


def _roles(seed: int, count: int) -> list[str]:
    draws = Draws(seed, "roles")
    mentors = count * MENTOR_PERCENT // 100
    roles = ["mentor"] * mentors
    roles += ["coordinator"] * max(1, count // 100)
    for other in ("facilitator", "sponsor", "data_scientist", "auditor"):
        roles += [other] * max(1, count // 1000)
    roles += ["mentee"] * (count - len(roles))
    return draws.some(roles[:count], count)


class Arrivals:
    """Lets people arrive in a world with these topics and units."""

    def __init__(self, seed: int, period: Period, topics: list[Topic], units: list[Unit]) -> None:
        self._draws = Draws(seed, "people")
        self._period = period
        self._units = units
        areas = [taxonomy().fields()[topic.field] for topic in topics]
        self._near = [[unit for unit in units if unit.area == area] or units for area in areas]
        self._topics = Weighted(range(len(topics)), [2 + (7 * number) % 5 for number in range(len(topics))])

    def person(self, id: str, role: str) -> Person:
        """One more person in a role."""
        draws = self._draws
        mentors = role == "mentor"
        topics = [self._topics.draw(draws)]
        while mentors and len(topics) < 3 and draws.chance(0.5):
            topics.append(self._topics.draw(draws))
        unit = draws.pick(self._near[topics[0]] if draws.chance(0.4) else self._units)
        region = unit.region if draws.chance(0.5) else draws.below(len(regions()))
        joined, mentors_from, left = self._stay(role)
        return Person(
            id=id,
            name=_name(draws, region),
            role=role,
            clock=(draws.pick(list(regions()[region]["zones"])), draws.pick(list(PATTERNS))),
            unit=unit,
            topics=tuple(dict.fromkeys(topics)),
            joined=joined,
            mentors_from=mentors_from,
            left=left,
            asks=role == "mentee" or (self._period.first <= joined and mentors_from - joined >= MENTEE_FIRST_DAYS),
            pace=draws.below(3),
            motivation=draws.pick((0, 1, 1, 2, 2, 2, 3, 3, 4)),
            places=draws.pick((1, 2, 3, 3, 4, 4, 5, 6)) if mentors else 0,
            agrees=draws.chance(0.98),
            absences=_absences(draws, self._period) if mentors and draws.chance(0.2) else [],
        )

    def _stay(self, role: str) -> tuple[int, int, int]:
        """When somebody joined, became a mentor and left; 0 for what did not happen."""
        draws, first, last = self._draws, self._period.first, self._period.last
        if role == "mentee":
            during = draws.chance(0.96)
            return (first + draws.below(last - first) if during else first - draws.between(1, 300)), 0, 0
        if role != "mentor":
            return first - draws.between(30, 1500), 0, 0
        if draws.chance(0.65):
            joined, mentors_from = first - draws.between(30, 1000), first - draws.below(30)
        else:
            joined = first + draws.below(last - first)
            mentors_from = min(last, joined + draws.between(0, 60))
            if draws.chance(0.2) and joined + 400 < last:
                mentors_from = joined + draws.between(MENTEE_FIRST_DAYS, 400)
        left = mentors_from + draws.between(150, 900) if draws.chance(0.06) else 0
        return joined, mentors_from, left if left <= last else 0


def _name(draws: Draws, region: int) -> str:
    own = regions()[region]
    other = draws.pick(regions()) if draws.chance(0.125) else own
    return f"{draws.pick(own['given'])} {draws.pick(other['family'])}"


def _absences(draws: Draws, period: Period) -> list[tuple[int, int]]:
    """One or two absences; one in three of them is planned for after the last day."""
    found: list[tuple[int, int]] = []
    for _ in range(draws.between(1, 2)):
        later = draws.chance(0.33)
        since = period.last + draws.between(3, 90) if later else period.first + draws.below(period.last - period.first)
        until = since + draws.between(7, 45)
        if all(until < a or b < since for a, b in found):
            found.append((since, until))
    return sorted(found)


def hidden_mentors(seed: int, people: list[Person], topics: list[Topic]) -> list[HiddenMentor]:
    """What is true about those who mentor."""
    draws = Draws(seed, "mentors")
    everything = [skill.id for skill in taxonomy().skills.values() if skill.tier >= 3]
    mentors = []
    for person in people:
        if not person.mentors_from:
            continue
        own = [skill for topic in person.topics for skill in topics[topic].skills]
        skills = dict.fromkeys(draws.some(list(dict.fromkeys(own)), draws.between(3, 5)))
        skills |= dict.fromkeys(draws.some(everything, draws.between(0, 2)))
        offers = tuple((skill, draws.between(3, 5)) for skill in skills)
        fame = int(11 * draws.fraction() * draws.fraction())
        mentors.append(
            HiddenMentor(
                person.id,
                person.topics,
                offers,
                fame,
                draws.bell(2),
                person.pace,
                person.clock,
                person.unit.id,
                person.mentors_from,
                person.left,
            )
        )
    return mentors
