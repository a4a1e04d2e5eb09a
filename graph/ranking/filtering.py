"""Who passes the filters of a list, told from columns in memory for everybody at once.

The facts of a tier are many and few ask for them: who is eligible is read from the graph, in the blocks that the hard
rules are read in.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

import numpy as np

from mentorgraph.graph.columns.columns import Columns
from mentorgraph.graph.columns.proficiency import offer_levels
from mentorgraph.graph.columns.question import Question
from mentorgraph.graph.columns.table import NONE, Mask, Numbers, Reals
from mentorgraph.graph.errors import DomainError
from mentorgraph.graph.ranking.options import NEAR_PEER, PEER, SENIOR, Filter
from mentorgraph.graph.rules.policy import SignalSettings
from mentorgraph.graph.rules.tiers import unmet
from mentorgraph.graph.signals.profiles import Profiles
from mentorgraph.graph.store.store import Store


@dataclass(frozen=True, slots=True)
class Part:
    """One thing that a filter asks for.

    Attributes:
        words: What those who pass do, such as `speak pt`.
        passes: Who does: `bool[people]`.
    """

    words: str
    passes: Mask


def parts_of(columns: Columns, asked: Question, wanted: Filter, settings: SignalSettings) -> list[Part]:
    """What a filter asks for, but for the tier; who passes all of it passes the filter.

    Raises:
        DomainError: `NOT_FOUND`, a skill or a unit that nobody knows.
    """
    now, found, profiles = asked.seconds, [], Profiles.of(columns, asked)
    if wanted.skill:
        words = "offer the skill" + (f" at level {wanted.min_level} or above" if wanted.min_level else "")
        found.append(Part(words, _offering(columns, now, wanted)))
    if wanted.unit:
        unit = columns.numberings["units"].find(wanted.unit)
        if unit == NONE:
            raise DomainError("no unit has this id", code="NOT_FOUND", field="filter.unitId")
        members = columns.tables["unit_membership"]
        rows = members.valid(now) & (members.numbers("unit") == unit)
        found.append(Part("belong to the unit", _people(columns, members.numbers("person")[rows])))
    if wanted.format:
        found.append(Part(f"take part in the format {wanted.format}", _telling(profiles, "formats", wanted.format)))
    if wanted.language:
        found.append(Part(f"speak {wanted.language}", _telling(profiles, "languages", wanted.language)))
    if wanted.is_new is not None:
        words = "have never mentored" if wanted.is_new else "have mentored before"
        found.append(Part(words, _have_mentored(columns, now) != wanted.is_new))
    if wanted.seniority:
        years = profiles.numbers("experience_years")
        known = "" if np.isfinite(years[asked.mentee]) else " (whose years of experience are not known)"
        words = f"stand to the mentee{known} as {wanted.seniority}"
        found.append(Part(words, _standing(years - years[asked.mentee], wanted.seniority, settings)))
    return found


def together(parts: Sequence[Part], people: int) -> Mask:
    """Who passes all parts: `bool[people]`."""
    return np.logical_and.reduce([each.passes for each in parts]) if parts else np.ones(people, bool)


def narrower(columns: Columns, skill: int, now: float) -> set[int]:
    """A skill, by what it counts for, and all that lie below it by any number of `BROADER` steps."""
    counted = columns.merges(now)
    broader = columns.tables["broader"]
    low, high = counted.of(broader.numbers("skill")), counted.of(broader.numbers("broader"))
    below: dict[int, list[int]] = {}
    for row in np.flatnonzero(broader.valid(now)):
        below.setdefault(int(high[row]), []).append(int(low[row]))
    found: set[int] = set()
    waiting = [int(counted.counts_as[skill])]
    while waiting:
        each = waiting.pop()
        if each not in found:
            found.add(each)
            waiting += below.get(each, [])
    return found


def _offering(columns: Columns, now: float, wanted: Filter) -> Mask:
    skill = columns.skills.find(wanted.skill)
    if skill == NONE:
        raise DomainError("no skill has this id", code="NOT_FOUND", field="filter.skillId")
    offers = columns.tables["offers"]
    accepted = sorted(narrower(columns, skill, now))
    rows = offers.valid(now) & np.isin(columns.skills_of("offers", "skill", now), accepted)
    if wanted.min_level is not None:
        rows &= np.nan_to_num(offer_levels(columns, now), nan=0.0) >= wanted.min_level
    return _people(columns, offers.numbers("person")[rows])


def _telling(profiles: Profiles, name: str, wanted: str) -> Mask:
    """Whose profile names a format, or a language that a range takes in: `bool[people]`."""
    told, wanted = profiles.columns.tables["profiles"].strings(name), wanted.casefold()
    names = [any(f"{each.casefold()}-".startswith(f"{wanted}-") for each in words or ()) for words in told]
    return np.array([*names, False])[profiles.rows]


def _standing(more: Reals, seniority: str, settings: SignalSettings) -> Mask:
    """Who has so many years of experience more than the mentee: `bool[people]`; nobody where they are not known."""
    least, most = settings.seniority_least_years, settings.seniority_most_years
    found: Mask = {
        PEER: np.abs(more) < least,
        NEAR_PEER: (more >= least) & (more <= most),
        SENIOR: more > most,
    }[seniority]
    return found


def _have_mentored(columns: Columns, now: float) -> Mask:
    pairings, helps = columns.tables["pairings"], columns.tables["co_mentors"]
    mentors = pairings.numbers("mentor")[pairings.begun(now)]
    return _people(columns, np.concatenate([mentors, helps.numbers("person")[helps.begun(now)]]))


def experts(columns: Columns, asked: Question, settings: SignalSettings) -> Mask:
    """Who offers a wished skill at the wished level or above it: `bool[people]`."""
    offers, found = columns.tables["offers"], np.zeros(len(columns.people), bool)
    skills = columns.skills_of("offers", "skill", asked.seconds)
    levels = np.nan_to_num(offer_levels(columns, asked.seconds), nan=settings.level_unknown)
    valid = offers.valid(asked.seconds)
    for wish in asked.wishes:
        rows = valid & (skills == wish.skill) & (levels >= wish.level)
        found |= _people(columns, offers.numbers("person")[rows])
    return found


def cross_functional(columns: Columns, asked: Question) -> Mask:
    """Who belongs to units of which none is the mentee's: `bool[people]`; nobody where the mentee's are not known."""
    members = columns.tables["unit_membership"]
    valid, unit, person = members.valid(asked.seconds), members.numbers("unit"), members.numbers("person")
    own = unit[valid & (person == asked.mentee)]
    if not len(own):
        return np.zeros(len(columns.people), bool)
    shares = valid & np.isin(unit, own)
    return _people(columns, person[valid]) & ~_people(columns, person[shares])


def traits(columns: Columns, asked: Question, person: int) -> frozenset[int]:
    """The units of a person, and the skills that they offer; numbers that compare within these columns only."""
    units = columns.tables["unit_membership"].numbers("unit")
    skills = columns.skills_of("offers", "skill", asked.seconds)
    belongs, offers = (
        [row for row in columns.rows_by(kind, "person").of(person) if columns.tables[kind].valid(asked.seconds)[row]]
        for kind in ("unit_membership", "offers")
    )
    return frozenset([2 * int(units[row]) for row in belongs] + [2 * int(skills[row]) + 1 for row in offers])


def _people(columns: Columns, numbers: Numbers) -> Mask:
    found = np.zeros(len(columns.people), bool)
    found[numbers[numbers != NONE]] = True
    return found


@dataclass(frozen=True, slots=True)
class TierFilter:
    """Who is eligible for a tier of mentors.

    Attributes:
        tier: uid of the tier.
        programme: uid of its programme.
    """

    tier: str
    programme: str

    @classmethod
    async def of(cls, store: Store, tier: str) -> "TierFilter":
        """The filter for a tier.

        Raises:
            DomainError: `NOT_FOUND`, there is no such tier.
        """
        programme = await store.find_programme_of_tier(tier)
        if programme is None:
            raise DomainError("no tier has this id", code="NOT_FOUND", field="filter.tierId")
        return cls(tier, programme)

    async def eligible(self, store: Store, people: Sequence[str], now: datetime) -> set[str]:
        """Those of some people who are eligible; nobody for a tier that does not hold, or is not for mentors."""
        found = set()
        asked = [(person, self.programme, "mentor") for person in people]
        for (person, _, _), (standing, tiers) in (await store.read_standings(asked, now)).items():
            if any(tier.uid == self.tier and not unmet(tier, standing, now) for tier in tiers):
                found.add(person)
        return found
