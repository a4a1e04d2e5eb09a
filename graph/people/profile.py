"""Profiles: what people tell of themselves, kept version by version, and how complete it is.

A profile is never overwritten: telling something else ends the one that holds and begins another, so what was known on
a past day stays answerable.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace

from mentorgraph.graph.clock import Clock, present
from mentorgraph.graph.facts.dated import ended
from mentorgraph.graph.facts.kinds import KINDS
from mentorgraph.graph.facts.model import InvalidFact, Problem, Record, Row
from mentorgraph.graph.facts.rows import facts_of
from mentorgraph.graph.facts.values import instant
from mentorgraph.graph.people.participants import Participant, participant
from mentorgraph.graph.people.recording import SOURCE, may_speak_for
from mentorgraph.graph.store.store import Store
from mentorgraph.graph.viewer import Viewer

_LANGUAGE = re.compile(r"[A-Za-z]{2,8}(-[A-Za-z0-9]{1,8})*", re.ASCII)
"""The form of a language tag; whether such a language exists is not looked up. Source: RFC 5646, section 2.1."""

TOLD = tuple(field.column for field in KINDS["profiles"].fields if field.column not in ("since", "until"))
"""What a profile may tell."""


async def tell_profile(
    store: Store,
    viewer: Viewer,
    person: str,
    told: Row,
    *,
    source: str = SOURCE,
    clock: Clock = present,
) -> None:
    """Tells something of a person; what is not told stays, and None or nothing takes it back.

    Args:
        store: The graph.
        viewer: On whose behalf; participants speak for themselves only.
        person: uid of the person.
        told: Some of `TOLD`.
        source: Where this is known from.
        clock: The present instant.

    Raises:
        DomainError: `FORBIDDEN`, `NOT_FOUND`.
        InvalidFact: A value cannot be taken.
    """
    may_speak_for(viewer, person)

    async def decide(known: Store) -> tuple[list[Record], None]:
        now = instant(clock())
        own = await participant(known, person, now)
        before = own.profile
        kept = {name: value for name, value in before.properties.items() if name in TOLD} if before else {}
        row = {**kept, **{name: value for name, value in told.items() if name in TOLD}}
        [after] = facts_of("profiles", {**row, "person_id": person, "since": now, "source": source}, source)
        _refuse_odd_languages(after)
        if (content := _content(after)) == (_content(before) if before else {}):
            return [], None
        if before is not None and before.properties["since"] == now:
            return [Record("profiles", before.uid, {**after.properties, "uid": before.uid}, before.links)], None
        closed = [ended(before, now)] if before else []
        return [*closed, *([after] if content else [])], None

    await store.decide_and_write(decide)


def _content(profile: Record) -> Mapping[str, object]:
    return {name: value for name, value in profile.properties.items() if name in TOLD}


def is_language(tag: str) -> bool:
    """Whether a text has the form of a language tag, such as pt-BR."""
    return _LANGUAGE.fullmatch(tag) is not None


def _refuse_odd_languages(profile: Record) -> None:
    languages = profile.properties.get("languages", [])
    odd = [each for each in languages if not is_language(each)] if isinstance(languages, list) else []
    if odd:
        raise InvalidFact([Problem("languages", odd[0][:120], "is no language tag", "write it as en or pt-BR")])


# --- completeness -----------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Demand:
    """Something that a person should tell.

    Attributes:
        field: Its name.
        weight: How much of completeness it is; consent and skills, without which nobody is found, weigh most.
        why: What it is good for.
        roles: Whom it is asked of; everybody if there are none.
    """

    field: str
    weight: int
    why: str
    roles: tuple[str, ...] = ()


DEMANDS = (
    Demand("matching_consent", 5, "nobody is recommended who has not agreed to be matched"),
    Demand("offered_skills", 5, "mentees are led to mentors by the skills that they offer", ("mentor",)),
    Demand("wanted_skills", 5, "mentors are found by the skills that are wanted", ("mentee",)),
    Demand("availability", 3, "two people are only recommended to each other if they share time"),
    Demand("zone", 2, "meetings are proposed at hours of day in which people are awake"),
    Demand("about", 2, "the other side wants to know whom they will meet"),
    Demand("languages", 2, "two people need a language in common"),
    Demand("communication", 2, "it tells whether two people like to talk in the same way"),
    Demand("pace", 2, "it tells whether two people like to go equally fast"),
    Demand("formats", 1, "it tells in which forms the person takes part"),
    Demand("coaching_style", 1, "mentees choose by it how they are challenged", ("mentor",)),
    Demand("job_title", 1, "it tells what the person does"),
    Demand("experience_years", 1, "it tells how long they have done it", ("mentor",)),
)
"""What a person should tell, in the order in which it is best filled in. The grade is asked of nobody."""


@dataclass(frozen=True, slots=True)
class Completeness:
    """How much of what a person should tell is told.

    Attributes:
        share: Weight of what is told over the weight of what is asked of them, 0 to 1.
        missing: What is not told, the weightiest first.
        person: uid of whom it is about; empty where that is not known.
    """

    share: float
    missing: tuple[Demand, ...]
    person: str = ""


def completeness(told: Mapping[str, object], roles: tuple[str, ...]) -> Completeness:
    """How complete what is known of a person is.

    Args:
        told: Field of `DEMANDS` → what is told; nothing, None or an empty value is not told.
        roles: The roles that the person has.
    """
    asked = [each for each in DEMANDS if not each.roles or set(each.roles) & set(roles)]
    missing = [each for each in asked if told.get(each.field) in (None, "", [], ())]
    whole = sum(each.weight for each in asked)
    share = (whole - sum(each.weight for each in missing)) / whole
    return Completeness(share, tuple(sorted(missing, key=lambda each: -each.weight)))


def completeness_of(own: Participant) -> Completeness:
    """How complete what the graph knows of a person is."""
    consents = own.holding("consents")
    told = {
        **(own.profile.properties if own.profile else {}),
        "zone": own.person.properties.get("zone"),
        "matching_consent": [each for each in consents if each.properties["purpose"] == "matching"],
        "offered_skills": own.holding("offers"),
        "wanted_skills": own.holding("wants"),
        "availability": own.holding("availability"),
    }
    return replace(completeness(told, own.roles), person=own.person.uid)
