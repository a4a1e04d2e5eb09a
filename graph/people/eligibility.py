"""From what the graph holds of two people to what the hard rules ask for, the same for answers and for acceptances.

A pair is judged in a frame: the programme that is meant, its format and the policy that counts there.
"""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Protocol

import numpy as np

from mentorgraph.graph.calendar.availability import Bits, Window, ahead_of_utc, free_bits, shared_minutes, week_of
from mentorgraph.graph.errors import DomainError
from mentorgraph.graph.rules.evaluator import PairFacts
from mentorgraph.graph.rules.policy import Policy, read_draft
from mentorgraph.graph.rules.refusals import Refusal
from mentorgraph.graph.rules.tiers import Standing, Tier, unmet
from mentorgraph.graph.store.transported import instant_of
from mentorgraph.graph.vocabulary import PROGRAMME_FORMATS

HOUR = timedelta(hours=1)


class RuleFacts(Protocol):
    """Whatever tells what the hard rules ask for: the store, or columns that were just brought up to date."""

    async def read_askers(
        self,
        asked: Iterable[tuple[str, str | None]],
        now: datetime,
        programme: str | None = None,
        pinned_at: datetime | None = None,
    ) -> list[dict[str, Any]]:
        """Whoever asks and the goals asked about, in a programme; people who do not exist are absent."""

    async def read_candidates_of(
        self, asked: Iterable[tuple[Sequence[str], Sequence[str], str]], now: datetime
    ) -> list[dict[str, Any]]:
        """What the rules need to know of each of some mentors with each of some mentees, in a programme or none."""

    async def read_standings(
        self, asked: Iterable[tuple[str, str, str]], now: datetime
    ) -> dict[tuple[str, str, str], tuple[Standing, list[Tier]]]:
        """Where people stand in the tiers of programmes, by person, programme and role."""


@dataclass(frozen=True, slots=True)
class Frame:
    """Where a pair is looked for.

    Attributes:
        policy: The policy that counts.
        programme: uid of the programme; empty for none.
        format: Its format; empty where it is not known.
    """

    policy: Policy
    programme: str = ""
    format: str = ""


@dataclass(frozen=True, slots=True)
class Seeker:
    """Whoever seeks a mentor, as the rules ask for them.

    Attributes:
        uid: Their uid.
        goal: uid of the goal; empty for none.
        free: When they are free; None where they have not said.
        row: What `Store.read_asker` told of them.
        frame: Where they seek.
    """

    uid: str
    goal: str
    free: Bits | None
    row: Mapping[str, Any]
    frame: Frame


def seeker_of(row: Mapping[str, Any], now: datetime, policy: Policy) -> Seeker:
    """Whoever seeks a mentor, in the frame of their programme.

    Args:
        row: What `Store.read_asker` told of them.
        now: The instant as of which facts count.
        policy: The policy of the whole organisation.

    Raises:
        DomainError: `BAD_POLICY`, what the programme says contradicts the policy that it stands on.
    """
    frame = Frame(policy)
    for programme in row["programmes"]:
        within = programme["format"] or ""
        drafts = [read_draft(text, "of the programme") for text in programme["drafts"]]
        frame = Frame(policy.within(within, drafts[0] if drafts else None), programme["uid"], within)
    return Seeker(row["mentee"], row["goal"] or "", free_of(row, now), row, frame)


def free_of(row: Mapping[str, Any], now: datetime) -> Bits | None:
    """The free slots of a person in the week of an instant, or None where they have not said.

    Args:
        row: What `Store.read_askers` or `RuleFacts.read_candidates_of` told of them.
        now: The instant.
    """
    if not row["windows"]:
        return None
    taken = ((instant_of(since), instant_of(until)) for since, until in (*row["absences"], *row["busy"]))
    return free_bits((Window(*window) for window in row["windows"]), taken, week_of(now))


async def read_pairs(
    known: RuleFacts, seeker: Seeker, mentors: Sequence[str], now: datetime, *, wanted: float = 1.0
) -> dict[str, PairFacts]:
    """What the rules need to know of some mentors for one mentee: uid of the mentor → facts; unknown ones are absent.

    Of the store this takes one round trip, of columns none; another one where the policy asks for a tier.

    Args:
        known: What tells the facts.
        seeker: The mentee.
        mentors: uids of the mentors.
        now: The instant as of which facts count.
        wanted: How much of a place the pair would take.
    """
    [found] = await read_pairs_of([seeker], mentors, known, now, wanted=wanted)
    return found


