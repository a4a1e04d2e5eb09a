"""Why a mentor is suggested to so many, or to nobody: what the decision log and the rules say of one mentor."""

import asyncio
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import timedelta
from statistics import fmean
from typing import Any

import numpy as np

from mentorgraph.graph.decisions.reading import Records
from mentorgraph.graph.errors import DomainError
from mentorgraph.graph.people.participants import participants
from mentorgraph.graph.people.profile import completeness_of
from mentorgraph.graph.ranking.matching import Recommender
from mentorgraph.graph.ranking.scoring import Scorer
from mentorgraph.graph.viewer import COORDINATOR, Viewer

MOST_DAYS = 3_660
ASKED_AGAIN = 10
"""For so many goals a mentor who is shown to nobody is explained, those that were asked about last."""
REFUSED = frozenset({"CONSENT_REQUIRED", "NOT_ONBOARDED", "NOT_FOUND"})
"""Codes with which somebody who asked before is refused now; they are passed over."""


@dataclass(frozen=True, slots=True)
class Counted:
    """How often something was found.

    Attributes:
        name: What: a signal or a rule.
        count: How often.
    """

    name: str
    count: int


@dataclass(frozen=True, slots=True)
class Exposure:
    """How much a mentor is shown, and why.

    Attributes:
        days: The days that are looked at, up to now.
        answers: Lists that were given in that time.
        shown: Lists in which the mentor stood.
        share: shown / answers; None without answers.
        mean_rank: The mean of their places; None where they were not shown.
        reasons: The signals that their first reason was evidence for, the most frequent first.
        examined: For a mentor who was shown to nobody: for how many goals they were looked at now.
        blockers: For them: rules that forbid the pair, by how many of these goals.
        missing_signals: For them: signals that count in favour and add nothing, by how many of these goals.
        missing_fields: For them: what their profile lacks, see `profile.completeness_of`.
    """

    days: int
    answers: int
    shown: int
    share: float | None
    mean_rank: float | None
    reasons: tuple[Counted, ...]
    examined: int = 0
    blockers: tuple[Counted, ...] = ()
    missing_signals: tuple[Counted, ...] = ()
    missing_fields: tuple[str, ...] = ()


async def mentor_exposure(
    recommender: Recommender,
    records: Records,
    viewer: Viewer,
    mentor: str,
    days: int = 90,
    *,
    scorer: Scorer | None = None,
) -> Exposure:
    """Says in how many lists a mentor was shown, where and why; of one who was shown in none, what keeps them out.

    Args:
        recommender: What answers.
        records: The decision log.
        viewer: On whose behalf; coordinators only.
        mentor: uid of the mentor.
        days: How many days up to now are looked at, 1 to `MOST_DAYS`.
        scorer: What ranks; that of the recommender if none is given.

    Raises:
        DomainError: `FORBIDDEN`, `BAD_USER_INPUT`, `NOT_FOUND`, or as the decision log says.
        DatabaseUnavailable: The graph cannot be asked.
    """
    if not viewer.coordinates:
        raise DomainError("only coordinators may ask how often somebody is shown", code="FORBIDDEN")
    if not 1 <= days <= MOST_DAYS:
        raise DomainError(f"days is {days}; ask for 1 to {MOST_DAYS}", code="BAD_USER_INPUT", field="days")
    now = recommender.clock()
    found = (await participants(recommender.store, [mentor], now)).get(mentor)
    if found is None:
        raise DomainError("no person has this id", code="NOT_FOUND", field="mentorId")
    exposure, asked = await asyncio.to_thread(_read, records.entries(now - timedelta(days=days)), mentor, days)
    if exposure.shown:
        return exposure
    examined, blockers, signals = await _examined(recommender, scorer, mentor, asked or _open_goals(recommender))
    return Exposure(
        days,
        exposure.answers,
        0,
        exposure.share,
        None,
        (),
        examined,
        _counted(blockers),
        _counted(signals),
        tuple(demand.field for demand in completeness_of(found).missing),
    )


def _read(entries: Iterable[Mapping[str, Any]], mentor: str, days: int) -> tuple[Exposure, list[tuple[str, str]]]:
    """What the log says, and the goals that were asked about last."""
    answers, ranks, reasons = 0, list[int](), Counter[str]()
    asked: dict[tuple[str, str], None] = {}
    for entry in entries:
        answers += 1
        question = entry["question"]["mentee"], entry["question"]["goal"]
        asked.pop(question, None)
        asked[question] = None
        for each in entry["recommendations"]:
            if each["mentor"] == mentor:
                ranks.append(each["rank"])
                reasons.update(path["signal"] for path in each["paths"][:1])
    shown = len(ranks)
    share, rank = (shown / answers if answers else None), (fmean(ranks) if ranks else None)
    return Exposure(days, answers, shown, share, rank, _counted(reasons)), list(asked)[::-1][:ASKED_AGAIN]


def _open_goals(recommender: Recommender) -> list[tuple[str, str]]:
    """The goals that were set last, where nobody has asked yet."""
    columns = recommender.columns
    goals = columns.tables["goals"]
    rows = np.flatnonzero(goals.valid(recommender.clock().timestamp()))
    rows = rows[np.argsort(-goals.reals("since")[rows], kind="stable")][:ASKED_AGAIN]
    return [(columns.people.uids[goals.numbers("person")[row]], columns.goals.uids[row]) for row in rows]


async def _examined(
    recommender: Recommender, scorer: Scorer | None, mentor: str, asked: list[tuple[str, str]]
) -> tuple[int, Counter[str], Counter[str]]:
    examined, blockers, signals = 0, Counter[str](), Counter[str]()
    for mentee, goal in asked:
        if mentee == mentor:
            continue
        try:
            found = await recommender.explain(COORDINATOR, mentee, mentor, goal or None, scorer=scorer)
        except DomainError as error:
            if error.code not in REFUSED:
                raise
            continue
        examined += 1
        blockers.update({refusal.rule for refusal in found.refusals})
        signals.update(each.name for each in found.signals if not each.value and (each.weight or 0) > 0)
    return examined, blockers, signals


def _counted(found: Counter[str]) -> tuple[Counted, ...]:
    return tuple(Counted(name, number) for name, number in sorted(found.items(), key=lambda each: (-each[1], each[0])))
