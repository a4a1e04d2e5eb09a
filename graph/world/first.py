"""What every generated world rests on: the people, goals and pairings of version 1, and what it tells of them."""

import hashlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import date
from pathlib import Path
from typing import Any, TypeAlias

from mentorgraph.graph.facts.model import ALWAYS
from mentorgraph.graph.facts.values import plain
from mentorgraph.graph.world import truth
from mentorgraph.graph.world.appeal import Appeal, HiddenMentor, Topic, tell
from mentorgraph.graph.world.choices import Pairing, make_pairings
from mentorgraph.graph.world.clocks import first_day_of, iso
from mentorgraph.graph.world.goals import Goal, make_goals, tell_goals, tell_offers
from mentorgraph.graph.world.meetings import Chronicle
from mentorgraph.graph.world.people import Period, Person, Unit, hidden_mentors, make_people, make_topics, make_units
from mentorgraph.graph.world.profiles import tell_coordinators, tell_people
from mentorgraph.graph.world.programmes import Programme, make_programmes, tell_programmes
from mentorgraph.graph.world.tables import Tables
from mentorgraph.graph.world.taxonomy import taxonomy
from mentorgraph.graph.world.wording import wording

AppealOf: TypeAlias = Callable[[Sequence[Topic], Sequence[HiddenMentor], Sequence[Unit]], Appeal]


def plain_appeal(topics: Sequence[Topic], mentors: Sequence[HiddenMentor], _units: Sequence[Unit]) -> Appeal:
    """The appeal of version 1."""
    return Appeal(topics, mentors)


@dataclass(frozen=True)
class Made:
    """A world of version 1, with all that was made on the way.

    Attributes:
        width: Digits of the numbers in ids.
        people: Everybody by id, in the order of ids.
        results: Pairing → its outcome in thousandths, whether or not it is over.
    """

    seed: int
    first_day: date
    period: Period
    width: int
    topics: list[Topic]
    units: list[Unit]
    people: Mapping[str, Person]
    programmes: list[Programme]
    goals: list[Goal]
    appeal: Appeal
    pairings: list[Pairing]
    results: Mapping[str, int]
    tables: Tables
    truth: dict[str, Any]


def make(
    people: int,
    months: int,
    seed: int,
    last_day: date,
    progress: Callable[[str], None],
    appeal_of: AppealOf = plain_appeal,
) -> Made:
    """Makes a world of version 1; the arguments are those of `community.generate`."""
    first_day = first_day_of(last_day, months)
    period = Period.of(first_day, last_day)
    width = len(str(people)) + 1
    tables = Tables()
    progress("people")
    topics = make_topics(seed)
    units = make_units(seed, people, len(str(people)))
    everybody = make_people(seed, people, width, period, topics, units)
    programmes = make_programmes(first_day, last_day)
    mentors = hidden_mentors(seed, everybody, topics)
    progress("goals")
    goals = make_goals(seed, everybody, topics, programmes, period, width)
    progress("pairings")
    appeal = appeal_of(topics, mentors, units)
    by_id = {person.id: person for person in everybody}
    pairings = make_pairings(seed, goals, appeal, by_id)
    progress("meetings")
    _tell_surroundings(tables, units, first_day.isoformat())
    tell_programmes(tables, programmes)
    tell_people(seed, tables, everybody, units, period)
    tell_coordinators(seed, tables, everybody, programmes, period)
    tell_offers(seed, tables, mentors, period)
    chronicle = Chronicle.begin(seed, tables, appeal, period, width)
    for pairing in pairings:
        chronicle.tell(pairing)
    chronicle.tell_blocks()
    tell_goals(seed, tables, goals, topics, chronicle.achieved, period)
    progress("truth")
    leaves = [
        {"person_id": person.id, "since": iso(since), "until": iso(until)}
        for person in everybody
        for since, until in person.absences
        if since > period.last
    ]
    told = _truth(topics, appeal, goals) | {
        "expected_outcomes": chronicle.expected,
        "stalled": chronicle.stalls,
        "future_leaves": leaves,
    }
    return Made(
        seed,
        first_day,
        period,
        width,
        topics,
        units,
        by_id,
        programmes,
        goals,
        appeal,
        pairings,
        chronicle.results,
        tables,
        told,
    )


def _tell_surroundings(tables: Tables, units: Sequence[Unit], first: str) -> None:
    """Writes what does not depend on people."""
    for unit in units:
        tables.add("units", unit.id, unit.name, unit.area)
    for skill in taxonomy().skills.values():
        aliases = "|".join(skill.aliases)
        tables.add("skills", skill.id, skill.name, skill.kind, str(skill.tier), skill.field, aliases)
        if skill.broader_id:
            tables.add("broader", skill.id, skill.broader_id, plain(ALWAYS))
    for number, priority in enumerate(wording()["priorities"], start=1):
        tables.add("priorities", f"priority-{number}", priority["name"], priority["description"], first)


def _truth(topics: Sequence[Topic], appeal: Appeal, goals: Sequence[Goal]) -> dict[str, Any]:
    """What `Appeal.from_truth` needs, and what was planted."""
    source = Path(truth.__file__).read_bytes()
    return {
        "version": truth.VERSION,
        "sha256": hashlib.sha256(source).hexdigest(),
        "parameters": {name: value for name, value in vars(truth).items() if name.isupper()},
        "bias": {
            "what": "coordinators favour mentors of the mentee's unit; it does nothing for the outcome",
            "hundredths_of_a_logit": truth.UNIT_BIAS,
        },
        "confounder": {
            "what": "motivated mentees choose well-known mentors and do better with anybody",
            "hundredths_of_a_logit_per_fame_by_motivation": truth.FAME_APPEAL,
            "thousandths_of_outcome_per_motivation": truth.MOTIVATION_OUTCOME,
        },
        "topics": [asdict(topic) for topic in topics],
        "mentors": [tell(mentor) for mentor in appeal.mentors],
        "goals": [tell(goal.hidden) for goal in goals],
    }