async def read_pairs_of(
    seekers: Sequence[Seeker], mentors: Sequence[str], known: RuleFacts, now: datetime, *, wanted: float = 1.0
) -> list[dict[str, PairFacts]]:
    """As `read_pairs`, of many mentees with the same mentors in as many round trips: what it gives for each of them.

    A mentee may stand in it several times, with different goals, but in one programme.
    """
    rows: dict[str, list[Mapping[str, Any]]] = {each.uid: [] for each in seekers}
    together: dict[str, list[str]] = {}
    for uid, within in {each.uid: each.frame.programme for each in seekers}.items():
        together.setdefault(within, []).append(uid)
    asking = [(mentees, mentors, within) for within, mentees in together.items()]
    free: dict[str, Bits | None] = {}
    for row in await known.read_candidates_of(asking, now):
        rows[row["mentee"]].append(row)
        if row["uid"] not in free:
            free[row["uid"]] = free_of(row, now)
    asked = {
        (row["uid"], each.frame.programme, "mentor"): None
        for each in seekers
        if each.frame.programme and each.frame.policy.rules.least_mentor_tier
        for row in rows[each.uid]
    }
    standings = await known.read_standings(asked, now) if asked else {}
    found = []
    for seeker in seekers:
        pairs = {}
        for candidate in rows[seeker.uid]:
            told = standings.get((candidate["uid"], seeker.frame.programme, "mentor"))
            tier, lacks = _tier(seeker.frame.policy.rules.least_mentor_tier, *told, now) if told else ("", ())
            pairs[candidate["uid"]] = _pair_facts(candidate, seeker, free[candidate["uid"]], now, wanted, tier, lacks)
        found.append(pairs)
    return found


def _tier(rank: float, standing: Standing, tiers: Sequence[Tier], now: datetime) -> tuple[str, tuple[Refusal, ...]]:
    """Name of the tier of a rank, empty where there is none, and what keeps somebody from it."""
    found: tuple[str, tuple[Refusal, ...]] = ("", ())
    for each in tiers:
        if each.rank == rank:
            found = each.name, tuple(unmet(each, standing, now))
    return found


def _pair_facts(
    row: Mapping[str, Any],
    seeker: Seeker,
    own: Bits | None,
    now: datetime,
    wanted: float,
    tier: str,
    lacks: tuple[Refusal, ...],
) -> PairFacts:
    asker, settings = seeker.row, seeker.frame.policy.rules
    free = seeker.free
    hours = max(row["hours"], default=None)
    enrolments = [each for each in row["enrolments"] if each >= 0]
    forbidden_until, forbidden_for = next(iter(row["forbidden"]), (None, ""))
    return PairFacts(
        at=now,
        same_person=row["uid"] == seeker.uid,
        is_mentor=bool(row["places"]),
        consented=row["consented"],
        missing_steps=tuple(row["missing_steps"]),
        left_on=_left(row, now),
        places=max((places for places in row["places"] if places >= 0), default=settings.max_mentees),
        taken=row["taken"],
        places_in_programme=max(row["places_in_programme"], default=None),
        taken_in_programme=row["taken_in_programme"],
        paired=row["paired"],
        blocked=row["blocked"],
        away_until=max(map(instant_of, row["away_until"]), default=None),
        shared_minutes=int(shared_minutes(free, own[np.newaxis])[0]) if own is not None and free is not None else None,
        wanted=wanted,
        in_programme=bool(seeker.frame.programme),
        is_enrolled=bool(row["enrolments"]),
        format=seeker.frame.format,
        hours_per_month=None if hours is None else hours[0],
        hours_in_programme=max(enrolments, default=None),
        used_minutes=0 if hours is None else hours[1],
        declined_on=_declined_on(row["declined"], seeker.goal),
        zone_gap_hours=zone_gap_hours(row["zone"], asker["zone"], now),
        reports=min(row["manages"], default=0) or -min(row["reports"], default=0),
        languages=(languages_of(row), languages_of(asker)),
        formats=(formats_of(row), formats_of(asker)),
        asynchronous=_works_apart(row) and _works_apart(asker),
        levels=(_level(row, settings.grades), _level(asker, settings.grades)),
        tier=tier,
        unmet=lacks,
        mentee_left_on=_left(asker, now),
        mentee_consented=asker["consented"],
        mentee_missing_steps=tuple(asker["missing_steps"]),
        mentors=asker["mentors"],
        forbidden_until=None if forbidden_until is None else instant_of(forbidden_until),
        forbidden_for=forbidden_for,
        programmes=frozenset(row["programmes"]),
    )


