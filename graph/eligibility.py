"""From what the graph holds of two people to what the hard rules ask for, the same for answers and for acceptances."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

import numpy as np

from mentorgraph.graph.availability import Bits, Window, free_bits, shared_minutes, week_of
from mentorgraph.graph.errors import DomainError
from mentorgraph.graph.policy import RuleSettings
from mentorgraph.graph.rules import PairFacts
from mentorgraph.graph.transported import instant_of, native


def free_of(row: Mapping[str, Any], now: datetime) -> Bits | None:
    """The free slots of a person in the week of an instant, or None where they have not said.

    Args:
        row: What `Store.read_asker` or `Store.read_candidates` told of them.
        now: The instant.
    """
    if not row["windows"]:
        return None
    absences = [(native(since), native(until)) for since, until in row["absences"]]
    busy = [(instant_of(since), instant_of(until)) for since, until in row["busy"]]
    return free_bits((Window(*window) for window in row["windows"]), [*absences, *busy], week_of(now))


def pair_facts(
    row: Mapping[str, Any],
    mentee: str,
    free: Bits | None,
    now: datetime,
    settings: RuleSettings,
    *,
    wanted: float = 1.0,
) -> PairFacts:
    """What the rules need to know of one mentor and one mentee.

    Args:
        row: What `Store.read_candidates` told of the mentor.
        mentee: uid of the mentee.
        free: When the mentee is free, see `free_of`.
        now: The instant as of which facts count.
        settings: What the policy says.
        wanted: How much of a place the pair would take.
    """
    own = free_of(row, now)
    shared = int(shared_minutes(free, own[np.newaxis])[0]) if own is not None and free is not None else None
    left_on = native(row["left_on"])
    forbidden_until, forbidden_for = next(iter(row["forbidden"]), (None, ""))
    return PairFacts(
        same_person=row["uid"] == mentee,
        is_mentor=bool(row["places"]),
        consented=row["consented"],
        missing_steps=tuple(row["missing_steps"]),
        left_on=left_on if left_on is not None and left_on < now else None,
        places=max((places for places in row["places"] if places >= 0), default=settings.max_mentees),
        taken=row["taken"],
        places_in_programme=max(row["places_in_programme"], default=None),
        taken_in_programme=row["taken_in_programme"],
        paired=row["paired"],
        blocked=row["blocked"],
        away_until=max(map(native, row["away_until"]), default=None),
        shared_minutes=shared,
        least_shared_minutes=settings.least_overlap_minutes,
        wanted=wanted,
        forbidden_until=native(forbidden_until),
        forbidden_for=forbidden_for,
    )


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
