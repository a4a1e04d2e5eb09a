"""Why pairings of a generated world stall: each has one cause, and the facts of the world show it."""

from collections import defaultdict

from mentorgraph.graph.vocabulary import STALL_CAUSES
from mentorgraph.graph.world import truth_2
from mentorgraph.graph.world.clocks import iso
from mentorgraph.graph.world.draws import Draws, Weighted
from mentorgraph.graph.world.history import History, Life
from mentorgraph.graph.world.programmes import Programme
from mentorgraph.graph.world.surveys import cadence

UNSIGNED_DAYS = 5
"""Days at most from accepting to beginning."""
HOURS_USED = 90
"""Minutes of a month from which on a budget may have been too small."""


def find_causes(history: History) -> dict[str, int]:
    """Gives each stalled pairing its cause, and lets the world show it.

    Returns:
        Mentor → the hours a month that they turn out to have, where that is why one of their pairings stalled.
    """
    draws = history.draws("stalls")
    told = {row[0] for row in history.made.tables.rows["availability"]}
    used: dict[tuple[str, str], int] = defaultdict(int)
    for life in history.lives:
        for each in life.meetings:
            used[life.mentor.id, iso(each.day)[:7]] += each.minutes
    spent: dict[str, Life] = {}
    for life in history.lives:
        if not life.stalled:
            continue
        causes = _possible(history, life, told)
        month = life.mentor.id, iso(life.last_met)[:7]
        is_now = bool(life.ends) or month[1] == iso(history.last)[:7]
        if is_now and life.mentor.id not in spent and used[month] >= HOURS_USED and life.meetings:
            causes.append("hours_spent")
        life.cause = Weighted(causes, [truth_2.STALL_WEIGHTS[each] for each in causes]).draw(draws)
        if life.cause == "hours_spent":
            spent[life.mentor.id] = life
        elif life.cause in ("not_signed", "never_met"):
            life.meetings, life.stalled = [], life.begins
        elif life.cause in ("mentor_away", "mentee_away"):
            _go_away(draws, history, life)
    _stay_away(history)
    return _hours(history, spent)


def _possible(history: History, life: Life, told: set[str]) -> list[str]:
    """The causes that what version 1 made leaves open."""
    causes = []
    if len(life.meetings) <= truth_2.FEW_SESSIONS and not life.pairing.left:
        causes += ["not_signed", "never_met"]
    if not life.pairing.fit.time and set(life.people) <= told:
        causes.append("no_shared_time")
    else:
        causes.append("stopped_meeting")
    if causes[-1] == "stopped_meeting" and life.begins + cadence(life.programme) + 2 * truth_2.STALL_DAYS < _seen(life):
        causes.append("poor_feedback")
    since = max(life.stalled, life.last_met + 1)
    for cause, person in zip(("mentor_away", "mentee_away"), life.people, strict=True):
        left = history.made.people[person].left
        until = _back(history, life, since)
        is_free = not history.begins_within(person, since, until) and not history.away.meets(person, since, until)
        if is_free and not (left and left <= until) and since <= history.last:
            causes.append(cause)
    return causes


def stall_days(programme: Programme | None) -> int:
    """Days without a session after which a pairing has stalled."""
    return truth_2.STALL_DAYS if programme else truth_2.STALL_DAYS_ALONE


def _go_away(draws: Draws, history: History, life: Life) -> None:
    """Lets one of the two be away from the day on which they stopped meeting until after it was noticed."""
    person = life.people[life.cause == "mentee_away"]
    since = max(life.stalled, life.last_met + 1)
    history.put_away(person, since, _back(history, life, since), draws.pick(("told", "silent")))
    life.stalled = since


def _back(history: History, life: Life, since: int) -> int:
    """When somebody comes back who is why a pairing stalls: later than is noticed, and while it goes on not yet."""
    until = since + stall_days(life.programme) + 10
    return until if life.ends else max(until, history.last + 10)


def _stay_away(history: History) -> None:
    """Takes away the sessions that somebody could not have been at, and dates what was noticed."""
    for life in history.lives:
        life.meetings = [
            each for each in life.meetings if not any(history.away.holds(person, each.day) for person in life.people)
        ]
        if life.cause and life.cause != "not_signed":
            if not life.meetings and life.cause not in ("mentor_away", "mentee_away", "no_shared_time"):
                life.cause = "never_met"
            seen = _seen(life)
            life.seen = seen if seen <= history.last and not (life.ends and life.ends <= seen) else 0


def _seen(life: Life) -> int:
    """When somebody notices that the two have stopped meeting."""
    begun = UNSIGNED_DAYS if life.stalled == life.begins else 1
    return max(life.stalled, life.last_met) + stall_days(life.programme) + begun


def _hours(history: History, spent: dict[str, Life]) -> dict[str, int]:
    """Budgets that the sessions of the month in which the two last met used up."""
    used: dict[tuple[str, str], int] = defaultdict(int)
    for life in history.lives:
        if life.mentor.id in spent:
            for each in life.meetings:
                used[life.mentor.id, iso(each.day)[:7]] += each.minutes
    hours = {}
    for mentor, life in spent.items():
        minutes = used[mentor, iso(life.last_met)[:7]]
        if minutes >= 60:
            hours[mentor] = minutes // 60
        else:
            life.cause = "stopped_meeting"
    return hours


def cause_at(history: History, life: Life, day: int, told: set[str]) -> str:
    """Why a pairing that stalled by itself did, by what the world shows on a day.

    Args:
        history: The world.
        life: The pairing.
        day: The day on which it is noticed.
        told: Who stated any availability.
    """
    mentor, mentee = life.people
    last = {person: rating for given, person, rating in life.ratings if given <= day}
    holds = {
        "mentor_away": history.away.holds(mentor, day),
        "mentee_away": history.away.holds(mentee, day),
        "no_shared_time": not life.pairing.fit.time and set(life.people) <= told,
        "never_met": not any(each.day < day for each in life.meetings),
        "poor_feedback": any(10 * rating < truth_2.BAD for rating in last.values()),
    }
    return next((cause for cause in STALL_CAUSES if holds.get(cause)), "stopped_meeting")