def zone_gap_hours(one: str | None, other: str | None, now: datetime) -> float | None:
    """Hours by which the clocks of two zones differ at an instant, 0 to 12, whatever the day; None for an unknown zone.

    Who is twelve hours ahead and who is twelve hours behind see the same time of day.
    """
    if not one or not other:
        return None
    apart = (ahead_of_utc(now, one) - ahead_of_utc(now, other)) / HOUR % 24
    return min(apart, 24 - apart)


def level_of_grade(grade: str | None, grades: Sequence[str]) -> int | None:
    """The level of a grade: its place among some, from 1, or else the only number in it; None where there is neither.

    Args:
        grade: The grade, such as `senior` or `Band 6`.
        grades: Grades from the lowest up.
    """
    ladder = [each.casefold() for each in grades]
    if grade and grade.strip().casefold() in ladder:
        return ladder.index(grade.strip().casefold()) + 1
    numbers = re.findall(r"\d{1,4}", grade or "", re.ASCII)
    return int(numbers[0]) if len(numbers) == 1 else None


def _left(row: Mapping[str, Any], now: datetime) -> datetime | None:
    left_on = None if row["left_on"] is None else instant_of(row["left_on"])
    return left_on if left_on is not None and left_on < now else None


def _declined_on(declined: Sequence[Sequence[Any]], goal: str) -> datetime | None:
    """When a pair was last declined for a goal; one that named no goal was declined for every one."""
    return max((instant_of(at) for at, goals in declined if not goals or goal in goals), default=None)


def languages_of(row: Mapping[str, Any]) -> frozenset[str]:
    """The languages of a person, whose `profiles` a row holds, without regions: who speaks pt-BR understands pt."""
    return frozenset(
        each.partition("-")[0].casefold() for profile in row["profiles"] for each in profile["languages"] or ()
    )


def formats_of(row: Mapping[str, Any]) -> frozenset[str]:
    """Those formats of programmes that a person names in their `profiles`; other words count for nothing."""
    named = (each for profile in row["profiles"] for each in profile["formats"] or ())
    clean = {each.strip().casefold().replace(" ", "_").replace("-", "_") for each in named}
    return frozenset(clean & set(PROGRAMME_FORMATS))


def _works_apart(row: Mapping[str, Any]) -> bool:
    """Whether a person says that they need not meet at the same time."""
    return any(profile["communication"] in ("mixed", "asynchronous") for profile in row["profiles"])


def _level(row: Mapping[str, Any], grades: Sequence[str]) -> int | None:
    return next((level_of_grade(profile["grade"], grades) for profile in row["profiles"]), None)


def refuse_mentee(row: Mapping[str, Any]) -> None:
    """Refuses whoever seeks a mentor before they have agreed to be matched, or before they are onboarded.

    Args:
        row: What `Store.read_asker` told of them.

    Raises:
        DomainError: `CONSENT_REQUIRED` or `NOT_ONBOARDED`.
    """
    if not row["consented"]:
        raise DomainError(
            "this person has not agreed to be matched; record their consent to matching first",
            code="CONSENT_REQUIRED",
            field="menteeId",
        )
    if row["missing_steps"]:
        steps = ", ".join(row["missing_steps"])
        raise DomainError(
            f"this person has not taken these steps of onboarding: {steps}; mark them as done first",
            code="NOT_ONBOARDED",
            field="menteeId",
        )


def refuse_unknown_programme(row: Mapping[str, Any], programme: str | None) -> None:
    """Refuses a programme that does not exist.

    Args:
        row: What `Store.read_asker` told of whoever asks in it.
        programme: Its uid; None where none was named.

    Raises:
        DomainError: `NOT_FOUND`.
    """
    if programme and not row["programmes"]:
        raise DomainError("no programme has this id", code="NOT_FOUND", field="programmeId")
