"""Who lives in a generated world: units, topics, people with their hidden traits, and what a bundle tells of them."""

from dataclasses import dataclass
from datetime import date

from mentorgraph.graph.world.appeal import HiddenMentor, Topic
from mentorgraph.graph.world.clocks import PATTERNS, Clock, iso, regions, time_of_day
from mentorgraph.graph.world.draws import Draws, Weighted
from mentorgraph.graph.world.tables import Tables
from mentorgraph.graph.world.taxonomy import taxonomy
from mentorgraph.graph.world.truth import TOPICS
from mentorgraph.graph.world.wording import wording

PEOPLE_PER_UNIT = 100
MENTOR_PERCENT = 12
CONSENT_TEXT = "2024-01"


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
    roles = _roles(seed, count)
    draws = Draws(seed, "people")
    areas = [taxonomy().fields()[topic.field] for topic in topics]
    by_area: dict[str, list[Unit]] = {}
    for unit in units:
        by_area.setdefault(unit.area, []).append(unit)
    often = Weighted(range(len(topics)), [2 + (7 * number) % 5 for number in range(len(topics))])
    return [_person(draws, ids.next(), role, period, often, areas, by_area, units) for role in roles]


def _roles(seed: int, count: int) -> list[str]:
    draws = Draws(seed, "roles")
    mentors = count * MENTOR_PERCENT // 100
    roles = ["mentor"] * mentors
    roles += ["coordinator"] * max(1, count // 100)
    for other in ("facilitator", "sponsor", "data_scientist", "auditor"):
        roles += [other] * max(1, count // 1000)
    roles += ["mentee"] * (count - len(roles))
    return draws.some(roles[:count], count)


def _person(
    draws: Draws,
    id: str,
    role: str,
    period: Period,
    often: Weighted[int],
    areas: list[str],
    by_area: dict[str, list[Unit]],
    units: list[Unit],
) -> Person:
    span = period.last - period.first
    topics = [often.draw(draws)]
    if role == "mentor":
        while draws.chance(0.5) and len(topics) < 3:
            topics.append(often.draw(draws))
    near = by_area.get(areas[topics[0]], units)
    unit = draws.pick(near if draws.chance(0.4) else units)
    region = unit.region if draws.chance(0.5) else draws.below(len(regions()))
    clock = (draws.pick(list(regions()[region]["zones"])), draws.pick(list(PATTERNS)))
    mentors_from = left = 0
    asks = role == "mentee"
    if role == "mentor":
        if draws.chance(0.65):
            joined = period.first - draws.between(30, 1000)
            mentors_from = period.first - draws.below(30)
        else:
            joined = period.first + draws.below(span)
            mentors_from = min(period.last, joined + draws.between(0, 60))
            if draws.chance(0.2) and joined + 400 < period.last:
                asks, mentors_from = True, joined + draws.between(240, 400)
        if draws.chance(0.06):
            left = mentors_from + draws.between(150, 900)
    elif role == "mentee":
        joined = period.first + draws.below(span) if draws.chance(0.96) else period.first - draws.between(1, 300)
    else:
        joined = period.first - draws.between(30, 1500)
    if left > period.last:
        left = 0
    return Person(
        id,
        _name(draws, region),
        role,
        clock,
        unit,
        tuple(dict.fromkeys(topics)),
        joined,
        mentors_from,
        left,
        asks,
        draws.below(3),
        draws.pick((0, 1, 1, 2, 2, 2, 3, 3, 4)),
        draws.pick((1, 2, 3, 3, 4, 4, 5, 6)) if role == "mentor" else 0,
        draws.chance(0.98),
        _absences(draws, period) if role == "mentor" and draws.chance(0.2) else [],
    )


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


def tell_people(seed: int, tables: Tables, people: list[Person], units: list[Unit], period: Period) -> None:
    """Writes what the bundle tells of people, apart from what they know and want."""
    draws = Draws(seed, "told")
    for person in people:
        joined, left = iso(person.joined), iso(person.left) if person.left else ""
        tables.add("people", person.id, person.name, "", joined, left, person.clock[0])
        _tell_roles(draws, tables, person, joined, left)
        if person.joined < period.first and draws.chance(0.1):
            moved = iso(draws.between(person.joined, period.first))
            former = draws.pick([unit for unit in draws.some(units, 2) if unit is not person.unit])
            tables.add("unit_membership", person.id, former.id, joined, moved)
            tables.add("unit_membership", person.id, person.unit.id, moved, left)
        else:
            tables.add("unit_membership", person.id, person.unit.id, joined, left)
        _tell_consents(draws, tables, person, joined, period)
        if draws.chance(0.85 if person.mentors_from else 0.7):
            _tell_availability(draws, tables, person, joined, left)
        for since, until in person.absences:
            tables.add("absences", person.id, iso(since), iso(until))


def _tell_roles(draws: Draws, tables: Tables, person: Person, joined: str, left: str) -> None:
    if person.asks and person.mentors_from:
        tables.add("roles", person.id, "mentee", joined, iso(person.mentors_from), "", "")
    if person.mentors_from:
        hours = str(person.places * draws.between(2, 4))
        tables.add("roles", person.id, "mentor", iso(person.mentors_from), left, str(person.places), hours)
    else:
        tables.add("roles", person.id, person.role, joined, left, "", "")


def _tell_consents(draws: Draws, tables: Tables, person: Person, joined: str, period: Period) -> None:
    if person.agrees:
        tables.add("consents", person.id, "matching", CONSENT_TEXT, joined, "")
    if draws.chance(0.9):
        withdrawn = iso(draws.between(person.joined, period.last)) if draws.chance(0.03) else ""
        tables.add("consents", person.id, "training", CONSENT_TEXT, joined, withdrawn)
    for purpose, share in (("stories", 0.3), ("recording", 0.2), ("audit_attributes", 0.4)):
        if draws.chance(share):
            tables.add("consents", person.id, purpose, CONSENT_TEXT, joined, "")


def _tell_availability(draws: Draws, tables: Tables, person: Person, joined: str, left: str) -> None:
    zone, pattern = person.clock
    weekdays, start, end = PATTERNS[pattern]
    start, end = start + 5 * draws.bell(3), end + 5 * draws.bell(3)
    for weekday in weekdays:
        tables.add("availability", person.id, str(weekday), time_of_day(start), time_of_day(end), zone, joined, left)
