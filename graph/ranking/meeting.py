"""How two people can meet: at the same time, or only by what each sends when they can."""

from collections.abc import Sequence

from mentorgraph.graph.calendar.availability import shared_minutes
from mentorgraph.graph.columns.columns import Columns
from mentorgraph.graph.columns.free_time import free_slots
from mentorgraph.graph.columns.question import Question
from mentorgraph.graph.signals.profiles import Profiles

MODES = {
    "live": "Both are free at the same time for as long as the rules ask for.",
    "async": "Both are free at the same time for less than the rules ask for, and both work without it.",
}
"""Every way to meet, and what it means."""

LIVE, ASYNC = MODES


def modes_of(columns: Columns, asked: Question, people: Sequence[int], least_minutes: float) -> dict[int, str]:
    """How each of some people can meet whoever asks: one of `MODES`, empty where that is not known.

    Args:
        columns: The facts.
        asked: The question; its week counts.
        people: Numbers of the people.
        least_minutes: Minutes of the week that meeting takes, `least_overlap_minutes` of the policy.
    """
    free, stated = free_slots(columns, asked.now)
    accepts = Profiles.of(columns, asked).scale("communication", ("live", "mixed", "asynchronous"))
    found = dict.fromkeys(people, "")
    for person in people if stated[asked.mentee] else ():
        if not stated[person]:
            continue
        minutes = int(shared_minutes(free[asked.mentee], free[[person]])[0])
        if minutes and minutes >= least_minutes:
            found[person] = LIVE
        elif accepts[asked.mentee] > 0 and accepts[person] > 0:
            found[person] = ASYNC
    return found
