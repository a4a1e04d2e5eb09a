"""How people of a generated world describe themselves, and when they are away or busy."""

from mentorgraph.graph.world.clocks import iso, regions
from mentorgraph.graph.world.draws import Draws
from mentorgraph.graph.world.history import History, words
from mentorgraph.graph.world.people import Person

PACES = ("intensive", "steady", "gentle")
"""By the hidden rhythm: weekly, fortnightly, monthly."""
CHANNELS = ("live", "mixed", "asynchronous")
FORMATS = ("micro", "peer", "cohort", "long_term", "reverse", "sponsor")
GROWN_DAYS = 150
"""Whoever has been there so long may have been promoted since."""
BUSY_AHEAD_DAYS = 21
BUSY_BACK_DAYS = 14


def tell_profiles(history: History) -> None:
    """Writes profiles: most are complete, some people changed theirs."""
    draws = history.draws("profiles")
    for person in history.made.people.values():
        if draws.chance(0.04):
            continue  # has not written one
        grade = draws.between(2, 4) if person.mentors_from else draws.between(0, 2)
        years = draws.between(0, 4) + 4 * grade
        row = _profile(draws, person)
        changed = draws.between(person.joined + GROWN_DAYS // 2, max(person.joined + GROWN_DAYS, history.last))
        if draws.chance(0.2) and changed <= history.last and not (person.left and person.left <= changed):
            _tell(history, person, row, grade, years, person.joined, changed)
            _tell(history, person, _changed(draws, row), min(4, grade + 1), years + 1, changed, 0)
        else:
            _tell(history, person, row, grade, years, person.joined, 0)


def _profile(draws: Draws, person: Person) -> dict[str, str]:
    told = words()["profiles"]
    region = next(each["name"] for each in regions() if person.clock[0] in each["zones"])
    languages = dict.fromkeys(["en", *draws.some(told["languages"][region], draws.between(1, 2))])
    pace = PACES[person.pace] if draws.chance(0.8) else draws.pick(PACES)
    row = {
        "job_title": draws.pick(told["titles"][person.unit.area]),
        "about": draws.pick(told["about"]),
        "pace": pace,
        "communication": draws.pick(CHANNELS),
        "coaching_style": draws.pick(told["coaching_styles"]) if person.mentors_from else "",
        "formats": "|".join(draws.some(FORMATS, draws.between(1, 3))),
        "languages": "|".join(languages),
    }
    return {name: value if draws.chance(0.85) else "" for name, value in row.items()}


def _changed(draws: Draws, row: dict[str, str]) -> dict[str, str]:
    return row | {"communication": draws.pick(CHANNELS), "about": draws.pick(words()["profiles"]["about"])}


def _tell(
    history: History, person: Person, row: dict[str, str], grade: int, years: int, since: int, until: int
) -> None:
    history.tables.add(
        "profiles",
        person.id,
        row["job_title"],
        words()["profiles"]["grades"][grade],
        str(years),
        row["about"],
        row["pace"],
        row["communication"],
        row["coaching_style"],
        row["formats"],
        row["languages"],
        iso(since),
        history.alive(person.id, until),
    )


def tell_times(history: History) -> None:
    """Writes absences with their cause, and what some calendars tell of the weeks around the last day."""
    for id, since, until, cause in sorted(history.absences):
        history.tables.add("absences", id, iso(since), iso(until), cause)
    draws = history.draws("busy")
    for person in history.made.people.values():
        if person.left or not draws.chance(0.15):
            continue
        day = max(history.last - BUSY_BACK_DAYS, person.joined)
        while day <= history.last + BUSY_AHEAD_DAYS:
            hour, minute = draws.between(6, 17), 30 * draws.below(2)
            ends = [f"{iso(day)}T{each:02d}:{minute:02d}:00Z" for each in (hour, hour + 1)]
            history.tables.add("busy_times", person.id, *ends)
            day += draws.between(2, 7)
