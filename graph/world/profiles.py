"""What a bundle tells of the people of a generated world, apart from what they know and want."""

from collections.abc import Sequence

from mentorgraph.graph.world.clocks import PATTERNS, iso, time_of_day
from mentorgraph.graph.world.draws import Draws
from mentorgraph.graph.world.people import Period, Person, Unit
from mentorgraph.graph.world.programmes import Programme, tell_membership
from mentorgraph.graph.world.tables import Tables

CONSENT_TEXT = "2024-01"


def tell_people(seed: int, tables: Tables, people: Sequence[Person], units: Sequence[Unit], period: Period) -> None:
    """Writes people, roles, units, consents, free hours and absences."""
    draws = Draws(seed, "told")
    for person in people:
        joined, left = iso(person.joined), iso(person.left) if person.left else ""
        tables.add("people", person.id, person.name, joined, left, person.clock[0])
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


def tell_coordinators(
    seed: int, tables: Tables, people: Sequence[Person], programmes: Sequence[Programme], period: Period
) -> None:
    """Writes who coordinates each programme: one to three people."""
    draws = Draws(seed, "coordinators")
    coordinators = [person for person in people if person.role == "coordinator"]
    for programme in programmes:
        for person in draws.some(coordinators, draws.between(1, 3)):
            since = max(person.joined, programme.since)
            tell_membership(tables, programme, person.id, "coordinator", since, period.last)
