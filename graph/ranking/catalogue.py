"""The catalogue of mentors: whom somebody may be shown, what they offer and how they like to work, page by page.

Whoever is shown here takes part: they are mentors now, have agreed to be matched, have not left, and have taken the
mandatory steps of onboarding; the same facts that `graph.rules` asks for. Whoever blocks the viewer, or is blocked by
them, is left out.
"""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any

from mentorgraph.graph.clock import present
from mentorgraph.graph.errors import DomainError
from mentorgraph.graph.facts.levels import TRUST, Rating, level_of
from mentorgraph.graph.facts.model import Record
from mentorgraph.graph.people.profile import is_language
from mentorgraph.graph.skills.taxonomy import Taxonomy
from mentorgraph.graph.store.store import Store
from mentorgraph.graph.store.transported import properties_of
from mentorgraph.graph.viewer import Viewer

LEVEL_ERROR = 1e-9
"""What a level may be off by, being a weighted mean."""

LONGEST_WORDS = 200
"""Characters of a form or a style at most; no profile holds more."""

LIKED = {"live": ("live", "mixed"), "asynchronous": ("asynchronous", "mixed"), "mixed": ("mixed",)}
"""How somebody wants to talk → who likes that; who likes both likes each."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which mentors somebody looks for; what is empty or None is not asked for.

    Attributes:
        skill: uid of a skill that they offer, or a narrower one; a merged skill stands for its successor.
        least_level: At which level they offer it, 1 to 5.
        format: A form in which they take part, in any letter case.
        coaching_style: How they coach, in any letter case.
        communication: How they like to talk, one of `vocabulary.CHANNELS`; who likes both likes each.
        language: Language tag of a language that they speak; `pt` stands for `pt-BR` as well (RFC 4647, section 3.3.1).
        programme: uid of a programme in which they are mentors.
        has_free_places: Whether one more pairing goes, in that programme as well where one is named.
    """

    skill: str = ""
    least_level: int | None = None
    format: str = ""
    coaching_style: str = ""
    communication: str = ""
    language: str = ""
    programme: str = ""
    has_free_places: bool | None = None


@dataclass(frozen=True, slots=True)
class OfferedSkill:
    """A skill that a mentor offers.

    Attributes:
        skill: uid of the skill, by what it counts for.
        level: 1 to 5, all ratings considered; None where none is known.
    """

    skill: str
    level: float | None


@dataclass(frozen=True, slots=True)
class Entry:
    """What the catalogue tells of one mentor.

    Attributes:
        mentor: Their uid.
        has_free_places: Whether one more pairing goes, in the programme asked about as well.
        skills: What they offer, their core strengths first: by level, then by uid; those of unknown level last.
        profile: How they work; empty where they have told nothing.
        windows: When they are free, weekly, in the order of the week.
        goals: uids of the latest goals that they work on themselves, 20 at most; None for all but the mentor and those
            who see everybody.
    """

    mentor: str
    has_free_places: bool
    skills: tuple[OfferedSkill, ...]
    profile: Mapping[str, Any]
    windows: tuple[Record, ...]
    goals: tuple[str, ...] | None


async def page_of_catalogue(
    store: Store,
    viewer: Viewer,
    taxonomy: Taxonomy,
    wanted: Wanted,
    *,
    max_mentees: float,
    after: str = "",
    limit: int,
    now: datetime | None = None,
) -> list[Entry]:
    """One page of the mentors whom a viewer may be shown, in the order of their uids, which never changes.

    Args:
        store: The graph.
        viewer: On whose behalf.
        taxonomy: What is known of skills now.
        wanted: Which mentors they look for.
        max_mentees: Places of who has not said how many, as the policy has it.
        after: uid to start after.
        limit: At most so many.
        now: The instant as of which facts count; now if not given.

    Raises:
        DomainError: `BAD_USER_INPUT`; or `NOT_FOUND`, there is no such skill or programme.
    """
    now = now or present()
    _refuse_odd(wanted)
    await _refuse_unknown(store, wanted)
    asked = {
        "viewer": "" if viewer.sees_everybody else viewer.person,
        "within": None if viewer.sees_everybody else sorted(viewer.programmes),
        "known": sorted(viewer.acquaintances | {viewer.person}),
        "places": float(max_mentees),
        "skills": sorted(taxonomy.family(wanted.skill)) if wanted.skill else None,
        "counts_as": taxonomy.successors(),
        "least_level": None if wanted.least_level is None else wanted.least_level - LEVEL_ERROR,
        "trust": {name: asdict(each) for name, each in TRUST.items()},
        "format": wanted.format or None,
        "style": wanted.coaching_style or None,
        "channels": list(LIKED[wanted.communication]) if wanted.communication else None,
        "language": wanted.language or None,
        "programme": wanted.programme or None,
        "is_free": wanted.has_free_places,
    }
    rows = await store.page_catalogue(after, limit, now, asked)
    return [_entry(row, viewer, taxonomy, now) for row in rows]


def offered(facts: Sequence[Mapping[str, Any]], taxonomy: Taxonomy, now: datetime) -> tuple[OfferedSkill, ...]:
    """What somebody offers, by what it counts for, and at which level.

    Args:
        facts: Their offers and ratings that hold: `skill`, `is_offer`, `level`, `rated_by`, `since` in milliseconds.
        taxonomy: What counts for what.
        now: The instant as of which ratings have aged.
    """
    ratings: dict[str, list[Rating]] = {}
    offers = set()
    for each in facts:
        skill = taxonomy.counts_as(each["skill"])
        if each["is_offer"]:
            offers.add(skill)
        if each["level"] is not None:
            ratings.setdefault(skill, []).append(Rating(each["level"], each["rated_by"], each["since"] / 1000))
    found = [OfferedSkill(each, level_of(ratings.get(each, ()), now.timestamp())) for each in sorted(offers)]
    return tuple(sorted(found, key=lambda each: -(each.level or 0)))


def _entry(row: Mapping[str, Any], viewer: Viewer, taxonomy: Taxonomy, now: datetime) -> Entry:
    windows = [properties_of({**each, "changed": None}) for each in row["windows"]]
    return Entry(
        row["uid"],
        row["is_free"],
        offered(row["skills"], taxonomy, now),
        row["profile"] or {},
        tuple(Record("availability", each["uid"], each, {"person": row["uid"]}) for each in windows),
        tuple(row["goals"]) if viewer.sees_everybody or viewer.person == row["uid"] else None,
    )


def _refuse_odd(wanted: Wanted) -> None:
    if wanted.least_level is not None:
        if not wanted.skill:
            told = "minLevel is the level of a skill; name one in skillId, or leave it out"
            raise DomainError(told, code="BAD_USER_INPUT", field="filter.minLevel")
        if not 1 <= wanted.least_level <= 5:
            told = f"minLevel is {wanted.least_level}; levels go from 1 to 5"
            raise DomainError(told, code="BAD_USER_INPUT", field="filter.minLevel")
    for field, words in (("format", wanted.format), ("coachingStyle", wanted.coaching_style)):
        if len(words) > LONGEST_WORDS:
            told = f"{field} has {len(words)} characters; shorten it to {LONGEST_WORDS}"
            raise DomainError(told, code="BAD_USER_INPUT", field=f"filter.{field}")
    if wanted.language and not is_language(wanted.language):
        told = "language is no language tag; write it as en or pt-BR"
        raise DomainError(told, code="BAD_USER_INPUT", field="filter.language")


async def _refuse_unknown(store: Store, wanted: Wanted) -> None:
    named = [each for each in (wanted.skill, wanted.programme) if each]
    found = await store.find_existing(named)
    for uid, label, field in ((wanted.skill, "Skill", "skillId"), (wanted.programme, "Programme", "programmeId")):
        if uid and found.get(uid) != label:
            raise DomainError(f"no {label.lower()} has this id", code="NOT_FOUND", field=f"filter.{field}")
